/**
 * struct rusage as getrusage(2), wait4(2) and waitid(2) store it.
 * @module
 */
import { RUSAGE, RUSAGE_SIZE } from "../abi/resource.ts";

/** CPU time in ns, memory in pages. */
export interface Usage {
  readonly userNs: number;
  readonly systemNs: number;
  readonly maxResidentPages: number;
}

const PAGE_KIB = 4;

/** Fills `into` (RUSAGE_SIZE bytes). */
export function writeUsage(into: Uint8Array, usage: Usage): void {
  into.fill(0, 0, RUSAGE_SIZE);
  const view = new DataView(into.buffer, into.byteOffset);
  writeTimeval(view, RUSAGE.ru_utime, usage.userNs);
  writeTimeval(view, RUSAGE.ru_stime, usage.systemNs);
  view.setUint32(RUSAGE.ru_maxrss, usage.maxResidentPages * PAGE_KIB, true);
}

function writeTimeval(view: DataView, at: number, ns: number): void {
  const sec = Math.floor(ns / 1e9);
  view.setUint32(at, sec, true);
  view.setUint32(at + 8, Math.floor((ns - sec * 1e9) / 1000), true);
}
