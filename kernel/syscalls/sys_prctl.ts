/**
 * prctl(2) and arch_prctl(2).
 * @module
 */
import {
  EFAULT,
  EINVAL,
  ENODEV,
  EPERM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { CAP_LAST_CAP, CAP_SETPCAP } from "../abi/capability.ts";
import { TASK_COMM_LEN } from "../abi/limits.ts";
import {
  ARCH_GET_CPUID,
  ARCH_GET_FS,
  ARCH_GET_GS,
  ARCH_SET_FS,
  ARCH_SET_GS,
} from "../abi/prctl.ts";
import * as pr from "../abi/prctl.ts";
import { NSIG } from "../abi/signal.ts";
import {
  SECBIT_NO_CAP_AMBIENT_RAISE,
  SECURE_ALL_LOCKS,
} from "../abi/securebits.ts";
import { TASK_SIZE } from "../arch/x64/registers.ts";
import {
  capabilitySet,
  hasCapability,
  NO_CAPABILITIES,
  union,
  without,
} from "../task/credentials.ts";
import type { Task } from "../task/task.ts";
import { seccompMode, setSeccompMode } from "./sys_seccomp.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

export const prctl = defineSyscall({
  name: "prctl",
  support: {
    partial: "options for machine checks, MDWE, SVE and the like: EINVAL",
  },
  args: {
    option: "int",
    arg2: "ulong",
    arg3: "ulong",
    arg4: "ulong",
    arg5: "ulong",
  },
  run: (task, { option, arg2, arg3, arg4, arg5 }) => {
    switch (option) {
      case pr.PR_SET_NAME:
        return setName(task, arg2);
      case pr.PR_GET_NAME:
        return getName(task, arg2);
      case pr.PR_SET_PDEATHSIG:
        if (arg2 > NSIG) return EINVAL;
        task.parentDeathSignal = arg2;
        return 0;
      case pr.PR_GET_PDEATHSIG:
        return task.memory.writeU32(arg2, task.parentDeathSignal) ?? 0;
      case pr.PR_GET_DUMPABLE:
        return task.threadGroup.isDumpable ? 1 : 0;
      case pr.PR_SET_DUMPABLE:
        if (arg2 > 1) return EINVAL;
        task.threadGroup.isDumpable = arg2 === 1;
        return 0;
      case pr.PR_GET_KEEPCAPS:
        return task.keepCapabilities ? 1 : 0;
      case pr.PR_SET_KEEPCAPS:
        if (arg2 > 1) return EINVAL;
        task.keepCapabilities = arg2 === 1;
        return 0;
      case pr.PR_SET_CHILD_SUBREAPER:
        task.threadGroup.isSubreaper = arg2 !== 0;
        return 0;
      case pr.PR_GET_CHILD_SUBREAPER:
        return task.memory.writeU32(
          arg2,
          task.threadGroup.isSubreaper ? 1 : 0,
        ) ?? 0;
      case pr.PR_SET_NO_NEW_PRIVS:
        if (arg2 !== 1 || arg3 !== 0 || arg4 !== 0 || arg5 !== 0) return EINVAL;
        task.noNewPrivileges = true;
        return 0;
      case pr.PR_GET_NO_NEW_PRIVS:
        if (arg2 !== 0 || arg3 !== 0 || arg4 !== 0 || arg5 !== 0) return EINVAL;
        return task.noNewPrivileges ? 1 : 0;
      case pr.PR_SET_TIMERSLACK:
        task.timerSlackNs = arg2 === 0 ? 50_000 : arg2;
        return 0;
      case pr.PR_GET_TIMERSLACK:
        return task.timerSlackNs;
      case pr.PR_GET_TID_ADDRESS:
        return task.memory.writeU64(arg2, task.clearChildTid) ?? 0;
      case pr.PR_GET_SECUREBITS:
        return task.credentials.securebits;
      case pr.PR_SET_SECUREBITS:
        return setSecurebits(task, arg2);
      case pr.PR_CAPBSET_READ:
        if (arg2 > CAP_LAST_CAP) return EINVAL;
        return hasCapability(task.credentials.bounding, arg2) ? 1 : 0;
      case pr.PR_CAPBSET_DROP:
        return dropBounding(task, arg2);
      case pr.PR_CAP_AMBIENT:
        return ambient(task, arg2, arg3, arg4, arg5);
      case pr.PR_GET_SECCOMP:
        return seccompMode(task);
      case pr.PR_SET_SECCOMP:
        return setSeccompMode(task, arg2, arg3);
      case pr.PR_GET_TIMING:
        return 0; // PR_TIMING_STATISTICAL is all there is on Linux, too.
      case pr.PR_SET_TIMING:
        return arg2 === 0 ? 0 : EINVAL;
      case pr.PR_GET_THP_DISABLE:
        return 0; // Huge pages are never given, so nobody disabled them.
      default:
        unimplemented(task, `prctl: option ${option}`);
        return EINVAL;
    }
  },
});

function setName(task: Task, addr: number): SysResult {
  // Longer names are cut, not refused.
  let name = "";
  for (let i = 0; i < TASK_COMM_LEN - 1; i++) {
    const byte = task.memory.readU8(addr + i);
    if (isErrno(byte)) return byte;
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  task.comm = name;
  return 0;
}

function getName(task: Task, addr: number): SysResult {
  const bytes = new Uint8Array(TASK_COMM_LEN);
  for (let i = 0; i < task.comm.length; i++) bytes[i] = task.comm.charCodeAt(i);
  return task.memory.writeBytes(addr, bytes) ?? 0;
}

function setSecurebits(task: Task, bits: number): SysResult {
  const old = task.credentials;
  if (!old.has(CAP_SETPCAP)) return EPERM;
  if (bits > 0xff) return EPERM;
  // Locked bits, and the locks themselves, stay.
  const locks = old.securebits & SECURE_ALL_LOCKS;
  const frozen = locks | (locks >> 1);
  if (((old.securebits ^ bits) & frozen) !== 0) return EPERM;
  task.credentials = old.with({ securebits: bits });
  return 0;
}

function dropBounding(task: Task, capability: number): SysResult {
  const old = task.credentials;
  if (!old.has(CAP_SETPCAP)) return EPERM;
  if (capability > CAP_LAST_CAP) return EINVAL;
  task.credentials = old.with({ bounding: without(old.bounding, capability) });
  return 0;
}

function ambient(
  task: Task,
  operation: number,
  capability: number,
  arg4: number,
  arg5: number,
): SysResult {
  const old = task.credentials;
  if (arg4 !== 0 || arg5 !== 0) return EINVAL;
  if (operation === pr.PR_CAP_AMBIENT_CLEAR_ALL) {
    if (capability !== 0) return EINVAL;
    task.credentials = old.with({ ambient: NO_CAPABILITIES });
    return 0;
  }
  if (capability > CAP_LAST_CAP) return EINVAL;
  switch (operation) {
    case pr.PR_CAP_AMBIENT_IS_SET:
      return hasCapability(old.ambient, capability) ? 1 : 0;
    case pr.PR_CAP_AMBIENT_LOWER:
      task.credentials = old.with({
        ambient: without(old.ambient, capability),
      });
      return 0;
    case pr.PR_CAP_AMBIENT_RAISE:
      if (
        !hasCapability(old.permitted, capability) ||
        !hasCapability(old.inheritable, capability) ||
        (old.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0
      ) return EPERM;
      task.credentials = old.with({
        ambient: union(old.ambient, capabilitySet([capability])),
      });
      return 0;
    default:
      return EINVAL;
  }
}

export const archPrctl = defineSyscall({
  name: "arch_prctl",
  support: { partial: "ARCH_SET_CPUID fails with ENODEV; CET and LAM EINVAL" },
  args: { code: "int", addr: "addr" },
  run: (task, { code, addr }) => {
    switch (code) {
      case ARCH_SET_FS:
        return setBase(task, "fs_base", addr);
      case ARCH_SET_GS:
        return setBase(task, "gs_base", addr);
      case ARCH_GET_FS:
        return getBase(task, "fs_base", addr);
      case ARCH_GET_GS:
        return getBase(task, "gs_base", addr);
      case ARCH_GET_CPUID:
        return 1; // The instruction is enabled.
      case pr.ARCH_SET_CPUID:
        return addr === 0 ? ENODEV : 0;
      default:
        return EINVAL;
    }
  },
});

function setBase(
  task: Task,
  base: "fs_base" | "gs_base",
  addr: number,
): SysResult {
  if (addr >= TASK_SIZE) return EPERM;
  task.registers.set(base, addr);
  return 0;
}

function getBase(
  task: Task,
  base: "fs_base" | "gs_base",
  addr: number,
): Errno | 0 {
  if (addr === 0) return EFAULT;
  return task.memory.writeU64(addr, task.registers.get(base)) ?? 0;
}
