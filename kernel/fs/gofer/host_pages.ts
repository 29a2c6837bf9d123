/**
 * HostPages: the page cache of a file that lives on the host. Writes go to the
 * host at once, straight from the writer's memory, and into pages that happen
 * to be cached; only shared mappings make pages dirty. What a read does depends
 * on who else changes the file:
 *
 * - nobody ("exclusive"): small reads are served from the cache and fill it,
 *   large ones go around it;
 * - others ("shared"): every read asks the host. Mapped pages are a copy, which
 *   the inode drops when it learns of a change.
 * @module
 */
import { type Errno, errnoFromCode, isErrno } from "../../abi/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "../../abi/fcntl.ts";
import { MAX_RW_COUNT } from "../../abi/limits.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import type { HostFiles } from "../../host.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import { type MappedRange, Translation } from "../../mm/mappable.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import { type PageBacking, PageCache } from "../../mm/page_cache.ts";
import type { HostHandles } from "./host_handles.ts";

/** Reads from this length on are cheaper without the cache's extra copy. */
const DIRECT_READ = 128 * 1024;

/** Moves pages between the memory file and the host. */
class HostBacking implements PageBacking {
  constructor(
    readonly files: HostFiles,
    readonly handles: HostHandles,
  ) {}

  readPages(
    fileOffset: number,
    memoryOffset: number,
    length: number,
  ): number | Errno {
    const fd = this.handles.reader();
    if (isErrno(fd)) return fd;
    let done = 0;
    while (done < length) {
      const count = this.files.read(
        fd,
        memoryOffset + done,
        length - done,
        fileOffset + done,
      );
      if (count < 0) return errnoFromCode(count);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  writePages(
    fileOffset: number,
    memoryOffset: number,
    length: number,
  ): Errno | null {
    const fd = this.handles.writer();
    if (isErrno(fd)) return fd;
    let done = 0;
    while (done < length) {
      const count = this.files.write(
        fd,
        memoryOffset + done,
        length - done,
        fileOffset + done,
      );
      if (count < 0) return errnoFromCode(count);
      done += count;
    }
    return null;
  }
}

export interface HostPagesOptions {
  readonly size: number;
  /** Others change the file, too. */
  readonly isShared: boolean;
}

export class HostPages extends PageCache {
  readonly #files: HostFiles;
  readonly #handles: HostHandles;
  readonly #isShared: boolean;
  readonly #translation = new Translation();
  /** A writable shared mapping exists, or existed since the last sync(). */
  #mayBeDirty = false;

  constructor(
    memoryFile: MemoryFile,
    files: HostFiles,
    handles: HostHandles,
    options: HostPagesOptions,
  ) {
    super(memoryFile, new HostBacking(files, handles), options);
    this.#files = files;
    this.#handles = handles;
    this.#isShared = options.isShared;
  }

  override read(io: IoBuffer, offset: number): number | Errno {
    if (!this.#isShared && io.remaining < DIRECT_READ) {
      return super.read(io, offset);
    }
    const failure = this.#syncDirty(offset, io.remaining);
    if (failure !== null) return failure;
    const fd = this.#handles.reader();
    if (isErrno(fd)) return fd;
    let at = offset;
    while (io.remaining > 0) {
      const to = io.run(Math.min(io.remaining, MAX_RW_COUNT), true);
      if (isErrno(to)) return at > offset ? at - offset : to;
      const wanted = io.runLength;
      const count = this.#files.read(fd, to, wanted, at);
      if (count < 0) return at > offset ? at - offset : errnoFromCode(count);
      io.advance(count);
      at += count;
      if (count < wanted) break;
    }
    return at - offset;
  }

  override write(io: IoBuffer, offset: number): number | Errno {
    const fd = this.#handles.writer();
    if (isErrno(fd)) return fd;
    let at = offset;
    while (io.remaining > 0) {
      const from = io.run(Math.min(io.remaining, MAX_RW_COUNT), false);
      if (isErrno(from)) return at > offset ? at - offset : from;
      const wanted = io.runLength;
      const count = this.#files.write(fd, from, wanted, at);
      if (count < 0) return at > offset ? at - offset : errnoFromCode(count);
      const end = at + count;
      if (end > this.size) super.truncate(end);
      if (this.residentPages > 0) this.#updateCached(at, from, count);
      io.advance(count);
      at = end;
      if (count < wanted) break;
    }
    return at - offset;
  }

  /** Copies bytes that the host has got into the pages that hold them, too. */
  #updateCached(offset: number, from: number, length: number): void {
    const end = offset + length;
    let at = offset;
    while (at < end) {
      const page = Math.floor(at / PAGE_SIZE) * PAGE_SIZE;
      const most = Math.ceil((end - page) / PAGE_SIZE) * PAGE_SIZE;
      if (!this.translateCached(page, most, this.#translation)) {
        at = page + PAGE_SIZE;
        continue;
      }
      const inPage = at - page;
      const count = Math.min(end - at, this.#translation.length - inPage);
      this.memory.copy(
        this.#translation.offset + inPage,
        from + (at - offset),
        count,
      );
      at += count;
    }
  }

  /** Punches [offset, offset + length) out of the host's file and the cache. */
  punchHost(offset: number, length: number): Errno | null {
    const failure = this.allocateHost(
      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
      offset,
      length,
    );
    if (failure === null) this.punch(offset, length);
    return failure;
  }

  /** fallocate(2) of the host's file alone; its errors. */
  allocateHost(mode: number, offset: number, length: number): Errno | null {
    const fd = this.#handles.writer();
    if (isErrno(fd)) return fd;
    const result = this.#files.allocate(fd, mode, offset, length);
    return result < 0 ? errnoFromCode(result) : null;
  }

  override addMapping(range: MappedRange, isWritableShared: boolean): void {
    if (isWritableShared) this.#mayBeDirty = true;
    super.addMapping(range, isWritableShared);
  }

  override sync(fileOffset: number, length: number): Errno | null {
    if (!this.#mayBeDirty) return null;
    const failure = super.sync(fileOffset, length);
    const isWhole = fileOffset === 0 && length >= this.size;
    if (failure === null && isWhole && !this.isWritablyMapped) {
      this.#mayBeDirty = false;
    }
    return failure;
  }

  #syncDirty(offset: number, length: number): Errno | null {
    return this.#mayBeDirty ? this.sync(offset, length) : null;
  }
}
