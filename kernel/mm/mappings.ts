/**
 * What /proc/pid/maps, smaps, statm and status say about an address space, as
 * plain rows; the text is fs/proc's. Source: proc_pid_maps(5),
 * proc_pid_smaps(5), proc_pid_status(5).
 * @module
 */
import type { MemoryState } from "./memory_state.ts";
import type { ByteString } from "./user_memory.ts";
import type { VMA } from "./vma.ts";

/** A row of /proc/pid/maps. */
export interface MappingRow {
  readonly start: number;
  readonly end: number;
  /** PROT_*. */
  readonly prot: number;
  readonly isShared: boolean;
  /** 0 without a file. */
  readonly fileOffset: number;
  readonly device: number;
  readonly inode: number;
  /** A path, "[heap]" and its kind, or "". */
  readonly name: ByteString;
  /** VM_*, for the VmFlags line of smaps. */
  readonly flags: number;
  // Bytes; upper bounds unless measured: private pages then count from when
  // they were reserved, not from when they were touched.
  /** Private pages that only this address space has. */
  readonly privateBytes: number;
  /** Private pages shared with another address space since fork. */
  readonly cowBytes: number;
  /** The hull of file pages that were mapped. */
  readonly fileBytes: number;
}

/** Whether to ask the host which private pages were touched. */
export interface MappingOptions {
  readonly isMeasured: boolean;
}

/** All mappings, in order of address. */
export function mappingRows(
  mm: MemoryState,
  options: MappingOptions,
): readonly MappingRow[] {
  return mm.vmas.items.map((vma) => rowOf(mm, vma, options));
}

function rowOf(
  mm: MemoryState,
  vma: VMA,
  { isMeasured }: MappingOptions,
): MappingRow {
  let privateBytes = 0;
  let cowBytes = 0;
  mm.pmas.forEachIn(vma.start, vma.end, (start, end, pma) => {
    const bytes = isMeasured
      ? mm.memory.residentBytes(pma.offsetOf(start), end - start)
      : end - start;
    if (pma.isCow) cowBytes += bytes;
    else privateBytes += bytes;
  });
  const { mappable } = vma;
  const fileBytes = Math.max(
    0,
    Math.min(vma.end, vma.mappedEnd) - Math.max(vma.start, vma.mappedStart),
  );
  return {
    start: vma.start,
    end: vma.end,
    prot: vma.prot,
    isShared: vma.isShared,
    fileOffset: mappable === null ? 0 : vma.fileOffset,
    device: mappable?.mapDevice ?? 0,
    inode: mappable?.mapInode ?? 0,
    name: nameOf(mm, vma),
    flags: vma.flags,
    privateBytes,
    cowBytes,
    fileBytes,
  };
}

function nameOf(mm: MemoryState, vma: VMA): ByteString {
  if (vma.name !== null) return vma.name;
  if (vma.mappable !== null) return vma.mappable.mapName;
  const isHeap = vma.start < mm.brk && vma.end > mm.brkStart;
  return isHeap ? "[heap]" : "";
}

/** Sizes in bytes for /proc/pid/statm and status. */
export interface MemoryTotals {
  readonly totalBytes: number;
  readonly peakTotalBytes: number;
  /** Private pages that were touched. */
  readonly residentBytes: number;
  /** Private pages reserved: an upper bound. */
  readonly peakResidentBytes: number;
  readonly dataBytes: number;
  readonly stackBytes: number;
  readonly execBytes: number;
  readonly lockedBytes: number;
}

export function memoryTotals(mm: MemoryState): MemoryTotals {
  const { vmas } = mm;
  let residentBytes = 0;
  for (const { start, end, offset } of mm.pmas.items) {
    residentBytes += mm.memory.residentBytes(offset, end - start);
  }
  return {
    totalBytes: vmas.total,
    peakTotalBytes: Math.max(mm.peakTotal, vmas.total),
    residentBytes,
    peakResidentBytes: Math.max(mm.peakResident, mm.pmas.total),
    dataBytes: vmas.data,
    stackBytes: vmas.stack,
    execBytes: vmas.exec,
    lockedBytes: vmas.locked,
  };
}
