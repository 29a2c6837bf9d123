/**
 * madvise(2): what changes content (DONTNEED, REMOVE, POPULATE), what changes
 * flags (DONTFORK, ...), and what is only advice.
 * @module
 */
import {
  EACCES,
  EBUSY,
  EFAULT,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  type Errno,
} from "../abi/errno.ts";
import {
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_UNMERGEABLE,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
  PAGE_SIZE,
  PROT_WRITE,
} from "../abi/mman.ts";
import { provideRange } from "./anonymous.ts";
import { FaultCode } from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";
import { pageAlign } from "./mmap.ts";
import { populateRange } from "./populate.ts";
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SPECIAL,
  VM_WIPEONFORK,
  type VMA,
} from "./vma.ts";
import { MAX_MAP_COUNT } from "./vma_set.ts";

/** Freed runs shorter than this keep their pages after MADV_FREE. */
const FREE_MIN_BYTES = 16 * PAGE_SIZE;
/** Private runs up to this length are zeroed rather than punched out. */
const ZERO_MAX_BYTES = 2 * PAGE_SIZE;

const ADVICE: ReadonlySet<number> = new Set([
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_DOFORK,
  MADV_MERGEABLE,
  MADV_UNMERGEABLE,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_DONTDUMP,
  MADV_DODUMP,
  MADV_WIPEONFORK,
  MADV_KEEPONFORK,
  MADV_COLD,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
]);

/**
 * madvise(2). EINVAL: unknown or impossible advice, alignment; ENOMEM: part of
 * the range is not mapped (the rest was served); EACCES, EFAULT by the advice.
 */
export function advise(
  mm: MemoryState,
  addr: number,
  lengthBytes: number,
  advice: number,
): Errno | null {
  // No huge pages to collapse into: what a kernel without them answers.
  if (!ADVICE.has(advice) || advice === MADV_COLLAPSE) return EINVAL;
  if (addr % PAGE_SIZE !== 0) return EINVAL;
  const length = pageAlign(lengthBytes);
  const end = addr + length;
  if (end > 2 ** 64) return EINVAL;
  if (length === 0) return null;
  if (advice === MADV_POPULATE_READ || advice === MADV_POPULATE_WRITE) {
    return populate(mm, addr, end, advice === MADV_POPULATE_WRITE);
  }
  mm.changed();
  let isGap = false;
  let at = addr;
  let failure: Errno | null = null;
  while (at < end) {
    const vma = mm.vmas.items[mm.vmas.indexAfter(at)];
    if (vma === undefined || vma.start >= end) {
      isGap = true;
      break;
    }
    if (vma.start > at) {
      isGap = true;
      at = vma.start;
    }
    const to = Math.min(end, vma.end);
    failure = adviseVma(mm, vma, at, to, advice);
    if (failure !== null) break;
    at = to;
  }
  mm.settle();
  mm.vmas.mergeAround(addr, Math.min(at, end));
  return failure ?? (isGap ? ENOMEM : null);
}

function populate(
  mm: MemoryState,
  start: number,
  end: number,
  forWrite: boolean,
): Errno | null {
  switch (populateRange(mm, start, end, { forWrite })) {
    case FaultCode.Ok:
      return null;
    case FaultCode.Unmapped:
      return ENOMEM;
    case FaultCode.Forbidden:
      return EINVAL;
    case FaultCode.Bus:
      return EFAULT;
  }
}

function adviseVma(
  mm: MemoryState,
  vma: VMA,
  start: number,
  end: number,
  advice: number,
): Errno | null {
  switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
      if ((vma.flags & VM_LOCKED) !== 0 && advice === MADV_DONTNEED) {
        return EINVAL;
      }
      return dontNeed(mm, vma, start, end);
    case MADV_FREE:
      if (!vma.isAnonymous) return EINVAL;
      if (end - start < FREE_MIN_BYTES) return null;
      return dontNeed(mm, vma, start, end);
    case MADV_REMOVE:
      return remove(vma, start, end);
    case MADV_WILLNEED:
      vma.mappable?.prefetch?.(vma.offsetOf(start), end - start);
      return null;
    case MADV_COLD:
    case MADV_PAGEOUT:
      return null;
    default:
      return changeFlags(mm, vma, start, end, advice);
  }
}

/** Forgets content: zeros, or the file's, from now on. */
function dontNeed(
  mm: MemoryState,
  vma: VMA,
  start: number,
  end: number,
): Errno | null {
  // The content of shared mappings lives in the object.
  if (vma.isShared) return null;
  const { file } = mm;
  const shared: [number, number][] = [];
  mm.pmas.forEachIn(start, end, (from, to, pma) => {
    for (let at = from; at < to;) {
      const offset = pma.offsetOf(at);
      const own = vma.isAnonymous ? file.exclusiveRun(offset, to - at) : 0;
      if (own === 0) {
        shared.push([at, at + PAGE_SIZE]);
        at += PAGE_SIZE;
        continue;
      }
      // Nobody else has these: they stay mapped, and read as zero.
      if (own <= ZERO_MAX_BYTES) mm.memory.zero(offset, own);
      else mm.memory.punch(offset, own);
      at += own;
    }
  });
  if (shared.length === 0) return null;
  for (const [from, to] of joined(shared)) {
    mm.dropPages(from, to);
    mm.platformUnmap(from, to - from);
    if (!vma.isAnonymous || vma.prot === 0) continue;
    const failure = provideRange(mm, vma, from, to, {
      populate: false,
      side: "none",
    });
    if (failure !== null) return failure;
  }
  return null;
}

function joined(ranges: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = result[result.length - 1];
    if (last !== undefined && last[1] === from) last[1] = to;
    else result.push([from, to]);
  }
  return result;
}

/** MADV_REMOVE: a hole in the shared object behind the mapping. */
function remove(vma: VMA, start: number, end: number): Errno | null {
  if ((vma.flags & VM_LOCKED) !== 0) return EINVAL;
  if (vma.mappable === null) return EINVAL;
  if (!vma.isShared || (vma.prot & PROT_WRITE) === 0) return EACCES;
  if (vma.mappable.punch === undefined) return EOPNOTSUPP;
  return vma.mappable.punch(vma.offsetOf(start), end - start);
}

function changeFlags(
  mm: MemoryState,
  whole: VMA,
  start: number,
  end: number,
  advice: number,
): Errno | null {
  const flags = newFlags(whole, advice);
  if (typeof flags !== "number") return flags;
  if (flags === whole.flags) return null;
  if (mm.vmas.count + 2 > MAX_MAP_COUNT) return EBUSY;
  mm.vmas.splitAt(start);
  mm.vmas.splitAt(end);
  mm.vmas.find(start)!.flags = flags;
  return null;
}

function newFlags(vma: VMA, advice: number): number | Errno {
  const { flags } = vma;
  const isSpecial = (flags & VM_SPECIAL) !== 0;
  switch (advice) {
    case MADV_NORMAL:
      return flags & ~(VM_RAND_READ | VM_SEQ_READ);
    case MADV_SEQUENTIAL:
      return (flags & ~VM_RAND_READ) | VM_SEQ_READ;
    case MADV_RANDOM:
      return (flags & ~VM_SEQ_READ) | VM_RAND_READ;
    case MADV_DONTFORK:
      return flags | VM_DONTCOPY;
    case MADV_DOFORK:
      return isSpecial ? EINVAL : flags & ~VM_DONTCOPY;
    case MADV_WIPEONFORK:
      return vma.isAnonymous ? flags | VM_WIPEONFORK : EINVAL;
    case MADV_KEEPONFORK:
      return flags & ~VM_WIPEONFORK;
    case MADV_DONTDUMP:
      return flags | VM_DONTDUMP;
    case MADV_DODUMP:
      return isSpecial ? EINVAL : flags & ~VM_DONTDUMP;
    case MADV_MERGEABLE:
      return vma.isShared ? flags : flags | VM_MERGEABLE;
    case MADV_UNMERGEABLE:
      return flags & ~VM_MERGEABLE;
    case MADV_HUGEPAGE:
      return (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
    default:
      return (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
  }
}
