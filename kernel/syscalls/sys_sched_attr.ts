/**
 * sched_setattr(2), sched_getattr(2).
 * @module
 */
import { E2BIG, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import {
  SCHED_ATTR,
  SCHED_ATTR_SIZE,
  SCHED_ATTR_SIZE_VER0,
  SCHED_DEADLINE,
  SCHED_FLAG_ALL,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_UTIL_CLAMP_MAX,
  SCHED_FLAG_UTIL_CLAMP_MIN,
} from "../abi/sched.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, unimplemented } from "./syscall.ts";
import { changeScheduling, target } from "./sys_sched.ts";

/** struct sched_attr. E2BIG: it has more than we know, and our size is stored
 * in it. EFAULT. */
function readAttributes(task: Task, addr: number): DataView | Errno {
  const size = task.memory.readU32(addr + SCHED_ATTR.size);
  if (isErrno(size)) return size;
  const given = size === 0 ? SCHED_ATTR_SIZE_VER0 : size;
  if (given < SCHED_ATTR_SIZE_VER0 || given > PAGE_SIZE) {
    return tooBig(task, addr);
  }
  const bytes = new Uint8Array(Math.max(given, SCHED_ATTR_SIZE));
  const fault = task.memory.readBytes(addr, bytes.subarray(0, given));
  if (fault !== null) return fault;
  if (bytes.subarray(SCHED_ATTR_SIZE).some((byte) => byte !== 0)) {
    return tooBig(task, addr);
  }
  return new DataView(bytes.buffer);
}

function tooBig(task: Task, addr: number): Errno {
  return task.memory.writeU32(addr + SCHED_ATTR.size, SCHED_ATTR_SIZE) ?? E2BIG;
}

export const sched_setattr = defineSyscall({
  name: "sched_setattr",
  support: {
    partial: "remembered; SCHED_DEADLINE and utilisation clamps: EINVAL",
  },
  args: { pid: "pid", attr: "addr", flags: "uint" },
  run: (task, { pid, attr, flags }) => {
    if (attr === 0 || pid < 0 || flags !== 0) return EINVAL;
    const view = readAttributes(task, attr);
    if (isErrno(view)) return view;
    const policy = view.getInt32(SCHED_ATTR.sched_policy, true);
    const schedFlags = view.getUint32(SCHED_ATTR.sched_flags, true);
    if (policy < 0) return EINVAL;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    if ((schedFlags & ~SCHED_FLAG_ALL) !== 0) return EINVAL;
    const clamps = SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
    if (policy === SCHED_DEADLINE || (schedFlags & clamps) !== 0) {
      unimplemented(task, "sched_setattr: SCHED_DEADLINE, utilisation clamps");
      return EINVAL;
    }
    const keepsParameters = (schedFlags & SCHED_FLAG_KEEP_PARAMS) !== 0;
    const nice = view.getInt32(SCHED_ATTR.sched_nice, true);
    const clamped = Math.max(-20, Math.min(19, nice));
    return changeScheduling(task, other, {
      policy: (schedFlags & SCHED_FLAG_KEEP_POLICY) !== 0
        ? other.schedulingPolicy
        : policy,
      priority: keepsParameters
        ? other.realtimePriority
        : view.getUint32(SCHED_ATTR.sched_priority, true),
      resetsOnFork: (schedFlags & SCHED_FLAG_RESET_ON_FORK) !== 0,
      nice: keepsParameters ? null : clamped,
    });
  },
});

export const sched_getattr = defineSyscall({
  name: "sched_getattr",
  support: "full",
  args: { pid: "pid", attr: "addr", size: "uint", flags: "uint" },
  run: (task, { pid, attr, size, flags }) => {
    if (attr === 0 || pid < 0 || flags !== 0) return EINVAL;
    if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE) return EINVAL;
    const other = target(task, pid);
    if (isErrno(other)) return other;
    const length = Math.min(size, SCHED_ATTR_SIZE);
    const bytes = new Uint8Array(SCHED_ATTR_SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint32(SCHED_ATTR.size, length, true);
    view.setUint32(SCHED_ATTR.sched_policy, other.schedulingPolicy, true);
    if (other.resetsSchedulingOnFork) {
      view.setUint32(SCHED_ATTR.sched_flags, SCHED_FLAG_RESET_ON_FORK, true);
    }
    view.setUint32(SCHED_ATTR.sched_priority, other.realtimePriority, true);
    if (other.realtimePriority === 0) {
      view.setInt32(SCHED_ATTR.sched_nice, other.nice, true);
    }
    view.setUint32(SCHED_ATTR.sched_util_max, 1024, true);
    return task.memory.writeBytes(attr, bytes.subarray(0, length)) ?? 0;
  },
});
