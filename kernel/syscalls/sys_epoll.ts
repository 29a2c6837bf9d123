/**
 * epoll_create(2), epoll_create1(2), epoll_ctl(2), epoll_wait(2),
 * epoll_pwait(2), epoll_pwait2(2). The instance is in `../vfs/epoll.ts`.
 * @module
 */
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_EVENT,
  EPOLL_EVENT_SIZE,
  EPOLLIN,
} from "../abi/epoll.ts";
import {
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  EPERM,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import type { Task } from "../task/task.ts";
import { EpollDescription, type EpollEvent } from "../vfs/epoll.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";
import { beginTemporaryMask, endTemporaryMask } from "./temporary_mask.ts";
import { readTimespec } from "./timespec.ts";

const MAX_EVENTS = Math.floor(0x7fffffff / EPOLL_EVENT_SIZE);
const NS_PER_MS = 1e6;

export const epollCreate = defineSyscall({
  name: "epoll_create",
  support: "full",
  args: { size: "int" },
  run: (task, { size }) => size <= 0 ? EINVAL : makeEpoll(task, 0),
});

export const epollCreate1 = defineSyscall({
  name: "epoll_create1",
  support: "full",
  args: { flags: "flags" },
  run: (task, { flags }) => makeEpoll(task, flags),
});

function makeEpoll(task: Task, flags: number): SysResult {
  if ((flags & ~EPOLL_CLOEXEC) !== 0) return EINVAL;
  const place = task.kernel.anonInodes.placeOf("[eventpoll]");
  const file = new EpollDescription(place);
  const fd = task.fdTable.install(file, {
    closeOnExec: (flags & EPOLL_CLOEXEC) !== 0,
    limit: task.limit(RLIMIT_NOFILE),
  });
  if (isErrno(fd)) file.release(); // EMFILE
  return fd;
}

export const epollCtl = defineSyscall({
  name: "epoll_ctl",
  support: "full",
  args: { epfd: "fd", op: "int", fd: "fd", event: "addr" },
  run: (task, { epfd, op, fd, event }) => {
    let wanted: EpollEvent | null = null;
    if (op !== EPOLL_CTL_DEL) {
      const given = readEvent(task, event);
      if (isErrno(given)) return given;
      wanted = given;
    }
    const epoll = task.file(epfd);
    if (isErrno(epoll)) return EBADF;
    const target = task.file(fd);
    if (isErrno(target)) return EBADF;
    if (!target.isPollable) return EPERM;
    if (!(epoll instanceof EpollDescription)) return EINVAL;
    if (wanted === null) return epoll.remove(target, fd) ?? 0;
    if (op === EPOLL_CTL_ADD) return epoll.add(target, fd, wanted) ?? 0;
    if (op === EPOLL_CTL_MOD) return epoll.modify(target, fd, wanted) ?? 0;
    return EINVAL;
  },
});

function readEvent(task: Task, addr: number): EpollEvent | Errno {
  const events = task.memory.readI32(addr + EPOLL_EVENT.events);
  if (isErrno(events)) return events;
  const dataLow = task.memory.readU32(addr + EPOLL_EVENT.data);
  if (isErrno(dataLow)) return dataLow;
  const dataHigh = task.memory.readU32(addr + EPOLL_EVENT.data + 4);
  if (isErrno(dataHigh)) return dataHigh;
  return { events, dataLow, dataHigh };
}

export const epollWait = defineSyscall({
  name: "epoll_wait",
  support: "full",
  args: { epfd: "fd", events: "addr", maxevents: "int", timeout: "int" },
  run: (task, { epfd, events, maxevents, timeout }) => {
    const limitNs = timeout < 0 ? Infinity : timeout * NS_PER_MS;
    return waitForEvents(task, epfd, events, maxevents, limitNs);
  },
});

export const epollPwait = defineSyscall({
  name: "epoll_pwait",
  support: "full",
  args: {
    epfd: "fd",
    events: "addr",
    maxevents: "int",
    timeout: "int",
    sigmask: "addr",
    sigsetsize: "size",
  },
  run: (task, { epfd, events, maxevents, timeout, sigmask, sigsetsize }) => {
    const refused = beginTemporaryMask(task, sigmask, sigsetsize);
    if (refused !== null) return refused;
    const limitNs = timeout < 0 ? Infinity : timeout * NS_PER_MS;
    return waitForEvents(task, epfd, events, maxevents, limitNs);
  },
});

export const epollPwait2 = defineSyscall({
  name: "epoll_pwait2",
  support: "full",
  args: {
    epfd: "fd",
    events: "addr",
    maxevents: "int",
    timeout: "addr",
    sigmask: "addr",
    sigsetsize: "size",
  },
  run: (task, { epfd, events, maxevents, timeout, sigmask, sigsetsize }) => {
    let limitNs = Infinity;
    if (timeout !== 0) {
      const given = readTimespec(task, timeout);
      if (isErrno(given)) return given;
      limitNs = given;
    }
    const refused = beginTemporaryMask(task, sigmask, sigsetsize);
    if (refused !== null) return refused;
    return waitForEvents(task, epfd, events, maxevents, limitNs);
  },
});

function waitForEvents(
  task: Task,
  epfd: number,
  events: number,
  maximum: number,
  limitNs: number,
): SysResult {
  const result = waitOnce(task, epfd, events, maximum, limitNs);
  if (typeof result === "symbol") return result;
  // Never restarted, so the mask may stay for the signal that interrupted.
  if (result === ERESTARTSYS) return EINTR;
  endTemporaryMask(task);
  return result;
}

function waitOnce(
  task: Task,
  epfd: number,
  events: number,
  maximum: number,
  limitNs: number,
): SysResult {
  if (maximum <= 0 || maximum > MAX_EVENTS) return EINVAL;
  const range = task.memory.buffer(events, maximum * EPOLL_EVENT_SIZE);
  if (isErrno(range)) return EFAULT;
  const epoll = task.file(epfd);
  if (isErrno(epoll)) return EBADF;
  if (!(epoll instanceof EpollDescription)) return EINVAL;

  let at = events;
  const count = epoll.collect(maximum, (ready, dataLow, dataHigh) => {
    const fault = task.memory.writeU32(at + EPOLL_EVENT.events, ready) ??
      task.memory.writeU32(at + EPOLL_EVENT.data, dataLow) ??
      task.memory.writeU32(at + EPOLL_EVENT.data + 4, dataHigh);
    at += EPOLL_EVENT_SIZE;
    return fault;
  });
  if (count !== 0 || limitNs === 0) return count;
  const deadlineNs = task.deadlineAfter(limitNs);
  const blocked = task.block(epoll.queue, EPOLLIN, deadlineNs);
  return blocked === ETIMEDOUT ? 0 : blocked;
}
