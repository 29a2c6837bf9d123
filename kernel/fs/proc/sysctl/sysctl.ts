/**
 * /proc/sys: the settings of this kernel. Most are facts that nobody can
 * change. Source: proc_sys(5).
 * @module
 */
import { directory } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import type { ProcRoot } from "../proc_root.ts";
import { FS } from "./fs.ts";
import { KERNEL } from "./kernel.ts";
import { NET_SETTINGS } from "./net.ts";
import { VM } from "./vm.ts";

export const SYSCTL: Entry<ProcRoot> = directory("sys", 0o555, [
  FS,
  KERNEL,
  NET_SETTINGS,
  VM,
]);
