/**
 * PageCache: the pages of one inode in the memory file, shared by read(2),
 * write(2) and every mapping. With a backing, absent pages are read from it and
 * dirty ones written back; without (tmpfs, memfd) absent pages are holes, which
 * read as zero and take no memory.
 *
 * The cache owns one reference on each of its pages. Guests see its pages
 * through mappings, which register here; a page leaves the cache only after
 * invalidate() of every mapping returned, that is, when no guest thread can
 * reach it any more.
 *
 * Permissions, times, RLIMIT_FSIZE and locking are the file system's business.
 * Source: mmap(2), fallocate(2), lseek(2), msync(2), tmpfs(5).
 * @module
 */
import { EFAULT, ENXIO, type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { HostMemory } from "../host.ts";
import { FilePages } from "./file_pages.ts";
import type { IoBuffer } from "./io_buffer.ts";
import type { Mappable, MappedRange, Translation } from "./mappable.ts";
import type { MemoryFile } from "./memory_file.ts";
import { type FileOwner, MappedFile } from "./mapped_file.ts";

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

/** Counts the pages of a file system instance, as tmpfs' size= needs it. */
export interface PageUsage {
  /** ENOSPC, EDQUOT. */
  charge(pages: number): Errno | null;
  uncharge(pages: number): void;
}

export interface PageCacheOptions {
  /** Size of the file in bytes; default 0. */
  readonly size?: number;
  readonly usage?: PageUsage;
}

/** Pages brought in at once: first, at most, and around a fault. */
const READ_AHEAD_MIN = 16;
const READ_AHEAD_MAX = 128;
const FAULT_AROUND = 16;
/** Longest run that one step of a write, fill or translation handles. */
const STEP_PAGES = 256;
const TRANSLATE_PAGES = 4096;
/** Offsets reserved ahead of a growing or known file, in pages. */
const SPARE_MAX = 1024;

export class PageCache {
  readonly file: MemoryFile;
  readonly memory: HostMemory;
  readonly backing: PageBacking | null;
  readonly #usage: PageUsage | null;
  readonly #pages = new FilePages();
  /** How often each range was registered: VMAs of one range may be split. */
  readonly #mappings = new Map<MappedRange, number>();
  #writableMappings = 0;
  #size: number;

  // The last run found: file bytes [start, end) at memory-file offset #run.
  #runStart = 0;
  #runEnd = 0;
  #run = 0;
  /** Bytes behind the offset that #locate() returned. */
  #length = 0;

  // Offsets reserved for the pages from #spareIndex on; not used yet.
  #spareIndex = -1;
  #spareOffset = 0;
  #sparePages = 0;
  #isSpareZero = false;
  /** Pages behind the offset that #place() returned. */
  #placed = 0;

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
    this.#usage = options.usage ?? null;
    this.#size = options.size ?? 0;
  }

  /** Size of the file in bytes: write() and truncate() change it. */
  get size(): number {
    return this.#size;
  }
  /** Pages in memory: st_blocks / 8 of a tmpfs file. */
  get residentPages(): number {
    return this.#pages.count;
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

  /** What FileDescription.mappable() returns; `owner` is kept open by it. */
  mappableFor(owner: FileOwner): Mappable {
    return new MappedFile(this, owner);
  }

  /**
   * Reads from file offset `offset` up to the end of the file; 0 there. EFAULT
   * by the buffer; EIO, ENOMEM, EAGAIN by the backing.
   */
  read(io: IoBuffer, offset: number): number | Errno {
    const end = Math.min(this.#size, offset + io.remaining);
    let at = offset;
    while (at < end) {
      const from = this.#locate(at, end - at);
      let moved: number | Errno;
      if (from !== 0) {
        moved = io.putMemory(from, this.#length);
      } else if (this.backing === null) {
        moved = io.putZeros(this.#length);
      } else {
        const failure = this.#bringIn(
          Math.floor(at / PAGE_SIZE),
          Math.ceil((end - at) / PAGE_SIZE),
        );
        if (failure === null) continue;
        moved = failure;
      }
      if (isErrno(moved)) return at > offset ? at - offset : moved;
      at += moved;
      if (moved < this.#length) break;
    }
    return at > offset ? at - offset : 0;
  }

  /**
   * Writes at file offset `offset`, growing the file. EFAULT by the buffer;
   * ENOSPC, ENOMEM; EIO by the backing.
   */
  write(io: IoBuffer, offset: number): number | Errno {
    const end = offset + io.remaining;
    if (offset > this.#size) this.#zeroTail();
    let at = offset;
    let failure: Errno | null = null;
    while (at < end) {
      const to = this.#locate(at, end - at);
      let moved: number | Errno;
      if (to !== 0) {
        const length = this.#length;
        moved = io.takeMemory(to, length);
        if (!isErrno(moved)) this.#markWritten(at, moved);
      } else moved = this.#writeAbsent(io, at, end);
      if (isErrno(moved)) {
        failure = moved;
        break;
      }
      at += moved;
      if (at > this.#size) this.#size = at;
      if (moved < this.#length) break;
    }
    return at > offset || failure === null ? at - offset : failure;
  }

  /**
   * Sets the size. Pages past the new end go away, in mappings too; what is
   * left of the last page behind the end is zeroed.
   */
  truncate(newSize: number): void {
    const oldSize = this.#size;
    if (newSize >= oldSize) {
      this.#zeroTail();
      this.#size = newSize;
      return;
    }
    this.#size = newSize;
    const firstGone = Math.ceil(newSize / PAGE_SIZE);
    this.#invalidate(firstGone * PAGE_SIZE, Infinity, false);
    this.#drop(firstGone, Infinity, false);
    this.#zeroTail();
    this.#dropSpare();
  }

  /** The size as the backing knows it changed under us: pages past a smaller
   * size go away; dirty pages stay as they are. */
  setSize(size: number): void {
    if (size < this.#size) this.truncate(size);
    else this.#size = size;
  }

  /** Makes [offset, offset + length) read as zero, giving whole pages back. The
   * backing, if any, was punched already. */
  punch(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    if (offset >= end) return;
    const first = Math.ceil(offset / PAGE_SIZE);
    // The page with the end of the file has nothing behind it to keep.
    const last = end === this.#size
      ? Math.ceil(end / PAGE_SIZE)
      : Math.floor(end / PAGE_SIZE);
    if (first > last) {
      this.#zeroWithin(offset, end);
      return;
    }
    this.#zeroWithin(offset, Math.min(first * PAGE_SIZE, end));
    if (last * PAGE_SIZE < end) this.#zeroWithin(last * PAGE_SIZE, end);
    if (first === last) return;
    this.#invalidate(first * PAGE_SIZE, (last - first) * PAGE_SIZE, true);
    this.#drop(first, last, false);
  }

  /** Makes every page of the range present (fallocate); the size stays.
   * ENOSPC, ENOMEM: nothing stays allocated that was not. */
  allocate(offset: number, length: number): Errno | null {
    const first = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    let index = first;
    while (index < end) {
      const present = this.#pages.presentRun(index, end - index);
      if (present > 0) {
        index += present;
        continue;
      }
      const absent = this.#pages.absentRun(
        index,
        Math.min(end - index, STEP_PAGES),
      );
      const failure = this.backing === null
        ? this.#fillHole(index, absent)
        : this.#bringIn(index, absent);
      if (failure !== null) return failure;
    }
    return null;
  }

  /** lseek(2) SEEK_DATA. ENXIO: no data from `offset` on. */
  nextData(offset: number): number | Errno {
    if (offset >= this.#size) return ENXIO;
    if (this.backing !== null) return offset;
    const index = this.#pages.nextPresent(
      Math.floor(offset / PAGE_SIZE),
      Math.ceil(this.#size / PAGE_SIZE),
    );
    return index < 0 ? ENXIO : Math.max(offset, index * PAGE_SIZE);
  }

  /** lseek(2) SEEK_HOLE; the end of the file is a hole. ENXIO. */
  nextHole(offset: number): number | Errno {
    if (offset >= this.#size) return ENXIO;
    if (this.backing !== null) return this.#size;
    const index = this.#pages.nextAbsent(Math.floor(offset / PAGE_SIZE));
    return Math.min(this.#size, Math.max(offset, index * PAGE_SIZE));
  }

  /** Drops cached pages of a range without writing them, as after a change
   * made behind the cache's back. Private copies in mappings stay. */
  forget(offset: number, length: number): void {
    const first = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    this.#invalidate(first * PAGE_SIZE, (end - first) * PAGE_SIZE, true);
    this.#drop(first, end, false);
  }

  /** Drops clean pages to free memory; bytes freed. Mapped files keep theirs. */
  dropClean(): number {
    if (this.backing === null || this.isMapped) return 0;
    this.#dropSpare();
    return this.#drop(0, Infinity, true) * PAGE_SIZE;
  }

  /** Releases all pages. Precondition: nothing maps the file. */
  dispose(): void {
    this.#dropSpare();
    this.#drop(0, Infinity, false);
  }

  // Mappable, by way of MappedFile.
  translate(
    fileOffset: number,
    maxLength: number,
    write: boolean,
    into: Translation,
  ): Errno | null {
    const index = fileOffset / PAGE_SIZE;
    const filePages = Math.ceil(this.#size / PAGE_SIZE);
    if (index >= filePages) return EFAULT;
    const most = Math.min(maxLength / PAGE_SIZE, filePages - index);
    if (this.#pages.find(index) === 0) {
      const around = Math.min(most, FAULT_AROUND);
      const failure = this.backing === null
        ? this.#fillHole(index, this.#pages.absentRun(index, around))
        : this.#bringIn(index, around);
      if (failure !== null) return failure;
    }
    // Every page handed out for writing must count as dirty: few, then.
    const limit = write && this.backing !== null
      ? FAULT_AROUND
      : TRANSLATE_PAGES;
    const count = this.#pages.presentRun(index, Math.min(most, limit));
    if (write && this.backing !== null) this.#pages.markDirty(index, count);
    into.offset = this.#pages.find(index);
    into.length = count * PAGE_SIZE;
    return null;
  }

  translateCached(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean {
    const index = fileOffset / PAGE_SIZE;
    const filePages = Math.ceil(this.#size / PAGE_SIZE);
    const count = this.#pages.presentRun(
      index,
      Math.min(maxLength / PAGE_SIZE, filePages - index, TRANSLATE_PAGES),
    );
    if (count === 0) return false;
    into.offset = this.#pages.find(index);
    into.length = count * PAGE_SIZE;
    return true;
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
      Math.ceil(this.#size / PAGE_SIZE),
    );
    let index = this.#pages.nextDirty(first, end);
    while (index >= 0) {
      let count = 1;
      const most = this.#pages.presentRun(
        index,
        Math.min(end - index, STEP_PAGES),
      );
      while (count < most && this.#pages.isDirty(index + count)) count++;
      const at = index * PAGE_SIZE;
      const failure = this.backing.writePages(
        at,
        this.#pages.find(index),
        Math.min(count * PAGE_SIZE, this.#size - at),
      );
      if (failure !== null) return failure;
      // A page that a guest can write without asking stays dirty.
      if (this.#writableMappings === 0) this.#pages.clearDirty(index, count);
      index = this.#pages.nextDirty(index + count, end);
    }
    return null;
  }

  /**
   * Memory-file offset of file byte `at`, 0 if its page is absent; `#length`
   * is how many bytes, at most `maxLength`, lie behind it, or are absent too.
   */
  #locate(at: number, maxLength: number): number {
    if (at < this.#runStart || at >= this.#runEnd) {
      const index = Math.floor(at / PAGE_SIZE);
      const inPage = at - index * PAGE_SIZE;
      const most = Math.ceil((inPage + maxLength) / PAGE_SIZE);
      const count = this.#pages.presentRun(index, Math.max(most, 8));
      if (count === 0) {
        const absent = this.#pages.absentRun(index, most);
        this.#length = Math.min(maxLength, absent * PAGE_SIZE - inPage);
        return 0;
      }
      this.#runStart = index * PAGE_SIZE;
      this.#runEnd = this.#runStart + count * PAGE_SIZE;
      this.#run = this.#pages.find(index);
    }
    const left = this.#runEnd - at;
    this.#length = left < maxLength ? left : maxLength;
    return this.#run + (at - this.#runStart);
  }

  #markWritten(at: number, length: number): void {
    if (this.backing === null || length === 0) return;
    const first = Math.floor(at / PAGE_SIZE);
    this.#pages.markDirty(
      first,
      Math.ceil((at + length) / PAGE_SIZE) - first,
    );
  }

  /** Writes to absent pages: whole ones in a run, a partial one by bringing it
   * in first (0 bytes moved, the caller tries again). */
  #writeAbsent(io: IoBuffer, at: number, end: number): number | Errno {
    const index = Math.floor(at / PAGE_SIZE);
    const whole = Math.floor((end - at) / PAGE_SIZE);
    if (at > index * PAGE_SIZE || whole === 0) {
      const hasContent = this.backing !== null &&
        index * PAGE_SIZE < this.#size;
      const failure = hasContent
        ? this.#bringIn(index, 1)
        : this.#fillHole(index, 1);
      this.#length = 0;
      return failure ?? 0;
    }
    const absent = this.#pages.absentRun(index, Math.min(whole, STEP_PAGES));
    const offset = this.#place(index, absent, false);
    if (isErrno(offset)) return offset;
    const placed = this.#placed;
    const moved = io.takeMemory(offset, placed * PAGE_SIZE);
    const full = isErrno(moved) ? 0 : Math.floor(moved / PAGE_SIZE);
    if (full < placed) {
      // The guest's memory faulted: keep only pages that are wholly written.
      const excess = placed - full;
      this.file.release(offset + full * PAGE_SIZE, excess * PAGE_SIZE);
      this.#usage?.uncharge(excess);
      if (!isErrno(moved)) io.advance(full * PAGE_SIZE - moved);
    }
    if (full > 0) {
      this.#pages.insert(index, offset, full);
      if (this.backing !== null) this.#pages.markDirty(index, full);
    }
    this.#length = placed * PAGE_SIZE;
    return isErrno(moved) ? moved : full * PAGE_SIZE;
  }

  /** Offsets for at most `count` absent pages from `index` on; `#placed` is how
   * many. Charged, but not inserted yet. ENOSPC, ENOMEM. */
  #place(index: number, count: number, isZeroed: boolean): number | Errno {
    let charged = count;
    let refused = this.#usage?.charge(charged) ?? null;
    if (refused !== null && charged > 1) {
      charged = 1;
      refused = this.#usage?.charge(charged) ?? null;
    }
    if (refused !== null) return refused;
    if (this.#spareIndex === index && this.#sparePages > 0) {
      const taken = Math.min(charged, this.#sparePages);
      if (taken < charged) this.#usage?.uncharge(charged - taken);
      const offset = this.#spareOffset;
      if (isZeroed && !this.#isSpareZero) {
        this.memory.zero(offset, taken * PAGE_SIZE);
      }
      this.#spareIndex += taken;
      this.#spareOffset += taken * PAGE_SIZE;
      this.#sparePages -= taken;
      this.#placed = taken;
      return offset;
    }
    const ahead = this.#ahead(index + charged);
    const offset = this.file.allocate((charged + ahead) * PAGE_SIZE, {
      isZeroed,
    });
    if (isErrno(offset)) {
      this.#usage?.uncharge(charged);
      return offset;
    }
    if (ahead > 0) {
      this.#dropSpare();
      this.#spareIndex = index + charged;
      this.#spareOffset = offset + charged * PAGE_SIZE;
      this.#sparePages = ahead;
      this.#isSpareZero = isZeroed;
    }
    this.#placed = charged;
    return offset;
  }

  /** Pages to reserve behind a new run that ends before page `next`, so that
   * the file stays contiguous: the rest of a known file, or as much again of a
   * growing one. */
  #ahead(next: number): number {
    const known = Math.ceil(this.#size / PAGE_SIZE) - next;
    const wanted = this.backing !== null
      ? known
      : Math.max(this.#pages.count, Math.min(known, 64));
    const ahead = Math.min(wanted, SPARE_MAX);
    return Math.max(0, ahead);
  }

  #dropSpare(): void {
    const length = this.#sparePages * PAGE_SIZE;
    if (length > 0) {
      if (this.#isSpareZero) {
        this.file.releaseUntouched(this.#spareOffset, length);
      } else this.file.release(this.#spareOffset, length);
    }
    this.#sparePages = 0;
    this.#spareIndex = -1;
  }

  /** Zero pages in place of at most `count` absent ones from `index` on. */
  #fillHole(index: number, count: number): Errno | null {
    const offset = this.#place(index, count, true);
    if (isErrno(offset)) return offset;
    this.#pages.insert(index, offset, this.#placed);
    return null;
  }

  /** Reads at least page `index` from the backing, and ahead of it. */
  #bringIn(index: number, wanted: number): Errno | null {
    const backing = this.backing!;
    if (index === this.#nextMiss) {
      this.#window = Math.min(this.#window * 2, READ_AHEAD_MAX);
    } else this.#window = READ_AHEAD_MIN;
    const count = this.#pages.absentRun(
      index,
      Math.max(
        1,
        Math.min(
          Math.max(this.#window, Math.min(wanted, STEP_PAGES)),
          Math.ceil(this.#size / PAGE_SIZE) - index,
        ),
      ),
    );
    const offset = this.#place(index, count, false);
    if (isErrno(offset)) return offset;
    const placed = this.#placed;
    const length = placed * PAGE_SIZE;
    const got = backing.readPages(index * PAGE_SIZE, offset, length);
    if (isErrno(got)) {
      this.file.release(offset, length);
      this.#usage?.uncharge(placed);
      return got;
    }
    if (got < length) this.memory.zero(offset + got, length - got);
    this.#pages.insert(index, offset, placed);
    this.#nextMiss = index + placed;
    return null;
  }

  #invalidate(fileOffset: number, length: number, keepPrivate: boolean): void {
    if (length <= 0) return;
    for (const range of [...this.#mappings.keys()]) {
      range.invalidate(fileOffset, length, { keepPrivate });
    }
  }

  #drop(first: number, end: number, cleanOnly: boolean): number {
    this.#runEnd = this.#runStart;
    const file = this.file;
    const dropped = this.#pages.remove(
      first,
      end,
      { cleanOnly },
      (offset, length) => file.release(offset, length),
    );
    if (dropped > 0) this.#usage?.uncharge(dropped);
    return dropped;
  }

  /** Zeroes what lies behind the end of the file in its last page: a mapping
   * may have written there. */
  #zeroTail(): void {
    const end = Math.ceil(this.#size / PAGE_SIZE) * PAGE_SIZE;
    this.#zeroWithin(this.#size, end);
  }

  /** Zeroes bytes [from, to) of one page if it is present. The page does not
   * become dirty: the backing has done the same, or has nothing there. */
  #zeroWithin(from: number, to: number): void {
    if (from >= to) return;
    const index = Math.floor(from / PAGE_SIZE);
    const offset = this.#pages.find(index);
    if (offset === 0) return;
    this.memory.zero(offset + (from - index * PAGE_SIZE), to - from);
  }
}
