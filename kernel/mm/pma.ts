/**
 * PMA: private pages of an address space, a range of guest addresses with its
 * place in the memory file. A PMA holds one reference on each of its pages.
 *
 * `isCow`: the pages may be shared with another address space since fork(2):
 * the platform maps them read-only and a write copies them first, unless the
 * reference turns out to be the last.
 *
 * Invariant: pages of a PMA are always mapped in the platform, with the rights
 * of their VMA (less PROT_WRITE if isCow), so that changing rights is a protect
 * request and needs no knowledge of what was touched.
 * @module
 */
import { type AddressRange, RangeList } from "./range_list.ts";

export class PMA implements AddressRange {
  constructor(
    public start: number,
    public end: number,
    /** Memory-file offset of `start`. */
    public offset: number,
    public isCow: boolean,
  ) {}

  offsetOf(addr: number): number {
    return this.offset + (addr - this.start);
  }
}

export class PmaSet extends RangeList<PMA> {
  /** Bytes in all PMAs. */
  total = 0;

  /** Adds private pages, as part of a neighbour where they continue it. */
  add(start: number, end: number, offset: number, isCow: boolean): void {
    this.total += end - start;
    const index = this.indexAfter(start);
    const before = this.items[index - 1];
    const after = this.items[index];
    const joinsAfter = after !== undefined && after.start === end &&
      after.isCow === isCow && after.offset === offset + (end - start);
    if (
      before !== undefined && before.end === start &&
      before.isCow === isCow && before.offsetOf(start) === offset
    ) {
      before.end = end;
      if (joinsAfter) {
        before.end = after.end;
        this.removeAt(index, 1);
      }
    } else if (joinsAfter) {
      after.start = start;
      after.offset = offset;
    } else {
      this.insertAt(index, new PMA(start, end, offset, isCow));
    }
  }

  #splitAt(addr: number): void {
    const index = this.indexAfter(addr);
    const pma = this.items[index];
    if (pma === undefined || pma.start >= addr) return;
    this.insertAt(
      index + 1,
      new PMA(addr, pma.end, pma.offsetOf(addr), pma.isCow),
    );
    pma.end = addr;
  }

  /** Cuts at both ends of [start, end) and takes out what lies between; the
   * references are the caller's now. */
  take(start: number, end: number): PMA[] {
    const first = this.items[this.indexAfter(start)];
    if (first === undefined || first.start >= end) return [];
    this.#splitAt(start);
    this.#splitAt(end);
    const from = this.indexAfter(start);
    let to = from;
    while (to < this.items.length && this.items[to]!.start < end) {
      this.total -= this.items[to]!.end - this.items[to]!.start;
      to++;
    }
    return this.removeAt(from, to - from);
  }

  /** Visits the parts of PMAs in [start, end). `visit` must not change the
   * set. */
  forEachIn(
    start: number,
    end: number,
    visit: (start: number, end: number, pma: PMA) => void,
  ): void {
    for (let i = this.indexAfter(start); i < this.items.length; i++) {
      const pma = this.items[i]!;
      if (pma.start >= end) return;
      visit(Math.max(start, pma.start), Math.min(end, pma.end), pma);
    }
  }

  /** Visits the parts of [start, end) that no PMA covers. */
  forEachGap(
    start: number,
    end: number,
    visit: (start: number, end: number) => void,
  ): void {
    let at = start;
    let i = this.indexAfter(start);
    while (at < end) {
      const pma = this.items[i++];
      if (pma === undefined || pma.start >= end) {
        visit(at, end);
        return;
      }
      if (pma.start > at) visit(at, pma.start);
      at = pma.end;
    }
  }

  /** Bytes of PMAs in [start, end). */
  bytesIn(start: number, end: number): number {
    let bytes = 0;
    this.forEachIn(start, end, (from, to) => {
      bytes += to - from;
    });
    return bytes;
  }
}
