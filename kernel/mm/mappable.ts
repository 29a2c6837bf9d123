/**
 * What mmap(2) needs from a file: its pages as offsets in the memory file, and
 * a word when they go away. Page caches implement it; the memory manager
 * calls it.
 * @module
 */
import type { Errno } from "../abi/errno.ts";

/** Result of Mappable.translate, filled in place so that faults do not
 * allocate. */
export class Translation {
  /** Memory-file offset of the first byte. */
  offset = 0;
  /** Bytes that are contiguous in the memory file; a page multiple. */
  length = 0;
}

/** A range of a file mapped by some address space. */
export interface MappedRange {
  /** File bytes [fileOffset, fileOffset + length) are gone (truncate, punch) or
   * have other pages now: drop translations, so that the next access faults.
   * `length` may be Infinity. When it returns, no guest thread can reach the
   * pages any more.
   * Private copies stay only if `keepPrivate`. */
  invalidate(
    fileOffset: number,
    length: number,
    options: { readonly keepPrivate: boolean },
  ): void;
}

export interface Mappable {
  /**
   * Memory-file location of file bytes from `fileOffset` (a page multiple) on,
   * at most `maxLength` bytes, at least one page, bringing pages in. `write`:
   * the pages will be written through a shared mapping. The pages stay valid
   * until invalidate(); the caller takes no reference.
   *
   * EFAULT: the page lies beyond the end of the file (SIGBUS for the guest).
   * EIO, ENOMEM, ENOSPC: it could not be brought in (SIGBUS too).
   */
  translate(
    fileOffset: number,
    maxLength: number,
    write: boolean,
    into: Translation,
  ): Errno | null;
  /** As translate() for reading, but of pages that are in memory already; false
   * if the first one is not. Lets mmap(2) and fork(2) map ahead of faults;
   * without it, pages are mapped when they are touched. */
  translateCached?(
    fileOffset: number,
    maxLength: number,
    into: Translation,
  ): boolean;
  /** Brings pages in that will be used soon, as far as that is easy. */
  prefetch?(fileOffset: number, length: number): void;
  /** A mapping of [fileOffset, fileOffset + length) begins / ends. Several may
   * come with one `range`, which is over when as many ended as began. */
  addMapping(
    range: MappedRange,
    fileOffset: number,
    length: number,
    isWritableShared: boolean,
  ): Errno | null;
  removeMapping(
    range: MappedRange,
    fileOffset: number,
    length: number,
    isWritableShared: boolean,
  ): void;
  /** Makes a hole in the file: MADV_REMOVE. Without it: EOPNOTSUPP. */
  punch?(fileOffset: number, length: number): Errno | null;
  /** Writes dirty pages of the range back; for msync(2). */
  sync(fileOffset: number, length: number): Errno | null;
  /** References keep the file open while it is mapped. */
  acquire(): void;
  release(): void;
  /** False: nobody needs to know which pages were written (tmpfs, shared
   * anonymous memory), so a shared mapping may be writable from the start. */
  readonly isWriteTracked?: boolean;
  /** For /proc/pid/maps. */
  readonly mapName: string;
  readonly mapDevice: number;
  readonly mapInode: number;
}
