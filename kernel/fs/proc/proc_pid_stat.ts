/**
 * /proc/PID/stat and statm. Source: proc_pid_stat(5), proc_pid_statm(5).
 * @module
 */
import { PAGE_SIZE } from "../../abi/mman.ts";
import { RLIMIT_RSS } from "../../abi/resource.ts";
import { SIG_DFL, SIG_IGN } from "../../abi/signal.ts";
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { SignalHandlers } from "../../task/signal_handlers.ts";
import { SignalSet } from "../../task/signal_set.ts";
import type { Caller } from "../../vfs/caller.ts";
import { Tty } from "../devpts/tty.ts";
import { checkTraceAccess } from "./access.ts";
import { ticks, unsigned64 } from "./format.ts";
import type { ProcessRef } from "./process_ref.ts";
import { cpuTimes, residentBytes, stateOf } from "./task_facts.ts";

// Task flags (PF_*).
const PF_EXITING = 0x4;
const PF_FORKNOEXEC = 0x40;
const PF_RANDOMIZE = 0x400000;

/** Signals that a process ignores and those that it catches. */
export function dispositions(
  handlers: SignalHandlers,
): { readonly ignored: SignalSet; readonly caught: SignalSet } {
  const ignored = new SignalSet();
  const caught = new SignalSet();
  for (let signo = 1; signo <= 64; signo++) {
    const { handler } = handlers.get(signo);
    if (handler === SIG_IGN) ignored.add(signo);
    else if (handler !== SIG_DFL) caught.add(signo);
  }
  return { ignored, caught };
}

/** Signals 1..31 in decimal, the form that stat is left with. */
function lowSignals(set: SignalSet): number {
  return set.low & 0x7fffffff;
}

/** Device number of the controlling terminal, and its foreground group. */
function terminalOf(ref: ProcessRef): readonly [number, number] {
  const terminal = ref.group.processGroup.session.controllingTerminal;
  if (terminal === null) return [0, -1];
  const device = terminal instanceof Tty ? terminal.device : 0;
  return [device, terminal.foregroundGroup];
}

export function pidStat(ref: ProcessRef, caller: Caller): string {
  const { task, group, root, memory } = ref;
  const isPermitted = checkTraceAccess(caller, task) === null;
  const { userNs, systemNs } = cpuTimes(ref);
  const { ignored, caught } = dispositions(group.handlers);
  const [ttyNr, foreground] = terminalOf(ref);
  const isRunning = task.state === "guest" || task.state === "kernel";
  const resident = memory === null ? null : residentBytes(root, memory);
  const { startNs } = ref.isProcess ? group : task;
  const program = memory?.program ?? null;
  const shown = isPermitted ? program : null;
  const flags = PF_RANDOMIZE | (group.hasExeced ? 0 : PF_FORKNOEXEC) |
    (ref.isDead ? PF_EXITING : 0);
  const fields: (number | string)[] = [
    ref.number,
    `(${task.comm})`,
    stateOf(task)[0],
    root.pidOf(group.parent),
    group.processGroup.id,
    group.processGroup.session.id,
    ttyNr,
    foreground,
    flags,
    // Page faults are resolved by the host for the most part: not counted.
    0,
    0,
    0,
    0,
    ticks(userNs),
    ticks(systemNs),
    ticks(group.childrenUserNs),
    ticks(group.childrenSystemNs),
    20 + task.nice,
    task.nice,
    group.tasks.size,
    0,
    ticks(startNs + bootOffsetNs(ref)),
    memory?.vmas.total ?? 0,
    resident === null
      ? 0
      : (resident.anonymous + resident.file + resident.shared) / PAGE_SIZE,
    unsigned64(group.limits.soft[RLIMIT_RSS]!),
    program === null ? 0 : shown?.startCode ?? 1,
    program === null ? 0 : shown?.endCode ?? 1,
    shown?.startStack ?? 0,
    0, // esp and eip are for threads that exit
    0,
    lowSignals(task.pending.set),
    lowSignals(task.blocked),
    lowSignals(ignored),
    lowSignals(caught),
    isPermitted && !isRunning && !ref.isDead ? 1 : 0,
    0, // pages swapped
    0,
    !ref.isProcess && !task.isLeader ? -1 : group.exitSignal,
    0, // the CPU: getcpu(2) says 0, too
    0, // no real-time priority
    task.schedulingPolicy,
    0, // waits for block devices
    0, // time of virtual CPUs
    0,
    shown?.startData ?? 0,
    shown?.endData ?? 0,
    shown === null ? 0 : memory!.brkStart,
    shown?.argStart ?? 0,
    shown?.argEnd ?? 0,
    shown?.envStart ?? 0,
    shown?.envEnd ?? 0,
    isPermitted ? group.exitStatus : 0,
  ];
  return `${fields.join(" ")}\n`;
}

/** CLOCK_BOOTTIME minus CLOCK_MONOTONIC: starts are counted from the boot. */
function bootOffsetNs(ref: ProcessRef): number {
  return ref.root.kernel.host.clock.boottimeOffsetNs();
}

/** "size resident shared text lib data dt", in pages. */
export function pidStatm(ref: ProcessRef): string {
  const { memory } = ref;
  if (memory === null) return "0 0 0 0 0 0 0\n";
  const resident = residentBytes(ref.root, memory);
  const pages = [
    memory.vmas.total,
    resident.anonymous + resident.file + resident.shared,
    resident.file + resident.shared,
    textBytes(memory),
    0,
    memory.vmas.data + memory.vmas.stack,
    0,
  ].map((bytes) => Math.ceil(bytes / PAGE_SIZE));
  return `${pages.join(" ")}\n`;
}

/** Bytes of the program's own code, page-aligned. */
export function textBytes(memory: MemoryManager): number {
  const { program } = memory;
  if (program === null) return 0;
  const start = Math.floor(program.startCode / PAGE_SIZE) * PAGE_SIZE;
  const end = Math.ceil(program.endCode / PAGE_SIZE) * PAGE_SIZE;
  return Math.max(0, end - start);
}
