/**
 * /proc/PID/limits. Source: proc_pid_limits(5).
 * @module
 */
import type { ProcessRef } from "./process_ref.ts";

/** Name and unit by RLIMIT_*. */
const ROWS: readonly (readonly [name: string, unit: string])[] = [
  ["Max cpu time", "seconds"],
  ["Max file size", "bytes"],
  ["Max data size", "bytes"],
  ["Max stack size", "bytes"],
  ["Max core file size", "bytes"],
  ["Max resident set", "bytes"],
  ["Max processes", "processes"],
  ["Max open files", "files"],
  ["Max locked memory", "bytes"],
  ["Max address space", "bytes"],
  ["Max file locks", "locks"],
  ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"],
  ["Max nice priority", ""],
  ["Max realtime priority", ""],
  ["Max realtime timeout", "us"],
];

function row(name: string, soft: string, hard: string, unit: string): string {
  const start = `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} `;
  return `${start}${unit === "" ? "" : unit.padEnd(10)}\n`;
}

export function pidLimits(ref: ProcessRef): string {
  const { soft, hard } = ref.group.limits;
  const show = (value: number) => value === Infinity ? "unlimited" : `${value}`;
  let text = row("Limit", "Soft Limit", "Hard Limit", "Units");
  for (const [resource, [name, unit]] of ROWS.entries()) {
    text += row(name, show(soft[resource]!), show(hard[resource]!), unit);
  }
  return text;
}
