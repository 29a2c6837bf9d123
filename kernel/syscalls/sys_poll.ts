/**
 * poll(2), ppoll(2): wait for events on a list of descriptors. select(2) is in
 * sys_select.ts.
 * @module
 */
import {
  EINTR,
  EINVAL,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  POLLERR,
  POLLFD,
  POLLFD_SIZE,
  POLLHUP,
  POLLNVAL,
} from "../abi/poll.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";
import { beginTemporaryMask, endTemporaryMask } from "./temporary_mask.ts";
import { readTimespec, writeTimespecNs } from "./timespec.ts";

const NS_PER_MS = 1e6;
const UNASKED = POLLERR | POLLHUP;

const FIRST_SIZE = 64 * POLLFD_SIZE;
/** A longer list than this does not stay around, bytes. */
const KEPT_SIZE = 1 << 16;

/** The descriptor list of the running call; no call keeps it. */
let scratch = new Uint8Array(FIRST_SIZE);
let scratchView = new DataView(scratch.buffer);

export const poll = defineSyscall({
  name: "poll",
  support: "full",
  args: { fds: "addr", nfds: "uint", timeout: "int" },
  run: (task, { fds, nfds, timeout }) => {
    const limitNs = timeout < 0 ? Infinity : timeout * NS_PER_MS;
    const result = pollOnce(task, fds, nfds, limitNs);
    return result === ERESTARTSYS ? ERESTART_RESTARTBLOCK : result;
  },
});

export const ppoll = defineSyscall({
  name: "ppoll",
  support: "full",
  args: {
    fds: "addr",
    nfds: "uint",
    tmo_p: "addr",
    sigmask: "addr",
    sigsetsize: "size",
  },
  run: (task, { fds, nfds, tmo_p, sigmask, sigsetsize }) => {
    let limitNs = Infinity;
    if (tmo_p !== 0) {
      const given = readTimespec(task, tmo_p);
      if (isErrno(given)) return given;
      limitNs = given;
    }
    const refused = beginTemporaryMask(task, sigmask, sigsetsize);
    if (refused !== null) return refused;
    const result = pollOnce(task, fds, nfds, limitNs);
    if (typeof result === "symbol") return result;
    if (result !== ERESTARTSYS) endTemporaryMask(task);
    const isStored = tmo_p === 0 || storeRemaining(task, tmo_p, limitNs);
    if (result !== ERESTARTSYS) return result;
    // Without the time left in memory a restart would wait for too long.
    return isStored ? ERESTARTNOHAND : EINTR;
  },
});

/** Linux ignores a fault here: the call itself has succeeded. */
function storeRemaining(task: Task, addr: number, limitNs: number): boolean {
  const now = task.kernel.clock.monotonicNs();
  const left = limitNs === 0
    ? 0
    : Math.max(0, task.deadlineAfter(limitNs) - now);
  return writeTimespecNs(task, addr, left) === null;
}

/** Reads the list, asks each file, and parks on all their queues if none has
 * anything to say. ERESTARTSYS when interrupted. */
function pollOnce(
  task: Task,
  fds: number,
  nfds: number,
  limitNs: number,
): SysResult {
  if (nfds > task.limit(RLIMIT_NOFILE)) return EINVAL;
  const list = readList(task, fds, nfds);
  if (list !== null) return list;
  let ready = 0;
  for (let i = 0; i < nfds; i++) {
    const at = i * POLLFD_SIZE;
    const revents = readinessOf(task, at);
    scratchView.setUint16(at + POLLFD.revents, revents, true);
    if (revents !== 0) ready++;
  }
  if (ready > 0 || limitNs === 0) return storeList(task, fds, nfds) ?? ready;

  for (let i = 0; i < nfds; i++) waitFor(task, i * POLLFD_SIZE);
  const blocked = task.blocker.park(task.deadlineAfter(limitNs));
  return blocked === ETIMEDOUT ? storeList(task, fds, nfds) ?? 0 : blocked;
}

function readList(task: Task, fds: number, nfds: number): Errno | null {
  if (nfds === 0) return null;
  const length = nfds * POLLFD_SIZE;
  const isTooLong = scratch.length > KEPT_SIZE && length <= KEPT_SIZE;
  if (scratch.length < length || isTooLong) {
    scratch = new Uint8Array(Math.max(length, FIRST_SIZE));
    scratchView = new DataView(scratch.buffer);
  }
  return task.memory.readBytes(fds, scratch.subarray(0, length));
}

function readinessOf(task: Task, at: number): number {
  const fd = scratchView.getInt32(at + POLLFD.fd, true);
  if (fd < 0) return 0;
  const file = task.fdTable.get(fd);
  if (file === null) return POLLNVAL;
  const events = scratchView.getUint16(at + POLLFD.events, true);
  return file.readiness() & (events | UNASKED);
}

function waitFor(task: Task, at: number): void {
  const fd = scratchView.getInt32(at + POLLFD.fd, true);
  const file = task.fdTable.get(fd);
  if (file === null) return;
  const events = scratchView.getUint16(at + POLLFD.events, true);
  task.blocker.waitOn(file.queue, events | UNASKED);
}

/** Only revents: the rest of the list stays as the guest has it now. */
function storeList(task: Task, fds: number, nfds: number): Errno | null {
  for (let i = 0; i < nfds; i++) {
    const at = i * POLLFD_SIZE + POLLFD.revents;
    const revents = scratchView.getUint16(at, true);
    const fault = task.memory.writeU16(fds + at, revents);
    if (fault !== null) return fault;
  }
  return null;
}
