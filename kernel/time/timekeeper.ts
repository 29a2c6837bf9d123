/**
 * Keeps the vDSO's clocks in step with the host's: from pairs of (TSC,
 * CLOCK_MONOTONIC) it works out the line that the vDSO extrapolates along, and
 * writes it to the page of vdso_page.ts.
 *
 * The clock that guests see must not jump or run backwards when the line is
 * replaced: each new line starts at the point where the old one is now, and its
 * slope is the measured rate, bent so that the error found is gone by the next
 * update. The kernel calls update() once per UPDATE_INTERVAL_NS while guests
 * run, and after the host's wall clock was set.
 * @module
 */
import type { HostClock } from "../host.ts";
import { NSEC_PER_SEC, timespecOfNs } from "./clock.ts";
import { CONSTANTS, type VdsoParams } from "./vdso_page.ts";

/** Time between two updates, nanoseconds. */
export const UPDATE_INTERVAL_NS = NSEC_PER_SEC;
/** Time before the first update, when the rate is only the host's word. */
export const FIRST_UPDATE_NS = NSEC_PER_SEC / 10;

/** Beyond this a line isn't bent but left: the guest jumps (after a suspend)
 * or, when ahead of the host, waits at MAX_BEND. */
const MAX_ERROR_NS = 10_000_000;
/** Slopes never differ from the measured rate by more than this share. */
const MAX_BEND = 0.05;
/** A shorter baseline measures the sampling, not the rate. */
const MIN_BASELINE_NS = 20_000_000;

/** A point of the guest's clock and its slope. */
interface Line {
  readonly tscLow: number;
  readonly tscHigh: number;
  /** Whole nanoseconds: the vDSO computes with no smaller part. */
  readonly ns: number;
  readonly nsPerTick: number;
}

interface Sample {
  readonly tscLow: number;
  readonly tscHigh: number;
  readonly monotonicNs: number;
}

function ticksBetween(
  from: { readonly tscLow: number; readonly tscHigh: number },
  to: { readonly tscLow: number; readonly tscHigh: number },
): number {
  return (to.tscHigh - from.tscHigh) * 2 ** 32 + (to.tscLow - from.tscLow);
}

/** Computes the vDSO's parameters. */
export class Timekeeper {
  readonly #host: HostClock;
  #line: Line | null = null;
  #sample: Sample | null = null;
  #nextUpdateNs = 0;

  /** `tscHz` 0: the TSC is no clock here, the vDSO asks by system call. */
  constructor(host: HostClock, tscHz: number) {
    this.#host = host;
    if (!(tscHz > 0)) return;
    const sample = host.sampleTsc();
    this.#sample = sample;
    this.#line = {
      tscLow: sample.tscLow,
      tscHigh: sample.tscHigh,
      ns: sample.monotonicNs,
      nsPerTick: NSEC_PER_SEC / tscHz,
    };
    this.#nextUpdateNs = sample.monotonicNs + FIRST_UPDATE_NS;
  }

  /** CLOCK_MONOTONIC nanosecond at which update() is due; Infinity: never. */
  get nextUpdateNs(): number {
    return this.#line === null ? Infinity : this.#nextUpdateNs;
  }

  /** What the page should say until the next update. */
  get params(): VdsoParams {
    const line = this.#line;
    const realtime = this.#host.realtimeOffset();
    const boottime = timespecOfNs(this.#host.boottimeOffsetNs());
    const { mult, shift } = multShift(line === null ? 1 : line.nsPerTick);
    const monotonic = timespecOfNs(line === null ? 0 : line.ns);
    return {
      mode: line === null
        ? CONSTANTS.VDSO_MODE_SYSCALL
        : CONSTANTS.VDSO_MODE_TSC,
      tscLow: line === null ? 0 : line.tscLow,
      tscHigh: line === null ? 0 : line.tscHigh,
      mult,
      shift,
      monotonicSec: monotonic.sec,
      monotonicNsec: monotonic.nsec,
      realtimeSec: realtime.sec,
      realtimeNsec: realtime.nsec,
      boottimeSec: boottime.sec,
      boottimeNsec: boottime.nsec,
    };
  }

  /** Samples the host's clocks and bends the line towards them. */
  update(): void {
    if (this.#line === null || this.#sample === null) return;
    const sample = this.#host.sampleTsc();
    const ticks = ticksBetween(this.#sample, sample);
    const elapsed = sample.monotonicNs - this.#sample.monotonicNs;
    this.#nextUpdateNs = sample.monotonicNs + UPDATE_INTERVAL_NS;
    // Going backwards: a migration to other hardware. Nothing to measure by.
    if (ticks <= 0 || elapsed <= 0) {
      this.#line = { ...this.#line, ...startAt(sample) };
      this.#sample = sample;
      return;
    }
    if (elapsed < MIN_BASELINE_NS) return;

    const rate = elapsed / ticks;
    // Rounded up, so that not even a nanosecond is lost by the change.
    const shown = this.#line.ns +
      Math.ceil(
        ticksBetween(this.#line, sample) * slope(this.#line.nsPerTick),
      );
    const error = sample.monotonicNs - shown;
    const isFarBehind = error > MAX_ERROR_NS;
    const bend = isFarBehind ? 0 : error / UPDATE_INTERVAL_NS;
    const clamped = Math.max(-MAX_BEND, Math.min(MAX_BEND, bend));
    this.#line = {
      tscLow: sample.tscLow,
      tscHigh: sample.tscHigh,
      ns: isFarBehind ? sample.monotonicNs : shown,
      nsPerTick: rate * (1 + clamped),
    };
    this.#sample = sample;
  }
}

function startAt(sample: Sample): Omit<Line, "nsPerTick"> {
  const { tscLow, tscHigh, monotonicNs } = sample;
  return { tscLow, tscHigh, ns: monotonicNs };
}

/** The fraction mult / 2^shift nearest to `nsPerTick`, mult below 2^32. */
function multShift(nsPerTick: number): { mult: number; shift: number } {
  let shift = 32;
  let mult = Math.round(nsPerTick * 2 ** shift);
  while (mult >= 2 ** 32 && shift > 0) {
    shift--;
    mult = Math.round(nsPerTick * 2 ** shift);
  }
  return { mult: Math.max(1, Math.min(mult, 2 ** 32 - 1)), shift };
}

/** The slope as the vDSO computes it, after rounding to mult and shift. */
function slope(nsPerTick: number): number {
  const { mult, shift } = multShift(nsPerTick);
  return mult / 2 ** shift;
}
