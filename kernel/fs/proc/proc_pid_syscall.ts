/**
 * What a thread is doing right now: /proc/PID/syscall, wchan, schedstat, and
 * task/TID/children. Source: proc_pid_syscall(5), proc_pid_wchan(5),
 * proc_tid_children(5), Documentation/scheduler/sched-stats.rst.
 * @module
 */
import { EACCES, type Errno } from "../../abi/errno.ts";
import type { Caller } from "../../vfs/caller.ts";
import { checkTraceAccess } from "./access.ts";
import { hex, hex64 } from "./format.ts";
import type { ProcessRef } from "./process_ref.ts";
import { cpuTimes } from "./task_facts.ts";

/** A register or argument without leading zeros. */
function word(low: number, high: number): string {
  return `0x${hex64(low, high).replace(/^0+(?=.)/, "")}`;
}

/** Number, six arguments, stack pointer and program counter of a call that
 * waits; -1 and the last two outside of calls; "running". */
export function pidSyscall(ref: ProcessRef, caller: Caller): string | Errno {
  const { task } = ref;
  if (checkTraceAccess(caller, task) !== null) return EACCES;
  if (ref.isDead) return "0 0x0 0x0\n";
  const isWaiting = task.state === "blocked";
  if (!isWaiting && task.state !== "stopped") return "running\n";
  const { registers, frame } = task;
  let text = isWaiting ? `${task.syscall}` : "-1";
  for (let i = 0; isWaiting && i < 12; i += 2) {
    text += ` ${word(frame[i]!, frame[i + 1]!)}`;
  }
  for (const name of ["rsp", "rip"] as const) {
    text += ` 0x${hex(registers.get(name))}`;
  }
  return `${text}\n`;
}

/** Kernel functions have no names to show here. */
export function pidWchan(): string {
  return "0";
}

/** Nanoseconds on a CPU; waiting for one, and turns, are the host's affair. */
export function pidSchedstat(ref: ProcessRef): string {
  const { userNs, systemNs } = cpuTimes(ref);
  return `${Math.floor(userNs + systemNs)} 0 0\n`;
}

/** Processes that the thread forked; an ended thread's are the leader's. */
export function tidChildren(ref: ProcessRef): string {
  const { task, group, root } = ref;
  let text = "";
  for (const child of group.children) {
    const { forkedBy } = child.leader;
    const isOfLiving = forkedBy !== null && group.tasks.has(forkedBy);
    const parent = isOfLiving ? forkedBy : group.leader;
    if (parent === task) text += `${root.pidOf(child)} `;
  }
  return text;
}
