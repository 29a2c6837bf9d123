/**
 * mmap(2) and munmap(2): making and removing VMAs. Checks of descriptors and
 * access modes are the system call's (syscalls/sys_mm.ts).
 * @module
 */
import {
  EAGAIN,
  EEXIST,
  EINVAL,
  ENOMEM,
  EPERM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import {
  MAP_32BIT,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_TYPE,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../abi/mman.ts";
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK } from "../abi/resource.ts";
import { provideRange } from "./anonymous.ts";
import { mapCachedPages } from "./fault.ts";
import type { Mappable } from "./mappable.ts";
import type { MemoryState } from "./memory_state.ts";
import { checkCommit } from "./overcommit.ts";
import { findFree } from "./placement.ts";
import { populateRange } from "./populate.ts";
import { SharedMemory } from "./shared_memory.ts";
import {
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_NORESERVE,
  VM_SHARED,
  VMA,
} from "./vma.ts";
import { attach, detach, isData, MAX_MAP_COUNT } from "./vma_set.ts";

export const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;

/** Device and inode numbers of anonymous shared memory in /proc/pid/maps. */
const SHMEM_DEVICE = 1;

export interface MapRequest {
  /** Bytes; a hint unless MAP_FIXED or MAP_FIXED_NOREPLACE. */
  readonly addr: number;
  readonly length: number;
  readonly prot: number;
  /** MAP_*. */
  readonly flags: number;
  /** The file; null for anonymous memory. */
  readonly mappable: Mappable | null;
  /** Byte offset in the file, a page multiple. */
  readonly offset: number;
  /** What mprotect(2) may grant later; default everything. */
  readonly maxProt?: number;
  /** Reported once the address was found: the file refuses such a mapping. */
  readonly refusal?: Errno | null;
  /** "[stack]", "[vdso]" and their kind. */
  readonly name?: string;
  /** VM_* besides those that follow from `flags`. */
  readonly vmFlags?: number;
  /** Exempt from RLIMIT_MEMLOCK and mmap_min_addr (capabilities). */
  readonly isPrivileged?: boolean;
}

/** Bytes rounded up to whole pages. */
export function pageAlign(length: number): number {
  return Math.ceil(length / PAGE_SIZE) * PAGE_SIZE;
}

/**
 * mmap(2): the address. EINVAL, ENOMEM (limits, no room), EEXIST
 * (MAP_FIXED_NOREPLACE), EPERM (below mmap_min_addr), EAGAIN (RLIMIT_MEMLOCK).
 */
export function mapRegion(
  mm: MemoryState,
  request: MapRequest,
): number | Errno {
  if (request.length === 0) return EINVAL;
  const length = pageAlign(request.length);
  if (length > mm.layout.maxAddress) return ENOMEM;
  const { flags } = request;
  const isFixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  const start = isFixed
    ? checkFixed(mm, request, length)
    : findFree(mm, request.addr, length, { isLow: (flags & MAP_32BIT) !== 0 });
  if (isErrno(start)) return start;
  if (request.refusal) return request.refusal;

  const end = start + length;
  const isShared = (flags & MAP_TYPE) !== MAP_PRIVATE;
  let vmFlags = (request.vmFlags ?? 0) | mm.defaultFlags;
  if (isShared) vmFlags |= VM_SHARED;
  if ((flags & MAP_GROWSDOWN) !== 0) vmFlags |= VM_GROWSDOWN;
  if ((flags & MAP_NORESERVE) !== 0) vmFlags |= VM_NORESERVE;
  if ((flags & MAP_LOCKED) !== 0) vmFlags |= VM_LOCKED;
  const refused = checkLimits(mm, request, start, end, vmFlags);
  if (refused !== null) return refused;

  const mappable = request.mappable ??
    (isShared
      ? new SharedMemory(
        mm.file,
        length,
        "/dev/zero (deleted)",
        SHMEM_DEVICE,
        mm.file.nextObjectId(),
      )
      : null);
  const vma = new VMA(mm, {
    start,
    end,
    prot: request.prot & PROT_ALL,
    maxProt: request.maxProt ?? PROT_ALL,
    flags: vmFlags,
    mappable,
    fileOffset: mappable === null ? 0 : request.offset,
    name: request.name ?? null,
  });
  // The last step that the file can refuse, before anything changes.
  const unwilling = attach(vma);
  if (unwilling !== null) return unwilling;
  const crowded = isFixed ? unmapRange(mm, start, end) : null;
  if (crowded !== null) {
    detach(vma);
    return crowded;
  }
  mm.vmas.insert(vma);
  mm.vmas.mergeAround(start, end);
  mm.noteTotal();
  mm.changed();
  const failure = providePages(mm, start, end, flags);
  if (failure !== null) {
    unmapRange(mm, start, end);
    return failure;
  }
  return start;
}

function checkFixed(
  mm: MemoryState,
  request: MapRequest,
  length: number,
): number | Errno {
  const { addr, flags } = request;
  const { minAddress, maxAddress } = mm.layout;
  if (addr > maxAddress - length) return ENOMEM;
  if (addr % PAGE_SIZE !== 0) return EINVAL;
  if (addr < minAddress) return EPERM;
  if (
    (flags & MAP_FIXED_NOREPLACE) !== 0 &&
    mm.vmas.overlaps(addr, addr + length)
  ) return EEXIST;
  return addr;
}

function checkLimits(
  mm: MemoryState,
  request: MapRequest,
  start: number,
  end: number,
  vmFlags: number,
): Errno | null {
  const { vmas } = mm;
  if (vmas.count >= MAX_MAP_COUNT) return ENOMEM;
  const { soft } = mm.limits;
  const length = end - start;
  if ((vmFlags & VM_LOCKED) !== 0 && request.isPrivileged !== true) {
    if (soft[RLIMIT_MEMLOCK] === 0) return EPERM;
    if (vmas.locked + length > soft[RLIMIT_MEMLOCK]!) return EAGAIN;
  }
  // What is replaced does not count twice.
  let replaced = 0;
  let replacedData = 0;
  for (let i = vmas.indexAfter(start); i < vmas.count; i++) {
    const vma = vmas.items[i]!;
    if (vma.start >= end) break;
    const bytes = Math.min(end, vma.end) - Math.max(start, vma.start);
    replaced += bytes;
    if (isData(vma.prot, vma.flags)) replacedData += bytes;
  }
  if (vmas.total - replaced + length > soft[RLIMIT_AS]!) return ENOMEM;
  if (
    isData(request.prot, vmFlags) &&
    vmas.data - replacedData + length > soft[RLIMIT_DATA]!
  ) return ENOMEM;
  return checkCommit(mm, length, request.prot, vmFlags);
}

/** Brings in what the new mapping should have from the start. */
function providePages(
  mm: MemoryState,
  start: number,
  end: number,
  flags: number,
): Errno | null {
  const vma = mm.vmas.find(start)!;
  if (vma.prot === 0) return null;
  const populate = (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE ||
    (vma.flags & VM_LOCKED) !== 0;
  if (vma.isAnonymous) {
    // At a fixed place it is part of something larger (a program's bss), not
    // memory that was asked for because it is used next.
    const isPart = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
    return provideRange(mm, vma, start, end, {
      populate,
      side: "below",
      isLater: isPart && !populate,
    });
  }
  if (populate) populateRange(mm, start, end, { forWrite: false });
  // Private data will be written, hence copied: let the write fault do it.
  else if (vma.isShared || (vma.prot & PROT_WRITE) === 0) {
    mapCachedPages(mm, vma, start, end);
  }
  return null;
}

/** munmap(2) of whole pages; nothing happens where nothing is mapped. ENOMEM:
 * a VMA would have to be split beyond vm.max_map_count. */
export function unmapRange(
  mm: MemoryState,
  start: number,
  end: number,
): Errno | null {
  const { vmas } = mm;
  if (!vmas.overlaps(start, end)) return null;
  if (vmas.count + vmas.cutsOf(start, end) > MAX_MAP_COUNT) return ENOMEM;
  const { from, to } = vmas.isolate(start, end);
  mm.cutDeferred(start, end);
  const isInPlatform = mm.pmas.overlaps(start, end) ||
    vmas.items.slice(from, to).some((vma) => vma.mayHaveMapped(start, end));
  mm.dropVmas(from, to);
  mm.dropPages(start, end);
  mm.spares.drop(start, end);
  if (isInPlatform) mm.platformUnmap(start, end - start);
  mm.settle();
  return null;
}
