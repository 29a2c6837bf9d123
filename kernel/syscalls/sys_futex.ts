/**
 * futex(2) and the robust list calls. Queues live in ../task/futex.ts.
 * @module
 */
import {
  EINVAL,
  ENOSYS,
  EPERM,
  ERESTART_RESTARTBLOCK,
  ERESTARTSYS,
  type Errno,
  ESRCH,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_CLOCK_REALTIME,
  FUTEX_CMP_REQUEUE,
  FUTEX_CMP_REQUEUE_PI,
  FUTEX_LOCK_PI,
  FUTEX_LOCK_PI2,
  FUTEX_OP_ADD,
  FUTEX_OP_ANDN,
  FUTEX_OP_CMP_EQ,
  FUTEX_OP_CMP_GE,
  FUTEX_OP_CMP_GT,
  FUTEX_OP_CMP_LE,
  FUTEX_OP_CMP_LT,
  FUTEX_OP_CMP_NE,
  FUTEX_OP_OPARG_SHIFT,
  FUTEX_OP_OR,
  FUTEX_OP_SET,
  FUTEX_OP_XOR,
  FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE,
  FUTEX_TRYLOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FUTEX_WAKE_OP,
} from "../abi/futex.ts";
import { FutexWaiter } from "../task/futex.ts";
import { mayTrace } from "../task/ptrace_access.ts";
import type { Task } from "../task/task.ts";
import {
  cmpRequeuePi,
  lockPi,
  tryLockPi,
  unlockPi,
  waitRequeuePi,
} from "./futex_pi.ts";
import { deadlineOf, type FutexTimeout } from "./futex_timeout.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

export const futex = defineSyscall({
  name: "futex",
  support: { partial: "PI: every task has the same priority" },
  args: {
    uaddr: "addr",
    op: "int",
    val: "uint",
    timeout: "addr",
    uaddr2: "addr",
    val3: "uint",
  },
  run: (task, { uaddr, op, val, timeout, uaddr2, val3 }) => {
    const command = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    const isShared = (op & FUTEX_PRIVATE_FLAG) === 0;
    const isRealtime = (op & FUTEX_CLOCK_REALTIME) !== 0;
    if (
      isRealtime && command !== FUTEX_WAIT_BITSET &&
      command !== FUTEX_WAIT_REQUEUE_PI && command !== FUTEX_LOCK_PI2
    ) return ENOSYS;
    const absolute = { timeout, isRealtime, isAbsolute: true };
    switch (command) {
      case FUTEX_WAIT:
        return wait(task, uaddr, val, FUTEX_BITSET_MATCH_ANY, isShared, {
          timeout,
          isRealtime,
          isAbsolute: false,
        });
      case FUTEX_WAIT_BITSET:
        return wait(task, uaddr, val, val3, isShared, absolute);
      case FUTEX_WAKE:
        return wake(task, uaddr, val, FUTEX_BITSET_MATCH_ANY, isShared);
      case FUTEX_WAKE_BITSET:
        return wake(task, uaddr, val, val3, isShared);
      case FUTEX_REQUEUE:
        return requeue(
          task,
          uaddr,
          uaddr2,
          val,
          timeout % 4294967296,
          isShared,
        );
      case FUTEX_CMP_REQUEUE: {
        const differs = task.kernel.futexes.compare(task.memory, uaddr, val3);
        if (differs !== null) return differs;
        return requeue(
          task,
          uaddr,
          uaddr2,
          val,
          timeout % 4294967296,
          isShared,
        );
      }
      case FUTEX_WAKE_OP:
        return wakeOp(
          task,
          uaddr,
          uaddr2,
          val,
          timeout % 4294967296,
          val3,
          isShared,
        );
      case FUTEX_LOCK_PI:
        // This one's timeout is on CLOCK_REALTIME without saying so.
        return lockPi(task, uaddr, isShared, { ...absolute, isRealtime: true });
      case FUTEX_LOCK_PI2:
        return lockPi(task, uaddr, isShared, absolute);
      case FUTEX_TRYLOCK_PI:
        return tryLockPi(task, uaddr, isShared);
      case FUTEX_UNLOCK_PI:
        return unlockPi(task, uaddr, isShared);
      case FUTEX_WAIT_REQUEUE_PI:
        return waitRequeuePi(task, uaddr, val, uaddr2, isShared, absolute);
      case FUTEX_CMP_REQUEUE_PI:
        return cmpRequeuePi(
          task,
          uaddr,
          uaddr2,
          val,
          timeout % 4294967296,
          val3,
          isShared,
        );
      default:
        unimplemented(task, `futex: operation ${command}`);
        return ENOSYS;
    }
  },
});

function wait(
  task: Task,
  uaddr: number,
  expected: number,
  bitset: number,
  isShared: boolean,
  timing: FutexTimeout,
): SysResult {
  if (bitset === 0) return EINVAL;
  const deadline = deadlineOf(task, timing);
  if (isErrno(deadline)) return deadline;
  const { futexes } = task.kernel;
  let waiter = task.restart.data;
  if (waiter instanceof FutexWaiter) {
    if (waiter.isWoken) return 0;
  } else {
    if (uaddr % 4 !== 0) return EINVAL;
    const key = task.memory.futexKey(uaddr, isShared);
    if (isErrno(key)) return key;
    const differs = futexes.compare(task.memory, uaddr, expected);
    if (differs !== null) return differs;
    waiter = new FutexWaiter(bitset);
    futexes.add(key, waiter as FutexWaiter);
    task.restart.data = waiter;
  }
  const queued = waiter as FutexWaiter;
  const blocked = task.block(queued.queue, undefined, deadline);
  if (!isErrno(blocked)) return blocked;
  futexes.remove(queued);
  task.restart.data = null;
  if (blocked === ETIMEDOUT) return ETIMEDOUT;
  // futex(2): a wait with a timeout must not start over with it.
  return timing.timeout === 0 ? ERESTARTSYS : ERESTART_RESTARTBLOCK;
}

function wake(
  task: Task,
  uaddr: number,
  count: number,
  bitset: number,
  isShared: boolean,
): SysResult {
  if (bitset === 0 || uaddr % 4 !== 0) return EINVAL;
  const key = task.memory.futexKey(uaddr, isShared);
  if (isErrno(key)) return key;
  // Linux wakes one if asked for none or fewer.
  return task.kernel.futexes.wakeKey(key, Math.max(1, count | 0), bitset);
}

function requeue(
  task: Task,
  uaddr: number,
  uaddr2: number,
  wakeCount: number,
  moveCount: number,
  isShared: boolean,
): SysResult {
  if ((wakeCount | 0) < 0 || (moveCount | 0) < 0) return EINVAL;
  if (uaddr % 4 !== 0 || uaddr2 % 4 !== 0) return EINVAL;
  const from = task.memory.futexKey(uaddr, isShared);
  if (isErrno(from)) return from;
  const to = task.memory.futexKey(uaddr2, isShared);
  if (isErrno(to)) return to;
  const { woken, moved } = task.kernel.futexes.requeue(
    from,
    to,
    wakeCount,
    moveCount,
  );
  return woken + moved;
}

/** Applies the encoded operation to *uaddr2 atomically, wakes on uaddr, and on
 * uaddr2 if the comparison with the old value holds. */
function wakeOp(
  task: Task,
  uaddr: number,
  uaddr2: number,
  count: number,
  count2: number,
  encoded: number,
  isShared: boolean,
): SysResult {
  if (uaddr % 4 !== 0 || uaddr2 % 4 !== 0) return EINVAL;
  const first = task.memory.futexKey(uaddr, isShared);
  if (isErrno(first)) return first;
  const second = task.memory.futexKey(uaddr2, isShared);
  if (isErrno(second)) return second;
  const old = applyOp(task, uaddr2, encoded);
  if (isErrno(old)) return old;
  let woken = task.kernel.futexes.wakeKey(first, Math.max(1, count | 0));
  const holds = compareOp(encoded, old);
  if (isErrno(holds)) return holds;
  if (holds) woken += task.kernel.futexes.wakeKey(second, Math.max(1, count2));
  return woken;
}

/** Sign-extends a 12-bit field. */
function field12(encoded: number, shift: number): number {
  return (encoded << (20 - shift)) >> 20;
}

function applyOp(task: Task, addr: number, encoded: number): number | Errno {
  const code = (encoded >>> 28) & 15;
  const shift = field12(encoded, 12);
  const operand = (code & FUTEX_OP_OPARG_SHIFT) !== 0 ? 1 << shift : shift;
  for (;;) {
    const old = task.memory.readU32(addr);
    if (isErrno(old)) return old;
    const next = combine(code & 7, old | 0, operand);
    if (isErrno(next)) return next;
    const seen = task.memory.compareExchangeU32(addr, old, next >>> 0);
    if (isErrno(seen)) return seen;
    if (seen === old) return old | 0;
  }
}

function combine(code: number, old: number, operand: number): number | Errno {
  switch (code) {
    case FUTEX_OP_SET:
      return operand;
    case FUTEX_OP_ADD:
      return (old + operand) | 0;
    case FUTEX_OP_OR:
      return old | operand;
    case FUTEX_OP_ANDN:
      return old & ~operand;
    case FUTEX_OP_XOR:
      return old ^ operand;
    default:
      return ENOSYS;
  }
}

function compareOp(encoded: number, old: number): boolean | Errno {
  const operand = field12(encoded, 0);
  switch ((encoded >>> 24) & 15) {
    case FUTEX_OP_CMP_EQ:
      return old === operand;
    case FUTEX_OP_CMP_NE:
      return old !== operand;
    case FUTEX_OP_CMP_LT:
      return old < operand;
    case FUTEX_OP_CMP_GE:
      return old >= operand;
    case FUTEX_OP_CMP_LE:
      return old <= operand;
    case FUTEX_OP_CMP_GT:
      return old > operand;
    default:
      return ENOSYS;
  }
}

/** sizeof(struct robust_list_head). */
const ROBUST_LIST_HEAD_SIZE = 24;

export const setRobustList = defineSyscall({
  name: "set_robust_list",
  support: "full",
  args: { head: "addr", len: "size" },
  run: (task, { head, len }) => {
    if (len !== ROBUST_LIST_HEAD_SIZE) return EINVAL;
    task.robustList = head;
    return 0;
  },
});

export const getRobustList = defineSyscall({
  name: "get_robust_list",
  support: "full",
  args: { pid: "pid", head_ptr: "addr", len_ptr: "addr" },
  run: (task, { pid, head_ptr, len_ptr }) => {
    const target = pid === 0 ? task : task.namespace.task(pid);
    if (target === null) return ESRCH;
    if (!mayTrace(task, target)) return EPERM;
    return task.memory.writeU64(len_ptr, ROBUST_LIST_HEAD_SIZE) ??
      task.memory.writeU64(head_ptr, target.robustList) ?? 0;
  },
});
