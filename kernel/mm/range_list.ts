/**
 * RangeList: disjoint address ranges in order, found by binary search, with the
 * last hit remembered because accesses cluster.
 * @module
 */

export interface AddressRange {
  start: number;
  end: number;
}

export class RangeList<T extends AddressRange> {
  /** In ascending order, disjoint. Change it through insertAt and removeAt. */
  readonly items: T[] = [];
  #hint = 0;

  /** Index of the first range that ends after `addr`; items.length if none. */
  indexAfter(addr: number): number {
    const items = this.items;
    const hinted = items[this.#hint];
    if (hinted !== undefined && addr >= hinted.start && addr < hinted.end) {
      return this.#hint;
    }
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (items[middle]!.end <= addr) low = middle + 1;
      else high = middle;
    }
    this.#hint = low;
    return low;
  }

  /** The range that contains `addr`. */
  find(addr: number): T | null {
    const item = this.items[this.indexAfter(addr)];
    return item !== undefined && item.start <= addr ? item : null;
  }

  /** Whether any range overlaps [start, end). */
  overlaps(start: number, end: number): boolean {
    const item = this.items[this.indexAfter(start)];
    return item !== undefined && item.start < end;
  }

  /** The part of the free space around `addr`, within [start, end), that no
   * range covers. Precondition: no range contains `addr`. */
  gapAround(addr: number, start: number, end: number): AddressRange {
    const index = this.indexAfter(addr);
    const before = this.items[index - 1];
    const after = this.items[index];
    return {
      start: before === undefined ? start : Math.max(start, before.end),
      end: after === undefined ? end : Math.min(end, after.start),
    };
  }

  insertAt(index: number, item: T): void {
    this.items.splice(index, 0, item);
  }

  /** Adds a range at its place. Precondition: it overlaps none. */
  insert(item: T): number {
    const index = this.indexAfter(item.start);
    this.items.splice(index, 0, item);
    return index;
  }

  removeAt(index: number, count: number): T[] {
    return this.items.splice(index, count);
  }
}
