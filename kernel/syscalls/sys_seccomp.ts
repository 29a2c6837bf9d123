/**
 * seccomp(2), and prctl(2) PR_SET_SECCOMP. The filters run in
 * ../task/seccomp.ts.
 * @module
 */
import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import {
  EACCES,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import * as sc from "../abi/seccomp.ts";
import { parseFilter, SeccompFilter } from "../task/seccomp_filter.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

const FLAGS = sc.SECCOMP_FILTER_FLAG_TSYNC | sc.SECCOMP_FILTER_FLAG_LOG |
  sc.SECCOMP_FILTER_FLAG_SPEC_ALLOW | sc.SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
/** MAX_INSNS_PER_PATH. */
const MAX_TOTAL = 32768;

const ACTIONS: ReadonlySet<number> = new Set([
  sc.SECCOMP_RET_KILL_PROCESS,
  sc.SECCOMP_RET_KILL_THREAD,
  sc.SECCOMP_RET_TRAP,
  sc.SECCOMP_RET_ERRNO,
  sc.SECCOMP_RET_TRACE,
  sc.SECCOMP_RET_LOG,
  sc.SECCOMP_RET_ALLOW,
]);

export const seccomp = defineSyscall({
  name: "seccomp",
  support: { partial: "no user notification: EINVAL, EOPNOTSUPP" },
  args: { operation: "uint", flags: "uint", args: "addr" },
  run: (task, { operation, flags, args }) => {
    switch (operation) {
      case sc.SECCOMP_SET_MODE_STRICT:
        return flags !== 0 || args !== 0 ? EINVAL : setStrict(task);
      case sc.SECCOMP_SET_MODE_FILTER:
        return setFilter(task, flags, args);
      case sc.SECCOMP_GET_ACTION_AVAIL: {
        if (flags !== 0) return EINVAL;
        const action = task.memory.readU32(args);
        if (isErrno(action)) return action;
        return ACTIONS.has(action) ? 0 : EOPNOTSUPP;
      }
      default:
        return EINVAL;
    }
  },
});

/** PR_SET_SECCOMP. */
export function setSeccompMode(
  task: Task,
  mode: number,
  filter: number,
): SysResult {
  if (mode === sc.SECCOMP_MODE_STRICT) return setStrict(task);
  if (mode === sc.SECCOMP_MODE_FILTER) return setFilter(task, 0, filter);
  return EINVAL;
}

/** PR_GET_SECCOMP. In strict mode nobody gets to ask. */
export function seccompMode(task: Task): number {
  return task.seccomp === null
    ? sc.SECCOMP_MODE_DISABLED
    : sc.SECCOMP_MODE_FILTER;
}

function setStrict(task: Task): SysResult {
  if (task.seccomp !== null && task.seccomp !== "strict") return EINVAL;
  task.seccomp = "strict";
  return 0;
}

function setFilter(task: Task, flags: number, addr: number): SysResult {
  if ((flags & ~FLAGS) !== 0) {
    unimplemented(task, "seccomp: user notification");
    return EINVAL;
  }
  const bytes = readProgram(task, addr);
  if (isErrno(bytes)) return bytes;
  if (!task.noNewPrivileges && !task.credentials.has(CAP_SYS_ADMIN)) {
    return EACCES;
  }
  const code = parseFilter(bytes);
  if (isErrno(code)) return code;
  const old = task.seccomp;
  if (old === "strict") return EINVAL;
  const isLogged = (flags & sc.SECCOMP_FILTER_FLAG_LOG) !== 0;
  const filter = new SeccompFilter(code, old, isLogged);
  if (filter.totalLength > MAX_TOTAL) return ENOMEM;
  if ((flags & sc.SECCOMP_FILTER_FLAG_TSYNC) !== 0) {
    const refused = synchronize(task, filter, flags);
    if (refused !== null) return refused;
  }
  task.seccomp = filter;
  return 0;
}

/** struct sock_fprog and what it points to. EFAULT, EINVAL. */
function readProgram(task: Task, addr: number): Uint8Array | Errno {
  const length = task.memory.readU16(addr + sc.SOCK_FPROG.len);
  if (isErrno(length)) return length;
  const pointer = task.memory.readU64(addr + sc.SOCK_FPROG.filter);
  if (isErrno(pointer)) return pointer;
  if (length === 0 || length > sc.BPF_MAXINSNS) return EINVAL;
  const bytes = new Uint8Array(length * sc.SOCK_FILTER_SIZE);
  return task.memory.readBytes(pointer, bytes) ?? bytes;
}

/** SECCOMP_FILTER_FLAG_TSYNC: every thread gets the filter, or none; the id of
 * one that has filters of its own. */
function synchronize(
  task: Task,
  filter: SeccompFilter,
  flags: number,
): number | Errno | null {
  for (const other of task.threadGroup.tasks) {
    const theirs = other.seccomp;
    if (other === task || theirs === null) continue;
    if (theirs !== "strict" && filter.descendsFrom(theirs)) continue;
    const wantsErrno = (flags & sc.SECCOMP_FILTER_FLAG_TSYNC_ESRCH) !== 0;
    return wantsErrno ? ESRCH : other.tid;
  }
  for (const other of task.threadGroup.tasks) {
    other.seccomp = filter;
    if (task.noNewPrivileges) other.noNewPrivileges = true;
  }
  return null;
}
