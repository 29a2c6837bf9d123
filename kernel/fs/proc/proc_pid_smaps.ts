/**
 * /proc/PID/smaps and smaps_rollup. Which pages were referenced or are dirty
 * is the host's knowledge: private pages count as dirty, file pages as clean.
 * Source: proc_pid_smaps(5).
 * @module
 */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import type { MappingRow } from "../../mm/mappings.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_GROWSDOWN,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_WIPEONFORK,
} from "../../mm/vma.ts";
import { hex, kilobytes } from "./format.ts";
import { mapsRow } from "./proc_pid_maps.ts";
import type { ProcessRef } from "./process_ref.ts";

const PAGE_BYTES = 4096;

/** Two-letter names of what VmFlags shows, in Linux's order. */
const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [VM_GROWSDOWN, "gd"],
  [VM_LOCKED, "lo"],
  [VM_SEQ_READ, "sr"],
  [VM_RAND_READ, "rr"],
  [VM_DONTCOPY, "dc"],
  [VM_NORESERVE, "nr"],
  [VM_WIPEONFORK, "wf"],
  [VM_DONTDUMP, "dd"],
  [VM_HUGEPAGE, "hg"],
  [VM_NOHUGEPAGE, "nh"],
  [VM_MERGEABLE, "mg"],
];

function flagNames({ prot, flags, isShared }: MappingRow): string {
  let text = "";
  if ((prot & PROT_READ) !== 0) text += "rd ";
  if ((prot & PROT_WRITE) !== 0) text += "wr ";
  if ((prot & PROT_EXEC) !== 0) text += "ex ";
  if (isShared) text += "sh ";
  // A shared mapping of a file that is open for reading stays read-only.
  const mayWrite = !isShared || (prot & PROT_WRITE) !== 0;
  text += mayWrite ? "mr mw me " : "mr me ";
  if (isShared) text += "ms ";
  for (const [flag, name] of FLAG_NAMES) {
    if ((flags & flag) !== 0) text += `${name} `;
  }
  return text;
}

/** Bytes by what happened to them. */
interface Usage {
  sizeBytes: number;
  /** Private to this address space. */
  privateBytes: number;
  /** Shared with another one since fork. */
  cowBytes: number;
  /** Seen through the file, by anybody who maps it. */
  fileBytes: number;
  lockedBytes: number;
}

function usageOf(row: MappingRow): Usage {
  const sizeBytes = row.end - row.start;
  const { privateBytes, cowBytes } = row;
  // The hull of file pages may have private copies in it.
  const fileBytes = Math.max(0, row.fileBytes - privateBytes - cowBytes);
  const isLocked = (row.flags & VM_LOCKED) !== 0;
  const lockedBytes = isLocked ? privateBytes + cowBytes + fileBytes : 0;
  return { sizeBytes, privateBytes, cowBytes, fileBytes, lockedBytes };
}

function counters(usage: Usage): string {
  const { privateBytes, cowBytes, fileBytes, lockedBytes } = usage;
  const rss = privateBytes + cowBytes + fileBytes;
  // Shared pages have at least two users.
  const pss = privateBytes + (cowBytes + fileBytes) / 2;
  const row = (name: string, bytes: number) =>
    kilobytes(`${name}:`.padEnd(16), bytes);
  return row("Rss", rss) +
    row("Pss", pss) +
    row("Pss_Dirty", privateBytes + cowBytes / 2) +
    row("Shared_Clean", fileBytes) +
    row("Shared_Dirty", cowBytes) +
    row("Private_Clean", 0) +
    row("Private_Dirty", privateBytes) +
    row("Referenced", rss) +
    row("Anonymous", privateBytes + cowBytes) +
    row("KSM", 0) +
    row("LazyFree", 0) +
    row("AnonHugePages", 0) +
    row("ShmemPmdMapped", 0) +
    row("FilePmdMapped", 0) +
    row("Shared_Hugetlb", 0) +
    row("Private_Hugetlb", 0) +
    row("Swap", 0) +
    row("SwapPss", 0) +
    row("Locked", lockedBytes);
}

export function pidSmaps(ref: ProcessRef): ByteString {
  const { memory } = ref;
  if (memory === null) return "";
  const parts: string[] = [];
  for (const row of memory.mappings({ isMeasured: true })) {
    const usage = usageOf(row);
    parts.push(
      `${mapsRow(row)}\n`,
      kilobytes("Size:           ", usage.sizeBytes),
      kilobytes("KernelPageSize: ", PAGE_BYTES),
      kilobytes("MMUPageSize:    ", PAGE_BYTES),
      counters(usage),
      "THPeligible:           0\n",
      `VmFlags: ${flagNames(row)}\n`,
    );
  }
  return parts.join("");
}

export function pidSmapsRollup(ref: ProcessRef): ByteString {
  const rows = ref.memory?.mappings({ isMeasured: true }) ?? [];
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return "";
  const sum: Usage = {
    sizeBytes: 0,
    privateBytes: 0,
    cowBytes: 0,
    fileBytes: 0,
    lockedBytes: 0,
  };
  for (const row of rows) {
    const usage = usageOf(row);
    sum.privateBytes += usage.privateBytes;
    sum.cowBytes += usage.cowBytes;
    sum.fileBytes += usage.fileBytes;
    sum.lockedBytes += usage.lockedBytes;
  }
  const range = `${hex(first.start, 8)}-${hex(last.end, 8)} `;
  return `${`${range}---p 00000000 00:00 0 `.padEnd(73)}[rollup]\n` +
    counters(sum);
}
