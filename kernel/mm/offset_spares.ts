/**
 * OffsetSpares: offsets of the memory file reserved for guest addresses that
 * have no pages yet. What is likely to come next (heap growth, the stack, the
 * rest of a region being copied page by page) finds its offsets waiting and
 * becomes the continuation of its neighbour: one PMA here, one mapping in the
 * host, instead of one per fault.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import type { MemoryFile } from "./memory_file.ts";
import { type AddressRange, RangeList } from "./range_list.ts";

interface Spare extends AddressRange {
  start: number;
  end: number;
  /** Memory-file offset of `start`. */
  offset: number;
  /** The pages read as zero. */
  readonly isZero: boolean;
}

/** Kept per address space; the oldest go first. */
const MAX_SPARES = 32;

export class OffsetSpares {
  readonly #file: MemoryFile;
  readonly #list = new RangeList<Spare>();
  /** In order of arrival, for eviction. */
  #ages: Spare[] = [];

  constructor(file: MemoryFile) {
    this.#file = file;
  }

  /**
   * Offsets, each page with a reference, for [start, end): from a spare, else
   * new ones for `hull`, which contains it, the rest becoming a spare.
   * `isZeroed`: the pages read as zero; else their content is anything. ENOMEM.
   */
  take(
    start: number,
    end: number,
    hull: AddressRange,
    isZeroed: boolean,
  ): number | Errno {
    const spare = this.#list.find(start);
    if (spare !== null && spare.end >= end) {
      return this.#carve(spare, start, end, isZeroed);
    }
    if (this.#list.overlaps(start, end)) this.drop(start, end);
    const room = this.#list.gapAround(start, hull.start, hull.end);
    if (room.end < end) room.end = end;
    let offset = this.#file.allocate(room.end - room.start, { isZeroed });
    if (isErrno(offset)) {
      // Nothing to spare, then.
      room.start = start;
      room.end = end;
      offset = this.#file.allocate(end - start, { isZeroed });
      if (isErrno(offset)) return offset;
    }
    if (room.start < start) {
      this.#add(room.start, start, offset, isZeroed);
    }
    const at = offset + (start - room.start);
    if (end < room.end) {
      this.#add(end, room.end, at + (end - start), isZeroed);
    }
    return at;
  }

  /** Bytes from `start` on that one spare holds; 0 if none does. */
  available(start: number): number {
    const spare = this.#list.find(start);
    return spare === null ? 0 : spare.end - start;
  }

  /** Releases spares of [start, end): other memory goes there. */
  drop(start: number, end: number): void {
    if (this.#ages.length === 0) return;
    let index = this.#list.indexAfter(start);
    while (true) {
      const spare = this.#list.items[index];
      if (spare === undefined || spare.start >= end) return;
      const { start: from, end: to, offset, isZero } = spare;
      this.#list.removeAt(index, 1);
      this.#ages.splice(this.#ages.indexOf(spare), 1);
      const cutStart = Math.max(from, start);
      const cutEnd = Math.min(to, end);
      this.#release(offset + (cutStart - from), cutEnd - cutStart, isZero);
      if (from < start) this.#add(from, start, offset, isZero);
      if (to > end) this.#add(end, to, offset + (end - from), isZero);
      index = this.#list.indexAfter(start);
    }
  }

  clear(): void {
    for (const spare of this.#ages) {
      this.#release(spare.offset, spare.end - spare.start, spare.isZero);
    }
    this.#list.removeAt(0, this.#list.items.length);
    this.#ages = [];
  }

  #carve(
    spare: Spare,
    start: number,
    end: number,
    isZeroed: boolean,
  ): number {
    const { end: to, isZero } = spare;
    const offset = spare.offset + (start - spare.start);
    const length = end - start;
    if (start > spare.start) {
      spare.end = start;
      if (to > end) this.#add(end, to, offset + length, isZero);
    } else if (to > end) {
      spare.start = end;
      spare.offset += length;
    } else {
      this.#list.removeAt(this.#list.indexAfter(start), 1);
      this.#ages.splice(this.#ages.indexOf(spare), 1);
    }
    if (isZeroed && !isZero) this.#file.memory.zero(offset, length);
    return offset;
  }

  #add(start: number, end: number, offset: number, isZero: boolean): void {
    const spare: Spare = { start, end, offset, isZero };
    this.#list.insert(spare);
    this.#ages.push(spare);
    if (this.#ages.length > MAX_SPARES) {
      const oldest = this.#ages.shift()!;
      this.#list.removeAt(this.#list.indexAfter(oldest.start), 1);
      this.#release(oldest.offset, oldest.end - oldest.start, oldest.isZero);
    }
  }

  #release(offset: number, length: number, isZero: boolean): void {
    // Pages of unknown content rejoin their copied neighbours as stale pages,
    // so that the next copy of such a region finds them in one piece.
    if (isZero) this.#file.releaseUntouched(offset, length);
    else this.#file.release(offset, length);
  }
}
