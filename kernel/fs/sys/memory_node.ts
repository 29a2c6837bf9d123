/**
 * /sys/devices/system/node: one node that has all CPUs and all memory. Source:
 * Documentation/ABI/stable/sysfs-devices-node.
 * @module
 */
import type { HostInfo } from "../../host.ts";
import { cpuList, cpuMask } from "../kernfs/cpu_mask.ts";
import { directory, file, link } from "../kernfs/entries.ts";
import type { Entry } from "../kernfs/entry_table.ts";
import { line } from "./cpu.ts";
import type { SysRoot } from "./sys_root.ts";

/** The node's distance to itself (numa(7)). */
const LOCAL_DISTANCE = 10;

function meminfo({ info, memory }: SysRoot): string {
  const total = info.memoryBytes;
  const used = Math.min(total, memory.residentBytes(0, memory.size));
  const row = (name: string, bytes: number) =>
    `Node 0 ${`${name}:`.padEnd(15)} ` +
    `${`${Math.floor(bytes / 1024)}`.padStart(8)} kB\n`;
  return row("MemTotal", total) + row("MemFree", total - used) +
    row("MemUsed", used);
}

/** The rows of the directory. */
export function nodeEntries(info: HostInfo): readonly Entry<SysRoot>[] {
  const count = info.cpuCount;
  const cpus: Entry<SysRoot>[] = [];
  for (let cpu = 0; cpu < count; cpu++) {
    cpus.push(link(`cpu${cpu}`, `../../cpu/cpu${cpu}`));
  }
  return [
    line("has_cpu", 0),
    line("has_memory", 0),
    line("has_normal_memory", 0),
    directory("node0", 0o755, [
      ...cpus,
      line("cpulist", cpuList(count, null)),
      line("cpumap", cpuMask(count, null)),
      line("distance", LOCAL_DISTANCE),
      file("meminfo", 0o444, meminfo),
    ]),
    line("online", 0),
    line("possible", 0),
  ];
}
