/**
 * Scheduling: sched_yield(2), sched_getaffinity(2), sched_setaffinity(2), and
 * policies. The host schedules guests; policies are remembered.
 * @module
 */
import { EINVAL, EPERM, type Errno, ESRCH, isErrno } from "../abi/errno.ts";
import { CAP_SYS_NICE } from "../abi/capability.ts";
import { RLIMIT_NICE, RLIMIT_RTPRIO } from "../abi/resource.ts";
import {
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_NORMAL,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
} from "../abi/sched.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall } from "./syscall.ts";
import { writeTimespecNs } from "./timespec.ts";

const MAX_RT_PRIORITY = 99;
const RR_INTERVAL_NS = 100_000_000;
/** An ordinary task's slice. */
const SLICE_NS = 4_000_000;

/** The task that `pid` means; 0: the caller. EINVAL, ESRCH. */
export function target(task: Task, pid: number): Task | Errno {
  return pid < 0 ? EINVAL : affinityTarget(task, pid);
}

/** The affinity calls know no invalid number, only absent tasks. */
function affinityTarget(task: Task, pid: number): Task | Errno {
  return (pid === 0 ? task : task.namespace.task(pid)) ?? ESRCH;
}

export const schedYield = defineSyscall({
  name: "sched_yield",
  support: "full",
  args: {},
  run: () => 0,
});

/** Bytes of a CPU mask that covers the sandbox's CPUs: a multiple of 8. */
function maskBytes(task: Task): number {
  return 8 * Math.ceil(task.kernel.host.info.cpuCount / 64);
}

export const schedGetaffinity = defineSyscall({
  name: "sched_getaffinity",
  support: "full",
  args: { pid: "pid", cpusetsize: "uint", mask: "addr" },
  run: (task, { pid, cpusetsize, mask }) => {
    const bytes = maskBytes(task);
    if (cpusetsize < bytes || cpusetsize % 8 !== 0) return EINVAL;
    const other = affinityTarget(task, pid);
    if (isErrno(other)) return other;
    const set = other.affinity ?? fullMask(task);
    return task.memory.writeBytes(mask, set) ?? bytes;
  },
});

function fullMask(task: Task): Uint8Array {
  const mask = new Uint8Array(maskBytes(task));
  const { cpuCount } = task.kernel.host.info;
  for (let cpu = 0; cpu < cpuCount; cpu++) mask[cpu >> 3]! |= 1 << (cpu & 7);
  return mask;
}

export const schedSetaffinity = defineSyscall({
  name: "sched_setaffinity",
  support: { partial: "remembered; the host places guests on its CPUs" },
  args: { pid: "pid", cpusetsize: "uint", mask: "addr" },
  run: (task, { pid, cpusetsize, mask }) => {
    const full = fullMask(task);
    const given = new Uint8Array(full.length);
    const length = Math.min(given.length, cpusetsize);
    const fault = task.memory.readBytes(mask, given.subarray(0, length));
    if (fault !== null) return fault;
    const other = affinityTarget(task, pid);
    if (isErrno(other)) return other;
    if (!mayChange(task, other)) return EPERM;
    for (let i = 0; i < given.length; i++) given[i]! &= full[i]!;
    if (given.every((byte) => byte === 0)) return EINVAL;
    other.affinity = given;
    return 0;
  },
});

/** Owner of the target, or CAP_SYS_NICE. */
function mayChange(task: Task, other: Task): boolean {
  const own = task.credentials;
  return own.euid === other.credentials.euid ||
    own.euid === other.credentials.uid || own.has(CAP_SYS_NICE);
}

function isRealtime(policy: number): boolean {
  return policy === SCHED_FIFO || policy === SCHED_RR;
}
function isKnown(policy: number): boolean {
  return isRealtime(policy) || policy === SCHED_NORMAL ||
    policy === SCHED_BATCH || policy === SCHED_IDLE;
}

/** SCHED_DEADLINE has priorities, if no more, on every kernel. */
function hasPriorities(policy: number): boolean {
  return isKnown(policy) || policy === SCHED_DEADLINE;
}

export const schedGetPriorityMax = defineSyscall({
  name: "sched_get_priority_max",
  support: "full",
  args: { policy: "int" },
  run: (_task, { policy }) => {
    if (!hasPriorities(policy)) return EINVAL;
    return isRealtime(policy) ? MAX_RT_PRIORITY : 0;
  },
});

export const schedGetPriorityMin = defineSyscall({
  name: "sched_get_priority_min",
  support: "full",
  args: { policy: "int" },
  run: (_task, { policy }) => {
    if (!hasPriorities(policy)) return EINVAL;
    return isRealtime(policy) ? 1 : 0;
  },
});

export const schedGetscheduler = defineSyscall({
  name: "sched_getscheduler",
  support: "full",
  args: { pid: "pid" },
  run: (task, { pid }) => {
    const other = target(task, pid);
    if (isErrno(other)) return other;
    const reset = other.resetsSchedulingOnFork ? SCHED_RESET_ON_FORK : 0;
    return other.schedulingPolicy | reset;
  },
});

export const schedGetparam = defineSyscall({
  name: "sched_getparam",
  support: "full",
  args: { pid: "pid", param: "addr" },
  run: (task, { pid, param }) => {
    if (param === 0) return EINVAL;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    return task.memory.writeU32(param, other.realtimePriority) ?? 0;
  },
});

/** A policy with its parameter, as a call asks for it. */
export interface SchedulingChange {
  readonly policy: number;
  readonly priority: number;
  readonly resetsOnFork: boolean;
  /** Null: as it is. */
  readonly nice: number | null;
}

/** sched(7): EINVAL, EPERM. */
export function changeScheduling(
  task: Task,
  other: Task,
  { policy, priority, resetsOnFork, nice }: SchedulingChange,
): Errno | 0 {
  if (!isKnown(policy)) return EINVAL;
  if (priority < 0 || priority > MAX_RT_PRIORITY) return EINVAL;
  if (isRealtime(policy) !== (priority !== 0)) return EINVAL;
  if (!task.credentials.has(CAP_SYS_NICE)) {
    if (!mayChange(task, other)) return EPERM;
    if (isRealtime(policy)) {
      const limit = other.limit(RLIMIT_RTPRIO);
      if (policy !== other.schedulingPolicy && limit === 0) return EPERM;
      if (priority > other.realtimePriority && priority > limit) return EPERM;
    }
    if (other.schedulingPolicy === SCHED_IDLE && policy !== SCHED_IDLE) {
      if (20 - other.nice > other.limit(RLIMIT_NICE)) return EPERM;
    }
    if (other.resetsSchedulingOnFork && !resetsOnFork) return EPERM;
    const isRaise = nice !== null && nice < other.nice;
    if (isRaise && 20 - nice > other.limit(RLIMIT_NICE)) return EPERM;
  }
  other.schedulingPolicy = policy;
  other.realtimePriority = priority;
  other.resetsSchedulingOnFork = resetsOnFork;
  if (nice !== null) other.nice = nice;
  return 0;
}

export const schedSetscheduler = defineSyscall({
  name: "sched_setscheduler",
  support: { partial: "remembered; the host schedules all guests alike" },
  args: { pid: "pid", policy: "int", param: "addr" },
  run: (task, { pid, policy, param }) => {
    if (policy < 0 || param === 0) return EINVAL;
    const priority = task.memory.readI32(param);
    if (isErrno(priority)) return priority;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    return changeScheduling(task, other, {
      policy: policy & ~SCHED_RESET_ON_FORK,
      priority,
      resetsOnFork: (policy & SCHED_RESET_ON_FORK) !== 0,
      nice: null,
    });
  },
});

export const schedSetparam = defineSyscall({
  name: "sched_setparam",
  support: { partial: "remembered; the host schedules all guests alike" },
  args: { pid: "pid", param: "addr" },
  run: (task, { pid, param }) => {
    if (param === 0) return EINVAL;
    const priority = task.memory.readI32(param);
    if (isErrno(priority)) return priority;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    return changeScheduling(task, other, {
      policy: other.schedulingPolicy,
      priority,
      resetsOnFork: other.resetsSchedulingOnFork,
      nice: null,
    });
  },
});

export const schedRrGetInterval = defineSyscall({
  name: "sched_rr_get_interval",
  support: "full",
  args: { pid: "pid", tp: "addr" },
  run: (task, { pid, tp }) => {
    const other = target(task, pid);
    if (isErrno(other)) return other;
    const isFifo = other.schedulingPolicy === SCHED_FIFO;
    const isRr = other.schedulingPolicy === SCHED_RR;
    const ns = isFifo ? 0 : isRr ? RR_INTERVAL_NS : SLICE_NS;
    return writeTimespecNs(task, tp, ns) ?? 0;
  },
});
