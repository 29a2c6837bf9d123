/**
 * The host's clocks and randomness: implements HostClock over native/clock.c.
 * @module
 */

import type { HostClock } from "../kernel/host.ts";
import { must, nativePath } from "./library.ts";

const SYMBOLS = {
  host_clock_monotonic: { parameters: [], result: "f64" },
  host_clock_realtime_offset: { parameters: ["buffer"], result: "void" },
  host_clock_boottime_offset: { parameters: ["buffer"], result: "void" },
  host_clock_sample_tsc: { parameters: ["buffer"], result: "void" },
  host_clock_children_cpu: { parameters: [], result: "f64" },
  host_clock_process_cpu: { parameters: ["i32"], result: "f64" },
  host_random: { parameters: ["buffer", "f64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The clocks of the host. */
export class Clock implements HostClock, Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly #out = new Float64Array(4);
  readonly #guestProcesses: () => Iterable<number>;

  /** `guestProcesses`: the host pids that run guest code now, if known. */
  constructor(
    guestProcesses: () => Iterable<number> = () => [],
    path = nativePath("libhost.so"),
  ) {
    this.#library = Deno.dlopen(path, SYMBOLS);
    this.#calls = this.#library.symbols;
    this.#guestProcesses = guestProcesses;
  }

  monotonicNs(): number {
    return this.#calls.host_clock_monotonic();
  }

  realtimeOffset(): { readonly sec: number; readonly nsec: number } {
    this.#calls.host_clock_realtime_offset(this.#out);
    return { sec: this.#out[0] ?? 0, nsec: this.#out[1] ?? 0 };
  }

  boottimeOffsetNs(): number {
    this.#calls.host_clock_boottime_offset(this.#out);
    return (this.#out[0] ?? 0) * 1e9 + (this.#out[1] ?? 0);
  }

  sampleTsc(): {
    readonly tscLow: number;
    readonly tscHigh: number;
    readonly monotonicNs: number;
  } {
    this.#calls.host_clock_sample_tsc(this.#out);
    return {
      tscLow: this.#out[0] ?? 0,
      tscHigh: this.#out[1] ?? 0,
      monotonicNs: this.#out[2] ?? 0,
    };
  }

  /** Of processes that were waited for, plus those that run now. */
  guestCpuNs(): number {
    let total = this.#calls.host_clock_children_cpu();
    for (const pid of this.#guestProcesses()) {
      const ns = this.#calls.host_clock_process_cpu(pid);
      if (ns > 0) total += ns; // negative: it ended meanwhile
    }
    return total;
  }

  /** Fills the array from the host's generator, getrandom(2). */
  randomBytes(into: Uint8Array): void {
    must(
      "getrandom",
      this.#calls.host_random(into as Uint8Array<ArrayBuffer>, into.length),
    );
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/**
 * True if the TSC of this host runs at one rate on all CPUs and in all states,
 * judged from the text of /proc/cpuinfo and the kernel's clock source.
 */
export function isTscUsable(cpuinfo: string, clocksource: string): boolean {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(" ") ?? [];
  if (!flags.includes("constant_tsc")) return false;
  if (!flags.includes("nonstop_tsc")) return false;
  // kvm-clock is computed from the TSC as well; anything else (hpet, acpi_pm)
  // means that the kernel found the TSC wanting.
  return ["tsc", "kvm-clock"].includes(clocksource.trim());
}
