/**
 * ResidentMemory: how many private pages of an address space were touched. The
 * host knows, and asking costs time in proportion to the answer; so an answer
 * that was expensive is used for a while, and programs that watch memory
 * closely take a small part of the kernel's time at most.
 * @module
 */
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { Clock } from "../../time/clock.ts";

/** An answer lasts this many times as long as it took to get. */
const LIFETIME = 20;

interface Answer {
  readonly bytes: number;
  /** CLOCK_MONOTONIC until which it is good enough, ns. */
  readonly untilNs: number;
}

export class ResidentMemory {
  readonly #clock: Clock;
  /** A cache: can be empty at any time. */
  readonly #answers = new WeakMap<MemoryManager, Answer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of private pages that the host holds. */
  bytesOf(memory: MemoryManager): number {
    const startNs = this.#clock.monotonicNs();
    const known = this.#answers.get(memory);
    if (known !== undefined && startNs < known.untilNs) return known.bytes;
    const bytes = memory.totals().residentBytes;
    const endNs = this.#clock.monotonicNs();
    const untilNs = endNs + LIFETIME * (endNs - startNs);
    this.#answers.set(memory, { bytes, untilNs });
    return bytes;
  }
}
