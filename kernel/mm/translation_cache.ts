/**
 * TranslationCache: where pages of guest memory lie in the memory file, for
 * accesses by system calls. Direct-mapped by page, apart for reading and
 * writing: an entry for writing exists only while the page may be written
 * without breaking copy-on-write. Anything that changes mappings clears it.
 * @module
 */
import { PAGE_SIZE } from "../abi/mman.ts";

const ENTRIES = 64;
/** Pages of a run that fill() enters. */
const FILL_PAGES = 8;

export class TranslationCache {
  /** Page address held by each entry, -1: none. */
  readonly readTags = new Float64Array(ENTRIES).fill(-1);
  readonly writeTags = new Float64Array(ENTRIES).fill(-1);
  /** Memory-file offset of that page. */
  readonly readOffsets = new Float64Array(ENTRIES);
  readonly writeOffsets = new Float64Array(ENTRIES);
  #isEmpty = true;

  // The last run for reading and for writing, for transfers of many pages.
  readStart = 0;
  readEnd = 0;
  readOffset = 0;
  writeStart = 0;
  writeEnd = 0;
  writeOffset = 0;

  clear(): void {
    if (this.#isEmpty) return;
    this.readTags.fill(-1);
    this.writeTags.fill(-1);
    this.readEnd = this.readStart;
    this.writeEnd = this.writeStart;
    this.#isEmpty = true;
  }

  /** Enters the run [start, end) at `offset`, of which `page` was touched. */
  fill(
    page: number,
    start: number,
    end: number,
    offset: number,
    isWrite: boolean,
  ): void {
    this.#isEmpty = false;
    const tags = isWrite ? this.writeTags : this.readTags;
    const offsets = isWrite ? this.writeOffsets : this.readOffsets;
    const last = Math.min(end, page + FILL_PAGES * PAGE_SIZE);
    for (let at = page; at < last; at += PAGE_SIZE) {
      const entry = (at >>> 12) & (ENTRIES - 1);
      tags[entry] = at;
      offsets[entry] = offset + (at - start);
    }
    if (isWrite) {
      this.writeStart = start;
      this.writeEnd = end;
      this.writeOffset = offset;
    } else {
      this.readStart = start;
      this.readEnd = end;
      this.readOffset = offset;
    }
  }
}
