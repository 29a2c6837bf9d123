/**
 * Platform over platform.h, the same for every plugin: all state words are
 * read and written in the control region, so a call into C happens only to
 * resume, to interrupt, to change mappings and to sleep.
 * @module
 */

import { CONTROL, MAX_CONTEXTS, SUMMARY_WORDS } from "./layouts.ts";
import { type ContextCalls, NativeContext } from "./native_context.ts";
import {
  loadNativeLibrary,
  loadNativeSetup,
  type NativeLibrary,
  type NativeSetup,
} from "./native_library.ts";
import { NativeSpace, type SpaceCalls } from "./native_space.ts";
import type { Platform, PlatformInfo } from "./platform.ts";

const at = (field: string): number => CONTROL.fields[field]!.offset;
const SUMMARY = at("summary") / 4;
const STOPPED = at("stopped") / 4;
const RUNG = at("rung") / 4;
const BROKEN = at("broken") / 4;
const EINVAL = 22;

export interface NativeOptions {
  /** Path of the plugin's shared library. */
  readonly libraryPath: string;
  /** Host descriptor of the memory file. */
  readonly memoryFd: number;
  /** Host descriptor of the stub template's executable, or -1. */
  readonly stubFd: number;
  readonly maxContexts: number;
  readonly name: PlatformInfo["name"];
  readonly minAddress: number;
  readonly maxAddress: number;
}

export class NativePlatform implements Platform, SpaceCalls, ContextCalls {
  readonly info: PlatformInfo;
  readonly view: DataView;
  /** rsp_ring and its argument: wakes wait() from any thread. */
  readonly doorbell: {
    readonly ring: Deno.PointerValue;
    readonly argument: Deno.PointerValue;
  };

  readonly #library: NativeLibrary;
  readonly #symbols: NativeLibrary["symbols"];
  readonly #platform: Deno.PointerObject;
  readonly #words: Int32Array;
  readonly #memOps: Uint8Array;
  readonly #failed = new Uint32Array(1);
  readonly #contextStride: number;
  readonly #contextsOffset: number;
  readonly #contexts: (NativeContext | undefined)[] = [];
  /** Taken off the shared bitmaps, not handed out yet. */
  #summaryBits = 0;
  #summaryIndex = 0;
  #stoppedBits = 0;
  #stoppedWord = 0;
  #isClosed = false;

  constructor(
    library: NativeLibrary,
    setup: NativeSetup,
    platform: Deno.PointerObject,
    options: NativeOptions,
  ) {
    this.#library = library;
    this.#symbols = library.symbols;
    this.#platform = platform;
    this.doorbell = { ring: library.symbols.ring, argument: platform };
    const region = setup.symbols.rsp_control_region(platform);
    const bytes = setup.symbols.rsp_control_bytes(platform);
    if (region === null) throw new Error("Platform without a control region");
    const buffer = Deno.UnsafePointerView.getArrayBuffer(region, bytes);
    this.view = new DataView(buffer);
    this.#words = new Int32Array(buffer, 0, CONTROL.size / 4);
    const memOps = CONTROL.fields["memOps"]!;
    this.#memOps = new Uint8Array(buffer, memOps.offset, memOps.count);
    const word = (field: string) => this.view.getUint32(at(field), true);
    this.#contextStride = word("contextStride");
    this.#contextsOffset = word("contextsOffset");
    this.info = {
      name: options.name,
      minAddress: options.minAddress,
      maxAddress: options.maxAddress,
      xsaveBytes: word("xsaveBytes"),
      xcr0Low: word("xcr0Low"),
      xcr0High: word("xcr0High"),
    };
  }

  newAddressSpace(): NativeSpace | number {
    const index = this.#symbols.rsp_space_new(this.#platform);
    return index < 0 ? index : new NativeSpace(this, index);
  }

  newContext(): NativeContext | number {
    const index = this.#symbols.rsp_context_new(this.#platform);
    if (index < 0) return index;
    const base = this.#contextsOffset + index * this.#contextStride;
    const context = new NativeContext(this, index, base);
    this.#contexts[index] = context;
    return context;
  }

  nextStopped(): NativeContext | null {
    for (;;) {
      while (this.#stoppedBits !== 0) {
        const bit = 31 - Math.clz32(this.#stoppedBits & -this.#stoppedBits);
        this.#stoppedBits &= this.#stoppedBits - 1;
        const context = this.#contexts[this.#stoppedWord * 32 + bit];
        // Since the bit was taken the context may have been released, and its
        // slot been given to another that runs.
        if (context === undefined || !context.hasStop()) continue;
        context.isRunning = false;
        return context;
      }
      if (!this.#takeStoppedWord()) return null;
    }
  }

  /** Loads #stoppedBits from the next word of the bitmap that has any. */
  #takeStoppedWord(): boolean {
    while (this.#summaryBits === 0) {
      // The summary is set after the word, hence taken before it.
      const index = this.#nextSummary();
      if (index < 0) return false;
      this.#summaryIndex = index;
      this.#summaryBits = Atomics.exchange(this.#words, SUMMARY + index, 0);
    }
    const bit = 31 - Math.clz32(this.#summaryBits & -this.#summaryBits);
    this.#summaryBits &= this.#summaryBits - 1;
    this.#stoppedWord = this.#summaryIndex * 32 + bit;
    this.#stoppedBits = Atomics.exchange(
      this.#words,
      STOPPED + this.#stoppedWord,
      0,
    );
    return true;
  }

  #nextSummary(): number {
    for (let i = 0; i < SUMMARY_WORDS; i++) {
      if (this.#words[SUMMARY + i] !== 0) return i;
    }
    return -1;
  }

  wait(deadlineNs: number): void {
    if (this.#stoppedBits !== 0 || this.#summaryBits !== 0) return;
    const deadline = deadlineNs === Infinity ? -1 : Math.max(0, deadlineNs);
    this.#symbols.rsp_wait(this.#platform, deadline);
  }

  get isBroken(): boolean {
    return this.#words[BROKEN] !== 0;
  }

  takeRing(): boolean {
    if (this.#words[RUNG] === 0) return false;
    return Atomics.exchange(this.#words, RUNG, 0) !== 0;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#symbols.rsp_close(this.#platform);
    this.#library.close();
  }

  apply(space: number, bytes: Uint8Array, count: number): number {
    this.#memOps.set(bytes);
    return this.#symbols.rsp_space_apply(
      this.#platform,
      space,
      count,
      this.#failed,
    );
  }

  freeSpace(space: number): void {
    this.#must(this.#symbols.rsp_space_free(this.#platform, space));
  }

  resume(context: number, space: number): number {
    return this.#symbols.rsp_resume(this.#platform, context, space);
  }

  interrupt(context: number): void {
    this.#must(this.#symbols.rsp_interrupt(this.#platform, context));
  }

  saveFpu(context: number): number {
    return this.#symbols.rsp_fpu_save(this.#platform, context);
  }

  freeContext(context: number): void {
    this.#contexts[context] = undefined;
    this.#must(this.#symbols.rsp_context_free(this.#platform, context));
  }

  /** These calls fail only for an index that we should not have. */
  #must(result: number): void {
    if (result < 0) throw new Error(`Platform call failed: ${result}`);
  }
}

/**
 * Starts a plugin. Returns a negative host errno when this host can't run it:
 * -EINVAL, -ENODEV, -EPERM, -ENOSYS, -EAGAIN, -ENOMEM.
 */
export function openNative(options: NativeOptions): NativePlatform | number {
  if (options.maxContexts > MAX_CONTEXTS) return -EINVAL;
  const setup = loadNativeSetup(options.libraryPath);
  try {
    const out = new BigUint64Array(1);
    const { memoryFd, stubFd, maxContexts } = options;
    const result = setup.symbols.rsp_open(memoryFd, stubFd, maxContexts, out);
    const platform = Deno.UnsafePointer.create(out[0]!);
    if (result < 0 || platform === null) return result < 0 ? result : -EINVAL;
    const library = loadNativeLibrary(options.libraryPath);
    return new NativePlatform(library, setup, platform, options);
  } finally {
    setup.close();
  }
}
