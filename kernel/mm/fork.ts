/**
 * fork(2): a second address space with the same content. Private pages become
 * copy-on-write in both; shared mappings stay shared. Source: fork(2),
 * madvise(2) on MADV_DONTFORK and MADV_WIPEONFORK.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import { PROT_EXEC, PROT_WRITE } from "../abi/mman.ts";
import { provideRange } from "./anonymous.ts";
import { mapCachedPages } from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";
import type { PMA } from "./pma.ts";
import type { AddressRange } from "./range_list.ts";
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
  // The parent flushes anyway, and the child is to know what is mapped.
  parent.submitDeferred();
  // Other threads would go on writing while pages are copied.
  const turn = parent.hot.takeTurn();
  const hot = parent.users === 1 ? turn : [];
  for (const vma of parent.vmas.items) {
    if ((vma.flags & VM_DONTCOPY) !== 0) continue;
    const failure = copyVma(parent, child, vma, hot);
    if (failure !== null) {
      parent.changed();
      return failure;
    }
  }
  child.noteTotal();
  parent.changed();
  parent.flush();
  return null;
}

function copyVma(
  parent: MemoryState,
  child: MemoryState,
  vma: VMA,
  hot: readonly AddressRange[],
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
  if (!vma.isShared) sharePages(parent, child, vma, copy, hot);
  // The child is likely to use the files that the parent used, and text that
  // runs at exit.
  if (vma.mappedEnd !== 0 || (vma.prot & PROT_EXEC) !== 0) {
    mapCachedPages(child, copy, vma.start, vma.end);
  }
  return null;
}

/** Makes the parent's private pages of `vma` copy-on-write and gives the child
 * references on them; hot ones are copied for the child instead. */
function sharePages(
  parent: MemoryState,
  child: MemoryState,
  vma: VMA,
  copy: VMA,
  hot: readonly AddressRange[],
): void {
  const rights = vma.prot & ~PROT_WRITE;
  const isWritable = (vma.prot & PROT_WRITE) !== 0;
  // One request for neighbouring pages that lose the right to write.
  let from = 0;
  let to = 0;
  const protect = (start: number, end: number) => {
    if (start !== to) {
      if (to > from) parent.platformProtect(from, to - from, rights);
      from = start;
    }
    to = end;
  };
  const share = (start: number, end: number, pma: PMA) => {
    if (start === end) return;
    const offset = pma.offsetOf(start);
    parent.file.addReference(offset, end - start);
    if (isWritable && !pma.isCow) protect(start, end);
    parent.pmas.add(start, end, offset, true);
    child.addPages(copy, start, end, offset, true, false);
  };
  for (const pma of parent.pmas.take(vma.start, vma.end)) {
    let at = pma.start;
    for (const range of isWritable ? hot : []) {
      const start = Math.max(at, range.start);
      const end = Math.min(pma.end, range.end);
      if (start >= end) continue;
      if (!copyAhead(child, copy, start, end, pma)) continue;
      share(at, start, pma);
      parent.pmas.add(start, end, pma.offsetOf(start), pma.isCow);
      at = end;
    }
    share(at, pma.end, pma);
  }
  if (to > from) parent.platformProtect(from, to - from, rights);
}

/** Gives the child its own copy of pages; false without memory. */
function copyAhead(
  child: MemoryState,
  vma: VMA,
  start: number,
  end: number,
  source: PMA,
): boolean {
  const target = child.spares.take(start, end, { start, end }, false);
  if (isErrno(target)) return false;
  child.memory.copy(target, source.offsetOf(start), end - start);
  child.addPages(vma, start, end, target, false, true);
  return true;
}
