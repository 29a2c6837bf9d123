/**
 * HostInfo: what the kernel tells guests of the machine. Read from /proc and
 * /sys before lock-down.
 * @module
 */
import { AT_HWCAP, AT_HWCAP2, AT_NULL } from "../../kernel/abi/auxvec.ts";
import { type Clock, isTscUsable } from "../../ffi/clock.ts";
import { nativePath } from "../../ffi/library.ts";
import type { HostClock, HostInfo } from "../../kernel/host.ts";

const CLOCK_SOURCE =
  "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const NSEC_PER_SEC = 1e9;

function readOr(path: string, otherwise: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (thrown) {
    // Some hosts hide parts of /sys; what we then do not know is optional.
    if (thrown instanceof Deno.errors.NotFound) return otherwise;
    throw thrown;
  }
}

/** Value of an entry of our own auxiliary vector, 0 if it is not there. */
function auxiliaryValues(): ReadonlyMap<number, number> {
  const bytes = Deno.readFileSync("/proc/self/auxv");
  const view = new DataView(bytes.buffer);
  const values = new Map<number, number>();
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const key = view.getUint32(at, true);
    if (key === AT_NULL) break;
    values.set(
      key,
      view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 2 ** 32,
    );
  }
  return values;
}

type TscSample = ReturnType<HostClock["sampleTsc"]>;

/** Ticks per second between two samples; the longer apart the better. */
export function tscRate(from: TscSample, to: TscSample): number {
  const ticks = (to.tscHigh - from.tscHigh) * 2 ** 32 +
    (to.tscLow - from.tscLow);
  return ticks * NSEC_PER_SEC / (to.monotonicNs - from.monotonicNs);
}

/** Gathers everything; `firstSample` was taken as early as possible. */
export function readHostInfo(clock: Clock, firstSample: TscSample): HostInfo {
  const cpuinfoOfAll = Deno.readTextFileSync("/proc/cpuinfo");
  const cpuinfo = cpuinfoOfAll.split("\n\n")[0] ?? "";
  const meminfo = Deno.readTextFileSync("/proc/meminfo");
  const kibibytes = /^MemTotal:\s+([0-9]+) kB/m.exec(meminfo)?.[1];
  const auxiliary = auxiliaryValues();
  const isUsable = isTscUsable(cpuinfo, readOr(CLOCK_SOURCE, ""));
  return {
    cpuCount: navigator.hardwareConcurrency,
    memoryBytes: Number(kibibytes ?? 0) * 1024,
    cpuinfo,
    hwcap: auxiliary.get(AT_HWCAP) ?? 0,
    hwcap2: auxiliary.get(AT_HWCAP2) ?? 0,
    vdso: Deno.readFileSync(nativePath("vdso.so")),
    tscHz: isUsable ? tscRate(firstSample, clock.sampleTsc()) : 0,
  };
}
