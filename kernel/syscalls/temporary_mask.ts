/**
 * The signal mask that ppoll(2), pselect6(2) and epoll_pwait(2) put in place
 * while they wait.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import type { Task } from "../task/task.ts";
import { readSigset } from "./sigset.ts";

/** Puts the mask at `addr` in place; 0: the mask stays. EINVAL, EFAULT. */
export function beginTemporaryMask(
  task: Task,
  addr: number,
  size: number,
): Errno | null {
  if (addr === 0) return null;
  const mask = readSigset(task, addr, size);
  if (isErrno(mask)) return mask;
  task.setTemporaryMask(mask.low, mask.high);
  return null;
}

/** The call completed without an interruption: the old mask is back before
 * signals are looked at, so that those it blocks stay pending. */
export function endTemporaryMask(task: Task): void {
  if (!task.hasSavedMask) return;
  task.hasSavedMask = false;
  task.setBlocked(task.savedMask.low, task.savedMask.high);
}
