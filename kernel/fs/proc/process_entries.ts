/**
 * What /proc/PID and /proc/PID/task/TID hold. Source: proc(5).
 * @module
 */
import { ESRCH } from "../../abi/errno.ts";
import { S_IFDIR, S_IFREG } from "../../abi/stat.ts";
import type { Caller } from "../../vfs/caller.ts";
import { directory, file, node } from "../kernfs/entries.ts";
import { type Entry, EntryTable } from "../kernfs/entry_table.ts";
import type { FileRules } from "../kernfs/generated_file.ts";
import type { KernfsHome } from "../kernfs/kernfs_inode.ts";
import { TableDirectory } from "../kernfs/table_directory.ts";
import { pidAuxv, pidCmdline, pidEnviron } from "./proc_pid_memory.ts";
import { NET } from "./net/net_entries.ts";
import { ID_MAPS } from "./proc_pid_ids.ts";
import { MemFile } from "./proc_pid_mem.ts";
import { NAMESPACE_LINKS } from "./proc_pid_ns.ts";
import { pidSmaps, pidSmapsRollup } from "./proc_pid_smaps.ts";
import {
  pidSchedstat,
  pidSyscall,
  pidWchan,
  tidChildren,
} from "./proc_pid_syscall.ts";
import { FdDirectory, FdInfoDirectory } from "./proc_pid_fd.ts";
import { pidLimits } from "./proc_pid_limits.ts";
import { PLACE_LINKS } from "./proc_pid_links.ts";
import { pidMaps, refuseMemory } from "./proc_pid_maps.ts";
import { pidMountinfo, pidMounts, pidMountstats } from "./proc_pid_mounts.ts";
import {
  COMM,
  OOM_ADJ,
  OOM_SCORE_ADJ,
  oomScore,
  pidPersonality,
  TIMERSLACK,
} from "./proc_pid_settings.ts";
import { pidStat, pidStatm } from "./proc_pid_stat.ts";
import { pidStatus } from "./proc_pid_status.ts";
import type { ProcessRef } from "./process_ref.ts";
import { ThreadListDirectory } from "./thread_list.ts";

type Read = FileRules<ProcessRef>["read"];

/** ESRCH once the process has gone: the descriptor may outlive it. */
function living(read: Read): Read {
  return (ref: ProcessRef, caller: Caller) =>
    ref.isCurrent ? read(ref, caller) : ESRCH;
}

/** A file about the memory, which the right to trace opens. */
function guarded(
  name: string,
  mode: number,
  read: Read,
): Entry<ProcessRef> {
  return file(name, mode, { read, refuseOpen: refuseMemory });
}

/** Rows that a process and its threads have alike; first in both tables. */
const COMMON: readonly Entry<ProcessRef>[] = [
  node(
    "fd",
    S_IFDIR | 0o500,
    (home, ref, ino) => new FdDirectory(home, ref, ino, 0o500),
  ),
  node(
    "fdinfo",
    S_IFDIR | 0o555,
    (home, ref, ino) => new FdInfoDirectory(home, ref, ino, 0o555),
  ),
  directory("ns", 0o511, NAMESPACE_LINKS),
  NET,
  guarded("environ", 0o400, pidEnviron),
  guarded("auxv", 0o400, pidAuxv),
  file("status", 0o444, living(pidStatus)),
  file("personality", 0o400, pidPersonality),
  file("limits", 0o444, living(pidLimits)),
  file("comm", 0o644, COMM),
  file("syscall", 0o400, living(pidSyscall)),
  file("cmdline", 0o444, living(pidCmdline)),
  file("stat", 0o444, living(pidStat)),
  file("statm", 0o444, living(pidStatm)),
  guarded("maps", 0o444, pidMaps),
  node(
    "mem",
    S_IFREG | 0o600,
    (home, ref, ino, mode) => new MemFile(home, ref, ino, mode),
  ),
  ...PLACE_LINKS,
  file("mounts", 0o444, pidMounts),
  file("mountinfo", 0o444, pidMountinfo),
  guarded("smaps", 0o444, pidSmaps),
  guarded("smaps_rollup", 0o444, pidSmapsRollup),
  file("wchan", 0o444, living(pidWchan)),
  file("schedstat", 0o444, living(pidSchedstat)),
  file("cgroup", 0o444, living(() => "0::/\n")),
  file("oom_score", 0o444, oomScore),
  file("oom_adj", 0o644, OOM_ADJ),
  file("oom_score_adj", 0o644, OOM_SCORE_ADJ),
  ...ID_MAPS,
];

function numbered(
  entries: readonly Entry<ProcessRef>[],
): EntryTable<ProcessRef> {
  const table = new EntryTable(entries);
  table.enumerate(FIRST_NUMBER);
  return table;
}

/** 0 is the directory itself. */
const FIRST_NUMBER = 1;

const THREAD_TABLE = numbered([
  ...COMMON,
  file("children", 0o444, living(tidChildren)),
]);

/** /proc/PID/task/TID. */
function threadDirectory(
  home: KernfsHome,
  ref: ProcessRef,
): TableDirectory<ProcessRef> {
  return new TableDirectory(home, ref, THREAD_TABLE, {
    inoBase: ref.ino,
    ino: ref.ino,
    mode: 0o555,
    gone: ESRCH,
  });
}

const PROCESS_TABLE = numbered([
  ...COMMON,
  node(
    "task",
    S_IFDIR | 0o555,
    (home, ref, ino) =>
      new ThreadListDirectory(home, ref, ino, threadDirectory),
  ),
  file("mountstats", 0o400, pidMountstats),
  file("timerslack_ns", 0o666, TIMERSLACK),
]);

/** /proc/PID. */
export function processDirectory(
  home: KernfsHome,
  ref: ProcessRef,
): TableDirectory<ProcessRef> {
  return new TableDirectory(home, ref, PROCESS_TABLE, {
    inoBase: ref.ino,
    ino: ref.ino,
    mode: 0o555,
    gone: ESRCH,
  });
}
