/**
 * FilePages: which pages of a file are in memory, where, and which of them are
 * dirty. Sparse: chunks of 64 pages, so that a file of 2^63 bytes with one page
 * costs one chunk. Knows neither files nor guests; page_cache.ts does.
 * @module
 */
import { PAGE_SIZE } from "../abi/mman.ts";

/** Pages per chunk; the dirty bits are two words of 32. */
const CHUNK = 64;

class Chunk {
  /** Memory-file page numbers; 0: absent. */
  readonly pages = new Uint32Array(CHUNK);
  readonly dirty = new Uint32Array(2);
  count = 0;
}

export class FilePages {
  readonly #chunks = new Map<number, Chunk>();
  #lastKey = -1;
  #last: Chunk | null = null;
  /** Pages present. */
  count = 0;

  #chunk(key: number): Chunk | null {
    if (key === this.#lastKey) return this.#last;
    this.#last = this.#chunks.get(key) ?? null;
    this.#lastKey = key;
    return this.#last;
  }

  /** Memory-file offset of page `index`; 0 if it is absent. */
  find(index: number): number {
    const key = Math.floor(index / CHUNK);
    const chunk = this.#chunk(key);
    return chunk === null ? 0 : chunk.pages[index - key * CHUNK]! * PAGE_SIZE;
  }

  /** Pages from `index` on that are present and contiguous in the memory
   * file, at most `maxPages`. */
  presentRun(index: number, maxPages: number): number {
    let key = Math.floor(index / CHUNK);
    let chunk = this.#chunk(key);
    let slot = index - key * CHUNK;
    let expected = chunk === null ? 0 : chunk.pages[slot]!;
    if (expected === 0) return 0;
    let count = 0;
    while (chunk !== null && count < maxPages) {
      const { pages } = chunk;
      while (slot < CHUNK && count < maxPages) {
        if (pages[slot] !== expected) return count;
        slot++;
        expected++;
        count++;
      }
      if (count === maxPages) return count;
      chunk = this.#chunk(++key);
      slot = 0;
    }
    return count;
  }

  /** Absent pages from `index` on, at most `maxPages`. */
  absentRun(index: number, maxPages: number): number {
    let count = 0;
    while (count < maxPages) {
      const key = Math.floor((index + count) / CHUNK);
      if (this.#chunk(key) === null) {
        count = (key + 1) * CHUNK - index;
      } else if (this.find(index + count) === 0) count++;
      else break;
    }
    return Math.min(count, maxPages);
  }

  /** Puts `count` pages at memory-file offset `offset` behind page `index`.
   * Precondition: they are absent. */
  insert(index: number, offset: number, count: number): void {
    const page = offset / PAGE_SIZE;
    for (let i = 0; i < count; i++) {
      const key = Math.floor((index + i) / CHUNK);
      let chunk = this.#chunk(key);
      if (chunk === null) {
        chunk = new Chunk();
        this.#chunks.set(key, chunk);
        this.#lastKey = key;
        this.#last = chunk;
      }
      chunk.pages[index + i - key * CHUNK] = page + i;
      chunk.count++;
    }
    this.count += count;
  }

  markDirty(index: number, count: number): void {
    for (let i = index; i < index + count; i++) {
      const key = Math.floor(i / CHUNK);
      const slot = i - key * CHUNK;
      const dirty = this.#chunk(key)!.dirty;
      dirty[slot >>> 5] = dirty[slot >>> 5]! | (1 << (slot & 31));
    }
  }

  clearDirty(index: number, count: number): void {
    for (let i = index; i < index + count; i++) {
      const key = Math.floor(i / CHUNK);
      const slot = i - key * CHUNK;
      const dirty = this.#chunk(key)?.dirty;
      if (dirty === undefined) continue;
      dirty[slot >>> 5] = dirty[slot >>> 5]! & ~(1 << (slot & 31));
    }
  }

  isDirty(index: number): boolean {
    const key = Math.floor(index / CHUNK);
    const slot = index - key * CHUNK;
    const chunk = this.#chunk(key);
    return chunk !== null &&
      (chunk.dirty[slot >>> 5]! & (1 << (slot & 31))) !== 0;
  }

  /** Keys of the chunks that overlap pages [from, to), ascending. */
  #keysIn(from: number, to: number): number[] {
    const first = Math.floor(from / CHUNK);
    const last = Math.ceil(to / CHUNK);
    const keys: number[] = [];
    if (last - first <= this.#chunks.size) {
      for (let key = first; key < last; key++) {
        if (this.#chunks.has(key)) keys.push(key);
      }
      return keys;
    }
    for (const key of this.#chunks.keys()) {
      if (key >= first && key < last) keys.push(key);
    }
    return keys.sort((a, b) => a - b);
  }

  /**
   * Takes pages [from, to) out and hands each contiguous run to `visit`.
   * `cleanOnly` leaves dirty pages. `to` may be Infinity. Returns how many.
   */
  remove(
    from: number,
    to: number,
    options: { readonly cleanOnly: boolean },
    visit: (offset: number, lengthBytes: number) => void,
  ): number {
    let removed = 0;
    let runStart = 0;
    let runEnd = 0;
    for (const key of this.#keysIn(from, to)) {
      const chunk = this.#chunks.get(key)!;
      const base = key * CHUNK;
      const end = Math.min(CHUNK, to - base);
      for (let slot = Math.max(0, from - base); slot < end; slot++) {
        const offset = chunk.pages[slot]! * PAGE_SIZE;
        if (offset === 0) continue;
        const bit = 1 << (slot & 31);
        if (options.cleanOnly && (chunk.dirty[slot >>> 5]! & bit) !== 0) {
          continue;
        }
        chunk.pages[slot] = 0;
        chunk.dirty[slot >>> 5] = chunk.dirty[slot >>> 5]! & ~bit;
        chunk.count--;
        removed++;
        if (offset !== runEnd) {
          if (runEnd > runStart) visit(runStart, runEnd - runStart);
          runStart = offset;
        }
        runEnd = offset + PAGE_SIZE;
      }
      if (chunk.count === 0) {
        this.#chunks.delete(key);
        this.#lastKey = -1;
      }
    }
    if (runEnd > runStart) visit(runStart, runEnd - runStart);
    this.count -= removed;
    return removed;
  }

  /** First dirty page in [from, to); -1 if there is none. */
  nextDirty(from: number, to: number): number {
    for (const key of this.#keysIn(from, to)) {
      const dirty = this.#chunks.get(key)!.dirty;
      if (dirty[0] === 0 && dirty[1] === 0) continue;
      const base = key * CHUNK;
      const end = Math.min(base + CHUNK, to);
      for (let i = Math.max(base, from); i < end; i++) {
        if (this.isDirty(i)) return i;
      }
    }
    return -1;
  }

  /** First present page in [from, to); -1 if there is none. */
  nextPresent(from: number, to: number): number {
    for (const key of this.#keysIn(from, to)) {
      const base = key * CHUNK;
      const end = Math.min(base + CHUNK, to);
      for (let i = Math.max(base, from); i < end; i++) {
        if (this.find(i) !== 0) return i;
      }
    }
    return -1;
  }

  /** First absent page at or after `from`. */
  nextAbsent(from: number): number {
    let index = from;
    while (this.find(index) !== 0) index++;
    return index;
  }
}
