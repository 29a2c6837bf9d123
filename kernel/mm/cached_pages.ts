/**
 * CachedPages: the pages of a file as mappings see them: where they are,
 * bringing them in, handing them to address spaces and taking them back,
 * writing dirty ones. PageCache adds reading and writing by system calls.
 * @module
 */
import { EFAULT, type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { HostMemory } from "../host.ts";
import type { Reclaimable } from "./cache_reclaim.ts";
import { FilePages } from "./file_pages.ts";
import type { MappedRange, Translation } from "./mappable.ts";
import type { MemoryFile } from "./memory_file.ts";
import { PagePlacement, type PageUsage } from "./page_placement.ts";

/** Where absent pages come from and dirty pages go to. */
export interface PageBacking {
  /**
   * Reads file bytes into the memory file; returns how many (fewer at the end
   * of the file; the cache zeroes the rest). `length` is a page multiple.
   */
  readPages(
    fileOffset: number,
    memoryOffset: number,
    length: number,
  ): number | Errno;
  /** Writes bytes of the memory file to the file, all of them. `length` is
   * cut at the size of the file. */
  writePages(
    fileOffset: number,
    memoryOffset: number,
    length: number,
  ): Errno | null;
}

export interface PageCacheOptions {
  /** Size of the file in bytes; default 0. */
  readonly size?: number;
  readonly usage?: PageUsage;
}

/** Pages brought in at once: first, at most, and around a fault. */
const READ_AHEAD_MIN = 16;
const READ_AHEAD_MAX = 128;
const FAULT_AROUND = 32;
/** Longest run that one step of a write, fill or translation handles, pages. */
export const STEP_PAGES = 256;
const TRANSLATE_PAGES = 4096;

export class CachedPages implements Reclaimable {
  readonly file: MemoryFile;
  readonly memory: HostMemory;
  readonly backing: PageBacking | null;
  protected readonly placement: PagePlacement;
  protected readonly pages = new FilePages();
  /** How often each range was registered: VMAs of one range may be split. */
  readonly #mappings = new Map<MappedRange, number>();
  #writableMappings = 0;
  protected sizeBytes: number;

  // Read-ahead: the page a sequential reader misses next, and its window.
  #nextMiss = 0;
  #window = READ_AHEAD_MIN / 2;

  constructor(
    file: MemoryFile,
    backing: PageBacking | null,
    options: PageCacheOptions = {},
  ) {
    this.file = file;
    this.memory = file.memory;
    this.backing = backing;
    this.placement = new PagePlacement(
      file,
      this.pages,
      options.usage ?? null,
    );
    this.sizeBytes = options.size ?? 0;
  }

  /** Size of the file in bytes: write() and truncate() change it. */
  get size(): number {
    return this.sizeBytes;
  }
  /** Pages in memory: st_blocks / 8 of a tmpfs file. */
  get residentPages(): number {
    return this.pages.count;
  }
  /** Without a backing no page is ever dirty. */
  get isWriteTracked(): boolean {
    return this.backing !== null;
  }
  get isMapped(): boolean {
    return this.#mappings.size > 0;
  }
  /** A shared mapping may write: F_SEAL_WRITE is refused with EBUSY. */
  get isWritablyMapped(): boolean {
    return this.#writableMappings > 0;
  }

  // Mappable, by way of MappedFile.
  translate(
    fileOffset: number,
    maxLength: number,
    write: boolean,
    into: Translation,
  ): Errno | null {
    const index = fileOffset / PAGE_SIZE;
    const filePages = Math.ceil(this.sizeBytes / PAGE_SIZE);
    if (index >= filePages) return EFAULT;
    const most = Math.min(maxLength / PAGE_SIZE, filePages - index);
    if (this.pages.find(index) === 0) {
      const around = Math.min(most, FAULT_AROUND);
      const failure = this.backing === null
        ? this.fillHole(index, this.pages.absentRun(index, around))
        : this.bringIn(index, around);
      if (failure !== null) return failure;
    }
    // Every page handed out for writing must count as dirty: few, then.
    const limit = write && this.backing !== null
      ? FAULT_AROUND
      : TRANSLATE_PAGES;
    const count = this.pages.presentRun(index, Math.min(most, limit));
    if (write && this.backing !== null) this.pages.markDirty(index, count);
    into.offset = this.pages.find(index);
    into.length = count * PAGE_SIZE;
    return null;
  }

  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean {
    const index = fileOffset / PAGE_SIZE;
    const filePages = Math.ceil(this.sizeBytes / PAGE_SIZE);
    const count = this.pages.presentRun(
      index,
      Math.min(maxLength / PAGE_SIZE, filePages - index, TRANSLATE_PAGES),
    );
    if (count === 0) return false;
    into.offset = this.pages.find(index);
    into.length = count * PAGE_SIZE;
    return true;
  }

  /** Reads absent pages of the range; stops at the first failure, which whoever
   * needs the page will meet again. */
  prefetch(fileOffset: number, length: number): void {
    if (this.backing === null) return;
    const end = Math.min(
      Math.ceil((fileOffset + length) / PAGE_SIZE),
      Math.ceil(this.sizeBytes / PAGE_SIZE),
    );
    let index = Math.floor(fileOffset / PAGE_SIZE);
    while (index < end) {
      index += this.pages.presentRun(index, end - index);
      const absent = this.pages.absentRun(index, end - index);
      if (absent > 0 && this.bringIn(index, absent) !== null) return;
    }
  }

  addMapping(range: MappedRange, isWritableShared: boolean): void {
    this.#mappings.set(range, (this.#mappings.get(range) ?? 0) + 1);
    if (isWritableShared) this.#writableMappings++;
  }

  removeMapping(range: MappedRange, isWritableShared: boolean): void {
    const count = this.#mappings.get(range);
    if (count === undefined) throw new Error("Range was never mapped");
    if (count > 1) this.#mappings.set(range, count - 1);
    else this.#mappings.delete(range);
    if (isWritableShared) this.#writableMappings--;
  }

  /** Writes dirty pages of the range back. EIO, ENOSPC by the backing. */
  sync(fileOffset: number, length: number): Errno | null {
    if (this.backing === null) return null;
    const first = Math.floor(fileOffset / PAGE_SIZE);
    const end = Math.min(
      Math.ceil((fileOffset + length) / PAGE_SIZE),
      Math.ceil(this.sizeBytes / PAGE_SIZE),
    );
    let index = this.pages.nextDirty(first, end);
    while (index >= 0) {
      let count = 1;
      const most = this.pages.presentRun(
        index,
        Math.min(end - index, STEP_PAGES),
      );
      while (count < most && this.pages.isDirty(index + count)) count++;
      const at = index * PAGE_SIZE;
      const failure = this.backing.writePages(
        at,
        this.pages.find(index),
        Math.min(count * PAGE_SIZE, this.sizeBytes - at),
      );
      if (failure !== null) return failure;
      // A page that a guest can write without asking stays dirty.
      if (this.#writableMappings === 0) this.pages.clearDirty(index, count);
      index = this.pages.nextDirty(index + count, end);
    }
    return null;
  }

  /** Drops clean pages to free memory; bytes freed. Mapped files keep theirs. */
  dropClean(): number {
    if (this.backing === null || this.isMapped) return 0;
    this.placement.dropSpares();
    return this.drop(0, Infinity, true) * PAGE_SIZE;
  }

  // For PageCache.
  /** See PagePlacement.place(). */
  protected place(
    index: number,
    count: number,
    isZeroed: boolean,
  ): number | Errno {
    const filePages = Math.ceil(this.sizeBytes / PAGE_SIZE);
    return this.placement.place(index, count, filePages, isZeroed);
  }

  /** Zero pages in place of at most `count` absent ones from `index` on. */
  protected fillHole(index: number, count: number): Errno | null {
    const offset = this.place(index, count, true);
    if (isErrno(offset)) return offset;
    this.pages.insert(index, offset, this.placement.placed);
    return null;
  }

  /** Reads at least page `index` from the backing, and ahead of it. */
  protected bringIn(index: number, wanted: number): Errno | null {
    const backing = this.backing!;
    if (index === this.#nextMiss) {
      this.#window = Math.min(this.#window * 2, READ_AHEAD_MAX);
    } else this.#window = READ_AHEAD_MIN;
    const count = this.pages.absentRun(
      index,
      Math.max(
        1,
        Math.min(
          Math.max(this.#window, Math.min(wanted, STEP_PAGES)),
          Math.ceil(this.sizeBytes / PAGE_SIZE) - index,
        ),
      ),
    );
    const offset = this.place(index, count, false);
    if (isErrno(offset)) return offset;
    const placed = this.placement.placed;
    const length = placed * PAGE_SIZE;
    const got = backing.readPages(index * PAGE_SIZE, offset, length);
    if (isErrno(got)) {
      this.placement.giveBack(offset, placed);
      return got;
    }
    if (got < length) this.memory.zero(offset + got, length - got);
    this.pages.insert(index, offset, placed);
    this.file.caches.grew(this, length);
    this.#nextMiss = index + placed;
    return null;
  }

  /** Makes every mapping let go of a range. */
  protected invalidate(
    fileOffset: number,
    length: number,
    keepPrivate: boolean,
  ): void {
    if (length <= 0) return;
    for (const range of [...this.#mappings.keys()]) {
      range.invalidate(fileOffset, length, { keepPrivate });
    }
  }

  /** Takes pages [first, end) out; how many. Nothing may map them. */
  protected drop(first: number, end: number, cleanOnly: boolean): number {
    const dropped = this.placement.drop(first, end, { cleanOnly });
    if (dropped > 0 && this.backing !== null) {
      this.file.caches.shrank(this, dropped * PAGE_SIZE);
    }
    return dropped;
  }

  /** Zeroes bytes [from, to) of one page if it is present. The page does not
   * become dirty: the backing has done the same, or has nothing there. */
  protected zeroWithin(from: number, to: number): void {
    if (from >= to) return;
    const index = Math.floor(from / PAGE_SIZE);
    const offset = this.pages.find(index);
    if (offset === 0) return;
    this.memory.zero(offset + (from - index * PAGE_SIZE), to - from);
  }
}
