/**
 * The page of time parameters that the vDSO reads: its layout, from which
 * `deno task gen` writes loader/vdso/layout.h, and the writer. What goes into
 * it is decided in timekeeper.ts; who reads it is loader/vdso/vdso.c.
 *
 * One page serves the whole sandbox. Guests map it read-only, and read it
 * while we write: a sequence count tells them to try again. It works because
 * the stores below happen in the order written, which x86 keeps.
 * @module
 */

interface Field {
  readonly type: "u32" | "u64";
  readonly offset: number;
}
const u32 = (offset: number): Field => ({ type: "u32", offset });
const u64 = (offset: number): Field => ({ type: "u64", offset });

/** Fields of the page; signed ones are two's complement. */
export const VDSO_PAGE = {
  name: "rsp_vdso_page",
  doc: "Time parameters: clock = base + ((tsc - tscBase) * mult >> shift)",
  size: 96,
  fields: {
    /** Odd while the page is being written. */
    seq: u32(0),
    /** VDSO_MODE_*. */
    mode: u32(4),
    /** TSC value of the base. */
    tscBase: u64(8),
    mult: u32(16),
    shift: u32(20),
    /** CLOCK_MONOTONIC at tscBase. */
    monotonicSec: u64(24),
    monotonicNsec: u64(32),
    /** CLOCK_REALTIME minus CLOCK_MONOTONIC; nsec is 0..999999999. */
    realtimeSec: u64(40),
    realtimeNsec: u64(48),
    /** CLOCK_BOOTTIME minus CLOCK_MONOTONIC; nsec is 0..999999999. */
    boottimeSec: u64(56),
    boottimeNsec: u64(64),
  },
} as const;

/** Values of `mode`. */
export const CONSTANTS = {
  /** Every clock is asked for by system call. */
  VDSO_MODE_SYSCALL: 0,
  /** The parameters hold. */
  VDSO_MODE_TSC: 1,
  /** Bytes of the page, which lies directly below the image. */
  VDSO_PAGE_BYTES: 4096,
} as const;

/** For gen_header.ts. */
export const LAYOUTS = [VDSO_PAGE] as const;

/** One consistent set of parameters; see the fields of VDSO_PAGE. */
export interface VdsoParams {
  readonly mode: number;
  readonly tscLow: number;
  readonly tscHigh: number;
  /** 1..2^32 - 1. */
  readonly mult: number;
  readonly shift: number;
  readonly monotonicSec: number;
  readonly monotonicNsec: number;
  readonly realtimeSec: number;
  readonly realtimeNsec: number;
  readonly boottimeSec: number;
  readonly boottimeNsec: number;
}

const TWO_32 = 2 ** 32;
const FIELDS = VDSO_PAGE.fields;

/** Stores an integer, negative ones as two's complement. */
function setI64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

/** Writes `params` to the page at byte `offset` of `view`, under its count. */
export function writeVdsoPage(
  view: DataView,
  offset: number,
  params: VdsoParams,
): void {
  const seqAt = offset + FIELDS.seq.offset;
  const seq = view.getUint32(seqAt, true) | 1;
  view.setUint32(seqAt, seq, true);
  view.setUint32(offset + FIELDS.mode.offset, params.mode, true);
  view.setUint32(offset + FIELDS.tscBase.offset, params.tscLow, true);
  view.setUint32(offset + FIELDS.tscBase.offset + 4, params.tscHigh, true);
  view.setUint32(offset + FIELDS.mult.offset, params.mult, true);
  view.setUint32(offset + FIELDS.shift.offset, params.shift, true);
  setI64(view, offset + FIELDS.monotonicSec.offset, params.monotonicSec);
  setI64(view, offset + FIELDS.monotonicNsec.offset, params.monotonicNsec);
  setI64(view, offset + FIELDS.realtimeSec.offset, params.realtimeSec);
  setI64(view, offset + FIELDS.realtimeNsec.offset, params.realtimeNsec);
  setI64(view, offset + FIELDS.boottimeSec.offset, params.boottimeSec);
  setI64(view, offset + FIELDS.boottimeNsec.offset, params.boottimeNsec);
  view.setUint32(seqAt, seq + 1, true);
}
