/**
 * An open regular file of the host. Data, size and times need no message to the
 * file server: the descriptors that it donated answer.
 * @module
 */
import {
  EFBIG,
  EOPNOTSUPP,
  type Errno,
  errnoFromCode,
  isErrno,
} from "../../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_DSYNC,
  O_SYNC,
  SEEK_CUR,
  SEEK_SET,
} from "../../abi/fcntl.ts";
import { RLIMIT_FSIZE } from "../../abi/resource.ts";
import { SIGXFSZ } from "../../abi/signal.ts";
import type { HostFiles } from "../../host.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import {
  type CachedFile,
  RegularFileDescription,
} from "../../vfs/regular_file.ts";
import type { HostHandles } from "./host_handles.ts";
import type { HostPages } from "./host_pages.ts";

/** A regular file with host descriptors behind its pages. */
export interface GoferFile extends CachedFile {
  readonly pages: HostPages;
  readonly handles: HostHandles;
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

export class GoferDescription extends RegularFileDescription {
  readonly #file: GoferFile;
  readonly #files: HostFiles;

  /** Precondition: the descriptors that `flags` ask for are open. */
  constructor(
    path: VfsPath,
    flags: number,
    file: GoferFile,
    files: HostFiles,
  ) {
    super(path, flags, file);
    this.#file = file;
    this.#files = files;
    file.handles.acquire();
  }

  protected override onClose(): void {
    // What a shared mapping wrote and nobody synced.
    if (this.isWritable) this.#file.pages.sync(0, this.#file.pages.size);
    this.#file.handles.release();
    super.onClose();
  }

  override write(io: IoBuffer, caller: Caller): number | Errno {
    return this.#findEnd() ?? this.#harden(super.write(io, caller));
  }

  override writeAt(
    io: IoBuffer,
    offset: number,
    caller: Caller,
  ): number | Errno {
    return this.#findEnd() ?? this.#harden(super.writeAt(io, offset, caller));
  }

  /** What was written with O_SYNC or O_DSYNC is on the disk when write(2)
   * returns. */
  #harden(count: number | Errno): number | Errno {
    if ((this.flags & O_DSYNC) === 0 || isErrno(count) || count === 0) {
      return count;
    }
    return this.sync((this.flags & O_SYNC) !== O_SYNC) ?? count;
  }

  /** Appending is to the end of the file as it is now. */
  #findEnd(): Errno | null {
    return (this.flags & O_APPEND) !== 0 ? this.#file.refresh() : null;
  }

  override seek(offset: number, whence: number): number | Errno {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) {
      const stale = this.#file.refresh();
      if (stale !== null) return stale;
    }
    return super.seek(offset, whence);
  }

  override sync(dataOnly = false): Errno | null {
    const failure = this.#file.pages.sync(0, this.#file.pages.size);
    if (failure !== null) return failure;
    const fd = this.isWritable
      ? this.#file.handles.writer()
      : this.#file.handles.reader();
    if (isErrno(fd)) return fd;
    const result = this.#files.sync(fd, dataOnly);
    return result < 0 ? errnoFromCode(result) : null;
  }

  override allocate(
    mode: number,
    offset: number,
    length: number,
    caller: Caller,
  ): Errno | null {
    const { pages } = this.#file;
    const end = offset + length;
    let failure: Errno | null;
    switch (mode) {
      case PUNCH:
        failure = pages.punchHost(offset, length);
        break;
      case FALLOC_FL_KEEP_SIZE:
        failure = pages.allocateHost(mode, offset, length);
        break;
      case 0:
        if (end > pages.size && end > caller.limit(RLIMIT_FSIZE)) {
          caller.raise(SIGXFSZ);
          return EFBIG;
        }
        failure = pages.allocateHost(mode, offset, length);
        if (failure === null && end > pages.size) pages.truncate(end);
        break;
      default:
        return EOPNOTSUPP;
    }
    if (failure === null) this.#file.onWritten(caller.clock.realtime());
    return failure;
  }
}
