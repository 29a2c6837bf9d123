/**
 * Context over platform.h: a handle on one slot of the control region.
 * @module
 */

import { CONSTANTS, CONTEXT, CONTEXT_XSAVE } from "./layouts.ts";
import { NativeSpace } from "./native_space.ts";
import type { AddressSpace, Context, StopReason } from "./platform.ts";

const { ABI_I386, CONTEXT_GUEST, FPU_DIRTY, STEP_NONE, STEP_SINGLE } =
  CONSTANTS;
const offset = (field: string): number => CONTEXT.fields[field]!.offset;
const STATE = offset("state");
const STOP = offset("stop");
const TRAPNO = offset("trapno");
const ERROR = offset("error");
const FAULT_ADDR = offset("faultAddr");
const HOST_STATUS = offset("hostStatus");
const FPU = offset("fpu");
const STEP = offset("step");
const ABI = offset("abi");
const REGS = offset("r15");

/** What a context needs of its platform. */
export interface ContextCalls {
  readonly view: DataView;
  resume(context: number, space: number): number;
  interrupt(context: number): void;
  saveFpu(context: number): number;
  freeContext(context: number): void;
}

export class NativeContext implements Context {
  readonly index: number;
  readonly view: DataView;
  readonly base: number;
  readonly regsBase: number;
  readonly xsaveBase: number;
  /** Kept by the platform: set by resume(), cleared with the stop. */
  isRunning = false;
  owner: unknown = null;
  readonly #calls: ContextCalls;
  #isReleased = false;

  constructor(calls: ContextCalls, index: number, base: number) {
    this.#calls = calls;
    this.index = index;
    this.view = calls.view;
    this.base = base;
    this.regsBase = base + REGS;
    this.xsaveBase = base + CONTEXT_XSAVE;
  }

  get stopReason(): StopReason {
    return this.#word(STOP) as StopReason;
  }

  get trapno(): number {
    return this.#word(TRAPNO);
  }

  get errorCode(): number {
    return this.#word(ERROR);
  }

  get faultAddress(): number {
    return this.#word(FAULT_ADDR + 4) * 2 ** 32 + this.#word(FAULT_ADDR);
  }

  get isCompatSyscall(): boolean {
    return this.#word(ABI) === ABI_I386;
  }

  get hostStatus(): number {
    return this.#word(HOST_STATUS);
  }

  /** Holds for every resume() until it is changed. */
  setSingleStep(enabled: boolean): void {
    const step = enabled ? STEP_SINGLE : STEP_NONE;
    this.view.setUint32(this.base + STEP, step, true);
  }

  resume(space: AddressSpace): number {
    if (!(space instanceof NativeSpace)) {
      throw new Error("Address space of another platform");
    }
    if (this.isRunning) throw new Error(`Context ${this.index} runs already`);
    const flushed = space.flush();
    if (flushed < 0) return flushed;
    const result = this.#calls.resume(this.index, space.index);
    if (result === 0) this.isRunning = true;
    return result;
  }

  interrupt(): void {
    // A stop that is waiting to be taken has consumed the request.
    if (!this.hasStop()) this.#calls.interrupt(this.index);
  }

  /** It was resumed and has stopped, which nobody has been told yet. */
  hasStop(): boolean {
    return this.isRunning && this.#word(STATE) !== CONTEXT_GUEST;
  }

  saveFpu(): number {
    return this.#calls.saveFpu(this.index);
  }

  markFpuDirty(): void {
    this.view.setUint32(this.base + FPU, FPU_DIRTY, true);
  }

  release(): void {
    if (this.#isReleased) throw new Error("Context released twice");
    this.#isReleased = true;
    this.isRunning = false;
    this.#calls.freeContext(this.index);
  }

  #word(at: number): number {
    return this.view.getUint32(this.base + at, true);
  }
}
