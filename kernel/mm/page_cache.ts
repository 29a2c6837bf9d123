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
import { ENOMEM, ENXIO, type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { CachedPages, STEP_PAGES } from "./cached_pages.ts";
import type { IoBuffer } from "./io_buffer.ts";
import type { Mappable } from "./mappable.ts";
import { type FileOwner, MappedFile } from "./mapped_file.ts";

export type { PageBacking, PageCacheOptions } from "./cached_pages.ts";
export type { PageUsage } from "./page_placement.ts";

export class PageCache extends CachedPages {
  // The last run found: file bytes [start, end) at memory-file offset #run.
  #runStart = 0;
  #runEnd = 0;
  #run = 0;
  /** Bytes behind the offset that #locate() returned. */
  #length = 0;

  /** What FileDescription.mappable() returns; `owner` is kept open by it. */
  mappableFor(owner: FileOwner): Mappable {
    return new MappedFile(this, owner);
  }

  /**
   * Reads from file offset `offset` up to the end of the file; 0 there. EFAULT
   * by the buffer; EIO, ENOMEM, EAGAIN by the backing.
   */
  read(io: IoBuffer, offset: number): number | Errno {
    const end = Math.min(this.sizeBytes, offset + io.remaining);
    let at = offset;
    while (at < end) {
      const from = this.#locate(at, end - at);
      let moved: number | Errno;
      if (from !== 0) {
        moved = io.putMemory(from, this.#length);
      } else if (this.backing === null) {
        moved = io.putZeros(this.#length);
      } else {
        const failure = this.bringIn(
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
    if (offset > this.sizeBytes) this.#zeroTail();
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
      if (at > this.sizeBytes) this.sizeBytes = at;
      if (moved < this.#length) break;
    }
    return at > offset || failure === null ? at - offset : failure;
  }

  /**
   * Sets the size. Pages past the new end go away, in mappings too; what is
   * left of the last page behind the end is zeroed.
   */
  truncate(newSize: number): void {
    const oldSize = this.sizeBytes;
    if (newSize > oldSize) {
      this.#zeroTail();
      this.sizeBytes = newSize;
      return;
    }
    this.sizeBytes = newSize;
    const firstGone = Math.ceil(newSize / PAGE_SIZE);
    this.invalidate(firstGone * PAGE_SIZE, Infinity, false);
    this.drop(firstGone, Infinity, false);
    this.#zeroTail();
    this.placement.dropSpares();
  }

  /** The size as the backing knows it changed under us: pages past a smaller
   * size go away; dirty pages stay as they are. */
  setSize(size: number): void {
    if (size < this.sizeBytes) this.truncate(size);
    else this.sizeBytes = size;
  }

  /** Makes [offset, offset + length) read as zero, giving whole pages back. The
   * backing, if any, was punched already. */
  punch(offset: number, length: number): void {
    // Pages past the end of the file (KEEP_SIZE) go, too; and the page with the
    // end has nothing behind it to keep.
    const end = offset + length;
    const first = Math.ceil(offset / PAGE_SIZE);
    const size = this.sizeBytes;
    const whole = Math.floor(end / PAGE_SIZE);
    const last = end >= size
      ? Math.max(whole, Math.ceil(size / PAGE_SIZE))
      : whole;
    if (first > last) {
      this.zeroWithin(offset, end);
      return;
    }
    this.zeroWithin(offset, Math.min(first * PAGE_SIZE, end));
    if (last * PAGE_SIZE < end) this.zeroWithin(last * PAGE_SIZE, end);
    if (first === last) return;
    this.invalidate(first * PAGE_SIZE, (last - first) * PAGE_SIZE, true);
    this.drop(first, last, false);
  }

  /** Makes every page of the range present (fallocate); the size stays.
   * ENOSPC, ENOMEM: nothing stays allocated that was not. */
  allocate(offset: number, length: number): Errno | null {
    const first = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    if ((end - first) * PAGE_SIZE > this.file.commitLimitBytes) return ENOMEM;
    /** Runs that were absent: start, end, start, end. */
    const filled: number[] = [];
    let index = first;
    while (index < end) {
      const present = this.pages.presentRun(index, end - index);
      if (present > 0) {
        index += present;
        continue;
      }
      const absent = this.pages.absentRun(
        index,
        Math.min(end - index, STEP_PAGES),
      );
      const failure = this.backing === null
        ? this.fillHole(index, absent)
        : this.bringIn(index, absent);
      if (failure !== null) {
        for (let i = 0; i < filled.length; i += 2) {
          this.drop(filled[i]!, filled[i + 1]!, this.backing !== null);
        }
        return failure;
      }
      const got = this.pages.presentRun(index, absent);
      if (filled.at(-1) === index) filled[filled.length - 1] = index + got;
      else filled.push(index, index + got);
    }
    return null;
  }

  /** lseek(2) SEEK_DATA. ENXIO: no data from `offset` on. */
  nextData(offset: number): number | Errno {
    if (offset >= this.sizeBytes) return ENXIO;
    if (this.backing !== null) return offset;
    const index = this.pages.nextPresent(
      Math.floor(offset / PAGE_SIZE),
      Math.ceil(this.sizeBytes / PAGE_SIZE),
    );
    return index < 0 ? ENXIO : Math.max(offset, index * PAGE_SIZE);
  }

  /** lseek(2) SEEK_HOLE; the end of the file is a hole. ENXIO. */
  nextHole(offset: number): number | Errno {
    if (offset >= this.sizeBytes) return ENXIO;
    if (this.backing !== null) return this.sizeBytes;
    const index = this.pages.nextAbsent(Math.floor(offset / PAGE_SIZE));
    return Math.min(this.sizeBytes, Math.max(offset, index * PAGE_SIZE));
  }

  /** Drops cached pages of a range without writing them, as after a change
   * made behind the cache's back. Private copies in mappings stay. */
  forget(offset: number, length: number): void {
    const first = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    this.invalidate(first * PAGE_SIZE, (end - first) * PAGE_SIZE, true);
    this.drop(first, end, false);
  }

  /** Releases all pages. Precondition: nothing maps the file. */
  dispose(): void {
    this.placement.dropSpares();
    this.drop(0, Infinity, false);
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
      const count = this.pages.presentRun(index, Math.max(most, 8));
      if (count === 0) {
        const absent = this.pages.absentRun(index, most);
        this.#length = Math.min(maxLength, absent * PAGE_SIZE - inPage);
        return 0;
      }
      this.#runStart = index * PAGE_SIZE;
      this.#runEnd = this.#runStart + count * PAGE_SIZE;
      this.#run = this.pages.find(index);
    }
    const left = this.#runEnd - at;
    this.#length = left < maxLength ? left : maxLength;
    return this.#run + (at - this.#runStart);
  }

  #markWritten(at: number, length: number): void {
    if (this.backing === null || length === 0) return;
    const first = Math.floor(at / PAGE_SIZE);
    this.pages.markDirty(
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
        index * PAGE_SIZE < this.sizeBytes;
      const failure = hasContent
        ? this.bringIn(index, 1)
        : this.fillHole(index, 1);
      this.#length = 0;
      return failure ?? 0;
    }
    const absent = this.pages.absentRun(index, Math.min(whole, STEP_PAGES));
    const offset = this.place(index, absent, false);
    if (isErrno(offset)) return offset;
    const placed = this.placement.placed;
    const moved = io.takeMemory(offset, placed * PAGE_SIZE);
    if (this.pages.absentRun(index, placed) < placed) {
      // The source is a mapping of these very pages: its fault made them.
      this.placement.giveBack(offset, placed);
      if (!isErrno(moved)) io.advance(-moved);
      this.#length = 0;
      return isErrno(moved) ? moved : 0;
    }
    const full = isErrno(moved) ? 0 : Math.floor(moved / PAGE_SIZE);
    if (full < placed) {
      // The guest's memory faulted: keep only pages that are wholly written.
      this.placement.giveBack(offset + full * PAGE_SIZE, placed - full);
      if (!isErrno(moved)) io.advance(full * PAGE_SIZE - moved);
    }
    if (full > 0) {
      this.pages.insert(index, offset, full);
      if (this.backing !== null) {
        this.pages.markDirty(index, full);
        this.file.caches.grew(this, full * PAGE_SIZE);
      }
    }
    this.#length = placed * PAGE_SIZE;
    return isErrno(moved) ? moved : full * PAGE_SIZE;
  }

  /** Zeroes what lies behind the end of the file in its last page: a mapping
   * may have written there. */
  #zeroTail(): void {
    const end = Math.ceil(this.sizeBytes / PAGE_SIZE) * PAGE_SIZE;
    this.zeroWithin(this.sizeBytes, end);
  }

  protected override drop(
    first: number,
    end: number,
    cleanOnly: boolean,
  ): number {
    this.#runEnd = this.#runStart;
    return super.drop(first, end, cleanOnly);
  }
}
