/**
 * ioprio_get(2), ioprio_set(2): remembered; the host does the I/O.
 * @module
 */
import { CAP_SYS_ADMIN, CAP_SYS_NICE } from "../abi/capability.ts";
import { EINVAL, EPERM, type Errno, ESRCH, isErrno } from "../abi/errno.ts";
import {
  IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE,
  IOPRIO_CLASS_NONE,
  IOPRIO_CLASS_RT,
  IOPRIO_CLASS_SHIFT,
  IOPRIO_WHO_PGRP,
  IOPRIO_WHO_PROCESS,
  IOPRIO_WHO_USER,
} from "../abi/ioprio.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** The other bits of the data are hints, which any scheduler may ignore. */
const LEVEL_MASK = 7;

function selectTasks(
  task: Task,
  which: number,
  who: number,
): readonly Task[] | Errno {
  const { namespace, credentials, threadGroup } = task;
  if (which === IOPRIO_WHO_PROCESS) {
    const found = who === 0 ? task : namespace.task(who);
    return found === null ? [] : [found];
  }
  if (which !== IOPRIO_WHO_PGRP && which !== IOPRIO_WHO_USER) return EINVAL;
  const group = who === 0 ? threadGroup.processGroup.id : who;
  const uid = who === 0 ? credentials.uid : who;
  return [...namespace.tasks()].filter((other) =>
    which === IOPRIO_WHO_PGRP
      ? other.threadGroup.processGroup.id === group
      : other.credentials.uid === uid
  );
}

function checkPriority(task: Task, priority: number): Errno | null {
  switch (priority >> IOPRIO_CLASS_SHIFT) {
    case IOPRIO_CLASS_RT:
      if (
        !task.credentials.has(CAP_SYS_NICE) &&
        !task.credentials.has(CAP_SYS_ADMIN)
      ) return EPERM;
      return null;
    case IOPRIO_CLASS_BE:
    case IOPRIO_CLASS_IDLE:
      return null;
    case IOPRIO_CLASS_NONE:
      return (priority & LEVEL_MASK) === 0 ? null : EINVAL;
    default:
      return EINVAL;
  }
}

export const ioprio_set = defineSyscall({
  name: "ioprio_set",
  support: { partial: "remembered; the host does the I/O" },
  args: { which: "int", who: "int", ioprio: "int" },
  run: (task, { which, who, ioprio }) => {
    const invalid = checkPriority(task, ioprio);
    if (invalid !== null) return invalid;
    const targets = selectTasks(task, which, who);
    if (isErrno(targets)) return targets;
    let result: SysResult = ESRCH;
    const own = task.credentials;
    for (const other of targets) {
      const { uid } = other.credentials;
      const may = uid === own.euid || uid === own.uid || own.has(CAP_SYS_NICE);
      if (!may) return EPERM;
      other.ioPriority = ioprio;
      result = 0;
    }
    return result;
  },
});

export const ioprio_get = defineSyscall({
  name: "ioprio_get",
  support: "full",
  args: { which: "int", who: "int" },
  run: (task, { which, who }) => {
    const targets = selectTasks(task, which, who);
    if (isErrno(targets)) return targets;
    let best = -1;
    for (const { ioPriority } of targets) {
      if (best < 0 || isBetter(ioPriority, best)) best = ioPriority;
    }
    return best < 0 ? ESRCH : best;
  },
});

/** Lower numbers are better, but "none" counts as the middle best effort. */
function isBetter(priority: number, than: number): boolean {
  const effective = (value: number) =>
    value === 0 ? (IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT) | 4 : value;
  return effective(priority) < effective(than);
}
