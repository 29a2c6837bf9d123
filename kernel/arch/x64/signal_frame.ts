/**
 * rt_sigframe: what lies on the stack below a signal handler, and the way
 * back through rt_sigreturn(2). Source: uapi asm/ucontext.h, asm/sigcontext.h;
 * sigreturn(2).
 *
 * From low to high addresses: return address, struct ucontext, siginfo_t, then,
 * 64-byte aligned, the XSAVE area closed by FP_XSTATE_MAGIC2.
 * @module
 */
import { EFAULT, EINVAL, type Errno, isErrno } from "../../abi/errno.ts";
import { SIGINFO_SIZE } from "../../abi/signal.ts";
import {
  FP_XSTATE_MAGIC1,
  FP_XSTATE_MAGIC2,
  FPSTATE,
  SIGCONTEXT,
  UC_FP_XSTATE,
  UC_SIGCONTEXT_SS,
  UC_STRICT_RESTORE_SS,
  UCONTEXT,
  UCONTEXT_SIZE,
} from "../../abi/ucontext.ts";
import type { Context, PlatformInfo } from "../../../platforms/platform.ts";
import {
  EFLAGS_DF,
  EFLAGS_RF,
  EFLAGS_TF,
  type Registers,
  TASK_SIZE,
} from "./registers.ts";

const RED_ZONE = 128;
const RETURN_ADDRESS = 8;
const FRAME_SIZE = RETURN_ADDRESS + UCONTEXT_SIZE + SIGINFO_SIZE;
const UCONTEXT_AT = RETURN_ADDRESS;
const SIGINFO_AT = RETURN_ADDRESS + UCONTEXT_SIZE;
const MCONTEXT_AT = UCONTEXT_AT + UCONTEXT.uc_mcontext;
const MAGIC2_SIZE = 4;
/** XSAVE header: XSTATE_BV at 512, XCOMP_BV at 520, legacy area below. */
const XSTATE_BV = 512;
const XSTATE_HEADER_END = 576;
/** sw_reserved of the FXSAVE area: magic1, extended_size, xfeatures, size. */
const SW_RESERVED = 464;
const DEFAULT_FCW = 0x37f;
const DEFAULT_MXCSR = 0x1f80;
const MXCSR_MASK = 0xffff;

/** What frames need of guest memory; MemoryManager is one. */
export interface FrameMemory {
  readU32(addr: number): number | Errno;
  readBytes(addr: number, into: Uint8Array): Errno | null;
  writeBytes(addr: number, from: Uint8Array): Errno | null;
}

/** Everything that goes into a frame beside registers and FPU state. */
export interface FrameContents {
  readonly handler: number;
  readonly restorer: number;
  readonly signo: number;
  /** siginfo_t, SIGINFO_SIZE bytes. */
  readonly info: Uint8Array;
  readonly maskLow: number;
  readonly maskHigh: number;
  readonly altStackBase: number;
  readonly altStackSize: number;
  readonly altStackFlags: number;
  readonly trapno: number;
  readonly error: number;
  readonly faultAddr: number;
}

/** What rt_sigreturn found beside registers and FPU state. */
export interface RestoredFrame {
  readonly maskLow: number;
  readonly maskHigh: number;
  readonly altStackBase: number;
  readonly altStackSize: number;
  readonly altStackFlags: number;
}

const GENERAL = [
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
  "rdi",
  "rsi",
  "rbp",
  "rbx",
  "rdx",
  "rax",
  "rcx",
  "rsp",
  "rip",
  "eflags",
] as const;

/** Bytes a frame needs at most, for AT_MINSIGSTKSZ. */
export function signalFrameBytes(info: PlatformInfo): number {
  return FRAME_SIZE + info.xsaveBytes + MAGIC2_SIZE + 64 + 16 + RED_ZONE;
}

/**
 * Pushes a frame and makes the registers enter the handler. `stackTop` is the
 * end of the alternate stack, or 0 to stay on the current one. EFAULT: the
 * stack cannot take it. Precondition: the context's FPU state is saved.
 */
export function pushSignalFrame(
  memory: FrameMemory,
  registers: Registers,
  context: Context,
  platform: PlatformInfo,
  contents: FrameContents,
  stackTop: number,
  stackBottom: number,
): Errno | null {
  const { xsaveBytes } = platform;
  const start = stackTop !== 0 ? stackTop : registers.get("rsp") - RED_ZONE;
  const fpstate = Math.floor((start - xsaveBytes - MAGIC2_SIZE) / 64) * 64;
  const frame = Math.floor((fpstate - FRAME_SIZE) / 16) * 16 - 8;
  if (frame < stackBottom || frame <= 0) return EFAULT;

  const total = fpstate - frame + xsaveBytes + MAGIC2_SIZE;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  setAddress(view, 0, contents.restorer);
  writeUcontext(view, registers, contents, fpstate);
  bytes.set(contents.info, SIGINFO_AT);
  writeFpstate(view, bytes, fpstate - frame, context, platform);
  const fault = memory.writeBytes(frame, bytes);
  if (fault !== null) return fault;

  resetFpu(context);
  registers.set("rdi", contents.signo);
  registers.set("rsi", frame + SIGINFO_AT);
  registers.set("rdx", frame + UCONTEXT_AT);
  registers.set("rax", 0);
  registers.set("rsp", frame);
  registers.set("rip", contents.handler);
  const flags = registers.getLow("eflags");
  registers.setWords("eflags", flags & ~(EFLAGS_DF | EFLAGS_TF | EFLAGS_RF), 0);
  registers.sanitize();
  return null;
}

function setAddress(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 4294967296, true);
  view.setUint32(at + 4, Math.floor(value / 4294967296), true);
}
function getAddress(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
}

function writeUcontext(
  view: DataView,
  registers: Registers,
  contents: FrameContents,
  fpstate: number,
): void {
  const flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
  view.setUint32(UCONTEXT_AT + UCONTEXT.uc_flags, flags, true);
  const stack = UCONTEXT_AT + UCONTEXT.uc_stack;
  setAddress(view, stack, contents.altStackBase);
  view.setUint32(stack + 8, contents.altStackFlags, true);
  setAddress(view, stack + 16, contents.altStackSize);
  for (const name of GENERAL) {
    const at = MCONTEXT_AT + SIGCONTEXT[name];
    view.setUint32(at, registers.getLow(name), true);
    view.setUint32(at + 4, registers.getHigh(name), true);
  }
  view.setUint16(MCONTEXT_AT + SIGCONTEXT.cs, registers.getLow("cs"), true);
  view.setUint16(MCONTEXT_AT + SIGCONTEXT.ss, registers.getLow("ss"), true);
  view.setUint32(MCONTEXT_AT + SIGCONTEXT.err, contents.error, true);
  view.setUint32(MCONTEXT_AT + SIGCONTEXT.trapno, contents.trapno, true);
  view.setUint32(MCONTEXT_AT + SIGCONTEXT.oldmask, contents.maskLow, true);
  view.setUint32(MCONTEXT_AT + SIGCONTEXT.oldmask + 4, contents.maskHigh, true);
  setAddress(view, MCONTEXT_AT + SIGCONTEXT.cr2, contents.faultAddr);
  setAddress(view, MCONTEXT_AT + SIGCONTEXT.fpstate, fpstate);
  const mask = UCONTEXT_AT + UCONTEXT.uc_sigmask;
  view.setUint32(mask, contents.maskLow, true);
  view.setUint32(mask + 4, contents.maskHigh, true);
}

function writeFpstate(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  context: Context,
  platform: PlatformInfo,
): void {
  const { xsaveBytes } = platform;
  bytes.set(xsaveArea(context, xsaveBytes), at);
  const reserved = at + SW_RESERVED;
  view.setUint32(reserved, FP_XSTATE_MAGIC1, true);
  view.setUint32(reserved + 4, xsaveBytes + MAGIC2_SIZE, true);
  view.setUint32(reserved + 8, platform.xcr0Low, true);
  view.setUint32(reserved + 12, platform.xcr0High, true);
  view.setUint32(reserved + 16, xsaveBytes, true);
  view.setUint32(at + xsaveBytes, FP_XSTATE_MAGIC2, true);
}

function xsaveArea(context: Context, length: number): Uint8Array {
  const { buffer, byteOffset } = context.view;
  return new Uint8Array(buffer, byteOffset + context.xsaveBase, length);
}

/** Puts the context's FPU into its initial state, as execve and handlers do. */
export function resetFpu(context: Context): void {
  const { view, xsaveBase } = context;
  for (let at = 0; at < XSTATE_HEADER_END; at += 4) {
    view.setUint32(xsaveBase + at, 0, true);
  }
  view.setUint16(xsaveBase + FPSTATE.cwd, DEFAULT_FCW, true);
  view.setUint32(xsaveBase + FPSTATE.mxcsr, DEFAULT_MXCSR, true);
  context.markFpuDirty();
}

/**
 * Takes registers and FPU state back from the frame below rsp. EFAULT or
 * EINVAL: the frame is not readable or its FPU area is malformed (SIGSEGV).
 */
export function popSignalFrame(
  memory: FrameMemory,
  registers: Registers,
  context: Context,
  platform: PlatformInfo,
): RestoredFrame | Errno {
  // The handler's `ret` took the return address off.
  const frame = registers.get("rsp") - RETURN_ADDRESS;
  if (frame <= 0) return EFAULT;
  const bytes = new Uint8Array(UCONTEXT_SIZE);
  const fault = memory.readBytes(frame + UCONTEXT_AT, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const mcontext = UCONTEXT.uc_mcontext;

  const fpstate = getAddress(view, mcontext + SIGCONTEXT.fpstate);
  if (fpstate === 0) resetFpu(context);
  else {
    const malformed = restoreFpu(memory, context, platform, fpstate);
    if (malformed !== null) return malformed;
  }
  for (const name of GENERAL) {
    const at = mcontext + SIGCONTEXT[name];
    registers.setWords(
      name,
      view.getUint32(at, true),
      view.getUint32(at + 4, true),
    );
  }
  // A rip that no user code can have would make the host refuse the resume.
  if (registers.get("rip") >= TASK_SIZE) return EFAULT;
  registers.sanitize();
  registers.setWords("orig_rax", 0xffffffff, 0xffffffff);
  const stack = UCONTEXT.uc_stack;
  return {
    maskLow: view.getUint32(UCONTEXT.uc_sigmask, true),
    maskHigh: view.getUint32(UCONTEXT.uc_sigmask + 4, true),
    altStackBase: getAddress(view, stack),
    altStackFlags: view.getUint32(stack + 8, true),
    altStackSize: getAddress(view, stack + 16),
  };
}

function restoreFpu(
  memory: FrameMemory,
  context: Context,
  platform: PlatformInfo,
  fpstate: number,
): Errno | null {
  const legacy = new Uint8Array(512);
  const fault = memory.readBytes(fpstate, legacy);
  if (fault !== null) return fault;
  const area = new Uint8Array(platform.xsaveBytes);
  const size = extendedSize(
    memory,
    new DataView(legacy.buffer),
    fpstate,
    platform,
  );
  if (isErrno(size)) return size;
  const partial = memory.readBytes(fpstate, area.subarray(0, size));
  if (partial !== null) return partial;
  sanitizeXsave(area, size, platform);
  xsaveArea(context, area.length).set(area);
  context.markFpuDirty();
  return null;
}

/** Bytes of XSAVE state at `fpstate`: 512 if only the legacy area is valid. */
function extendedSize(
  memory: FrameMemory,
  legacy: DataView,
  fpstate: number,
  platform: PlatformInfo,
): number | Errno {
  if (legacy.getUint32(SW_RESERVED, true) !== FP_XSTATE_MAGIC1) return 512;
  const extended = legacy.getUint32(SW_RESERVED + 4, true);
  const size = legacy.getUint32(SW_RESERVED + 16, true);
  if (size < XSTATE_HEADER_END || size > platform.xsaveBytes) return EINVAL;
  if (extended < size) return EINVAL;
  const magic = memory.readU32(fpstate + size);
  if (isErrno(magic)) return magic;
  return magic === FP_XSTATE_MAGIC2 ? size : 512;
}

/** Makes any bytes an area that XRSTOR accepts. */
function sanitizeXsave(
  area: Uint8Array,
  size: number,
  platform: PlatformInfo,
): void {
  const view = new DataView(area.buffer);
  const mxcsr = view.getUint32(FPSTATE.mxcsr, true);
  view.setUint32(FPSTATE.mxcsr, mxcsr & MXCSR_MASK, true);
  if (size === 512) {
    view.setUint32(XSTATE_BV, 3, true); // x87 and SSE
    return;
  }
  const low = view.getUint32(XSTATE_BV, true) & platform.xcr0Low;
  const high = view.getUint32(XSTATE_BV + 4, true) & platform.xcr0High;
  area.fill(0, XSTATE_BV, XSTATE_HEADER_END);
  view.setUint32(XSTATE_BV, low, true);
  view.setUint32(XSTATE_BV + 4, high, true);
}
