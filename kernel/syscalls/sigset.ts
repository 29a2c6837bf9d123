/**
 * sigset_t arguments: read and written as two words.
 * @module
 */
import { EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { SIGSET_SIZE } from "../abi/signal.ts";
import type { Task } from "../task/task.ts";

/** Copies a signal set in. EINVAL: `size` is not the kernel's. EFAULT. */
export function readSigset(
  task: Task,
  addr: number,
  size: number,
): { readonly low: number; readonly high: number } | Errno {
  if (size !== SIGSET_SIZE) return EINVAL;
  const low = task.memory.readU32(addr);
  if (isErrno(low)) return low;
  const high = task.memory.readU32(addr + 4);
  if (isErrno(high)) return high;
  return { low: low | 0, high: high | 0 };
}

/** Stores a signal set. EFAULT. */
export function writeSigset(
  task: Task,
  addr: number,
  low: number,
  high: number,
): Errno | null {
  return task.memory.writeU32(addr, low >>> 0) ??
    task.memory.writeU32(addr + 4, high >>> 0);
}
