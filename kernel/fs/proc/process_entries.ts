/**
 * What /proc/PID and /proc/PID/task/TID hold. Source: proc(5).
 * @module
 */
import { ESRCH } from "../../abi/errno.ts";
import { S_IFDIR } from "../../abi/stat.ts";
import type { Caller } from "../../vfs/caller.ts";
import { file, node } from "../kernfs/entries.ts";
import { type Entry, EntryTable } from "../kernfs/entry_table.ts";
import type { FileRules } from "../kernfs/generated_file.ts";
import type { KernfsHome } from "../kernfs/kernfs_inode.ts";
import { TableDirectory } from "../kernfs/table_directory.ts";
import { pidAuxv, pidCmdline, pidEnviron } from "./proc_pid_memory.ts";
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

/** Rows that a process and its threads have alike. */
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
  file("environ", 0o400, { read: pidEnviron, refuseOpen: refuseMemory }),
  file("auxv", 0o400, { read: pidAuxv, refuseOpen: refuseMemory }),
  file("status", 0o444, living(pidStatus)),
  file("personality", 0o400, pidPersonality),
  file("limits", 0o444, living(pidLimits)),
  file("comm", 0o644, COMM),
  file("cmdline", 0o444, living(pidCmdline)),
  file("stat", 0o444, living(pidStat)),
  file("statm", 0o444, living(pidStatm)),
  file("maps", 0o444, { read: pidMaps, refuseOpen: refuseMemory }),
  ...PLACE_LINKS,
  file("mounts", 0o444, pidMounts),
  file("mountinfo", 0o444, pidMountinfo),
  file("oom_score", 0o444, oomScore),
  file("oom_adj", 0o644, OOM_ADJ),
  file("oom_score_adj", 0o644, OOM_SCORE_ADJ),
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

const THREAD_TABLE = numbered(COMMON);

/** /proc/PID/task/TID. */
function threadDirectory(
  home: KernfsHome,
  ref: ProcessRef,
): TableDirectory<ProcessRef> {
  return new TableDirectory(home, ref, THREAD_TABLE, {
    inoBase: ref.ino,
    ino: ref.ino,
    mode: 0o555,
  });
}

const PROCESS_TABLE = numbered([
  node(
    "task",
    S_IFDIR | 0o555,
    (home, ref, ino) =>
      new ThreadListDirectory(home, ref, ino, threadDirectory),
  ),
  ...COMMON,
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
  });
}
