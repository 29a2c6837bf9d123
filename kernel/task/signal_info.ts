/**
 * siginfo_t: why a signal was sent. Source: sigaction(2), uapi
 * asm-generic/siginfo.h.
 * @module
 */
import { AUDIT_ARCH_X86_64 } from "../abi/seccomp.ts";
import {
  SI_KERNEL,
  SI_USER,
  SIGINFO,
  SIGINFO_SIZE,
  SIGSYS,
  SYS_SECCOMP,
} from "../abi/signal.ts";

/** A signal on its way. `payload` holds bytes 12..128 of siginfo_t; null when
 * they are all zero. */
export interface SignalInfo {
  readonly signo: number;
  readonly code: number;
  readonly errno: number;
  readonly payload: Uint8Array | null;
}

const PAYLOAD_START = 12;

function payload(fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(SIGINFO_SIZE);
  fill(new DataView(bytes.buffer));
  return bytes.subarray(PAYLOAD_START);
}

/** From kill(2) and friends: the sender's pid and uid. */
export function userSignal(
  signo: number,
  pid: number,
  uid: number,
  code: number = SI_USER,
): SignalInfo {
  return {
    signo,
    code,
    errno: 0,
    payload: payload((view) => {
      view.setInt32(SIGINFO.si_pid, pid, true);
      view.setUint32(SIGINFO.si_uid, uid, true);
    }),
  };
}

/** From the kernel itself, with nothing more to say. */
export function kernelSignal(signo: number): SignalInfo {
  return { signo, code: SI_KERNEL, errno: 0, payload: null };
}

/** A fault at an address. */
export function faultSignal(
  signo: number,
  code: number,
  addr: number,
): SignalInfo {
  return {
    signo,
    code,
    errno: 0,
    payload: payload((view) => {
      view.setUint32(SIGINFO.si_addr, addr % 4294967296, true);
      view.setUint32(SIGINFO.si_addr + 4, Math.floor(addr / 4294967296), true);
    }),
  };
}

/** SIGSYS of a seccomp filter: where, which call, and the filter's word. */
export function seccompSignal(
  addr: number,
  syscall: number,
  errno: number,
): SignalInfo {
  return {
    signo: SIGSYS,
    code: SYS_SECCOMP,
    errno,
    payload: payload((view) => {
      const at = SIGINFO.si_call_addr;
      view.setUint32(at, addr % 4294967296, true);
      view.setUint32(at + 4, Math.floor(addr / 4294967296), true);
      view.setInt32(SIGINFO.si_syscall, syscall, true);
      view.setUint32(SIGINFO.si_arch, AUDIT_ARCH_X86_64, true);
    }),
  };
}

/** SIGCHLD for a change of a child. */
export function childSignal(
  signo: number,
  code: number,
  pid: number,
  uid: number,
  status: number,
  userTicks: number,
  systemTicks: number,
): SignalInfo {
  return {
    signo,
    code,
    errno: 0,
    payload: payload((view) => {
      view.setInt32(SIGINFO.si_pid, pid, true);
      view.setUint32(SIGINFO.si_uid, uid, true);
      view.setInt32(SIGINFO.si_status, status, true);
      view.setUint32(SIGINFO.si_utime, userTicks, true);
      view.setUint32(SIGINFO.si_stime, systemTicks, true);
    }),
  };
}

/** Who knows how often a timer expired until its signal was taken. */
export interface OverrunSource {
  collectOverrun(): number;
}

/** A timer's expiry (timer_create(2)): one object per timer, which is on a
 * queue or not. */
export class TimerSignal implements SignalInfo {
  readonly errno = 0;
  readonly payload: Uint8Array;
  /** Kept by PendingSignals. */
  isQueued = false;
  readonly #source: OverrunSource;
  readonly #view: DataView;

  constructor(
    source: OverrunSource,
    readonly signo: number,
    readonly code: number,
    timerId: number,
    valueLow: number,
    valueHigh: number,
  ) {
    this.#source = source;
    const bytes = new Uint8Array(SIGINFO_SIZE);
    this.#view = new DataView(bytes.buffer);
    this.#view.setInt32(SIGINFO.si_tid, timerId, true);
    this.#view.setUint32(SIGINFO.si_value, valueLow, true);
    this.#view.setUint32(SIGINFO.si_value + 4, valueHigh, true);
    this.payload = bytes.subarray(PAYLOAD_START);
  }

  /** It leaves its queue for a handler or a waiter. */
  take(): void {
    this.isQueued = false;
    const overrun = this.#source.collectOverrun();
    this.#view.setInt32(SIGINFO.si_overrun, overrun, true);
  }
}

/** What a guest passed to rt_sigqueueinfo(2); `bytes` is its siginfo_t. */
export function queuedSignal(signo: number, bytes: Uint8Array): SignalInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    signo,
    code: view.getInt32(SIGINFO.si_code, true),
    errno: view.getInt32(SIGINFO.si_errno, true),
    payload: bytes.slice(PAYLOAD_START),
  };
}

/** Writes siginfo_t (SIGINFO_SIZE bytes) at `offset` of `into`. */
export function writeSignalInfo(
  info: SignalInfo,
  into: Uint8Array,
  offset: number,
): void {
  into.fill(0, offset, offset + SIGINFO_SIZE);
  const view = new DataView(into.buffer, into.byteOffset + offset);
  view.setInt32(SIGINFO.si_signo, info.signo, true);
  view.setInt32(SIGINFO.si_errno, info.errno, true);
  view.setInt32(SIGINFO.si_code, info.code, true);
  if (info.payload !== null) into.set(info.payload, offset + PAYLOAD_START);
}

/** A 32-bit member of the payload by its offset in siginfo_t. */
export function infoI32(info: SignalInfo, offset: number): number {
  if (info.payload === null) return 0;
  const at = offset - PAYLOAD_START;
  const p = info.payload;
  return p[at]! | (p[at + 1]! << 8) | (p[at + 2]! << 16) | (p[at + 3]! << 24);
}
