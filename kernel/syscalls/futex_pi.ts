/**
 * The priority-inheritance operations of futex(2). Locks live in
 * ../task/pi_futex.ts.
 * @module
 */
import {
  EAGAIN,
  EINVAL,
  ERESTARTNOINTR,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import { lockResult, PiWaiter } from "../task/pi_futex.ts";
import type { Task } from "../task/task.ts";
import { deadlineOf, type FutexTimeout } from "./futex_timeout.ts";
import type { SysResult } from "./syscall.ts";

/** FUTEX_LOCK_PI, FUTEX_LOCK_PI2. */
export function lockPi(
  task: Task,
  uaddr: number,
  isShared: boolean,
  timing: FutexTimeout,
): SysResult {
  const deadline = deadlineOf(task, timing);
  if (isErrno(deadline)) return deadline;
  const earlier = task.restart.data;
  if (earlier instanceof PiWaiter) return wait(task, earlier, deadline);
  if (uaddr % 4 !== 0) return EINVAL;
  const key = task.memory.futexKey(uaddr, isShared);
  if (isErrno(key)) return key;
  const { piFutexes } = task.kernel;
  const result = piFutexes.tryLock(task, uaddr, key, "wait");
  if (result !== "busy") return lockResult(result);
  const waiter = new PiWaiter(task, uaddr);
  const failed = piFutexes.enqueue(waiter, key);
  if (failed !== null) return failed;
  task.restart.data = waiter;
  return wait(task, waiter, deadline);
}

function wait(task: Task, waiter: PiWaiter, deadline: number): SysResult {
  if (waiter.isOwner) return 0;
  const blocked = task.block(waiter.queue, undefined, deadline);
  if (!isErrno(blocked)) return blocked;
  waiter.abandon();
  task.restart.data = null;
  return blocked === ETIMEDOUT ? ETIMEDOUT : ERESTARTNOINTR;
}

/** FUTEX_TRYLOCK_PI. */
export function tryLockPi(
  task: Task,
  uaddr: number,
  isShared: boolean,
): SysResult {
  if (uaddr % 4 !== 0) return EINVAL;
  const key = task.memory.futexKey(uaddr, isShared);
  if (isErrno(key)) return key;
  return lockResult(task.kernel.piFutexes.tryLock(task, uaddr, key, "try"));
}

/** FUTEX_UNLOCK_PI. */
export function unlockPi(
  task: Task,
  uaddr: number,
  isShared: boolean,
): SysResult {
  if (uaddr % 4 !== 0) return EINVAL;
  const key = task.memory.futexKey(uaddr, isShared);
  if (isErrno(key)) return key;
  return task.kernel.piFutexes.unlock(task, uaddr, key) ?? 0;
}

/** FUTEX_WAIT_REQUEUE_PI: waits on `uaddr`, and returns with the lock at
 * `uaddr2` held. */
export function waitRequeuePi(
  task: Task,
  uaddr: number,
  expected: number,
  uaddr2: number,
  isShared: boolean,
  timing: FutexTimeout,
): SysResult {
  if (uaddr === uaddr2) return EINVAL;
  const deadline = deadlineOf(task, timing);
  if (isErrno(deadline)) return deadline;
  const { futexes } = task.kernel;
  let waiter = task.restart.data;
  if (!(waiter instanceof PiWaiter)) {
    if (uaddr % 4 !== 0 || uaddr2 % 4 !== 0) return EINVAL;
    const key = task.memory.futexKey(uaddr, isShared);
    if (isErrno(key)) return key;
    const target = task.memory.futexKey(uaddr2, isShared);
    if (isErrno(target)) return target;
    const differs = futexes.compare(task.memory, uaddr, expected);
    if (differs !== null) return differs;
    waiter = new PiWaiter(task, uaddr2, target);
    futexes.add(key, waiter as PiWaiter);
    task.restart.data = waiter;
  }
  const queued = waiter as PiWaiter;
  // A plain FUTEX_WAKE ends the wait without the lock.
  if (queued.isWoken && !queued.isOwner) return EAGAIN;
  return wait(task, queued, deadline);
}

/** FUTEX_CMP_REQUEUE_PI. */
export function cmpRequeuePi(
  task: Task,
  uaddr: number,
  uaddr2: number,
  wakeCount: number,
  moveCount: number,
  expected: number,
  isShared: boolean,
): SysResult {
  if (wakeCount !== 1 || (moveCount | 0) < 0 || uaddr === uaddr2) return EINVAL;
  if (uaddr % 4 !== 0 || uaddr2 % 4 !== 0) return EINVAL;
  const from = task.memory.futexKey(uaddr, isShared);
  if (isErrno(from)) return from;
  const to = task.memory.futexKey(uaddr2, isShared);
  if (isErrno(to)) return to;
  const { futexes, piFutexes } = task.kernel;
  const differs = futexes.compare(task.memory, uaddr, expected);
  if (differs !== null) return differs;
  let moved = 0;
  for (const waiter of futexes.waitersOf(from)) {
    if (moved > moveCount) break;
    const target = waiter instanceof PiWaiter ? waiter.requeueKey : null;
    if (!(waiter instanceof PiWaiter) || target === null) return EINVAL;
    if (target.space !== to.space || target.offset !== to.offset) return EINVAL;
    futexes.remove(waiter);
    const result: "taken" | "queued" | Errno = piFutexes.requeue(waiter, to);
    if (isErrno(result)) {
      futexes.add(from, waiter);
      return moved > 0 ? moved : result;
    }
    moved++;
  }
  return moved;
}
