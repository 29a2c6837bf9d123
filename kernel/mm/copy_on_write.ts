/**
 * Copying pages before a private write: pages shared since fork(2), and pages
 * of a file mapped privately. A fault costs far more than copying a page, so
 * neighbours are copied along; their offsets come from a reservation for the
 * whole block (offset_spares.ts), so that blocks copied bit by bit still end up
 * contiguous.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE, PROT_WRITE } from "../abi/mman.ts";
import type { MemoryState } from "./memory_state.ts";
import type { PMA } from "./pma.ts";
import type { AddressRange } from "./range_list.ts";
import type { VMA } from "./vma.ts";

/** Bytes copied around a fault: at first, and once it looks sequential. */
const COPY_BYTES = 4 * PAGE_SIZE;
const COPY_BYTES_MANY = 16 * PAGE_SIZE;
/** Regions up to this length are copied as a whole. */
const COPY_BYTES_SMALL = 32 * PAGE_SIZE;
/** PMAs from which on copies become larger. */
const MANY_PIECES = 4096;
/** Block for which offsets are reserved. */
const RESERVE_BYTES = 128 * PAGE_SIZE;
/** Pages looked at when taking back what the other owner left behind. */
const REOWN_PAGES = 16384;

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

/**
 * How much to copy around `page`, within `within`. Scattered copies cut memory
 * into pieces, each a mapping of the host, which bounds their number
 * (vm.max_map_count): the more there are, the larger new ones become.
 */
function copyWindow(
  mm: MemoryState,
  page: number,
  within: AddressRange,
): AddressRange {
  if (within.end - within.start <= COPY_BYTES_SMALL) return within;
  const pieces = mm.pmas.items.length;
  if (pieces > MANY_PIECES) {
    const factor = 2 ** Math.min(9, Math.floor(pieces / MANY_PIECES) + 2);
    return blockAround(page, COPY_BYTES * factor, within);
  }
  const window = blockAround(page, COPY_BYTES, within);
  const before = mm.pmas.find(window.start - 1);
  if (before === null || before.isCow) return window;
  const { start } = window;
  return blockAround(page, COPY_BYTES_MANY, { start, end: within.end });
}

/** The copy-on-write pages around `page` in its VMA, whatever PMAs they are
 * in; looks no further than a small region reaches. */
function cowExtent(mm: MemoryState, vma: VMA, page: number): AddressRange {
  const { items } = mm.pmas;
  const index = mm.pmas.indexAfter(page);
  let { start, end } = items[index]!;
  for (let i = index - 1; i >= 0; i--) {
    const pma = items[i]!;
    if (!pma.isCow || pma.end !== start) break;
    if (page - start > COPY_BYTES_SMALL) break;
    start = pma.start;
  }
  for (let i = index + 1; i < items.length; i++) {
    const pma = items[i]!;
    if (!pma.isCow || pma.start !== end) break;
    if (end - page > COPY_BYTES_SMALL) break;
    end = pma.end;
  }
  return { start: Math.max(start, vma.start), end: Math.min(end, vma.end) };
}

/** Makes the page of a copy-on-write PMA the caller's own, in place if nobody
 * else has it any more. ENOMEM. */
export function breakCow(
  mm: MemoryState,
  vma: VMA,
  pma: PMA,
  page: number,
): Errno | null {
  if (!mm.file.isShared(pma.offsetOf(page))) {
    reownAll(mm, vma, pma, page);
    return null;
  }
  const within = cowExtent(mm, vma, page);
  const { start, end } = copyWindow(mm, page, within);
  const hull = blockAround(page, RESERVE_BYTES, within);
  hull.start = Math.min(hull.start, start);
  hull.end = Math.max(hull.end, end);
  const target = mm.spares.take(start, end, hull, false);
  if (isErrno(target)) return target;
  mm.pmas.forEachIn(start, end, (from, to, part) => {
    mm.memory.copy(target + (from - start), part.offsetOf(from), to - from);
  });
  mm.dropPages(start, end);
  mm.addPages(vma, start, end, target, false, true);
  mm.settle();
  mm.hot.note(start, end);
  return null;
}

/**
 * The page has one reference, ours: whoever shared it is gone. Most likely that
 * holds for everything it shared, so all of it becomes writable again at once.
 */
function reownAll(mm: MemoryState, vma: VMA, pma: PMA, page: number): void {
  reown(mm, vma, page, exclusiveEnd(mm, vma, pma, page));
  let budget = REOWN_PAGES;
  for (const other of mm.vmas.items) {
    if (other.isShared || (other.prot & PROT_WRITE) === 0) continue;
    const runs: AddressRange[] = [];
    mm.pmas.forEachIn(other.start, other.end, (start, end, part) => {
      if (!part.isCow || budget <= 0) return;
      const offset = part.offsetOf(start);
      const own = mm.file.exclusiveRun(offset, end - start);
      budget -= 1 + own / PAGE_SIZE;
      if (own > 0) runs.push({ start, end: start + own });
    });
    for (const { start, end } of runs) reown(mm, other, start, end);
    if (budget <= 0) return;
  }
}

function exclusiveEnd(
  mm: MemoryState,
  vma: VMA,
  pma: PMA,
  page: number,
): number {
  const most = Math.min(pma.end, vma.end) - page;
  return page + mm.file.exclusiveRun(pma.offsetOf(page), most);
}

/** Allows writing again to copy-on-write pages nobody else has. */
function reown(mm: MemoryState, vma: VMA, start: number, end: number): void {
  for (const part of mm.pmas.take(start, end)) {
    mm.pmas.add(part.start, part.end, part.offset, false);
  }
  mm.platformProtect(start, end - start, mm.platformProt(vma, false));
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
