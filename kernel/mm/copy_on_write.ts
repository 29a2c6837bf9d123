/**
 * Copying pages before a private write: pages shared since fork(2), and pages
 * of a file mapped privately. A fault costs far more than copying a page, so
 * neighbours are copied along; their offsets come from a reservation for the
 * whole block (offset_spares.ts), so that blocks copied bit by bit still end up
 * contiguous.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { MemoryState } from "./memory_state.ts";
import type { PMA } from "./pma.ts";
import type { AddressRange } from "./range_list.ts";
import type { VMA } from "./vma.ts";

/** Pages copied around a fault: at first, and once copying looks sequential or
 * the region is no longer than that. */
const COPY_BYTES = 4 * PAGE_SIZE;
const COPY_BYTES_MANY = 16 * PAGE_SIZE;
/** Block for which offsets are reserved. */
const RESERVE_BYTES = 128 * PAGE_SIZE;
/** Pages taken back in one go when the other owner is gone. */
const REOWN_BYTES = 2048 * PAGE_SIZE;

/** The block of `size` bytes around `page`, cut to `within`. */
function blockAround(
  page: number,
  size: number,
  within: AddressRange,
): AddressRange {
  const start = Math.floor(page / size) * size;
  return {
    start: Math.max(within.start, start),
    end: Math.min(within.end, start + size),
  };
}

/** How much to copy around `page`, within `within`. */
function copyWindow(
  mm: MemoryState,
  page: number,
  within: AddressRange,
): AddressRange {
  if (within.end - within.start <= COPY_BYTES_MANY) return within;
  const window = blockAround(page, COPY_BYTES, within);
  const before = mm.pmas.find(window.start - 1);
  return before !== null && !before.isCow
    ? blockAround(page, COPY_BYTES_MANY, {
      start: window.start,
      end: within.end,
    })
    : window;
}

/** Makes the page of a copy-on-write PMA the caller's own, in place if nobody
 * else has it any more. ENOMEM. */
export function breakCow(
  mm: MemoryState,
  vma: VMA,
  pma: PMA,
  page: number,
): Errno | null {
  const within = {
    start: Math.max(pma.start, vma.start),
    end: Math.min(pma.end, vma.end),
  };
  if (!mm.file.isShared(pma.offsetOf(page))) {
    reown(mm, vma, pma, page, within);
    return null;
  }
  const window = copyWindow(mm, page, within);
  const hull = blockAround(page, RESERVE_BYTES, within);
  hull.start = Math.min(hull.start, window.start);
  hull.end = Math.max(hull.end, window.end);
  const { start, end } = window;
  const target = mm.spares.take(start, end, hull, false);
  if (isErrno(target)) return target;
  mm.memory.copy(target, pma.offsetOf(start), end - start);
  mm.dropPages(start, end);
  mm.addPages(vma, start, end, target, false, true);
  mm.settle();
  return null;
}

/** The pages around `page` have one reference, ours: allow writing again. */
function reown(
  mm: MemoryState,
  vma: VMA,
  pma: PMA,
  page: number,
  within: AddressRange,
): void {
  const floor = Math.max(within.start, page - REOWN_BYTES);
  let start = page;
  while (
    start > floor && !mm.file.isShared(pma.offsetOf(start - PAGE_SIZE))
  ) start -= PAGE_SIZE;
  const ceiling = Math.min(within.end, page + REOWN_BYTES);
  const end = page + mm.file.exclusiveRun(pma.offsetOf(page), ceiling - page);
  for (const part of mm.pmas.take(start, end)) {
    mm.pmas.add(part.start, part.end, part.offset, false);
  }
  mm.addressSpace.protect(start, end - start, mm.platformProt(vma, false));
  mm.changed();
}

/** Gives a privately mapped file page a private copy. EFAULT: past the end of
 * the file; EIO, ENOMEM. */
export function copyFromFile(
  mm: MemoryState,
  vma: VMA,
  page: number,
): Errno | null {
  const mappable = vma.mappable!;
  const gap = mm.pmas.gapAround(page, vma.start, vma.end);
  let { start, end } = copyWindow(mm, page, gap);
  const { translation } = mm;
  let failure = mappable.translate(
    vma.offsetOf(start),
    end - start,
    false,
    translation,
  );
  if (failure !== null || start + translation.length <= page) {
    start = page;
    failure = mappable.translate(
      vma.offsetOf(start),
      end - start,
      false,
      translation,
    );
    if (failure !== null) return failure;
  }
  end = Math.min(end, start + translation.length);
  const source = translation.offset;
  const hull = blockAround(page, RESERVE_BYTES, gap);
  hull.start = Math.min(hull.start, start);
  hull.end = Math.max(hull.end, end);
  const target = mm.spares.take(start, end, hull, false);
  if (isErrno(target)) return target;
  mm.memory.copy(target, source, end - start);
  mm.addPages(vma, start, end, target, false, true);
  return null;
}
