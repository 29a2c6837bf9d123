/**
 * What a process of ours sets for itself: name, signals, limits, descriptors;
 * binds native/process.c.
 * @module
 */

import { bind, type Binding, type Bound } from "./binding.ts";
import { cString, must, nativePath } from "./library.ts";

const SYMBOLS = {
  host_process_set_name: { parameters: ["buffer"], result: "i32" },
  host_process_set_subreaper: { parameters: ["i32"], result: "i32" },
  host_process_set_death_signal: { parameters: ["i32"], result: "i32" },
  host_process_set_dumpable: { parameters: ["i32"], result: "i32" },
  host_process_ignore_signal: { parameters: ["i32", "i32"], result: "i32" },
  host_process_set_limit: {
    parameters: ["i32", "f64", "f64"],
    result: "i32",
  },
  host_process_get_limit: { parameters: ["i32", "buffer"], result: "i32" },
  host_process_close_others: { parameters: ["buffer", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const SIGUSR1 = 10;
const SIGPIPE = 13;

/** A resource limit; Infinity: none. */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

/** This process. Every method throws a HostError when the host refuses. */
export class Process implements Disposable {
  readonly #library: Bound<typeof SYMBOLS>;
  readonly #calls: Bound<typeof SYMBOLS>["symbols"];

  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), SYMBOLS, binding);
    this.#calls = this.#library.symbols;
  }

  /** The name in ps and top, cut to 15 bytes. */
  setName(name: string): void {
    must("name", this.#calls.host_process_set_name(cString(name)));
  }

  /** Orphans below us become our children. */
  becomeSubreaper(): void {
    must("subreaper", this.#calls.host_process_set_subreaper(1));
  }

  /** `signal` kills us when the parent's thread that made us ends. */
  setDeathSignal(signal: number): void {
    must("death signal", this.#calls.host_process_set_death_signal(signal));
  }

  /** No core dumps, no tracing by an equal. */
  forbidDumps(): void {
    must("dumpable", this.#calls.host_process_set_dumpable(0));
  }

  /**
   * Sets aside two signals that would harm us: SIGPIPE, because a lost reader
   * is an EPIPE for the guest, and SIGUSR1, by which a Deno process opens an
   * inspector port.
   */
  ignoreHarmfulSignals(): void {
    this.ignoreSignal(SIGPIPE);
    this.ignoreSignal(SIGUSR1);
  }

  ignoreSignal(signal: number): void {
    must("ignore signal", this.#calls.host_process_ignore_signal(signal, 1));
  }

  defaultSignal(signal: number): void {
    must("default signal", this.#calls.host_process_ignore_signal(signal, 0));
  }

  /** setrlimit(2). Never for RLIMIT_AS, which V8 dies of. */
  setLimit(resource: number, { soft, hard }: Limit): void {
    const word = (value: number) => value === Infinity ? -1 : value;
    must(
      `limit ${resource}`,
      this.#calls.host_process_set_limit(resource, word(soft), word(hard)),
    );
  }

  limit(resource: number): Limit {
    const out = new Float64Array(2);
    must("limit", this.#calls.host_process_get_limit(resource, out));
    const value = (word = -1) => word === -1 ? Infinity : word;
    return { soft: value(out[0]), hard: value(out[1]) };
  }

  /**
   * Closes every descriptor but these. Deno's own (its event loop's, its
   * caches') go too unless named: only for a process that never returns to
   * the event loop.
   */
  closeOthers(keep: Iterable<number>): void {
    const list = Int32Array.from(keep);
    must(
      "close_range",
      this.#calls.host_process_close_others(list, list.length),
    );
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
