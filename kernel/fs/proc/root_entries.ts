/**
 * What /proc holds besides processes. Source: proc(5).
 * @module
 */
import { EIO, ENOENT } from "../../abi/errno.ts";
import { file, link } from "../kernfs/entries.ts";
import { type Entry, EntryTable } from "../kernfs/entry_table.ts";
import type { FileRules } from "../kernfs/generated_file.ts";
import type { ProcRoot } from "./proc_root.ts";
import { SYSCTL } from "./sysctl/sysctl.ts";
import { runningCount, stat, uptime } from "./system/cpu_times.ts";
import { cpuinfo } from "./system/cpuinfo.ts";
import { filesystems } from "./system/filesystems.ts";
import { meminfo } from "./system/meminfo.ts";
import { version } from "./system/version.ts";

/** A file that everybody may read and nobody write. */
function fact(
  name: string,
  read: FileRules<ProcRoot>["read"],
): Entry<ProcRoot> {
  return file(name, 0o444, { read, unwritable: EIO });
}

function loadavg(root: ProcRoot): string {
  const { namespace } = root;
  return `0.00 0.00 0.00 ${runningCount(root)}/${namespace.taskCount} ` +
    `${namespace.lastPid}\n`;
}

export const ROOT_TABLE: EntryTable<ProcRoot> = new EntryTable<ProcRoot>([
  fact("cmdline", () => "\n"),
  fact("cpuinfo", ({ kernel }) => cpuinfo(kernel.host.info)),
  fact("filesystems", ({ kernel }) => filesystems(kernel)),
  fact("loadavg", loadavg),
  fact("meminfo", ({ kernel }) => meminfo(kernel)),
  link("mounts", "self/mounts"),
  fact("stat", stat),
  fact("uptime", uptime),
  fact("version", version),
  SYSCTL,
  link("self", (root, caller) => {
    const task = root.callerTask(caller);
    return task === null ? ENOENT : `${task.threadGroup.pid}`;
  }),
  link("thread-self", (root, caller) => {
    const task = root.callerTask(caller);
    if (task === null) return ENOENT;
    return `${task.threadGroup.pid}/task/${task.tid}`;
  }),
]);
// 1 is /proc itself.
ROOT_TABLE.enumerate(1);
