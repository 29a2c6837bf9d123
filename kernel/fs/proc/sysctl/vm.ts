/**
 * /proc/sys/vm. Source: proc_sys_vm(5).
 * @module
 */
import { MMAP_MIN_ADDR } from "../../../mm/address_layout.ts";
import { MAX_MAP_COUNT } from "../../../mm/vma_set.ts";
import { directory } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import type { ProcRoot } from "../proc_root.ts";
import { constant } from "./setting.ts";

/** Memory is promised without counting: the host has the last word. */
const OVERCOMMIT_ALWAYS = 1;

export const VM: Entry<ProcRoot> = directory("vm", 0o555, [
  constant("max_map_count", MAX_MAP_COUNT),
  constant("mmap_min_addr", MMAP_MIN_ADDR),
  constant("overcommit_kbytes", 0),
  constant("overcommit_memory", OVERCOMMIT_ALWAYS),
  constant("overcommit_ratio", 50),
  constant("swappiness", 0),
]);
