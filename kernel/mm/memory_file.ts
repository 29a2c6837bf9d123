/**
 * MemoryFile: hands out the pages of the memory file, which holds all
 * application memory, page cache and tmpfs data. Offsets are plentiful and an
 * untouched page costs nothing, so callers reserve whole regions; what matters
 * is that neighbours in use are neighbours in the file.
 *
 * Every page handed out has a count of references. A freed page is either zero
 * (never touched, or punched out and so given back to the host) or stale.
 * Stale pages are cheap to reuse, since the host need not provide them again:
 * small requests are served from them, after zeroing. Long stale runs, and
 * stale pages beyond a bound, are punched out.
 *
 * Whoever releases pages that a guest thread might still reach must flush the
 * address space first (memory_state.ts keeps them in quarantine until then).
 * @module
 */
import { ENOMEM, type Errno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { HostMemory } from "../host.ts";
import { CacheReclaim } from "./cache_reclaim.ts";
import { FREE_TAG, FreeExtents, type PageWords } from "./free_extents.ts";

/** Pages per chunk of page words: 64 MiB of file. */
const CHUNK_SHIFT = 14;
const CHUNK_PAGES = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_PAGES - 1;
/** Requests up to this many pages are served from stale pages: if they must be
 * zeroed, and if they will be overwritten anyway. */
const RECYCLE_ZEROED_PAGES = 16;
const RECYCLE_PAGES = 128;
/** A stale run that has grown this long is punched out as a whole. */
const PUNCH_PAGES = 512;
/** Above the first bound stale pages are punched out down to the second. */
const STALE_HIGH_PAGES = 8192;
const STALE_LOW_PAGES = 4096;

export interface AllocateOptions {
  /** Bytes, a power of two: what the offset is a multiple of. */
  readonly align?: number;
  /** False: the caller overwrites every byte, so stale content may stay. */
  readonly isZeroed?: boolean;
}

const DEFAULTS: AllocateOptions = {};

export class MemoryFile implements PageWords {
  readonly memory: HostMemory;
  /** Caches of files whose pages can be read again. */
  readonly caches = new CacheReclaim();
  /** The host's memory in bytes: no single private mapping may exceed it. */
  commitLimitBytes = Infinity;
  readonly #chunks: Uint32Array[] = [];
  readonly #limitPage: number;
  readonly #zero: FreeExtents;
  readonly #stale: FreeExtents;
  /** First page never handed out; page 0 never is, so that 0 can mean none. */
  #frontier = 1;
  #allocatedPages = 0;
  #words32: Int32Array | null = null;
  #objectId = 0;

  constructor(memory: HostMemory) {
    this.memory = memory;
    this.#limitPage = Math.floor(memory.size / PAGE_SIZE);
    this.#zero = new FreeExtents(this, "zero");
    this.#stale = new FreeExtents(this, "stale");
    this.#reach(CHUNK_PAGES);
    // Page 0 belongs to the file itself.
    this.setWord(0, 1);
  }

  /** Bytes handed out: reserved, not necessarily touched. */
  get allocatedBytes(): number {
    return this.#allocatedPages * PAGE_SIZE;
  }

  /** Bytes of freed pages that the host has not got back. */
  get staleBytes(): number {
    return this.#stale.pages * PAGE_SIZE;
  }

  /** A new inode number for an object without a file. */
  nextObjectId(): number {
    return ++this.#objectId;
  }

  /** The window as aligned words, for atomic operations. */
  get words32(): Int32Array {
    this.#words32 ??= new Int32Array(
      this.memory.view.buffer,
      this.memory.view.byteOffset,
      Math.floor(this.memory.size / 4),
    );
    return this.#words32;
  }

  /**
   * A run of whole pages, each with one reference, that reads as zero; its
   * offset. `lengthBytes`: a page multiple > 0. ENOMEM.
   */
  allocate(
    lengthBytes: number,
    options: AllocateOptions = DEFAULTS,
  ): number | Errno {
    const count = lengthBytes / PAGE_SIZE;
    const align = (options.align ?? PAGE_SIZE) / PAGE_SIZE;
    if (align > 1) return this.#allocateAligned(count, align);
    let page = -1;
    if (options.isZeroed === false) {
      if (count <= RECYCLE_PAGES) page = this.#stale.take(count);
    } else if (count <= RECYCLE_ZEROED_PAGES) {
      page = this.#stale.take(count);
      if (page >= 0) this.memory.zero(page * PAGE_SIZE, lengthBytes);
    }
    if (page < 0) page = this.#takeZero(count);
    if (page < 0) return ENOMEM;
    this.#fill(page, count, 1);
    this.#allocatedPages += count;
    return page * PAGE_SIZE;
  }

  #allocateAligned(count: number, align: number): number | Errno {
    const total = count + align - 1;
    const page = this.#takeZero(total);
    if (page < 0) return ENOMEM;
    const first = Math.ceil(page / align) * align;
    this.#fill(first, count, 1);
    this.#allocatedPages += count;
    if (first > page) this.#addZero(page, first - page);
    const tail = page + total - (first + count);
    if (tail > 0) this.#addZero(first + count, tail);
    return first * PAGE_SIZE;
  }

  /** A run of pages that read as zero; -1 when the window is full. */
  #takeZero(count: number): number {
    const recycled = this.#zero.take(count);
    if (recycled >= 0) return recycled;
    if (this.#frontier + count > this.#limitPage) {
      // Stale pages may fill the gap, or join the room behind the frontier.
      this.#punchStale(0);
      const punched = this.#zero.take(count);
      if (punched >= 0) return punched;
      if (this.#frontier + count > this.#limitPage) return -1;
    }
    const page = this.#frontier;
    this.#frontier += count;
    this.#reach(this.#frontier + 1);
    return page;
  }

  /** One more reference on every page of the range. */
  addReference(offset: number, lengthBytes: number): void {
    let page = offset / PAGE_SIZE;
    const end = page + lengthBytes / PAGE_SIZE;
    while (page < end) {
      const chunk = this.#chunkOf(page);
      const from = page & CHUNK_MASK;
      const to = Math.min(CHUNK_PAGES, from + (end - page));
      for (let i = from; i < to; i++) {
        const word = chunk[i]!;
        if (word === 0 || word >= FREE_TAG) throw freePage(page + i - from);
        chunk[i] = word + 1;
      }
      page += to - from;
    }
  }

  /** Drops a reference on every page of the range; pages without any are
   * free, and their content is no longer the caller's business. */
  release(offset: number, lengthBytes: number): void {
    this.#drop(offset, lengthBytes, this.#addStale);
  }

  /** As release(), for pages that nobody has touched since allocate(). */
  releaseUntouched(offset: number, lengthBytes: number): void {
    this.#drop(offset, lengthBytes, this.#addZero);
  }

  #drop(
    offset: number,
    lengthBytes: number,
    free: (page: number, count: number) => void,
  ): void {
    let page = offset / PAGE_SIZE;
    const end = page + lengthBytes / PAGE_SIZE;
    // Start of the run of pages that lost their last reference; -1: none.
    let runStart = -1;
    while (page < end) {
      const chunk = this.#chunkOf(page);
      const from = page & CHUNK_MASK;
      const to = Math.min(CHUNK_PAGES, from + (end - page));
      for (let i = from; i < to; i++) {
        const word = chunk[i]!;
        if (word === 0 || word >= FREE_TAG) throw freePage(page + i - from);
        chunk[i] = word - 1;
        if (word === 1) {
          if (runStart < 0) runStart = page + i - from;
        } else if (runStart >= 0) {
          const runEnd = page + i - from;
          this.#allocatedPages -= runEnd - runStart;
          free(runStart, runEnd - runStart);
          runStart = -1;
        }
      }
      page += to - from;
    }
    if (runStart >= 0) {
      this.#allocatedPages -= end - runStart;
      free(runStart, end - runStart);
    }
  }

  /** References on the page at `offset`; 0 if it is free. */
  references(offset: number): number {
    const word = this.word(offset / PAGE_SIZE);
    return word >= FREE_TAG ? 0 : word;
  }

  /** Whether the page at `offset` has more than one reference. */
  isShared(offset: number): boolean {
    return this.references(offset) > 1;
  }

  /** Bytes from `offset` on, at most `lengthBytes`, whose pages have exactly
   * one reference. */
  exclusiveRun(offset: number, lengthBytes: number): number {
    const first = offset / PAGE_SIZE;
    const end = first + lengthBytes / PAGE_SIZE;
    let page = first;
    while (page < end && this.word(page) === 1) page++;
    return (page - first) * PAGE_SIZE;
  }

  /** Gives all stale pages back to the host; for memory pressure. */
  trim(): void {
    this.#punchStale(0);
  }

  readonly #addZero = (page: number, count: number): void => {
    if (page + count !== this.#frontier) {
      this.#zero.add(page, count);
      return;
    }
    // Next to the frontier: hand it back, and what was free before it.
    this.#frontier = page - this.#zero.takeEndingAt(page);
  };

  readonly #addStale = (page: number, count: number): void => {
    if (count >= PUNCH_PAGES) {
      this.memory.punch(page * PAGE_SIZE, count * PAGE_SIZE);
      this.#addZero(page, count);
      return;
    }
    this.#stale.add(page, count);
    if (this.#stale.pages > STALE_HIGH_PAGES) {
      this.#punchStale(STALE_LOW_PAGES);
    }
  };

  /** Punches the longest stale runs until at most `pages` are left. */
  #punchStale(pages: number): void {
    while (this.#stale.pages > pages) {
      const page = this.#stale.takeLargest();
      if (page < 0) return;
      const count = this.#stale.takenLength;
      this.memory.punch(page * PAGE_SIZE, count * PAGE_SIZE);
      this.#addZero(page, count);
    }
  }

  // Page words. Pages past the frontier have none and read as 0.
  word(page: number): number {
    const chunk = this.#chunks[page >>> CHUNK_SHIFT];
    return chunk === undefined ? 0 : chunk[page & CHUNK_MASK]!;
  }
  setWord(page: number, value: number): void {
    this.#chunkOf(page)[page & CHUNK_MASK] = value;
  }

  #chunkOf(page: number): Uint32Array {
    const chunk = this.#chunks[page >>> CHUNK_SHIFT];
    if (chunk === undefined) throw freePage(page);
    return chunk;
  }

  #reach(endPage: number): void {
    while (this.#chunks.length * CHUNK_PAGES < endPage) {
      this.#chunks.push(new Uint32Array(CHUNK_PAGES));
    }
  }

  #fill(page: number, count: number, value: number): void {
    const end = page + count;
    while (page < end) {
      const from = page & CHUNK_MASK;
      const to = Math.min(CHUNK_PAGES, from + (end - page));
      this.#chunkOf(page).fill(value, from, to);
      page += to - from;
    }
  }
}

function freePage(page: number): Error {
  return new Error(
    `Page at memory-file offset ${page * PAGE_SIZE} is free`,
  );
}
