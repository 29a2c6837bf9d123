/**
 * wait4(2) and waitid(2).
 * @module
 */
import {
  EBADF,
  ECHILD,
  EINVAL,
  ERESTARTSYS,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import { SIGCHLD, SIGINFO_SIZE } from "../abi/signal.ts";
import { RUSAGE_SIZE } from "../abi/resource.ts";
import {
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
} from "../abi/wait.ts";
import { PidFdDescription } from "../task/pidfd.ts";
import { childSignal, writeSignalInfo } from "../task/signal_info.ts";
import type { Blocked } from "../task/task_block.ts";
import {
  type ChildEvent,
  type ChildFilter,
  findChildEvent,
  WAIT_TRACED,
} from "../task/task_wait.ts";
import type { Task } from "../task/task.ts";
import { writeUsage } from "./rusage.ts";
import { defineSyscall } from "./syscall.ts";

/** Looks once; parks on the process's child queue unless WNOHANG. Null: the
 * caller asked not to wait. */
function waitForChild(
  task: Task,
  filter: ChildFilter,
  options: number,
): ChildEvent | null | Blocked | Errno {
  const event = findChildEvent(task, filter, options);
  if (event === "none") return ECHILD;
  if (event !== null) return event;
  if ((options & WNOHANG) !== 0) return null;
  const blocked = task.block(task.threadGroup.childQueue);
  return isErrno(blocked) ? ERESTARTSYS : blocked;
}

export const wait4 = defineSyscall({
  name: "wait4",
  support: "full",
  args: { pid: "pid", wstatus: "addr", options: "flags", rusage: "addr" },
  run: (task, { pid, wstatus, options, rusage }) => {
    const valid = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE |
      __WALL;
    if ((options & ~valid) !== 0) return EINVAL;
    if (pid === -0x80000000) return ESRCH;
    const filter = filterOfPid(task, pid);
    const found = waitForChild(task, filter, options | WEXITED | WAIT_TRACED);
    if (found === null) return 0;
    if (typeof found === "symbol" || isErrno(found)) return found;
    if (wstatus !== 0) {
      const fault = task.memory.writeU32(wstatus, found.status);
      if (fault !== null) return fault;
    }
    if (rusage !== 0) {
      const fault = storeUsage(task, rusage, found);
      if (fault !== null) return fault;
    }
    return found.pid;
  },
});

function filterOfPid(task: Task, pid: number): ChildFilter {
  if (pid === -1) return { kind: "any" };
  if (pid > 0) return { kind: "pid", pid };
  const own = task.threadGroup.processGroup.id;
  return { kind: "group", processGroup: pid === 0 ? own : -pid };
}

function storeUsage(task: Task, addr: number, event: ChildEvent): Errno | null {
  const { child } = event;
  const bytes = new Uint8Array(RUSAGE_SIZE);
  writeUsage(bytes, {
    userNs: child.userNs + child.childrenUserNs,
    systemNs: child.systemNs + child.childrenSystemNs,
    maxResidentPages: Math.max(
      child.maxResidentPages,
      child.childrenMaxResidentPages,
    ),
  });
  return task.memory.writeBytes(addr, bytes);
}

export const waitid = defineSyscall({
  name: "waitid",
  support: "full",
  args: {
    idtype: "int",
    id: "pid",
    infop: "addr",
    options: "flags",
    rusage: "addr",
  },
  run: (task, { idtype, id, infop, options, rusage }) => {
    const valid = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED |
      __WNOTHREAD | __WCLONE | __WALL;
    if ((options & ~valid) !== 0) return EINVAL;
    if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return EINVAL;
    const filter = filterOfId(task, idtype, id);
    if (isErrno(filter)) return filter;
    const found = waitForChild(task, filter, options);
    if (typeof found === "symbol" || isErrno(found)) return found;
    if (found !== null && rusage !== 0) {
      const fault = storeUsage(task, rusage, found);
      if (fault !== null) return fault;
    }
    if (infop === 0) return 0;
    return task.memory.writeBytes(infop, childInfo(found)) ?? 0;
  },
});

function filterOfId(task: Task, type: number, id: number): ChildFilter | Errno {
  switch (type) {
    case P_ALL:
      return { kind: "any" };
    case P_PID:
      return id > 0 ? { kind: "pid", pid: id } : EINVAL;
    case P_PGID: {
      if (id < 0) return EINVAL;
      const own = task.threadGroup.processGroup.id;
      return { kind: "group", processGroup: id === 0 ? own : id };
    }
    case P_PIDFD: {
      if (id < 0) return EINVAL;
      const file = task.file(id);
      if (isErrno(file)) return file;
      if (!(file instanceof PidFdDescription)) return EBADF;
      return { kind: "pid", pid: file.task.threadGroup.pid };
    }
    default:
      return EINVAL;
  }
}

/** siginfo_t of waitid; all zero if nobody had anything to report. */
function childInfo(event: ChildEvent | null): Uint8Array {
  const bytes = new Uint8Array(SIGINFO_SIZE);
  if (event === null) return bytes;
  const { child, pid, code, value } = event;
  const uid = child.leader.credentials.uid;
  writeSignalInfo(
    childSignal(SIGCHLD, code, pid, uid, value, 0, 0),
    bytes,
    0,
  );
  return bytes;
}
