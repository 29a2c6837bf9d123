/**
 * Private anonymous memory: where its pages come from. A region takes its
 * offsets as a whole and is mapped in one request, after which first touches
 * are the host's business. Giant regions (JVM, Go, sanitizers) take them in
 * chunks when touched, so that offsets stay within the window.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { MemoryState } from "./memory_state.ts";
import type { AddressRange } from "./range_list.ts";
import type { VMA } from "./vma.ts";

/** From this size on, gaps get their offsets chunk by chunk. */
const LAZY_BYTES = 1 << 30;
const LAZY_CHUNK = 64 << 20;
/** Ranges up to this size are populated at once: cheaper than faults. */
const POPULATE_BYTES = 8 * PAGE_SIZE;
/** Smaller regions reserve room for neighbours that will continue them. */
const NEIGHBOURLY_BYTES = 1 << 20;

/** Which side of a region its next neighbour will be on. */
export type GrowthSide = "above" | "below" | "none";

/** Gives zero pages to the untouched space around `addr`. ENOMEM. */
export function provideAround(
  mm: MemoryState,
  vma: VMA,
  addr: number,
): Errno | null {
  const gap = mm.pmas.gapAround(addr, vma.start, vma.end);
  if (gap.end - gap.start >= LAZY_BYTES) {
    const chunk = Math.floor(addr / LAZY_CHUNK) * LAZY_CHUNK;
    gap.start = Math.max(gap.start, chunk);
    gap.end = Math.min(gap.end, chunk + LAZY_CHUNK);
  }
  return provideGap(mm, vma, gap.start, gap.end, gap, false);
}

/** Gives zero pages to what has none in [start, end), within `vma`; giant gaps
 * wait for faults, unless `populate` asks for pages now. ENOMEM. */
export function provideRange(
  mm: MemoryState,
  vma: VMA,
  start: number,
  end: number,
  options: {
    readonly populate: boolean;
    readonly side: GrowthSide;
    /** The platform has nothing here, and may wait for the first touch. */
    readonly isLater?: boolean;
  },
): Errno | null {
  const { populate, side, isLater = false } = options;
  const gaps: AddressRange[] = [];
  mm.pmas.forEachGap(start, end, (from, to) => {
    if (to - from < LAZY_BYTES) {
      gaps.push({ start: from, end: to });
      return;
    }
    if (!populate) return;
    for (let at = from; at < to;) {
      const next = Math.floor(at / LAZY_CHUNK) * LAZY_CHUNK + LAZY_CHUNK;
      gaps.push({ start: at, end: Math.min(to, next) });
      at = next;
    }
  });
  for (const gap of gaps) {
    const hull = { start: gap.start, end: gap.end };
    if (gap.end - gap.start < NEIGHBOURLY_BYTES) {
      if (side === "above" && gap.end === end) hull.end += NEIGHBOURLY_BYTES;
      if (side === "below" && gap.start === start) {
        hull.start = Math.max(0, hull.start - NEIGHBOURLY_BYTES);
      }
    }
    if (isLater) {
      const offset = mm.spares.take(gap.start, gap.end, hull, true);
      if (isErrno(offset)) return offset;
      mm.addPagesLater(vma, gap.start, gap.end, offset);
      continue;
    }
    const failure = provideGap(mm, vma, gap.start, gap.end, hull, populate);
    if (failure !== null) return failure;
  }
  return null;
}

function provideGap(
  mm: MemoryState,
  vma: VMA,
  start: number,
  end: number,
  hull: AddressRange,
  populate: boolean,
): Errno | null {
  const offset = mm.spares.take(start, end, hull, true);
  if (isErrno(offset)) return offset;
  mm.addPages(
    vma,
    start,
    end,
    offset,
    false,
    populate || end - start <= POPULATE_BYTES,
  );
  return null;
}
