/**
 * Free runs of memory-file pages in size classes, with boundary tags in the
 * page words of the memory file: freeing merges with both neighbours in
 * constant time, taking looks at a handful of entries.
 *
 * Bins are stacks with lazy deletion: an entry counts only if the word at its
 * page still announces a free extent of this kind and class, so that merging
 * never has to search a bin.
 * @module
 */

/** Page words at or above this are tags of free extents, not references. */
export const FREE_TAG = 0x80000000;
/** The extent's pages hold old content. */
const STALE_BIT = 0x40000000;
/** Last page of an extent of more than one page. */
const TAIL_BIT = 0x20000000;
/** Pages of the extent; longer ones stay split. */
const LENGTH_MASK = 0x1fffffff;
/** Entries looked at in the class where a fit is possible but not certain. */
const FIT_TRIES = 8;
const CLASSES = 30;

/** One word per page: a count of references, or the tag of a free extent. */
export interface PageWords {
  word(page: number): number;
  setWord(page: number, value: number): void;
}

/** The size class of a run of `count` pages: floor(log2(count)). */
function classOf(count: number): number {
  return 31 - Math.clz32(count);
}

/** The free extents of one kind: pages that read as zero, or stale ones. */
export class FreeExtents {
  readonly #words: PageWords;
  readonly #kind: number;
  readonly #bins: number[][] = [];
  /** Bin length at which dead entries are thrown out. */
  readonly #binLimits: number[] = [];
  /** Pages in all extents. */
  pages = 0;
  /** Length in pages of the extent that takeLargest() returned. */
  takenLength = 0;

  constructor(words: PageWords, kind: "zero" | "stale") {
    this.#words = words;
    this.#kind = kind === "stale" ? STALE_BIT : 0;
    for (let i = 0; i < CLASSES; i++) {
      this.#bins.push([]);
      this.#binLimits.push(64);
    }
  }

  /** Frees a run, merged with its free neighbours of this kind. */
  add(page: number, count: number): void {
    if (page > 0) {
      const before = this.#words.word(page - 1);
      if (this.#isMine(before)) {
        const length = before & LENGTH_MASK;
        const isEnd = (before & TAIL_BIT) !== 0 || length === 1;
        if (isEnd && length + count <= LENGTH_MASK) {
          this.#remove(page - length, length);
          page -= length;
          count += length;
        }
      }
    }
    const after = this.#words.word(page + count);
    if (this.#isMine(after) && (after & TAIL_BIT) === 0) {
      const length = after & LENGTH_MASK;
      if (length + count <= LENGTH_MASK) {
        this.#remove(page + count, length);
        count += length;
      }
    }
    this.#insert(page, count);
  }

  /** Takes `count` pages out; their first page, or -1. */
  take(count: number): number {
    let sizeClass = classOf(count);
    let tries = FIT_TRIES;
    for (; sizeClass < CLASSES; sizeClass++) {
      const bin = this.#bins[sizeClass]!;
      for (let i = bin.length - 1; i >= 0 && tries > 0; i--) {
        const page = bin[i]!;
        const length = this.#headLength(page, sizeClass);
        if (length === 0) {
          bin[i] = bin[bin.length - 1]!;
          bin.pop();
          continue;
        }
        if (length < count) {
          tries--;
          continue;
        }
        bin[i] = bin[bin.length - 1]!;
        bin.pop();
        this.#remove(page, length);
        if (length > count) this.#insert(page + count, length - count);
        return page;
      }
      tries = FIT_TRIES;
    }
    return -1;
  }

  /** Takes a whole extent of the highest class in use; -1 if there is none.
   * `takenLength` is its length. */
  takeLargest(): number {
    for (let sizeClass = CLASSES - 1; sizeClass >= 0; sizeClass--) {
      const bin = this.#bins[sizeClass]!;
      while (bin.length > 0) {
        const page = bin.pop()!;
        const length = this.#headLength(page, sizeClass);
        if (length === 0) continue;
        this.#remove(page, length);
        this.takenLength = length;
        return page;
      }
    }
    return -1;
  }

  /** Takes the extent that ends before page `end`; its length, 0 if none. */
  takeEndingAt(end: number): number {
    const before = this.#words.word(end - 1);
    if (!this.#isMine(before)) return 0;
    const length = before & LENGTH_MASK;
    if ((before & TAIL_BIT) === 0 && length !== 1) return 0;
    this.#remove(end - length, length);
    return length;
  }

  /** Length of the extent that begins at `page`, 0 if none does. */
  lengthAt(page: number): number {
    const word = this.#words.word(page);
    if (!this.#isMine(word) || (word & TAIL_BIT) !== 0) return 0;
    return word & LENGTH_MASK;
  }

  #isMine(word: number): boolean {
    return word >= FREE_TAG && (word & STALE_BIT) === this.#kind;
  }

  #headLength(page: number, sizeClass: number): number {
    const length = this.lengthAt(page);
    return length !== 0 && classOf(length) === sizeClass ? length : 0;
  }

  #insert(page: number, count: number): void {
    const tag = FREE_TAG + this.#kind + count;
    this.#words.setWord(page, tag);
    if (count > 1) this.#words.setWord(page + count - 1, tag + TAIL_BIT);
    this.pages += count;
    const sizeClass = classOf(count);
    const bin = this.#bins[sizeClass]!;
    bin.push(page);
    if (bin.length > this.#binLimits[sizeClass]!) this.#compact(sizeClass);
  }

  #remove(page: number, count: number): void {
    this.#words.setWord(page, 0);
    this.#words.setWord(page + count - 1, 0);
    this.pages -= count;
  }

  /** Drops dead and double entries; the doubling limit amortises it. */
  #compact(sizeClass: number): void {
    const live = new Set<number>();
    for (const page of this.#bins[sizeClass]!) {
      if (this.#headLength(page, sizeClass) !== 0) live.add(page);
    }
    this.#bins[sizeClass] = [...live];
    this.#binLimits[sizeClass] = 64 + 2 * live.size;
  }
}
