/**
 * Scheduling: sched_yield(2), sched_getaffinity(2), sched_setaffinity(2), and
 * policies. The host schedules guests; policies are remembered as SCHED_OTHER.
 * @module
 */
import { EINVAL, EPERM, type Errno, ESRCH, isErrno } from "../abi/errno.ts";
import { CAP_SYS_NICE } from "../abi/capability.ts";
import {
  SCHED_BATCH,
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

function target(task: Task, pid: number): Task | Errno {
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

export const schedGetPriorityMax = defineSyscall({
  name: "sched_get_priority_max",
  support: "full",
  args: { policy: "int" },
  run: (_task, { policy }) => {
    if (!isKnown(policy)) return EINVAL;
    return isRealtime(policy) ? MAX_RT_PRIORITY : 0;
  },
});

export const schedGetPriorityMin = defineSyscall({
  name: "sched_get_priority_min",
  support: "full",
  args: { policy: "int" },
  run: (_task, { policy }) => {
    if (!isKnown(policy)) return EINVAL;
    return isRealtime(policy) ? 1 : 0;
  },
});

export const schedGetscheduler = defineSyscall({
  name: "sched_getscheduler",
  support: "full",
  args: { pid: "pid" },
  run: (task, { pid }) => {
    const other = target(task, pid);
    return isErrno(other) ? other : other.schedulingPolicy;
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
    return task.memory.writeU32(param, 0) ?? 0;
  },
});

export const schedSetscheduler = defineSyscall({
  name: "sched_setscheduler",
  support: { partial: "real-time policies fail with EPERM" },
  args: { pid: "pid", policy: "int", param: "addr" },
  run: (task, { pid, policy, param }) => {
    if (policy < 0 || param === 0) return EINVAL;
    const priority = task.memory.readI32(param);
    if (isErrno(priority)) return priority;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    const plain = policy & ~SCHED_RESET_ON_FORK;
    if (!isKnown(plain)) return EINVAL;
    if (isRealtime(plain)) {
      return priority < 1 || priority > MAX_RT_PRIORITY ? EINVAL : EPERM;
    }
    if (priority !== 0) return EINVAL;
    if (!mayChange(task, other)) return EPERM;
    other.schedulingPolicy = policy;
    return 0;
  },
});

export const schedSetparam = defineSyscall({
  name: "sched_setparam",
  support: "full",
  args: { pid: "pid", param: "addr" },
  run: (task, { pid, param }) => {
    if (param === 0) return EINVAL;
    const priority = task.memory.readI32(param);
    if (isErrno(priority)) return priority;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    // Only SCHED_OTHER and its kin are ever set: their priority is 0.
    return priority === 0 ? 0 : EINVAL;
  },
});

export const schedRrGetInterval = defineSyscall({
  name: "sched_rr_get_interval",
  support: "full",
  args: { pid: "pid", tp: "addr" },
  run: (task, { pid, tp }) => {
    const other = target(task, pid);
    if (isErrno(other)) return other;
    return writeTimespecNs(task, tp, RR_INTERVAL_NS) ?? 0;
  },
});
