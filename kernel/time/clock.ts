/**
 * The sandbox's clocks over the host's: monotonic nanoseconds as a double
 * (exact below 2^53, 104 days of uptime), wall-clock time as seconds and
 * nanoseconds, because its nanoseconds do not fit a double.
 * @module
 */
import type { HostClock } from "../host.ts";

export const NSEC_PER_SEC = 1_000_000_000;

/** A point in wall-clock time, or a duration. Immutable. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

/** Reads clocks; the only place of the kernel that does. */
export class Clock {
  constructor(readonly host: HostClock) {}

  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonicNs(): number {
    return this.host.monotonicNs();
  }

  /** CLOCK_BOOTTIME in nanoseconds. */
  boottimeNs(): number {
    return this.host.monotonicNs() + this.host.boottimeOffsetNs();
  }

  /** CLOCK_REALTIME. */
  realtime(): Timespec {
    return realtimeAt(this.host.monotonicNs(), this.host.realtimeOffset());
  }

  /** The CLOCK_MONOTONIC nanosecond at which CLOCK_REALTIME shows `time`. */
  monotonicAtRealtime(time: Timespec): number {
    const offset = this.host.realtimeOffset();
    return (time.sec - offset.sec) * NSEC_PER_SEC + (time.nsec - offset.nsec);
  }
}

function realtimeAt(monotonicNs: number, offset: Timespec): Timespec {
  let sec = Math.floor(monotonicNs / NSEC_PER_SEC);
  let nsec = monotonicNs - sec * NSEC_PER_SEC + offset.nsec;
  sec += offset.sec;
  if (nsec >= NSEC_PER_SEC) {
    nsec -= NSEC_PER_SEC;
    sec++;
  }
  return { sec, nsec };
}

/** A duration in nanoseconds as seconds and nanoseconds. */
export function timespecOfNs(ns: number): Timespec {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  return { sec, nsec: Math.floor(ns - sec * NSEC_PER_SEC) };
}

/** A duration as nanoseconds; loses precision above 104 days. */
export function nsOfTimespec(time: Timespec): number {
  return time.sec * NSEC_PER_SEC + time.nsec;
}
