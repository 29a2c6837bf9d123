/**
 * Timeouts of the futex calls: relative or absolute, on CLOCK_MONOTONIC or
 * CLOCK_REALTIME. Source: futex(2).
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import type { Task } from "../task/task.ts";
import { readTimespec, readTimespecParts } from "./timespec.ts";

export interface FutexTimeout {
  /** Address of struct timespec, 0: none. */
  readonly timeout: number;
  readonly isRealtime: boolean;
  readonly isAbsolute: boolean;
}

/** The CLOCK_MONOTONIC deadline of this call. EFAULT, EINVAL. */
export function deadlineOf(task: Task, timing: FutexTimeout): number | Errno {
  if (timing.timeout === 0) return Infinity;
  if (task.restart.deadlineNs >= 0) return task.restart.deadlineNs;
  if (!timing.isAbsolute) {
    const ns = readTimespec(task, timing.timeout);
    return isErrno(ns) ? ns : task.deadlineAfter(ns);
  }
  const time = readTimespecParts(task, timing.timeout);
  if (isErrno(time)) return time;
  const at = timing.isRealtime
    ? task.clock.monotonicAtRealtime(time)
    : time.sec * 1e9 + time.nsec;
  task.restart.deadlineNs = Math.max(0, at);
  return task.restart.deadlineNs;
}
