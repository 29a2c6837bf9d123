/**
 * /proc/PID/maps and the header lines of smaps. Source: proc_pid_maps(5).
 * @module
 */
import { major, minor } from "../../abi/dev.ts";
import { type Errno, ESRCH } from "../../abi/errno.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import type { MappingRow } from "../../mm/mappings.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import { checkTraceAccess } from "./access.ts";
import { escape, hex } from "./format.ts";
import type { ProcessRef } from "./process_ref.ts";

/** Where names begin. */
const NAME_COLUMN = 73;

/** The row of one mapping, without a newline. */
export function mapsRow(mapping: MappingRow): ByteString {
  const { prot, device } = mapping;
  const rights = (prot & PROT_READ ? "r" : "-") +
    (prot & PROT_WRITE ? "w" : "-") + (prot & PROT_EXEC ? "x" : "-") +
    (mapping.isShared ? "s" : "p");
  const row = `${hex(mapping.start, 8)}-${hex(mapping.end, 8)} ${rights} ` +
    `${hex(mapping.fileOffset, 8)} ` +
    `${hex(major(device), 2)}:${hex(minor(device), 2)} ${mapping.inode} `;
  const name = escape(mapping.name, "\n");
  return name === "" ? row : row.padEnd(NAME_COLUMN) + name;
}

/** Opening maps and its kin needs the right to trace. EACCES, ESRCH. */
export function refuseMemory(
  ref: ProcessRef,
  _flags: number,
  caller: Caller,
): Errno | null {
  if (!ref.isCurrent) return ESRCH;
  return checkTraceAccess(caller, ref.task);
}

export function pidMaps(ref: ProcessRef): ByteString {
  const { memory } = ref;
  if (memory === null) return "";
  const rows: string[] = [];
  for (const mapping of memory.mappings({ isMeasured: false })) {
    rows.push(mapsRow(mapping));
  }
  rows.push("");
  return rows.join("\n");
}
