/**
 * Regular files of an overlay. Reading a file of a lower layer is reading the
 * lower file itself; opening it for writing, or truncating it, copies the data
 * up first. As with Linux's overlayfs, files opened for reading and mappings
 * made before that go on showing the old data.
 * @module
 */
import { EIO, type Errno, isErrno } from "../../abi/errno.ts";
import { O_ACCMODE, O_RDWR, O_TRUNC, O_WRONLY } from "../../abi/fcntl.ts";
import { MemoryBuffer } from "../../mm/io_buffer.ts";
import type { Mappable } from "../../mm/mappable.ts";
import { PageCache } from "../../mm/page_cache.ts";
import type { Timespec } from "../../time/clock.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { AttributeChange, Inode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import {
  type CachedFile,
  RegularFileDescription,
} from "../../vfs/regular_file.ts";
import { OverlayInode } from "./overlay_inode.ts";

/** Bytes that a copy-up moves at once. */
const CHUNK = 256 * 1024;

export class OverlayRegular extends OverlayInode implements CachedFile {
  /** The data, once it is kept here. */
  #pages: PageCache | null = null;

  /** Precondition: the data is kept here. */
  get pages(): PageCache {
    if (this.#pages === null) throw new Error("The data was not copied up");
    return this.#pages;
  }

  override freeData(): void {
    this.#pages?.dispose();
  }

  override open(
    path: VfsPath,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    const mode = flags & O_ACCMODE;
    const isWriting = mode === O_WRONLY || mode === O_RDWR;
    const isTruncating = (flags & O_TRUNC) !== 0;
    if (this.#pages === null && this.lower !== null) {
      if (!isWriting && !isTruncating) {
        return this.lower.open(path, flags, caller);
      }
      // What is about to be truncated needs no copy.
      const failed = this.#copyUp(isTruncating ? 0 : Infinity);
      if (failed !== null) return failed;
    }
    this.#ownPages();
    return new RegularFileDescription(path, flags, this);
  }

  #ownPages(): PageCache {
    this.#pages ??= new PageCache(this.home.memoryFile, null, {
      usage: this.home,
    });
    return this.#pages;
  }

  /** Copies at most `limit` bytes of the lower file. ENOSPC, ENOMEM, EIO. */
  #copyUp(limit: number): Errno | null {
    const failed = this.own();
    if (failed !== null) return failed;
    const pages = new PageCache(this.home.memoryFile, null, {
      usage: this.home,
    });
    const stuck = this.#copyData(pages, Math.min(limit, this.size));
    if (stuck !== null) {
      pages.dispose();
      return stuck;
    }
    this.#pages = pages;
    this.#measure();
    return null;
  }

  #copyData(pages: PageCache, length: number): Errno | null {
    if (length === 0) return null;
    const lower = this.lower;
    if (lower === null || !hasPages(lower)) return EIO;
    const { memoryFile } = this.home;
    const bounce = memoryFile.allocate(CHUNK, { isZeroed: false });
    if (isErrno(bounce)) return bounce;
    const { memory } = memoryFile;
    let failure: Errno | null = null;
    let at = 0;
    while (at < length) {
      const size = Math.min(CHUNK, length - at);
      const got = lower.pages.read(new MemoryBuffer(memory, bounce, size), at);
      if (isErrno(got)) failure = got;
      if (isErrno(got) || got === 0) break;
      const put = pages.write(new MemoryBuffer(memory, bounce, got), at);
      if (isErrno(put)) failure = put;
      if (isErrno(put)) break;
      at += put;
    }
    memoryFile.release(bounce, CHUNK);
    return failure;
  }

  #measure(): void {
    if (this.#pages === null) return;
    this.size = this.#pages.size;
    this.blocks = this.#pages.residentPages * 8;
  }

  override refresh(): Errno | null {
    if (this.#pages === null) return super.refresh();
    this.#measure();
    return null;
  }

  override setAttributes(change: AttributeChange): Errno | null {
    const { size, ...others } = change;
    if (size !== undefined) {
      if (this.#pages === null && this.lower !== null) {
        const failed = this.#copyUp(size);
        if (failed !== null) return failed;
      }
      this.#ownPages().truncate(size);
      this.#measure();
      this.version++;
    }
    return super.setAttributes(others);
  }

  // CachedFile.
  checkWrite(): null {
    return null;
  }
  onWritten(now: Timespec): void {
    this.#measure();
    this.mtime = now;
    this.ctime = now;
    this.version++;
  }
  mappableFor(open: FileDescription): Mappable {
    return this.pages.mappableFor(open);
  }
}

/** Regular files of every file system that can be a lower layer. */
function hasPages(inode: Inode): inode is CachedFile {
  return "pages" in inode;
}
