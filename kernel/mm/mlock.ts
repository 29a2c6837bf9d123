/**
 * mlock(2) and its family. Memory is never swapped, so locking is accounting
 * and bringing pages in.
 * @module
 */
import { EAGAIN, EINVAL, ENOMEM, EPERM, type Errno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { RLIMIT_MEMLOCK } from "../abi/resource.ts";
import { FaultCode } from "./fault.ts";
import type { MemoryState } from "./memory_state.ts";
import { pageAlign } from "./mmap.ts";
import { populateRange } from "./populate.ts";
import { VM_LOCKED, VM_LOCKONFAULT, VM_SPECIAL } from "./vma.ts";
import { MAX_MAP_COUNT } from "./vma_set.ts";

const LOCK_FLAGS = VM_LOCKED | VM_LOCKONFAULT;

export interface LockOptions {
  /** Lock pages as they are touched; do not bring them in. */
  readonly onFault: boolean;
  /** CAP_IPC_LOCK: no RLIMIT_MEMLOCK. */
  readonly isPrivileged: boolean;
}

/** mlock(2), mlock2(2). EPERM, ENOMEM (limit, unmapped part), EAGAIN (some
 * pages could not be brought in). */
export function lockRange(
  mm: MemoryState,
  addr: number,
  length: number,
  options: LockOptions,
): Errno | null {
  const limit = mm.limits.soft[RLIMIT_MEMLOCK]!;
  if (!options.isPrivileged && limit === 0) return EPERM;
  const start = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
  const end = pageAlign(addr + length);
  if (!options.isPrivileged) {
    const growth = end - start - lockedIn(mm, start, end);
    if (mm.vmas.locked + growth > limit) return ENOMEM;
  }
  const flags = options.onFault ? LOCK_FLAGS : VM_LOCKED;
  const failure = setLockFlags(mm, start, end, flags);
  if (failure !== null || options.onFault) return failure;
  return lockPages(mm, start, end);
}

/** munlock(2). ENOMEM: part of the range is not mapped; EINVAL. */
export function unlockRange(
  mm: MemoryState,
  addr: number,
  length: number,
): Errno | null {
  const start = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
  return setLockFlags(mm, start, pageAlign(addr + length), 0);
}

/** mlockall(2): what is mapped, and what will be. EPERM, ENOMEM. */
export function lockAll(
  mm: MemoryState,
  which: { readonly current: boolean; readonly future: boolean },
  options: LockOptions,
): Errno | null {
  const limit = mm.limits.soft[RLIMIT_MEMLOCK]!;
  if (!options.isPrivileged) {
    if (limit === 0) return EPERM;
    if (which.current && mm.vmas.total > limit) return ENOMEM;
  }
  const flags = options.onFault ? LOCK_FLAGS : VM_LOCKED;
  mm.defaultFlags = which.future ? flags : 0;
  if (!which.current) return null;
  for (const vma of mm.vmas.items) {
    mm.vmas.forget(vma);
    vma.flags = (vma.flags & ~LOCK_FLAGS) |
      ((vma.flags & VM_SPECIAL) === 0 ? flags : 0);
    mm.vmas.tally(vma);
  }
  mm.vmas.mergeAround(0, Infinity);
  if (options.onFault) return null;
  // What cannot be brought in (guard pages, ends of files) does not matter.
  for (const vma of [...mm.vmas.items]) {
    populateRange(mm, vma.start, vma.end, { forWrite: false });
  }
  return null;
}

/** munlockall(2). */
export function unlockAll(mm: MemoryState): void {
  mm.defaultFlags = 0;
  for (const vma of mm.vmas.items) {
    mm.vmas.forget(vma);
    vma.flags &= ~LOCK_FLAGS;
    mm.vmas.tally(vma);
  }
  mm.vmas.mergeAround(0, Infinity);
}

function lockedIn(mm: MemoryState, start: number, end: number): number {
  let bytes = 0;
  for (let i = mm.vmas.indexAfter(start); i < mm.vmas.count; i++) {
    const vma = mm.vmas.items[i]!;
    if (vma.start >= end) break;
    if ((vma.flags & VM_LOCKED) === 0) continue;
    bytes += Math.min(end, vma.end) - Math.max(start, vma.start);
  }
  return bytes;
}

function setLockFlags(
  mm: MemoryState,
  start: number,
  end: number,
  flags: number,
): Errno | null {
  if (end < start) return EINVAL;
  if (start === end) return null;
  const { vmas } = mm;
  const mapped = vmas.mappedUpTo(start, end);
  if (vmas.count + 2 > MAX_MAP_COUNT) return ENOMEM;
  if (mapped > start) {
    const { from, to } = vmas.isolate(start, mapped);
    for (let i = from; i < to; i++) {
      const vma = vmas.items[i]!;
      if ((vma.flags & VM_SPECIAL) !== 0) continue;
      vmas.forget(vma);
      vma.flags = (vma.flags & ~LOCK_FLAGS) | flags;
      vmas.tally(vma);
    }
    vmas.mergeAround(start, mapped);
  }
  return mapped < end ? ENOMEM : null;
}

function lockPages(
  mm: MemoryState,
  start: number,
  end: number,
): Errno | null {
  switch (populateRange(mm, start, end, { forWrite: false })) {
    case FaultCode.Ok:
      return null;
    case FaultCode.Bus:
      return EAGAIN;
    default:
      return ENOMEM;
  }
}
