/**
 * /proc/PID/status. Source: proc_pid_status(5).
 * @module
 */
import { RLIMIT_SIGPENDING } from "../../abi/resource.ts";
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { CapabilitySet } from "../../task/credentials.ts";
import type { SignalSet } from "../../task/signal_set.ts";
import type { Task } from "../../task/task.ts";
import { cpuList, cpuMask } from "../kernfs/cpu_mask.ts";
import { escape, hex64, kilobytes, unsigned64 } from "./format.ts";
import { dispositions, textBytes } from "./proc_pid_stat.ts";
import type { ProcessRef } from "./process_ref.ts";
import { residentBytes, stateOf } from "./task_facts.ts";

/** Descriptor tables grow in steps of this many. */
const FD_STEP = 64;
/** A page table page maps 2 MiB. */
const BYTES_PER_TABLE = 2 ** 21;

export function pidStatus(ref: ProcessRef): string {
  const { task, memory } = ref;
  return `Name:\t${escape(task.comm, "\n\\")}\n` +
    identity(ref) + (memory === null ? "" : memoryLines(ref, memory)) +
    signals(ref) + capabilities(task) + scheduling(task);
}

function identity(ref: ProcessRef): string {
  const { task, group, root, fsContext, fdTable } = ref;
  const { credentials: c } = task;
  const [letter, word] = stateOf(task);
  const umask = fsContext === null
    ? ""
    : `Umask:\t${`${fsContext.umask.toString(8)}`.padStart(4, "0")}\n`;
  const slots = fdTable?.length ?? 0;
  const fdSize = fdTable === null
    ? 0
    : Math.max(FD_STEP, Math.ceil(slots / FD_STEP) * FD_STEP);
  // The list ends with a blank, even if it is empty.
  const groups = `${c.groups.join(" ")} `;
  return umask +
    `State:\t${letter} (${word})\n` +
    `Tgid:\t${root.pidOf(group)}\n` +
    "Ngid:\t0\n" +
    `Pid:\t${ref.number}\n` +
    `PPid:\t${root.pidOf(group.parent)}\n` +
    "TracerPid:\t0\n" +
    `Uid:\t${c.uid}\t${c.euid}\t${c.suid}\t${c.fsuid}\n` +
    `Gid:\t${c.gid}\t${c.egid}\t${c.sgid}\t${c.fsgid}\n` +
    `FDSize:\t${fdSize}\n` +
    `Groups:\t${groups}\n` +
    `NStgid:\t${root.pidOf(group)}\n` +
    `NSpid:\t${ref.number}\n` +
    `NSpgid:\t${group.processGroup.id}\n` +
    `NSsid:\t${group.processGroup.session.id}\n` +
    "Kthread:\t0\n";
}

function memoryLines(ref: ProcessRef, memory: MemoryManager): string {
  const { vmas } = memory;
  const { anonymous, file, shared } = residentBytes(ref.root, memory);
  const resident = anonymous + file + shared;
  const text = textBytes(memory);
  return kilobytes("VmPeak:\t", Math.max(memory.peakTotal, vmas.total)) +
    kilobytes("VmSize:\t", vmas.total) +
    kilobytes("VmLck:\t", vmas.locked) +
    kilobytes("VmPin:\t", 0) +
    kilobytes("VmHWM:\t", Math.max(memory.peakResident, resident)) +
    kilobytes("VmRSS:\t", resident) +
    kilobytes("RssAnon:\t", anonymous) +
    kilobytes("RssFile:\t", file) +
    kilobytes("RssShmem:\t", shared) +
    kilobytes("VmData:\t", vmas.data) +
    kilobytes("VmStk:\t", vmas.stack) +
    kilobytes("VmExe:\t", text) +
    kilobytes("VmLib:\t", Math.max(0, vmas.exec - text)) +
    kilobytes("VmPTE:\t", Math.ceil(resident / BYTES_PER_TABLE) * 4096) +
    kilobytes("VmSwap:\t", 0) +
    kilobytes("HugetlbPages:\t", 0) +
    "CoreDumping:\t0\n" +
    "THP_enabled:\t0\n" +
    "untag_mask:\t0xffffffffffffffff\n";
}

function signals(ref: ProcessRef): string {
  const { task, group } = ref;
  const { ignored, caught } = dispositions(group.handlers);
  const row = (name: string, set: SignalSet) =>
    `${name}:\t${hex64(set.low, set.high)}\n`;
  const queued = task.pending.count + group.pending.count;
  const limit = unsigned64(group.limits.soft[RLIMIT_SIGPENDING]!);
  return `Threads:\t${group.tasks.size}\n` +
    `SigQ:\t${queued}/${limit}\n` +
    row("SigPnd", task.pending.set) +
    row("ShdPnd", group.pending.set) +
    row("SigBlk", task.blocked) +
    row("SigIgn", ignored) +
    row("SigCgt", caught);
}

function capabilities(task: Task): string {
  const { credentials: c } = task;
  const row = (name: string, set: CapabilitySet) =>
    `${name}:\t${hex64(set.low, set.high)}\n`;
  return row("CapInh", c.inheritable) +
    row("CapPrm", c.permitted) +
    row("CapEff", c.effective) +
    row("CapBnd", c.bounding) +
    row("CapAmb", c.ambient) +
    `NoNewPrivs:\t${task.noNewPrivileges ? 1 : 0}\n` +
    "Seccomp:\t0\n" +
    "Seccomp_filters:\t0\n" +
    "Speculation_Store_Bypass:\tunknown\n" +
    "SpeculationIndirectBranch:\tunsupported\n";
}

function scheduling(task: Task): string {
  const count = task.kernel.host.info.cpuCount;
  return `Cpus_allowed:\t${cpuMask(count, task.affinity)}\n` +
    `Cpus_allowed_list:\t${cpuList(count, task.affinity)}\n` +
    "Mems_allowed:\t1\n" +
    "Mems_allowed_list:\t0\n" +
    // Switches between tasks are the host's business: not counted.
    "voluntary_ctxt_switches:\t0\n" +
    "nonvoluntary_ctxt_switches:\t0\n" +
    "x86_Thread_features:\t\n" +
    "x86_Thread_features_locked:\t\n";
}
