/**
 * mincore(2): which pages are in memory.
 * @module
 */
import { ENOMEM, type Errno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { MemoryState } from "./memory_state.ts";
import type { PMA } from "./pma.ts";

/**
 * mincore(2): whether each page from `addr` on is in memory, a byte each into
 * `into`. ENOMEM: one of them is not mapped.
 */
export function residency(
  mm: MemoryState,
  addr: number,
  into: Uint8Array,
): Errno | null {
  const end = addr + into.length * PAGE_SIZE;
  if (mm.vmas.mappedUpTo(addr, end) < end) return ENOMEM;
  into.fill(0);
  let at = addr;
  while (at < end) {
    const vma = mm.vmas.find(at)!;
    const to = Math.min(end, vma.end);
    const mark = (from: number, until: number) => {
      into.fill(1, (from - addr) / PAGE_SIZE, (until - addr) / PAGE_SIZE);
    };
    mm.pmas.forEachIn(at, to, (from, until, pma) => {
      markTouched(mm, from, until, pma, mark);
    });
    const { mappable } = vma;
    if (mappable?.translateCached !== undefined) {
      mm.pmas.forEachGap(at, to, (from, until) => {
        let page = from;
        while (page < until) {
          const isCached = mappable.translateCached!(
            vma.offsetOf(page),
            until - page,
            mm.translation,
          );
          const length = isCached
            ? Math.min(until - page, mm.translation.length)
            : PAGE_SIZE;
          if (isCached) mark(page, page + length);
          page += length;
        }
      });
    }
    at = to;
  }
  return null;
}

/** Marks the pages of [start, end) that were ever touched: halves the range
 * until a part is all there, or not at all. */
function markTouched(
  mm: MemoryState,
  start: number,
  end: number,
  pma: PMA,
  mark: (start: number, end: number) => void,
): void {
  const length = end - start;
  const bytes = mm.memory.residentBytes(pma.offsetOf(start), length);
  if (bytes === 0) return;
  if (bytes === length) {
    mark(start, end);
    return;
  }
  const pages = length / PAGE_SIZE;
  const middle = start + Math.floor(pages / 2) * PAGE_SIZE;
  markTouched(mm, start, middle, pma, mark);
  markTouched(mm, middle, end, pma, mark);
}
