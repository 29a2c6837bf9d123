/**
 * A process of the host that stays the same one when its pid is used again: pid
 * and start time, as /proc/PID/stat has it (proc(5), fields 3 and 22).
 * @module
 */

export interface HostProcess {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly startTicks: number;
}

interface Stat {
  readonly state: string;
  readonly startTicks: number;
}

function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    // There is no such process, or it ended while we looked.
    return null;
  }
  // The name in parentheses may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", startTicks: Number(fields[19]) };
}

/** The process that has this pid now; startTicks -1 if none has. */
export function identify(pid: number): HostProcess {
  return { pid, startTicks: readStat(pid)?.startTicks ?? -1 };
}

/** True if it runs; a zombie does not. */
export function isAlive({ pid, startTicks }: HostProcess): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.startTicks === startTicks &&
    stat.state !== "Z" && stat.state !== "X";
}
