/**
 * /proc/sys: the settings of this kernel. Most are facts that nobody can
 * change. Source: proc_sys(5).
 * @module
 */
import { directory } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import type { ProcRoot } from "../proc_root.ts";
import { KERNEL } from "./kernel.ts";

export const SYSCTL: Entry<ProcRoot> = directory("sys", 0o555, [
  KERNEL,
]);
