/**
 * /sys/devices/system/cpu. As /proc/cpuinfo has it, the CPUs are cores of one
 * package without hyper-threads. Source:
 * Documentation/admin-guide/cputopology.rst.
 * @module
 */
import type { HostInfo } from "../../host.ts";
import { directory, file, link } from "../kernfs/entries.ts";
import type { Entry } from "../kernfs/entry_table.ts";
import { cpuList, cpuMask } from "../kernfs/cpu_mask.ts";
import type { SysRoot } from "./sys_root.ts";

/** CONFIG_NR_CPUS less one. */
const KERNEL_MAX = 8191;

/** A line that never changes. */
export function line(name: string, value: string | number): Entry<SysRoot> {
  return file(name, 0o444, () => `${value}\n`);
}

/** A mask with just one CPU in it. */
function only(cpu: number): Uint8Array {
  const bits = new Uint8Array((cpu >> 3) + 1);
  bits[cpu >> 3] = 1 << (cpu & 7);
  return bits;
}

function topology(cpu: number, count: number): Entry<SysRoot> {
  const all = cpuMask(count, null);
  const allList = cpuList(count, null);
  const own = cpuMask(count, only(cpu));
  return directory("topology", 0o755, [
    line("cluster_cpus", own),
    line("cluster_cpus_list", cpu),
    line("cluster_id", 65535),
    line("core_cpus", own),
    line("core_cpus_list", cpu),
    line("core_id", cpu),
    line("core_siblings", all),
    line("core_siblings_list", allList),
    line("die_cpus", all),
    line("die_cpus_list", allList),
    line("die_id", 0),
    line("package_cpus", all),
    line("package_cpus_list", allList),
    line("physical_package_id", 0),
    line("thread_siblings", own),
    line("thread_siblings_list", cpu),
  ]);
}

/** The rows of the directory. */
export function cpuEntries(info: HostInfo): readonly Entry<SysRoot>[] {
  const count = info.cpuCount;
  const all = cpuList(count, null);
  const rows: Entry<SysRoot>[] = [];
  for (let cpu = 0; cpu < count; cpu++) {
    rows.push(directory(`cpu${cpu}`, 0o755, [
      link("node0", "../../node/node0"),
      topology(cpu, count),
    ]));
  }
  rows.push(
    line("isolated", ""),
    line("kernel_max", KERNEL_MAX),
    line("offline", ""),
    line("online", all),
    line("possible", all),
    line("present", all),
  );
  return rows;
}
