/**
 * What /sys holds: CPUs and memory of the machine, and the empty folders that
 * programs expect to find. Source: sysfs(5).
 * @module
 */
import { directory, file } from "../kernfs/entries.ts";
import type { Entry } from "../kernfs/entry_table.ts";
import { cpuEntries } from "./cpu.ts";
import { nodeEntries } from "./memory_node.ts";
import type { SysRoot } from "./sys_root.ts";

const empty = (name: string): Entry<SysRoot> => directory(name, 0o755, []);

/** The rows of the root directory. */
export function sysEntries(root: SysRoot): readonly Entry<SysRoot>[] {
  return [
    empty("block"),
    empty("bus"),
    directory("class", 0o755, [empty("net")]),
    directory("dev", 0o755, [empty("block"), empty("char")]),
    directory("devices", 0o755, [
      directory("system", 0o755, [
        directory("cpu", 0o755, cpuEntries(root.info)),
        directory("node", 0o755, nodeEntries(root.info)),
      ]),
      empty("virtual"),
    ]),
    empty("firmware"),
    directory("fs", 0o755, [empty("cgroup")]),
    empty("hypervisor"),
    directory("kernel", 0o755, [
      directory("mm", 0o755, [
        directory("transparent_hugepage", 0o755, [
          // The host alone decides on the size of pages.
          file("enabled", 0o444, () => "always madvise [never]\n"),
        ]),
      ]),
    ]),
    empty("module"),
    empty("power"),
  ];
}
