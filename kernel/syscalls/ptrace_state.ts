/**
 * What ptrace(2) reads and writes of a stopped task: memory, registers,
 * signals and the call it is in.
 * @module
 */
import { EFAULT, EINVAL, EIO, type Errno, isErrno } from "../abi/errno.ts";
import * as pt from "../abi/ptrace.ts";
import { AUDIT_ARCH_X86_64 } from "../abi/seccomp.ts";
import { SIGINFO_SIZE, SIGSET_SIZE } from "../abi/signal.ts";
import { TASK_SIZE } from "../arch/x64/registers.ts";
import type { Tracee } from "../task/ptrace.ts";
import { queuedSignal, writeSignalInfo } from "../task/signal_info.ts";
import type { Task } from "../task/task.ts";
import type { SysResult } from "./syscall.ts";

const NT_PRSTATUS = 1;
const NT_PRFPREG = 2;
const NT_X86_XSTATE = 0x202;
/** The FXSAVE image: struct user_fpregs_struct. */
const FPREGS_SIZE = 512;

/** Null: not a request of these. */
export function accessState(
  task: Task,
  target: Task,
  tracee: Tracee,
  op: number,
  addr: number,
  data: number,
): SysResult | null {
  switch (op) {
    case pt.PTRACE_PEEKTEXT:
    case pt.PTRACE_PEEKDATA:
      return peek(task, target, addr, data);
    case pt.PTRACE_POKETEXT:
    case pt.PTRACE_POKEDATA:
      return poke(task, target, addr);
    case pt.PTRACE_PEEKUSR:
      return peekUser(task, target, addr, data);
    case pt.PTRACE_POKEUSR:
      return pokeUser(task, target, addr);
    case pt.PTRACE_GETREGS:
      return task.memory.writeBytes(data, generalRegisters(target)) ?? 0;
    case pt.PTRACE_SETREGS:
      return setGeneral(task, target, data, pt.USER_REGS_SIZE);
    case pt.PTRACE_GETFPREGS:
      return getFpu(task, target, data, FPREGS_SIZE);
    case pt.PTRACE_SETFPREGS:
      return setFpu(task, target, data, FPREGS_SIZE);
    case pt.PTRACE_GETREGSET:
    case pt.PTRACE_SETREGSET:
      return registerSet(task, target, op, addr, data);
    case pt.PTRACE_GETSIGINFO:
      return getSignalInfo(task, tracee, data);
    case pt.PTRACE_SETSIGINFO:
      return setSignalInfo(task, tracee, data);
    case pt.PTRACE_GETSIGMASK:
    case pt.PTRACE_SETSIGMASK:
      return signalMask(task, target, op, addr, data);
    case pt.PTRACE_GET_SYSCALL_INFO:
      return syscallInfo(task, target, tracee, addr, data);
    default:
      return null;
  }
}

/** Runs an access to the target's memory; its threads may be running. */
function foreign<T>(target: Task, access: (memory: Task["memory"]) => T): T {
  const { memory } = target;
  memory.acquire().beginForeign();
  const result = access(memory);
  memory.endForeign();
  memory.release();
  return result;
}

function peek(task: Task, target: Task, addr: number, data: number): SysResult {
  const word = new Uint8Array(8);
  const failed = foreign(target, (memory) => memory.readForced(addr, word));
  if (failed !== null) return EIO;
  return task.memory.writeBytes(data, word) ?? 0;
}

/** The word to store is the argument itself, all 64 bits of it. */
function argumentWord(task: Task): Uint8Array {
  const word = new Uint8Array(8);
  const view = new DataView(word.buffer);
  view.setUint32(0, task.frame[6]!, true);
  view.setUint32(4, task.frame[7]!, true);
  return word;
}

function poke(task: Task, target: Task, addr: number): SysResult {
  const word = argumentWord(task);
  const failed = foreign(target, (memory) => memory.writeForced(addr, word));
  return failed === null ? 0 : EIO;
}

function generalRegisters(target: Task): Uint8Array {
  const { view, regsBase } = target.context;
  return new Uint8Array(
    view.buffer,
    view.byteOffset + regsBase,
    pt.USER_REGS_SIZE,
  ).slice();
}

/** Stores general registers as far as user mode may have them. EIO: a base or
 * an instruction pointer outside user space. */
function putGeneral(target: Task, bytes: Uint8Array): Errno | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const { fs_base, gs_base, rip } = pt.USER_REGS;
  for (const at of [fs_base, gs_base, rip]) {
    const value = view.getUint32(at + 4, true) * 4294967296 +
      view.getUint32(at, true);
    if (value >= TASK_SIZE) return EIO;
  }
  const { view: context, regsBase } = target.context;
  new Uint8Array(context.buffer, context.byteOffset + regsBase, bytes.length)
    .set(bytes);
  target.registers.sanitize();
  return null;
}

function setGeneral(
  task: Task,
  target: Task,
  addr: number,
  length: number,
): SysResult {
  const bytes = generalRegisters(target);
  const fault = task.memory.readBytes(addr, bytes.subarray(0, length));
  return fault ?? putGeneral(target, bytes) ?? 0;
}

/** Offset within struct user: registers are there, the rest reads as zero. */
function isUserOffset(addr: number): boolean {
  return addr % 8 === 0 && addr < pt.USER_SIZE;
}

function peekUser(
  task: Task,
  target: Task,
  addr: number,
  data: number,
): SysResult {
  if (!isUserOffset(addr)) return EIO;
  const word = addr < pt.USER_REGS_SIZE
    ? generalRegisters(target).subarray(addr, addr + 8)
    : new Uint8Array(8);
  return task.memory.writeBytes(data, word) ?? 0;
}

function pokeUser(task: Task, target: Task, addr: number): SysResult {
  if (!isUserOffset(addr)) return EIO;
  const word = argumentWord(task);
  if (addr >= pt.USER_REGS_SIZE) {
    // There are no debug registers to arm; disarming them is fine.
    if (addr < pt.USER.u_debugreg) return EIO;
    return word.every((byte) => byte === 0) ? 0 : EINVAL;
  }
  const bytes = generalRegisters(target);
  bytes.set(word, addr);
  return putGeneral(target, bytes) ?? 0;
}

/** The XSAVE area in place; EIO if the platform cannot bring it. */
function fpuArea(target: Task): Uint8Array | Errno {
  if (target.context.saveFpu() < 0) return EIO;
  const { view, xsaveBase } = target.context;
  const { xsaveBytes } = target.kernel.host.platform.info;
  return new Uint8Array(view.buffer, view.byteOffset + xsaveBase, xsaveBytes);
}

function getFpu(
  task: Task,
  target: Task,
  addr: number,
  length: number,
): SysResult {
  const area = fpuArea(target);
  if (isErrno(area)) return area;
  const copy = area.slice(0, length);
  if (length > FPREGS_SIZE) noteXcr0(target, copy);
  return task.memory.writeBytes(addr, copy) ?? 0;
}

/** Debuggers find XCR0 in the software bytes of the FXSAVE image. */
function noteXcr0(target: Task, area: Uint8Array): void {
  const view = new DataView(area.buffer);
  const { info } = target.kernel.host.platform;
  view.setUint32(464, info.xcr0Low, true);
  view.setUint32(468, info.xcr0High, true);
}

function setFpu(
  task: Task,
  target: Task,
  addr: number,
  length: number,
): SysResult {
  const area = fpuArea(target);
  if (isErrno(area)) return area;
  const bytes = area.slice();
  const fault = task.memory.readBytes(addr, bytes.subarray(0, length));
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  // Reserved bits would make XRSTOR fault.
  view.setUint32(24, view.getUint32(24, true) & 0xffff, true);
  const { info } = target.kernel.host.platform;
  if (length > FPREGS_SIZE) {
    const low = view.getUint32(512, true) & info.xcr0Low;
    const high = view.getUint32(516, true) & info.xcr0High;
    bytes.fill(0, 512, Math.min(576, bytes.length));
    view.setUint32(512, low, true);
    view.setUint32(516, high, true);
  } else view.setUint32(512, view.getUint32(512, true) | 3, true);
  area.set(bytes);
  target.context.markFpuDirty();
  return 0;
}

/** PTRACE_GETREGSET and SETREGSET: `data` points to a struct iovec, whose
 * length becomes what was moved. */
function registerSet(
  task: Task,
  target: Task,
  op: number,
  type: number,
  data: number,
): SysResult {
  const base = task.memory.readU64(data);
  if (isErrno(base)) return base;
  const given = task.memory.readU64(data + 8);
  if (isErrno(given)) return given;
  const { xsaveBytes } = target.kernel.host.platform.info;
  const isGet = op === pt.PTRACE_GETREGSET;
  const size = type === NT_PRSTATUS
    ? pt.USER_REGS_SIZE
    : type === NT_PRFPREG
    ? FPREGS_SIZE
    : type === NT_X86_XSTATE
    ? xsaveBytes
    : 0;
  if (size === 0 || given % 8 !== 0) return EINVAL;
  const length = Math.min(size, given);
  let result: SysResult;
  if (type === NT_PRSTATUS) {
    result = isGet
      ? task.memory.writeBytes(
        base,
        generalRegisters(target).subarray(0, length),
      ) ?? 0
      : setGeneral(task, target, base, length);
  } else if (isGet) result = getFpu(task, target, base, length);
  else if (type === NT_X86_XSTATE && length < size) return EFAULT;
  else result = setFpu(task, target, base, length);
  if (isErrno(result)) return result;
  return task.memory.writeU64(data + 8, length) ?? 0;
}

function getSignalInfo(task: Task, tracee: Tracee, addr: number): SysResult {
  // A job-control stop has none (ptrace(2), "Group-stop").
  if (tracee.info === null || tracee.stop?.isGroup === true) return EINVAL;
  const bytes = new Uint8Array(SIGINFO_SIZE);
  writeSignalInfo(tracee.info, bytes, 0);
  return task.memory.writeBytes(addr, bytes) ?? 0;
}

function setSignalInfo(task: Task, tracee: Tracee, addr: number): SysResult {
  const bytes = new Uint8Array(SIGINFO_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  if (tracee.info === null || tracee.stop?.isGroup === true) return EINVAL;
  const signo = new DataView(bytes.buffer).getInt32(0, true);
  tracee.info = queuedSignal(signo, bytes);
  return 0;
}

function signalMask(
  task: Task,
  target: Task,
  op: number,
  size: number,
  addr: number,
): SysResult {
  if (size !== SIGSET_SIZE) return EINVAL;
  if (op === pt.PTRACE_GETSIGMASK) {
    const { low, high } = target.hasSavedMask
      ? target.savedMask
      : target.blocked;
    return task.memory.writeU32(addr, low >>> 0) ??
      task.memory.writeU32(addr + 4, high >>> 0) ?? 0;
  }
  const low = task.memory.readU32(addr);
  if (isErrno(low)) return low;
  const high = task.memory.readU32(addr + 4);
  if (isErrno(high)) return high;
  target.setBlocked(low, high);
  return 0;
}

/** struct ptrace_syscall_info: the size that there is to tell. */
function syscallInfo(
  task: Task,
  target: Task,
  tracee: Tracee,
  size: number,
  addr: number,
): SysResult {
  const at = pt.PTRACE_SYSCALL_INFO;
  const bytes = new Uint8Array(pt.PTRACE_SYSCALL_INFO_SIZE);
  const view = new DataView(bytes.buffer);
  const { registers } = target;
  const put = (offset: number, low: number, high: number) => {
    view.setUint32(offset, low, true);
    view.setUint32(offset + 4, high, true);
  };
  const copy = (offset: number, name: "rip" | "rsp" | "rax" | "orig_rax") =>
    put(offset, registers.getLow(name), registers.getHigh(name));
  view.setUint32(at.arch, AUDIT_ARCH_X86_64, true);
  copy(at.instruction_pointer, "rip");
  copy(at.stack_pointer, "rsp");
  let known: number = at.entry_nr;
  if (target.stopPoint === "entry" || target.stopPoint === "seccomp") {
    const isEntry = target.stopPoint === "entry";
    bytes[at.op] = isEntry
      ? pt.PTRACE_SYSCALL_INFO_ENTRY
      : pt.PTRACE_SYSCALL_INFO_SECCOMP;
    copy(at.entry_nr, "orig_rax");
    for (let i = 0; i < 6; i++) {
      put(
        at.entry_args + 8 * i,
        target.frame[2 * i]!,
        target.frame[2 * i + 1]!,
      );
    }
    known = at.entry_args + 48;
    if (!isEntry) {
      view.setUint32(at.seccomp_ret_data, tracee.message, true);
      known = at.seccomp_ret_data + 4;
    }
  } else if (target.stopPoint === "exit") {
    bytes[at.op] = pt.PTRACE_SYSCALL_INFO_EXIT;
    copy(at.exit_rval, "rax");
    const isError = registers.getHigh("rax") === 0xffffffff &&
      registers.getLow("rax") > 0xfffff000;
    bytes[at.exit_is_error] = isError ? 1 : 0;
    known = at.exit_is_error + 1;
  }
  const shown = bytes.subarray(0, Math.min(size, known));
  return task.memory.writeBytes(addr, shown) ?? known;
}
