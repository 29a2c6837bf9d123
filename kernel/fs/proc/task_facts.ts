/**
 * What several files of /proc/PID say about a task: its state letter, times,
 * memory in use.
 * @module
 */
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { Task } from "../../task/task.ts";
import type { ProcRoot } from "./proc_root.ts";
import type { ProcessRef } from "./process_ref.ts";

/** Letter and word of a task's state, as in /proc/PID/status. */
export type StateName = readonly [letter: string, word: string];

const RUNNING: StateName = ["R", "running"];
const SLEEPING: StateName = ["S", "sleeping"];
const DISK_SLEEP: StateName = ["D", "disk sleep"];
const STOPPED: StateName = ["T", "stopped"];
const ZOMBIE: StateName = ["Z", "zombie"];

export function stateOf(task: Task): StateName {
  switch (task.state) {
    case "guest":
    case "kernel":
      return RUNNING;
    case "blocked":
      return task.blocker.isUninterruptible ? DISK_SLEEP : SLEEPING;
    case "stopped":
      return STOPPED;
    case "dead":
      return ZOMBIE;
  }
}

/** User and system time of a thread, or of a whole process, in ns. */
export function cpuTimes(
  ref: ProcessRef,
): { readonly userNs: number; readonly systemNs: number } {
  if (ref.isProcess) {
    const { group } = ref;
    return { userNs: group.userNs, systemNs: group.systemNs };
  }
  const { task: thread } = ref;
  const running = thread.state === "guest"
    ? Math.max(0, thread.kernel.nowNs - thread.resumedNs)
    : 0;
  return { userNs: thread.userNs + running, systemNs: thread.systemNs };
}

/** Bytes in use, by kind. Of files it is an upper bound: all pages around
 * those that were mapped. */
export interface ResidentBytes {
  anonymous: number;
  file: number;
  shared: number;
}

export function residentBytes(
  root: ProcRoot,
  memory: MemoryManager,
): ResidentBytes {
  const anonymous = root.facts.resident.bytesOf(memory);
  const bytes = { anonymous, file: 0, shared: 0 };
  for (const vma of memory.vmas.items) {
    if (vma.mappable === null || vma.mappedEnd === 0) continue;
    const start = Math.max(vma.start, vma.mappedStart);
    const end = Math.min(vma.end, vma.mappedEnd);
    if (start >= end) continue;
    const seen = end - start - memory.pmas.bytesIn(start, end);
    if (vma.mappable.isWriteTracked === false) bytes.shared += seen;
    else bytes.file += seen;
  }
  return bytes;
}
