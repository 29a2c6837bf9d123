/**
 * select(2), pselect6(2): poll(2) with three bit sets.
 * @module
 */
import {
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  ERESTARTNOHAND,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../abi/poll.ts";
import { NR_OPEN } from "../task/fd_table.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";
import { beginTemporaryMask, endTemporaryMask } from "./temporary_mask.ts";
import { readTimespec, writeTimespecNs, writeTimevalNs } from "./timespec.ts";

/** Events that make a descriptor ready for each of the three sets. */
const READ_EVENTS = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const WRITE_EVENTS = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const EXCEPT_EVENTS = POLLPRI;
const EVENTS = [READ_EVENTS, WRITE_EVENTS, EXCEPT_EVENTS] as const;
/** Linux's smallest descriptor table: lower numbers are always looked up. */
const MINIMUM_TABLE = 64;
const USEC_PER_SEC = 1_000_000;

export const select = defineSyscall({
  name: "select",
  support: "full",
  args: {
    nfds: "int",
    readfds: "addr",
    writefds: "addr",
    exceptfds: "addr",
    timeout: "addr",
  },
  run: (task, { nfds, readfds, writefds, exceptfds, timeout }) => {
    let limitNs = Infinity;
    if (timeout !== 0) {
      const given = readLooseTimeval(task, timeout);
      if (isErrno(given)) return given;
      limitNs = given;
    }
    const sets = [readfds, writefds, exceptfds];
    return finish(task, selectOnce(task, nfds, sets, limitNs), () => {
      if (timeout === 0) return null;
      return writeTimevalNs(task, timeout, remaining(task, limitNs));
    });
  },
});

export const pselect6 = defineSyscall({
  name: "pselect6",
  support: "full",
  args: {
    nfds: "int",
    readfds: "addr",
    writefds: "addr",
    exceptfds: "addr",
    timeout: "addr",
    sigmask: "addr",
  },
  run: (task, { nfds, readfds, writefds, exceptfds, timeout, sigmask }) => {
    let mask = 0;
    let maskSize = 0;
    if (sigmask !== 0) {
      const addr = task.memory.readU64(sigmask);
      if (isErrno(addr)) return addr;
      const size = task.memory.readU64(sigmask + 8);
      if (isErrno(size)) return size;
      mask = addr;
      maskSize = size;
    }
    let limitNs = Infinity;
    if (timeout !== 0) {
      const given = readTimespec(task, timeout);
      if (isErrno(given)) return given;
      limitNs = given;
    }
    const refused = beginTemporaryMask(task, mask, maskSize);
    if (refused !== null) return refused;
    const sets = [readfds, writefds, exceptfds];
    return finish(task, selectOnce(task, nfds, sets, limitNs), () => {
      if (timeout === 0) return null;
      return writeTimespecNs(task, timeout, remaining(task, limitNs));
    });
  },
});

/** A timeval whose tv_usec may be a second or more, as select(2) takes it. */
function readLooseTimeval(task: Task, addr: number): number | Errno {
  const sec = task.memory.readI64(addr);
  if (isErrno(sec)) return sec;
  const usec = task.memory.readI64(addr + 8);
  if (isErrno(usec)) return usec;
  if (sec < 0 || usec < 0) return EINVAL;
  return Math.min(2 ** 62, (sec * USEC_PER_SEC + usec) * 1000);
}

function remaining(task: Task, limitNs: number): number {
  if (limitNs === 0) return 0;
  const now = task.kernel.clock.monotonicNs();
  return Math.max(0, task.deadlineAfter(limitNs) - now);
}

/** Restores the mask and stores the time left, unless the task parked. */
function finish(
  task: Task,
  result: SysResult,
  storeTime: () => Errno | null,
): SysResult {
  if (typeof result === "symbol") return result;
  if (result !== ERESTARTSYS) endTemporaryMask(task);
  const isStored = storeTime() === null;
  if (result !== ERESTARTSYS) return result;
  return isStored ? ERESTARTNOHAND : EINTR;
}

function selectOnce(
  task: Task,
  nfds: number,
  sets: readonly number[],
  limitNs: number,
): SysResult {
  if (nfds < 0) return EINVAL;
  // Numbers beyond the table are not looked at.
  const tableSize = Math.max(MINIMUM_TABLE, task.fdTable.length);
  const count = Math.min(nfds, tableSize, NR_OPEN);
  // Whole 64-bit words, as the kernel copies them.
  const length = Math.ceil(count / 64) * 8;
  const asked = new Uint8Array(3 * length);
  const ready = new Uint8Array(3 * length);
  for (const [i, addr] of sets.entries()) {
    if (addr === 0) continue;
    const set = asked.subarray(i * length, (i + 1) * length);
    if (task.memory.readBytes(addr, set) !== null) return EFAULT;
  }

  let total = 0;
  for (let fd = 0; fd < count; fd++) {
    const wanted = askedOf(asked, length, fd);
    if (wanted === 0) continue;
    const file = task.fdTable.get(fd);
    if (file === null) return EBADF;
    const events = file.readiness();
    for (let i = 0; i < 3; i++) {
      if ((wanted & (1 << i)) === 0 || (events & EVENTS[i]!) === 0) continue;
      ready[i * length + (fd >> 3)]! |= 1 << (fd & 7);
      total++;
    }
  }
  if (total === 0 && limitNs !== 0) {
    for (let fd = 0; fd < count; fd++) waitFor(task, fd, asked, length);
    const blocked = task.blocker.park(task.deadlineAfter(limitNs));
    if (blocked !== ETIMEDOUT) return blocked;
  }
  for (const [i, addr] of sets.entries()) {
    if (addr === 0) continue;
    const set = ready.subarray(i * length, (i + 1) * length);
    if (task.memory.writeBytes(addr, set) !== null) return EFAULT;
  }
  return total;
}

/** Bit i: the descriptor is in set i. */
function askedOf(asked: Uint8Array, length: number, fd: number): number {
  const byte = fd >> 3;
  const bit = fd & 7;
  return ((asked[byte]! >> bit) & 1) |
    (((asked[length + byte]! >> bit) & 1) << 1) |
    (((asked[2 * length + byte]! >> bit) & 1) << 2);
}

function waitFor(
  task: Task,
  fd: number,
  asked: Uint8Array,
  length: number,
): void {
  const wanted = askedOf(asked, length, fd);
  if (wanted === 0) return;
  let events = POLLERR | POLLHUP;
  for (let i = 0; i < 3; i++) {
    if ((wanted & (1 << i)) !== 0) events |= EVENTS[i]!;
  }
  task.blocker.waitOn(task.fdTable.get(fd)!.queue, events);
}
