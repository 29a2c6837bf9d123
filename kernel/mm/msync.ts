/**
 * msync(2): what guests wrote to shared mappings reaches the file.
 * @module
 */
import { EBUSY, EINVAL, ENOMEM, type Errno } from "../abi/errno.ts";
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC, PAGE_SIZE } from "../abi/mman.ts";
import type { MemoryState } from "./memory_state.ts";
import { pageAlign } from "./mmap.ts";
import { VM_LOCKED } from "./vma.ts";

/**
 * msync(2): writes what shared mappings changed. EINVAL: flags, alignment;
 * ENOMEM: part of the range is not mapped; EBUSY: MS_INVALIDATE of locked
 * memory; EIO.
 */
export function syncRange(
  mm: MemoryState,
  addr: number,
  length: number,
  flags: number,
): Errno | null {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return EINVAL;
  if (addr % PAGE_SIZE !== 0) return EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return EINVAL;
  const end = addr + pageAlign(length);
  if (end > 2 ** 64) return ENOMEM;
  let at = addr;
  let isGap = false;
  while (at < end) {
    const vma = mm.vmas.items[mm.vmas.indexAfter(at)];
    if (vma === undefined || vma.start >= end) return ENOMEM;
    if (vma.start > at) {
      isGap = true;
      at = vma.start;
    }
    const isLocked = (vma.flags & VM_LOCKED) !== 0;
    if ((flags & MS_INVALIDATE) !== 0 && isLocked) return EBUSY;
    const to = Math.min(end, vma.end);
    if ((flags & MS_SYNC) !== 0 && vma.isShared && vma.mappable !== null) {
      const failure = vma.mappable.sync(vma.offsetOf(at), to - at);
      if (failure !== null) return failure;
    }
    at = to;
  }
  return isGap ? ENOMEM : null;
}
