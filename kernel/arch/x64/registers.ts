/**
 * General registers of a stopped Context, by name. 64-bit values are read as
 * doubles (exact below 2^53) or as 32-bit halves; whatever stands there was
 * chosen by the guest. Source: struct user_regs_struct, sys/user.h.
 * @module
 */
import { USER_REGS, USER_REGS_SIZE } from "../../abi/ptrace.ts";
import type { Context } from "../../../platforms/platform.ts";

export type RegisterName = keyof typeof USER_REGS;

/** Selectors of 64-bit user mode on Linux. */
export const USER_CS = 0x33;
export const USER_DS = 0x2b;

/** RFLAGS bits that user mode may choose: CF PF AF ZF SF TF DF OF RF AC ID. */
const USER_EFLAGS = 0x254dd5;
/** Bits that are always set in user mode: the reserved bit 1 and IF. */
const FIXED_EFLAGS = 0x202;
export const EFLAGS_TF = 0x100;
export const EFLAGS_DF = 0x400;
export const EFLAGS_RF = 0x10000;

/** The highest user address plus one (47 bits minus the guard page). */
export const TASK_SIZE = 0x7ffffffff000;

/** One system call frame: number, then six arguments, as low and high words.
 * Kept by the kernel, so that the guest cannot change it underneath. */
export const FRAME_WORDS = 12;

const { rdi, rsi, rdx, r10, r8, r9, rax, orig_rax } = USER_REGS;

export class Registers {
  readonly #view: DataView;
  readonly #base: number;

  constructor(context: Context) {
    this.#view = context.view;
    this.#base = context.regsBase;
  }

  get(name: RegisterName): number {
    const at = this.#base + USER_REGS[name];
    return this.#view.getUint32(at + 4, true) * 4294967296 +
      this.#view.getUint32(at, true);
  }
  getLow(name: RegisterName): number {
    return this.#view.getUint32(this.#base + USER_REGS[name], true);
  }
  getHigh(name: RegisterName): number {
    return this.#view.getUint32(this.#base + USER_REGS[name] + 4, true);
  }
  /** Stores a number; negative ones as two's complement. */
  set(name: RegisterName, value: number): void {
    const high = Math.floor(value / 4294967296);
    this.setWords(name, value - high * 4294967296, high);
  }
  setWords(name: RegisterName, low: number, high: number): void {
    const at = this.#base + USER_REGS[name];
    this.#view.setUint32(at, low, true);
    this.#view.setUint32(at + 4, high, true);
  }

  /** Copies the system call's arguments into `frame`; returns its number, -1
   * if it does not fit 31 bits. */
  readFrame(frame: Uint32Array): number {
    const view = this.#view;
    const base = this.#base;
    frame[0] = view.getUint32(base + rdi, true);
    frame[1] = view.getUint32(base + rdi + 4, true);
    frame[2] = view.getUint32(base + rsi, true);
    frame[3] = view.getUint32(base + rsi + 4, true);
    frame[4] = view.getUint32(base + rdx, true);
    frame[5] = view.getUint32(base + rdx + 4, true);
    frame[6] = view.getUint32(base + r10, true);
    frame[7] = view.getUint32(base + r10 + 4, true);
    frame[8] = view.getUint32(base + r8, true);
    frame[9] = view.getUint32(base + r8 + 4, true);
    frame[10] = view.getUint32(base + r9, true);
    frame[11] = view.getUint32(base + r9 + 4, true);
    // Linux looks at the low 32 bits, as a signed number.
    return view.getInt32(base + orig_rax, true);
  }

  setReturn(value: number): void {
    const at = this.#base + rax;
    const high = Math.floor(value / 4294967296);
    this.#view.setUint32(at, value - high * 4294967296, true);
    this.#view.setUint32(at + 4, high, true);
  }

  /** Makes rip point at the `syscall` instruction again, with its number in
   * rax, so that the next resume repeats the call. */
  rewindSyscall(number: number): void {
    this.set("rax", number);
    this.set("rip", this.get("rip") - 2);
  }

  /** Zeroes everything and starts at `entry`, as after execve(2). */
  reset(entry: number, stackPointer: number): void {
    for (let at = 0; at < USER_REGS_SIZE; at += 4) {
      this.#view.setUint32(this.#base + at, 0, true);
    }
    this.set("rip", entry);
    this.set("rsp", stackPointer);
    this.set("eflags", FIXED_EFLAGS);
    this.set("cs", USER_CS);
    this.set("ss", USER_DS);
    this.setWords("orig_rax", 0xffffffff, 0xffffffff);
  }

  /** Copies all registers of another context. */
  copyFrom(other: Registers): void {
    for (let at = 0; at < USER_REGS_SIZE; at += 4) {
      this.#view.setUint32(
        this.#base + at,
        other.#view.getUint32(other.#base + at, true),
        true,
      );
    }
  }

  /** Forces flags and selectors to what user mode may have. */
  sanitize(): void {
    this.setWords(
      "eflags",
      (this.getLow("eflags") & USER_EFLAGS) | FIXED_EFLAGS,
      0,
    );
    this.set("cs", USER_CS);
    this.set("ss", USER_DS);
  }
}
