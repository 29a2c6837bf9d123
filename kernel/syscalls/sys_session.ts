/**
 * Process groups and sessions: setpgid(2), getpgid(2), getpgrp(2), setsid(2),
 * getsid(2).
 * @module
 */
import { EACCES, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import {
  hangUpIfNewlyOrphaned,
  ProcessGroup,
  Session,
} from "../task/job_control.ts";
import type { Task } from "../task/task.ts";
import type { ThreadGroup } from "../task/thread_group.ts";
import { defineSyscall } from "./syscall.ts";

function processOf(task: Task, pid: number): ThreadGroup | null {
  if (pid === 0) return task.threadGroup;
  return task.namespace.task(pid)?.threadGroup ?? null;
}

export const setpgid = defineSyscall({
  name: "setpgid",
  support: "full",
  args: { pid: "pid", pgid: "pid" },
  run: (task, { pid, pgid }) => {
    if (pgid < 0) return EINVAL;
    const self = task.threadGroup;
    const process = processOf(task, pid);
    if (process === null || pid < 0) return ESRCH;
    const { session } = self.processGroup;
    if (process.parent === self && process !== self) {
      if (process.processGroup.session !== session) return EPERM;
      if (process.hasExeced) return EACCES;
    } else if (process !== self) return ESRCH;
    if (session.id === process.pid) return EPERM;
    const id = pgid === 0 ? process.pid : pgid;
    let group = task.namespace.processGroups.get(id);
    if (id !== process.pid && group?.session !== session) return EPERM;
    if (group !== undefined && group.session !== session) return EPERM;
    group ??= new ProcessGroup(session, id);
    moveTo(process, group);
    return 0;
  },
});

function moveTo(process: ThreadGroup, group: ProcessGroup): void {
  const old = process.processGroup;
  if (old === group) return;
  const wasOrphaned = old.isOrphaned();
  process.processGroup = group;
  group.add(process);
  old.remove(process);
  if (old.members.size > 0) hangUpIfNewlyOrphaned(old, wasOrphaned, process);
}

export const getpgid = defineSyscall({
  name: "getpgid",
  support: "full",
  args: { pid: "pid" },
  run: (task, { pid }) => processOf(task, pid)?.processGroup.id ?? ESRCH,
});

export const getpgrp = defineSyscall({
  name: "getpgrp",
  support: "full",
  args: {},
  run: (task) => task.threadGroup.processGroup.id,
});

export const setsid = defineSyscall({
  name: "setsid",
  support: "full",
  args: {},
  run: (task) => {
    const { threadGroup, namespace } = task;
    if (namespace.processGroups.has(threadGroup.pid)) return EPERM;
    const session = new Session(namespace, threadGroup.pid);
    moveTo(threadGroup, new ProcessGroup(session, threadGroup.pid));
    return threadGroup.pid;
  },
});

export const getsid = defineSyscall({
  name: "getsid",
  support: "full",
  args: { pid: "pid" },
  run: (task, { pid }) =>
    processOf(task, pid)?.processGroup.session.id ?? ESRCH,
});
