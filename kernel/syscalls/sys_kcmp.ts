/**
 * kcmp(2): whether two processes share a resource.
 * @module
 */
import {
  EBADF,
  EINVAL,
  EOPNOTSUPP,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import * as kcmpTypes from "../abi/kcmp.ts";
import { mayTrace } from "../task/ptrace_access.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, unimplemented } from "./syscall.ts";

/** An order of objects that tells nothing of where they lie in memory. */
const ranks = new WeakMap<object, number>();
let lastRank = 0;

function rankOf(object: object | null): number {
  if (object === null) return 0;
  let rank = ranks.get(object);
  if (rank === undefined) ranks.set(object, rank = ++lastRank);
  return rank;
}

/** The object that `type` is about; null if the task has none. EBADF. */
function resourceOf(
  task: Task,
  type: number,
  index: number,
): object | null | Errno {
  switch (type) {
    case kcmpTypes.KCMP_FILE:
      return task.fdTable.get(index) ?? EBADF;
    case kcmpTypes.KCMP_VM:
      return task.memory;
    case kcmpTypes.KCMP_FILES:
      return task.fdTable;
    case kcmpTypes.KCMP_FS:
      return task.fsContext;
    case kcmpTypes.KCMP_SIGHAND:
      return task.threadGroup.handlers;
    case kcmpTypes.KCMP_IO:
      return null; // Nobody has I/O contexts.
    case kcmpTypes.KCMP_SYSVSEM:
      return task.semaphoreUndo;
    case kcmpTypes.KCMP_EPOLL_TFD:
      unimplemented(task, "kcmp: KCMP_EPOLL_TFD");
      return EOPNOTSUPP;
    default:
      return EINVAL;
  }
}

export const kcmp = defineSyscall({
  name: "kcmp",
  support: { partial: "KCMP_EPOLL_TFD fails with EOPNOTSUPP" },
  args: {
    pid1: "pid",
    pid2: "pid",
    type: "int",
    idx1: "ulong",
    idx2: "ulong",
  },
  run: (task, { pid1, pid2, type, idx1, idx2 }) => {
    const first = task.namespace.task(pid1);
    const second = task.namespace.task(pid2);
    if (first === null || second === null) return ESRCH;
    if (!mayTrace(task, first) || !mayTrace(task, second)) return EPERM;
    const one = resourceOf(first, type, idx1);
    if (isErrno(one)) return one;
    const other = resourceOf(second, type, idx2);
    if (isErrno(other)) return other;
    const order = rankOf(one) - rankOf(other);
    return order === 0 ? 0 : order < 0 ? 1 : 2;
  },
});
