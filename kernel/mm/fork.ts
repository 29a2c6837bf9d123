/**
 * fork(2): a second address space with the same content. Private pages become
 * copy-on-write in both; shared mappings stay shared. Source: fork(2),
 * madvise(2) on MADV_DONTFORK and MADV_WIPEONFORK.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import { PROT_WRITE } from "../abi/mman.ts";
import { provideRange } from "./anonymous.ts";
import { mapCachedPages } from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";
import type { PMA } from "./pma.ts";
import {
  VM_DONTCOPY,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_WIPEONFORK,
  VMA,
} from "./vma.ts";
import { attach } from "./vma_set.ts";

/**
 * Fills the empty `child` from `parent`. ENOMEM, or the refusal of a file; the
 * child then holds a part and must be released. Flushes the parent, so that
 * none of its threads writes to pages the child sees.
 */
export function forkInto(
  parent: MemoryState,
  child: MemoryState,
): Errno | null {
  child.brkStart = parent.brkStart;
  child.brk = parent.brk;
  for (const vma of parent.vmas.items) {
    if ((vma.flags & VM_DONTCOPY) !== 0) continue;
    const failure = copyVma(parent, child, vma);
    if (failure !== null) {
      parent.changed();
      return failure;
    }
  }
  child.noteTotal();
  parent.changed();
  parent.addressSpace.flush();
  return null;
}

function copyVma(
  parent: MemoryState,
  child: MemoryState,
  vma: VMA,
): Errno | null {
  const copy = new VMA(child, {
    start: vma.start,
    end: vma.end,
    prot: vma.prot,
    maxProt: vma.maxProt,
    // Locks are not inherited.
    flags: vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT),
    mappable: vma.mappable,
    fileOffset: vma.fileOffset,
    name: vma.name,
  });
  const refused = attach(copy);
  if (refused !== null) return refused;
  child.vmas.insert(copy);
  if ((vma.flags & VM_WIPEONFORK) !== 0) {
    if (copy.prot === 0) return null;
    return provideRange(child, copy, copy.start, copy.end, {
      populate: false,
      side: "none",
    });
  }
  if (!vma.isShared) sharePages(parent, child, vma, copy);
  if (vma.mappedEnd !== 0) {
    // What the parent used of the file the child is likely to use.
    const from = Math.max(vma.start, vma.mappedStart);
    const to = Math.min(vma.end, vma.mappedEnd);
    if (from < to) mapCachedPages(child, copy, from, to);
  }
  return null;
}

/** Makes the parent's private pages of `vma` copy-on-write and gives the child
 * references on them. */
function sharePages(
  parent: MemoryState,
  child: MemoryState,
  vma: VMA,
  copy: VMA,
): void {
  const rights = vma.prot & ~PROT_WRITE;
  const isWritable = (vma.prot & PROT_WRITE) !== 0;
  const pages: PMA[] = parent.pmas.take(vma.start, vma.end);
  // One request for neighbouring pages that lose the right to write.
  let from = 0;
  let to = 0;
  for (const pma of pages) {
    const length = pma.end - pma.start;
    parent.file.addReference(pma.offset, length);
    if (isWritable && !pma.isCow) {
      if (pma.start !== to) {
        if (to > from) parent.addressSpace.protect(from, to - from, rights);
        from = pma.start;
      }
      to = pma.end;
    }
    parent.pmas.add(pma.start, pma.end, pma.offset, true);
  }
  if (to > from) parent.addressSpace.protect(from, to - from, rights);
  // Requests of the child are made after merging, hence fewer.
  parent.pmas.forEachIn(vma.start, vma.end, (start, end, pma) => {
    child.addPages(copy, start, end, pma.offsetOf(start), true, false);
  });
}
