/**
 * The platform contract in TypeScript: run untrusted code, report why it
 * stopped. The C side is platform.h; tests/platforms/ holds the case list that
 * defines both. The kernel imports types from here and nothing else.
 * @module
 */

/** Access rights of a mapping, as in mmap(2). */
export type Prot = number;

/** Why a context stopped; the values of STOP_* in layouts.ts. */
export const StopReason = {
  /** Resumed and not stopped yet. */
  None: 0,
  /** The guest executed `syscall`; rip is behind it. */
  Syscall: 1,
  /** A CPU exception: trapno, error code, and the address for vector 14. */
  Fault: 2,
  /** interrupt() took effect; registers are those between two instructions. */
  Interrupt: 3,
  /** The host thread behind the context is gone; it can only be freed. */
  Dead: 4,
} as const;
export type StopReason = typeof StopReason[keyof typeof StopReason];

/**
 * A guest address space. Requests are collected and take effect, in order, at
 * flush(), or at the latest before a context resumes in the space.
 */
export interface AddressSpace {
  /**
   * Maps [addr, addr + length) onto the memory file, replacing what was there.
   * All are bytes and page multiples; `populate` prefaults the range.
   */
  map(
    addr: number,
    length: number,
    prot: Prot,
    offset: number,
    populate: boolean,
  ): void;
  unmap(addr: number, length: number): void;
  protect(addr: number, length: number, prot: Prot): void;
  /** Applies pending requests; 0 or a negative host errno. Afterwards no
   * thread of the space can use an old translation. */
  flush(): number;
  /** Precondition: every context that ran here is freed or moved away. */
  release(): void;
}

/**
 * One guest thread: registers and why it stopped, in memory shared with the
 * platform. The views stay valid until release(). Offsets within `view` are
 * `base` plus those of CONTEXT in layouts.ts.
 */
export interface Context {
  readonly index: number;
  /** View of the whole control region; this context starts at `base`. */
  readonly view: DataView;
  readonly base: number;
  /** Byte offset within `view` of the general registers, in the order of
   * Linux's struct user_regs_struct (kernel/abi/ptrace.ts). */
  readonly regsBase: number;
  /** Byte offset within `view` of the XSAVE area (standard format). */
  readonly xsaveBase: number;
  /** Why it stopped last. Each getter reads its word once. */
  readonly stopReason: StopReason;
  /** x86 exception vector of a Fault. */
  readonly trapno: number;
  /** x86 error code of a Fault. */
  readonly errorCode: number;
  /** CR2 of a page fault. */
  readonly faultAddress: number;
  /** True if a Syscall stop came through the 32-bit entry (int 0x80). */
  readonly isCompatSyscall: boolean;
  /** Host wait status behind a Dead stop. */
  readonly hostStatus: number;
  /** Single-step: the next resume() runs one instruction, then stops with a
   * Fault, vector 1. */
  setSingleStep(enabled: boolean): void;
  /** True from resume() until the platform reports the stop. */
  readonly isRunning: boolean;
  /** The kernel's own handle (a Task); the platform never looks at it. */
  owner: unknown;

  /** Runs the guest; pending requests of `space` are applied first. 0 or a
   * negative host errno. Precondition: stopped. */
  resume(space: AddressSpace): number;
  /** Makes a running guest stop soon; else its next resume stops at once. */
  interrupt(): void;
  /** Brings the FPU state into the XSAVE area. Precondition: stopped. */
  saveFpu(): number;
  /** The XSAVE area was changed: resume() loads it. */
  markFpuDirty(): void;
  /** Afterwards the guest executes nothing more, also if it was running. */
  release(): void;
}

/** Capabilities and geometry of a started platform. */
export interface PlatformInfo {
  readonly name: "ptrace" | "systrap" | "kvm";
  /** Guests may use [minAddress, maxAddress). */
  readonly minAddress: number;
  readonly maxAddress: number;
  readonly xsaveBytes: number;
  readonly xcr0Low: number;
  readonly xcr0High: number;
}

export interface Platform {
  readonly info: PlatformInfo;
  /** An empty address space, or a negative host errno. */
  newAddressSpace(): AddressSpace | number;
  /** A stopped context, registers zero, or a negative host errno. */
  newContext(): Context | number;
  /** Takes the next stopped context off the bitmap, null when there is none. */
  nextStopped(): Context | null;
  /**
   * Sleeps until a context stops, the host reactor rings, or CLOCK_MONOTONIC
   * reaches `deadlineNs` (Infinity: none). May return early.
   */
  wait(deadlineNs: number): void;
  /** True once a process of the platform's ended that nobody told to (it was
   * killed from outside): the sandbox cannot go on. wait() returns then. */
  readonly isBroken: boolean;
  /** True once after each ring of the host reactor; clears the word. */
  takeRing(): boolean;
  /** Kills every guest and waits until none is left. */
  close(): void;
}
