/**
 * futex_waitv(2) and the futex2 calls futex_wait(2), futex_wake(2),
 * futex_requeue(2).
 * @module
 */
import {
  EINVAL,
  ERESTART_RESTARTBLOCK,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  FUTEX_32,
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_PRIVATE_FLAG,
  FUTEX_WAITV,
  FUTEX_WAITV_MAX,
  FUTEX_WAITV_SIZE,
} from "../abi/futex.ts";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../abi/time.ts";
import { PendingWait } from "../sync/pending_wait.ts";
import { FutexWaiter } from "../task/futex.ts";
import type { Task } from "../task/task.ts";
import { deadlineOf } from "./futex_timeout.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** One element of futex_waitv's array. */
interface WaitEntry {
  readonly value: number;
  readonly addr: number;
  readonly isShared: boolean;
}

/** The waiters of one call. */
class VectorWait extends PendingWait {
  constructor(readonly waiters: readonly FutexWaiter[]) {
    super();
  }
  override abandon(): void {
    for (const waiter of this.waiters) waiter.abandon();
  }
}

/** Only words of 32 bits are there, as on Linux. EINVAL. */
function checkFlags(flags: number): Errno | null {
  if ((flags & ~(FUTEX_32 | FUTEX_PRIVATE_FLAG)) !== 0) return EINVAL;
  return (flags & 3) === FUTEX_32 ? null : EINVAL;
}

/** Array of struct futex_waitv. EFAULT, EINVAL. */
function readEntries(
  task: Task,
  addr: number,
  count: number,
): readonly WaitEntry[] | Errno {
  const bytes = new Uint8Array(count * FUTEX_WAITV_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const entries: WaitEntry[] = [];
  for (let at = 0; at < bytes.length; at += FUTEX_WAITV_SIZE) {
    const word = (field: number) => view.getUint32(at + field, true);
    const flags = word(FUTEX_WAITV.flags);
    if (word(FUTEX_WAITV.__reserved) !== 0) return EINVAL;
    const invalid = checkFlags(flags);
    if (invalid !== null) return invalid;
    if (word(FUTEX_WAITV.val + 4) !== 0) return EINVAL;
    entries.push({
      value: word(FUTEX_WAITV.val),
      addr: word(FUTEX_WAITV.uaddr + 4) * 4294967296 + word(FUTEX_WAITV.uaddr),
      isShared: (flags & FUTEX_PRIVATE_FLAG) === 0,
    });
  }
  return entries;
}

/** Index of a woken waiter, -1 if there is none. */
function wokenIndex(waiters: readonly FutexWaiter[]): number {
  return waiters.findIndex((waiter) => waiter.isWoken);
}

function waitAll(
  task: Task,
  read: () => readonly WaitEntry[] | Errno,
  bitset: number,
  timeout: number,
  clockId: number,
): SysResult {
  const deadline = deadlineOf(task, {
    timeout,
    isRealtime: clockId === CLOCK_REALTIME,
    isAbsolute: true,
  });
  if (isErrno(deadline)) return deadline;
  let wait = task.restart.data;
  if (!(wait instanceof VectorWait)) {
    const entries = read();
    if (isErrno(entries)) return entries;
    const waiters = enqueue(task, entries, bitset);
    if (isErrno(waiters)) return waiters;
    wait = new VectorWait(waiters);
    task.restart.data = wait;
  }
  const { waiters } = wait as VectorWait;
  const woken = wokenIndex(waiters);
  if (woken >= 0) {
    (wait as VectorWait).abandon();
    return woken;
  }
  for (const waiter of waiters) task.blocker.waitOn(waiter.queue);
  const blocked = task.blocker.park(deadline);
  if (!isErrno(blocked)) return blocked;
  (wait as VectorWait).abandon();
  task.restart.data = null;
  if (blocked === ETIMEDOUT) return ETIMEDOUT;
  return timeout === 0 ? ERESTARTSYS : ERESTART_RESTARTBLOCK;
}

function enqueue(
  task: Task,
  entries: readonly WaitEntry[],
  bitset: number,
): readonly FutexWaiter[] | Errno {
  const { futexes } = task.kernel;
  const waiters: FutexWaiter[] = [];
  for (const { addr, isShared, value } of entries) {
    const key = addr % 4 === 0 ? task.memory.futexKey(addr, isShared) : EINVAL;
    const failed = isErrno(key)
      ? key
      : futexes.compare(task.memory, addr, value);
    if (failed !== null || isErrno(key)) {
      for (const waiter of waiters) waiter.abandon();
      return failed ?? EINVAL;
    }
    const waiter = new FutexWaiter(bitset);
    futexes.add(key, waiter);
    waiters.push(waiter);
  }
  return waiters;
}

function isClock(clockId: number): boolean {
  return clockId === CLOCK_MONOTONIC || clockId === CLOCK_REALTIME;
}

export const futex_waitv = defineSyscall({
  name: "futex_waitv",
  support: "full",
  args: {
    waiters: "addr",
    nr_futexes: "uint",
    flags: "uint",
    timeout: "addr",
    clockid: "clockid",
  },
  run: (task, { waiters, nr_futexes, flags, timeout, clockid }) => {
    if (flags !== 0) return EINVAL;
    if (nr_futexes === 0 || nr_futexes > FUTEX_WAITV_MAX) return EINVAL;
    if (waiters === 0) return EINVAL;
    if (timeout !== 0 && !isClock(clockid)) return EINVAL;
    const read = () => readEntries(task, waiters, nr_futexes);
    return waitAll(task, read, FUTEX_BITSET_MATCH_ANY, timeout, clockid);
  },
});

export const futex_wait = defineSyscall({
  name: "futex_wait",
  support: "full",
  args: {
    uaddr: "addr",
    val: "ulong",
    mask: "ulong",
    flags: "uint",
    timeout: "addr",
    clockid: "clockid",
  },
  run: (task, { uaddr, val, mask, flags, timeout, clockid }) => {
    const invalid = checkFlags(flags);
    if (invalid !== null) return invalid;
    if (val > 0xffffffff || mask > 0xffffffff || mask === 0) return EINVAL;
    if (timeout !== 0 && !isClock(clockid)) return EINVAL;
    const isShared = (flags & FUTEX_PRIVATE_FLAG) === 0;
    const entry = { value: val, addr: uaddr, isShared };
    return waitAll(task, () => [entry], mask | 0, timeout, clockid);
  },
});

export const futex_wake = defineSyscall({
  name: "futex_wake",
  support: "full",
  args: { uaddr: "addr", mask: "ulong", nr: "int", flags: "uint" },
  run: (task, { uaddr, mask, nr, flags }) => {
    const invalid = checkFlags(flags);
    if (invalid !== null) return invalid;
    if (mask > 0xffffffff || mask === 0 || uaddr % 4 !== 0) return EINVAL;
    const isShared = (flags & FUTEX_PRIVATE_FLAG) === 0;
    const key = task.memory.futexKey(uaddr, isShared);
    if (isErrno(key)) return key;
    // Unlike FUTEX_WAKE, none is none.
    return nr <= 0 ? 0 : task.kernel.futexes.wakeKey(key, nr, mask | 0);
  },
});

export const futex_requeue = defineSyscall({
  name: "futex_requeue",
  support: "full",
  args: {
    waiters: "addr",
    flags: "uint",
    nr_wake: "int",
    nr_requeue: "int",
  },
  run: (task, { waiters, flags, nr_wake, nr_requeue }) => {
    if (flags !== 0 || waiters === 0) return EINVAL;
    const pair = readEntries(task, waiters, 2);
    if (isErrno(pair)) return pair;
    if (nr_wake < 0 || nr_requeue < 0) return EINVAL;
    const [from, to] = pair;
    if (from === undefined || to === undefined) return EINVAL;
    if (from.addr % 4 !== 0 || to.addr % 4 !== 0) return EINVAL;
    const source = task.memory.futexKey(from.addr, from.isShared);
    if (isErrno(source)) return source;
    const target = task.memory.futexKey(to.addr, to.isShared);
    if (isErrno(target)) return target;
    const { futexes } = task.kernel;
    const differs = futexes.compare(task.memory, from.addr, from.value);
    if (differs !== null) return differs;
    const done = futexes.requeue(source, target, nr_wake, nr_requeue);
    return done.woken + done.moved;
  },
});
