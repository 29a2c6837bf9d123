/**
 * What /proc holds besides processes. Source: proc(5).
 * @module
 */
import { EIO, ENOENT } from "../../abi/errno.ts";
import { directory, file, link } from "../kernfs/entries.ts";
import { type Entry, EntryTable } from "../kernfs/entry_table.ts";
import type { FileRules } from "../kernfs/generated_file.ts";
import type { ProcRoot } from "./proc_root.ts";
import { SYSCTL } from "./sysctl/sysctl.ts";
import { loadavg, stat, uptime } from "./system/cpu_times.ts";
import { cpuinfo } from "./system/cpuinfo.ts";
import { devices, interrupts, ttyDrivers } from "./system/devices.ts";
import { filesystems } from "./system/filesystems.ts";
import { meminfo, vmstat } from "./system/meminfo.ts";
import { version } from "./system/version.ts";

/** A file that everybody may read and nobody write. */
function fact(
  name: string,
  read: FileRules<ProcRoot>["read"],
): Entry<ProcRoot> {
  return file(name, 0o444, { read, unwritable: EIO });
}

const EMPTY = (): string => "";

export const ROOT_TABLE: EntryTable<ProcRoot> = new EntryTable<ProcRoot>([
  fact("cgroups", () => "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
  fact("cmdline", () => "\n"),
  fact("cpuinfo", ({ kernel }) => cpuinfo(kernel.host.info)),
  fact("devices", devices),
  fact("diskstats", EMPTY),
  fact("execdomains", () => "0-0\tLinux           \t[kernel]\n"),
  fact("filesystems", ({ kernel }) => filesystems(kernel)),
  fact("interrupts", ({ kernel }) => interrupts(kernel.host.info.cpuCount)),
  fact("loadavg", loadavg),
  fact("meminfo", meminfo),
  fact("misc", EMPTY),
  fact("modules", EMPTY),
  link("mounts", "self/mounts"),
  link("net", "self/net"),
  fact("partitions", EMPTY),
  fact("stat", stat),
  fact("swaps", () => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
  SYSCTL,
  directory("tty", 0o555, [fact("drivers", ttyDrivers)]),
  fact("uptime", uptime),
  fact("version", version),
  fact("vmstat", vmstat),
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
