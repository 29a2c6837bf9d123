/**
 * Resource limits and usage: getrlimit(2), setrlimit(2), prlimit64(2),
 * getrusage(2), sysinfo(2), getpriority(2), setpriority(2).
 * @module
 */
import {
  EACCES,
  EINVAL,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import { CAP_SYS_NICE, CAP_SYS_RESOURCE } from "../abi/capability.ts";
import {
  PRIO_PGRP,
  PRIO_PROCESS,
  PRIO_USER,
  RLIM_NLIMITS,
  RLIMIT_CPU,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RUSAGE_CHILDREN,
  RUSAGE_SELF,
  RUSAGE_SIZE,
  RUSAGE_THREAD,
} from "../abi/resource.ts";
import { SI_LOAD_SHIFT, SYSINFO, SYSINFO_SIZE } from "../abi/sysinfo.ts";
import { NR_OPEN } from "../task/fd_table.ts";
import type { Task } from "../task/task.ts";
import { type Usage, writeUsage } from "./rusage.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** A limit as it stands in memory: all ones is infinity. */
function readLimit(task: Task, addr: number): number | Errno {
  const value = task.memory.readU64(addr);
  if (isErrno(value)) return value;
  // Doubles round 2^64 - 1 up to 2^64.
  return value >= 2 ** 64 ? Infinity : value;
}

function writeLimit(task: Task, addr: number, value: number): Errno | null {
  if (value !== Infinity) return task.memory.writeU64(addr, value);
  return task.memory.writeU32(addr, 0xffffffff) ??
    task.memory.writeU32(addr + 4, 0xffffffff);
}

function storeLimits(
  task: Task,
  target: Task,
  resource: number,
  addr: number,
): Errno | null {
  const { soft, hard } = target.threadGroup.limits;
  return writeLimit(task, addr, soft[resource]!) ??
    writeLimit(task, addr + 8, hard[resource]!);
}

function changeLimits(
  task: Task,
  target: Task,
  resource: number,
  soft: number,
  hard: number,
): Errno | null {
  const { limits } = target.threadGroup;
  if (soft > hard) return EINVAL;
  if (resource === RLIMIT_NOFILE && hard > NR_OPEN) return EPERM;
  const raises = hard > limits.hard[resource]!;
  if (raises && !task.credentials.has(CAP_SYS_RESOURCE)) return EPERM;
  limits.set(resource, soft, hard);
  if (resource === RLIMIT_CPU) target.threadGroup.updateCpuLimit();
  return null;
}

export const getrlimit = defineSyscall({
  name: "getrlimit",
  support: "full",
  args: { resource: "int", rlim: "addr" },
  run: (task, { resource, rlim }) => {
    if (resource < 0 || resource >= RLIM_NLIMITS) return EINVAL;
    return storeLimits(task, task, resource, rlim) ?? 0;
  },
});

export const setrlimit = defineSyscall({
  name: "setrlimit",
  support: "full",
  args: { resource: "int", rlim: "addr" },
  run: (task, { resource, rlim }) => {
    const soft = readLimit(task, rlim);
    if (isErrno(soft)) return soft;
    const hard = readLimit(task, rlim + 8);
    if (isErrno(hard)) return hard;
    if (resource < 0 || resource >= RLIM_NLIMITS) return EINVAL;
    return changeLimits(task, task, resource, soft, hard) ?? 0;
  },
});

export const prlimit64 = defineSyscall({
  name: "prlimit64",
  support: "full",
  args: { pid: "pid", resource: "int", new_limit: "addr", old_limit: "addr" },
  run: (task, { pid, resource, new_limit, old_limit }) => {
    if (resource < 0 || resource >= RLIM_NLIMITS) return EINVAL;
    let given: readonly [number, number] | null = null;
    if (new_limit !== 0) {
      const soft = readLimit(task, new_limit);
      if (isErrno(soft)) return soft;
      const hard = readLimit(task, new_limit + 8);
      if (isErrno(hard)) return hard;
      given = [soft, hard];
    }
    const target = pid === 0 ? task : task.namespace.task(pid);
    if (target === null) return ESRCH;
    if (!mayChange(task, target)) return EPERM;
    // The old limits are those before the change, stored after it succeeded.
    const { soft, hard } = target.threadGroup.limits;
    const old = [soft[resource]!, hard[resource]!] as const;
    if (given !== null) {
      const failed = changeLimits(task, target, resource, given[0], given[1]);
      if (failed !== null) return failed;
    }
    if (old_limit === 0) return 0;
    return writeLimit(task, old_limit, old[0]) ??
      writeLimit(task, old_limit + 8, old[1]) ?? 0;
  },
});

/** The target's ids must all be the caller's real ones, or CAP_SYS_RESOURCE. */
function mayChange(task: Task, target: Task): boolean {
  if (task.threadGroup === target.threadGroup) return true;
  const { uid, gid } = task.credentials;
  const other = target.credentials;
  const isSame =
    [other.uid, other.euid, other.suid].every((id) => id === uid) &&
    [other.gid, other.egid, other.sgid].every((id) => id === gid);
  return isSame || task.credentials.has(CAP_SYS_RESOURCE);
}

function usageOf(task: Task, who: number): Usage | Errno {
  const group = task.threadGroup;
  switch (who) {
    case RUSAGE_SELF:
      return {
        userNs: group.userNs,
        systemNs: group.systemNs,
        maxResidentPages: Math.ceil(task.memory.peakResident / 4096),
      };
    case RUSAGE_THREAD:
      return {
        userNs: task.userNs,
        systemNs: task.systemNs,
        maxResidentPages: Math.ceil(task.memory.peakResident / 4096),
      };
    case RUSAGE_CHILDREN:
      return {
        userNs: group.childrenUserNs,
        systemNs: group.childrenSystemNs,
        maxResidentPages: group.childrenMaxResidentPages,
      };
    default:
      return EINVAL;
  }
}

export const getrusage = defineSyscall({
  name: "getrusage",
  support: { partial: "fault and context switch counts are 0" },
  args: { who: "int", usage: "addr" },
  run: (task, { who, usage }) => {
    const used = usageOf(task, who);
    if (isErrno(used)) return used;
    const bytes = new Uint8Array(RUSAGE_SIZE);
    writeUsage(bytes, used);
    return task.memory.writeBytes(usage, bytes) ?? 0;
  },
});

export const sysinfo = defineSyscall({
  name: "sysinfo",
  support: { partial: "load averages are those of the sandbox: 0" },
  args: { info: "addr" },
  run: (task, { info }) => {
    const { host } = task.kernel;
    const bytes = new Uint8Array(SYSINFO_SIZE);
    const view = new DataView(bytes.buffer);
    const put = (at: number, value: number) => {
      view.setUint32(at, value % 4294967296, true);
      view.setUint32(at + 4, Math.floor(value / 4294967296), true);
    };
    const total = host.info.memoryBytes;
    put(SYSINFO.uptime, Math.floor(task.clock.boottimeNs() / 1e9));
    put(SYSINFO.loads, 0 << SI_LOAD_SHIFT);
    put(SYSINFO.totalram, total);
    const used = host.memory.residentBytes(0, host.memory.size);
    put(SYSINFO.freeram, Math.max(0, total - used));
    view.setUint16(
      SYSINFO.procs,
      Math.min(0xffff, task.namespace.taskCount),
      true,
    );
    view.setUint32(SYSINFO.mem_unit, 1, true);
    return task.memory.writeBytes(info, bytes) ?? 0;
  },
});

/** Tasks that getpriority(2) and setpriority(2) are about. */
function* selectTasks(task: Task, which: number, who: number): Generator<Task> {
  if (which === PRIO_PROCESS) {
    const found = who === 0 ? task : task.namespace.task(who);
    if (found !== null) yield found;
    return;
  }
  const { credentials, threadGroup, namespace } = task;
  const uid = who === 0 ? credentials.uid : who;
  const group = who === 0 ? threadGroup.processGroup.id : who;
  for (const other of namespace.tasks()) {
    if (other.state === "dead") continue;
    const matches = which === PRIO_PGRP
      ? other.threadGroup.processGroup.id === group
      : other.credentials.uid === uid;
    if (matches) yield other;
  }
}

export const getpriority = defineSyscall({
  name: "getpriority",
  support: "full",
  args: { which: "int", who: "int" },
  run: (task, { which, who }) => {
    if (which < PRIO_PROCESS || which > PRIO_USER) return EINVAL;
    let lowest = 20;
    let isFound = false;
    for (const other of selectTasks(task, which, who)) {
      isFound = true;
      lowest = Math.min(lowest, other.nice);
    }
    // The raw call returns 20 - nice, so that it is never negative.
    return isFound ? 20 - lowest : ESRCH;
  },
});

export const setpriority = defineSyscall({
  name: "setpriority",
  support: { partial: "remembered; the host schedules all guests alike" },
  args: { which: "int", who: "int", prio: "int" },
  run: (task, { which, who, prio }) => {
    if (which < PRIO_PROCESS || which > PRIO_USER) return EINVAL;
    const nice = Math.max(-20, Math.min(19, prio));
    let result: SysResult = ESRCH;
    for (const other of [...selectTasks(task, which, who)]) {
      const failed = setNice(task, other, nice);
      if (failed !== null) result = failed;
      else if (result === ESRCH) result = 0;
    }
    return result;
  },
});

function setNice(task: Task, target: Task, nice: number): Errno | null {
  const own = task.credentials;
  const { uid, euid } = target.credentials;
  const isOwner = own.euid === uid || own.euid === euid;
  if (!isOwner && !own.has(CAP_SYS_NICE)) return EPERM;
  // RLIMIT_NICE is 20 - nice.
  const floor = 20 - target.limit(RLIMIT_NICE);
  if (nice < target.nice && nice < floor && !own.has(CAP_SYS_NICE)) {
    return EACCES;
  }
  target.nice = nice;
  return null;
}
