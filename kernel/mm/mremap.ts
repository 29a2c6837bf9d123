/**
 * mremap(2): shrink, grow in place, or move. Moving copies nothing: the pages
 * keep their place in the memory file and are mapped at the new addresses.
 * @module
 */
import {
  EAGAIN,
  EFAULT,
  EINVAL,
  ENOMEM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import {
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_WRITE,
} from "../abi/mman.ts";
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK } from "../abi/resource.ts";
import { provideRange } from "./anonymous.ts";
import { mapCachedPages } from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";
import { pageAlign, unmapRange } from "./mmap.ts";
import { checkCommit } from "./overcommit.ts";
import { findFree, isFree } from "./placement.ts";
import { VM_LOCKED, VM_SPECIAL, VMA } from "./vma.ts";
import { attach, detach, isData, MAX_MAP_COUNT } from "./vma_set.ts";

const FLAGS = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

export interface RemapRequest {
  readonly addr: number;
  readonly oldLength: number;
  readonly newLength: number;
  /** MREMAP_*. */
  readonly flags: number;
  /** With MREMAP_FIXED: where to; with MREMAP_DONTUNMAP: a hint. */
  readonly newAddr: number;
  /** Exempt from RLIMIT_MEMLOCK. */
  readonly isPrivileged?: boolean;
}

/**
 * mremap(2): the new address. EINVAL: flags, alignment, overlap; EFAULT: the
 * old range is not one mapping; ENOMEM: no room, limits; EAGAIN:
 * RLIMIT_MEMLOCK.
 */
export function remapRegion(
  mm: MemoryState,
  request: RemapRequest,
): number | Errno {
  const { addr, flags, newAddr } = request;
  if ((flags & ~FLAGS) !== 0) return EINVAL;
  const mayMove = (flags & MREMAP_MAYMOVE) !== 0;
  const isFixed = (flags & MREMAP_FIXED) !== 0;
  const keepOld = (flags & MREMAP_DONTUNMAP) !== 0;
  if (isFixed && !mayMove) return EINVAL;
  if (keepOld && !mayMove) return EINVAL;
  if (keepOld && request.oldLength !== request.newLength) return EINVAL;
  if (addr % PAGE_SIZE !== 0) return EINVAL;
  const oldLength = pageAlign(request.oldLength);
  const newLength = pageAlign(request.newLength);
  if (newLength === 0) return EINVAL;
  const vma = mm.vmas.find(addr);
  if (vma === null) return EFAULT;

  if (isFixed || keepOld) {
    if (isFixed) {
      if (newAddr % PAGE_SIZE !== 0) return EINVAL;
      if (newLength > mm.layout.maxAddress) return EINVAL;
      if (newAddr > mm.layout.maxAddress - newLength) return EINVAL;
      if (addr + oldLength > newAddr && newAddr + newLength > addr) {
        return EINVAL;
      }
    }
    if (mm.vmas.count >= MAX_MAP_COUNT - 3) return ENOMEM;
    if (isFixed) {
      if (newAddr < mm.layout.minAddress) return EINVAL;
      const crowded = unmapRange(mm, newAddr, newAddr + newLength);
      if (crowded !== null) return crowded;
    }
    let moved = oldLength;
    if (oldLength > newLength) {
      if (addr + oldLength > mm.layout.maxAddress) return EINVAL;
      const failure = unmapRange(mm, addr + newLength, addr + oldLength);
      if (failure !== null) return failure;
      moved = newLength;
    }
    const current = mm.vmas.find(addr);
    const refused = current === null
      ? EFAULT
      : checkResize(mm, current, request, moved, newLength, keepOld);
    if (refused !== null) return refused;
    const target = isFixed
      ? newAddr
      : findFree(mm, newAddr, newLength, { isLow: false });
    if (isErrno(target)) return target;
    return move(mm, addr, moved, newLength, target, keepOld);
  }

  if (oldLength >= newLength && oldLength > 0) {
    // Shrinking may span several mappings, as munmap(2) may.
    if (oldLength === newLength) return addr;
    if (addr + oldLength > mm.layout.maxAddress) return EINVAL;
    return unmapRange(mm, addr + newLength, addr + oldLength) ?? addr;
  }
  const refused = checkResize(mm, vma, request, oldLength, newLength, false);
  if (refused !== null) return refused;
  const end = addr + newLength;
  if (
    oldLength > 0 && vma.end === addr + oldLength &&
    end <= mm.layout.maxAddress && isFree(mm, vma.end, end)
  ) return growInPlace(mm, vma, addr, end);
  if (!mayMove) return ENOMEM;
  const target = findFree(mm, 0, newLength, { isLow: false });
  if (isErrno(target)) return target;
  return move(mm, addr, oldLength, newLength, target, false);
}

/** Linux's vma_to_resize(). */
function checkResize(
  mm: MemoryState,
  vma: VMA,
  request: RemapRequest,
  oldLength: number,
  newLength: number,
  keepOld: boolean,
): Errno | null {
  // Old length 0 asks for a second view of the same memory.
  if (oldLength === 0 && !vma.isShared) return EINVAL;
  if (keepOld && (vma.flags & VM_SPECIAL) !== 0) return EINVAL;
  if (oldLength > vma.end - request.addr) return EFAULT;
  if (newLength === oldLength && !keepOld) return null;
  if ((vma.flags & VM_SPECIAL) !== 0) return EFAULT;
  const growth = keepOld ? newLength : newLength - oldLength;
  const { soft } = mm.limits;
  if (
    (vma.flags & VM_LOCKED) !== 0 && request.isPrivileged !== true &&
    mm.vmas.locked + growth > soft[RLIMIT_MEMLOCK]!
  ) return EAGAIN;
  if (mm.vmas.total + growth > soft[RLIMIT_AS]!) return ENOMEM;
  if (
    isData(vma.prot, vma.flags) && mm.vmas.data + growth > soft[RLIMIT_DATA]!
  ) return ENOMEM;
  return checkCommit(mm, growth, vma.prot, vma.flags);
}

function growInPlace(
  mm: MemoryState,
  vma: VMA,
  addr: number,
  end: number,
): number | Errno {
  const oldEnd = vma.end;
  mm.vmas.resize(vma, vma.start, end);
  mm.noteTotal();
  mm.changed();
  const failure = fillGrowth(mm, vma, oldEnd, end);
  if (failure !== null) {
    mm.vmas.resize(vma, vma.start, oldEnd);
    return failure;
  }
  mm.vmas.mergeAround(addr, end);
  return addr;
}

function fillGrowth(
  mm: MemoryState,
  vma: VMA,
  start: number,
  end: number,
): Errno | null {
  if (vma.prot === 0) return null;
  if (vma.isAnonymous) {
    return provideRange(mm, vma, start, end, {
      populate: (vma.flags & VM_LOCKED) !== 0,
      side: "above",
    });
  }
  if (vma.isShared || (vma.prot & PROT_WRITE) === 0) {
    mapCachedPages(mm, vma, start, end);
  }
  return null;
}

/** Moves [addr, addr + oldLength) to `target`, with room for `newLength`. */
function move(
  mm: MemoryState,
  addr: number,
  oldLength: number,
  newLength: number,
  target: number,
  keepOld: boolean,
): number | Errno {
  const source = mm.vmas.find(addr)!;
  if (mm.vmas.count >= MAX_MAP_COUNT - 3) return ENOMEM;
  const copy = new VMA(mm, {
    start: target,
    end: target + newLength,
    prot: source.prot,
    maxProt: source.maxProt,
    flags: source.flags,
    mappable: source.mappable,
    fileOffset: source.offsetOf(addr),
    name: source.name,
  });
  const refused = attach(copy);
  if (refused !== null) return refused;
  mm.changed();
  mm.spares.drop(target, target + newLength);
  mm.vmas.insert(copy);

  if (!copy.isShared && oldLength > 0) {
    for (const pma of mm.pmas.take(addr, addr + oldLength)) {
      mm.addPages(
        copy,
        target + (pma.start - addr),
        target + (pma.end - addr),
        pma.offset,
        pma.isCow,
        false,
      );
    }
  }
  const growth = fillGrowth(mm, copy, target + oldLength, copy.end);
  if (growth !== null) {
    moveBack(mm, source, addr, oldLength, copy);
    return growth;
  }
  if (oldLength > 0) {
    // Its private pages have left already, so unmapRange() would find nothing
    // to unmap. With DONTUNMAP, touches fill it with zeros or file pages.
    mm.platformUnmap(addr, oldLength);
    if (!keepOld) unmapRange(mm, addr, addr + oldLength);
  }
  if (!copy.isAnonymous && newLength > 0) {
    const readOnly = (copy.prot & PROT_WRITE) === 0;
    if (copy.prot !== 0 && (copy.isShared || readOnly)) {
      mapCachedPages(mm, copy, target, target + oldLength);
    }
  }
  mm.vmas.mergeAround(target, target + newLength);
  mm.noteTotal();
  return target;
}

/** There was no memory for the new part: everything as it was. */
function moveBack(
  mm: MemoryState,
  source: VMA,
  addr: number,
  oldLength: number,
  copy: VMA,
): void {
  const pages = mm.pmas.take(copy.start, copy.start + oldLength);
  for (const pma of pages) {
    mm.addPages(
      source,
      addr + (pma.start - copy.start),
      addr + (pma.end - copy.start),
      pma.offset,
      pma.isCow,
      false,
    );
  }
  mm.dropPages(copy.start, copy.end);
  const index = mm.vmas.indexAfter(copy.start);
  mm.vmas.remove(index, index + 1);
  detach(copy);
  mm.platformUnmap(copy.start, copy.length);
  mm.settle();
}
