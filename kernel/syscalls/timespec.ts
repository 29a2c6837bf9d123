/**
 * Time arguments: struct timespec and timeval in guest memory, as nanoseconds.
 * @module
 */
import { EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import type { Timespec } from "../time/clock.ts";
import type { Task } from "../task/task.ts";

const NSEC_PER_SEC = 1_000_000_000;
/** Longer than any uptime; keeps sums of doubles exact enough. */
const MAX_NS = 2 ** 62;

/** A struct timespec as it stands. EFAULT; EINVAL if it is not normalised. */
export function readTimespecParts(task: Task, addr: number): Timespec | Errno {
  const sec = task.memory.readI64(addr);
  if (isErrno(sec)) return sec;
  const nsec = task.memory.readI64(addr + 8);
  if (isErrno(nsec)) return nsec;
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return EINVAL;
  return { sec, nsec };
}

/** A struct timespec as a duration in nanoseconds. EFAULT, EINVAL. */
export function readTimespec(task: Task, addr: number): number | Errno {
  const time = readTimespecParts(task, addr);
  if (isErrno(time)) return time;
  return Math.min(MAX_NS, time.sec * NSEC_PER_SEC + time.nsec);
}

/** A struct timeval as a duration in nanoseconds. EFAULT, EINVAL. */
export function readTimeval(task: Task, addr: number): number | Errno {
  const sec = task.memory.readI64(addr);
  if (isErrno(sec)) return sec;
  const usec = task.memory.readI64(addr + 8);
  if (isErrno(usec)) return usec;
  if (sec < 0 || usec < 0 || usec >= 1_000_000) return EINVAL;
  return Math.min(MAX_NS, sec * NSEC_PER_SEC + usec * 1000);
}

export function writeTimespec(
  task: Task,
  addr: number,
  time: Timespec,
): Errno | null {
  return task.memory.writeU64(addr, time.sec) ??
    task.memory.writeU64(addr + 8, time.nsec);
}

/** Stores a duration as struct timespec. */
export function writeTimespecNs(
  task: Task,
  addr: number,
  ns: number,
): Errno | null {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  return writeTimespec(task, addr, {
    sec,
    nsec: Math.floor(ns - sec * NSEC_PER_SEC),
  });
}

/** Stores a duration as struct timeval. */
export function writeTimevalNs(
  task: Task,
  addr: number,
  ns: number,
): Errno | null {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  return task.memory.writeU64(addr, sec) ??
    task.memory.writeU64(
      addr + 8,
      Math.floor((ns - sec * NSEC_PER_SEC) / 1000),
    );
}
