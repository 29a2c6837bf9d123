/**
 * Readiness of host descriptors and arrival of signals: implements HostReactor
 * over native/reactor.c, whose head comment says how the two threads share the
 * ring. Events are hints: a descriptor that was unwatched or read meanwhile
 * may be named once more.
 * @module
 */

import type { HostFd, HostReactor } from "../kernel/host.ts";
import { bind } from "./binding.ts";
import { HostError, must, nativePath } from "./library.ts";

/** Called once. */
const SETUP = {
  host_reactor_start: {
    parameters: ["pointer", "pointer", "buffer"],
    result: "pointer",
  },
  host_reactor_shared: { parameters: ["pointer"], result: "pointer" },
  host_reactor_shared_bytes: { parameters: [], result: "f64" },
} as const satisfies Deno.ForeignLibraryInterface;

const SYMBOLS = {
  host_reactor_stop: { parameters: ["pointer"], result: "void" },
  host_reactor_wait: { parameters: ["pointer", "u32", "i32"], result: "i32" },
  host_reactor_watch: {
    parameters: ["pointer", "i32", "u32", "u32"],
    result: "i32",
  },
  host_reactor_unwatch: { parameters: ["pointer", "i32"], result: "i32" },
  host_reactor_catch: { parameters: ["pointer", "i32", "u32"], result: "i32" },
  host_file_poll: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Word offsets in `struct shared` of reactor.c. */
const HEAD = 0;
const TAIL = 1;
const RINGS = 2;
const SIGNALS_LOW = 3;
const SIGNALS_HIGH = 4;
const REVENTS = 16;
const SLOTS = 16384;
const RING = REVENTS + SLOTS;

const ENOSPC = -28;

/** Whom the reactor thread calls after it published something. */
export interface Doorbell {
  /** `void (*ring)(void *)`, safe on any thread: rsp_ring of a platform. */
  readonly ring: Deno.PointerValue;
  readonly argument: Deno.PointerValue;
}

/** The reactor thread and the kernel's end of its ring. */
export class Reactor implements HostReactor, Disposable {
  revents = 0;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly #handle: Deno.PointerObject;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #slotOfFd = new Map<HostFd, number>();
  /** Token by slot; -1: the slot is free. */
  readonly #tokens = new Float64Array(SLOTS).fill(-1);
  readonly #freeSlots: number[] = [];
  #slotsUsed = 0;

  /** Starts the thread. Without a doorbell, wait() is how to sleep. */
  constructor(doorbell?: Doorbell, path = nativePath("libhost.so")) {
    this.#library = Deno.dlopen(path, SYMBOLS);
    this.#calls = this.#library.symbols;
    const setup = bind(path, SETUP, "brief");
    const error = new Int32Array(1);
    const handle = setup.symbols.host_reactor_start(
      doorbell?.ring ?? null,
      doorbell?.argument ?? null,
      error,
    );
    if (handle === null) throw new HostError("reactor", error[0] ?? 0);
    this.#handle = handle;
    const shared = setup.symbols.host_reactor_shared(handle);
    if (shared === null) throw new Error("The reactor has no shared memory");
    this.#words = new Uint32Array(
      Deno.UnsafePointerView.getArrayBuffer(
        shared,
        setup.symbols.host_reactor_shared_bytes(),
      ),
    );
    setup.close();
  }

  /** -ENOSPC when 16384 descriptors are watched. */
  watch(fd: HostFd, events: number, token: number): number {
    const known = this.#slotOfFd.get(fd);
    const slot = known ?? this.#takeSlot(token);
    if (slot < 0) return slot;
    const result = this.#calls.host_reactor_watch(
      this.#handle,
      fd,
      events,
      slot,
    );
    if (result < 0) {
      if (known === undefined) this.#releaseSlot(slot);
      return result;
    }
    this.#slotOfFd.set(fd, slot);
    this.#tokens[slot] = token;
    return result;
  }

  /** Call it before the descriptor is closed. */
  unwatch(fd: HostFd): void {
    const slot = this.#slotOfFd.get(fd);
    if (slot === undefined) return;
    this.#slotOfFd.delete(fd);
    this.#calls.host_reactor_unwatch(this.#handle, fd);
    this.#releaseSlot(slot);
  }

  next(): number {
    for (;;) {
      const head = Atomics.load(this.#words, HEAD);
      if (head === Atomics.load(this.#words, TAIL)) return -1;
      const slot = this.#words[RING + head % SLOTS] as number;
      Atomics.store(this.#words, HEAD, head + 1);
      // The number first, the bits second: an event that comes in between is
      // either in these bits or on the ring again.
      this.revents = Atomics.exchange(this.#words, REVENTS + slot, 0);
      const token = this.#tokens[slot] as number;
      if (token !== -1) return token; // else it was unwatched meanwhile
    }
  }

  poll(fd: HostFd, events: number): number {
    return this.#calls.host_file_poll(fd, events, 0);
  }

  /**
   * Catches signals: each reports `token` at next(), then takeSignal() tells
   * which. For the whole process; one reactor of a process may do it.
   */
  catchSignals(signals: Iterable<number>, token: number): void {
    const slot = this.#takeSlot(token);
    must("catch signals", slot);
    for (const signal of signals) {
      must(
        `catch signal ${signal}`,
        this.#calls.host_reactor_catch(this.#handle, signal, slot),
      );
    }
  }

  /** The lowest signal that came since it was last taken, or 0. */
  takeSignal(): number {
    for (const word of [SIGNALS_LOW, SIGNALS_HIGH]) {
      const bits = Atomics.load(this.#words, word);
      if (bits === 0) continue;
      const bit = 31 - Math.clz32(bits & -bits);
      Atomics.and(this.#words, word, ~(1 << bit));
      return (word - SIGNALS_LOW) * 32 + bit + 1;
    }
    return 0;
  }

  /**
   * Sleeps until next() has something, at most `timeoutMs` (-1: for ever). May
   * return early. Not for a kernel with a platform, whose wait covers this.
   */
  wait(timeoutMs: number): void {
    const seen = Atomics.load(this.#words, RINGS);
    const head = Atomics.load(this.#words, HEAD);
    if (head !== Atomics.load(this.#words, TAIL)) return;
    this.#calls.host_reactor_wait(this.#handle, seen, timeoutMs);
  }

  /** Ends the thread. */
  [Symbol.dispose](): void {
    this.#calls.host_reactor_stop(this.#handle);
    this.#library.close();
  }

  #takeSlot(token: number): number {
    const slot = this.#freeSlots.pop() ??
      (this.#slotsUsed < SLOTS ? this.#slotsUsed++ : ENOSPC);
    if (slot >= 0) this.#tokens[slot] = token;
    return slot;
  }

  #releaseSlot(slot: number): void {
    this.#tokens[slot] = -1;
    this.#freeSlots.push(slot);
  }
}
