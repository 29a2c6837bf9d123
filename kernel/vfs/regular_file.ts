/**
 * RegularFileDescription: an open regular file whose data is in a page cache
 * (tmpfs, memfd, an overlay's upper files). Position, append, limits, times and
 * set-ID clearing; the bytes are mm/page_cache.ts's business. Source: read(2),
 * write(2), lseek(2), fallocate(2), setrlimit(2).
 * @module
 */
import {
  EFBIG,
  EINVAL,
  ENXIO,
  EOPNOTSUPP,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_NOATIME,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../abi/fcntl.ts";
import { IN_ACCESS, IN_MODIFY } from "../abi/inotify.ts";
import { MAX_LFS_FILESIZE } from "../abi/limits.ts";
import { MS_NOATIME, MS_RDONLY, MS_STRICTATIME } from "../abi/mount.ts";
import { RLIMIT_FSIZE } from "../abi/resource.ts";
import { SIGXFSZ } from "../abi/signal.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import type { Mappable } from "../mm/mappable.ts";
import type { PageCache } from "../mm/page_cache.ts";
import type { Timespec } from "../time/clock.ts";
import { truncateInode } from "./attributes.ts";
import type { Caller } from "./caller.ts";
import { FileDescription } from "./file_description.ts";
import type { Inode } from "./inode.ts";
import { LimitedBuffer } from "./limited_buffer.ts";
import type { VfsPath } from "./mount.ts";
import { modeAfterWrite } from "./permission.ts";
import { notifyPlace } from "./watches.ts";

/** A regular file whose data is in a page cache. */
export interface CachedFile extends Inode {
  readonly pages: PageCache;
  /** Whether bytes up to `end` may be written (seals): EPERM. */
  checkWrite(end: number): Errno | null;
  /** Data was written: size, blocks and times follow. */
  onWritten(now: Timespec): void;
  /** What mmap(2) of an open file of this inode maps. */
  mappableFor(open: FileDescription): Mappable;
}

const DAY_SEC = 24 * 60 * 60;

export class RegularFileDescription extends FileDescription {
  override get canBypassCache(): boolean {
    return true;
  }
  /** The data; not `inode` where an overlay shows another file system's. */
  readonly file: CachedFile;
  #isAtimeFresh = false;

  constructor(path: VfsPath, flags: number, file: CachedFile) {
    super(path, flags);
    this.file = file;
    file.acquire();
  }

  protected override onClose(): void {
    this.file.release();
  }

  override read(io: IoBuffer, caller: Caller): number | Errno {
    const count = this.readAt(io, this.offset, caller);
    if (!isErrno(count)) this.offset += count;
    return count;
  }

  override readAt(
    io: IoBuffer,
    offset: number,
    caller: Caller,
  ): number | Errno {
    const count = this.file.pages.read(io, offset);
    if (!isErrno(count)) {
      touchAtime(this, caller);
      notifyPlace(this.path.dentry, IN_ACCESS);
    }
    return count;
  }

  override write(io: IoBuffer, caller: Caller): number | Errno {
    if (io.remaining === 0) return 0;
    if ((this.flags & O_APPEND) !== 0) this.offset = this.file.pages.size;
    const count = this.#writeBytes(io, this.offset, caller);
    if (!isErrno(count)) this.offset += count;
    return count;
  }

  override writeAt(
    io: IoBuffer,
    offset: number,
    caller: Caller,
  ): number | Errno {
    // Linux appends even in pwrite(2); its man page calls this a bug.
    const at = (this.flags & O_APPEND) !== 0 ? this.file.pages.size : offset;
    return this.#writeBytes(io, at, caller);
  }

  #writeBytes(
    io: IoBuffer,
    offset: number,
    caller: Caller,
  ): number | Errno {
    const length = io.remaining;
    if (length === 0) return 0;
    const limit = caller.limit(RLIMIT_FSIZE);
    let from = io;
    if (offset + length > limit || offset + length > MAX_LFS_FILESIZE) {
      if (offset >= limit) {
        caller.raise(SIGXFSZ);
        return EFBIG;
      }
      if (offset >= MAX_LFS_FILESIZE) return EFBIG;
      const most = Math.min(limit, MAX_LFS_FILESIZE) - offset;
      from = new LimitedBuffer(io, Math.min(length, most));
    }
    const file = this.file;
    const refused = file.checkWrite(offset + from.remaining);
    if (refused !== null) return refused;
    const now = caller.clock.realtime();
    const mode = modeAfterWrite(caller.identity, this.inode);
    if (mode !== null) this.inode.setAttributes({ mode, ctime: now });
    const count = file.pages.write(from, offset);
    if (!isErrno(count) && count > 0) {
      file.onWritten(now);
      notifyPlace(this.path.dentry, IN_MODIFY);
    }
    return count;
  }

  override seek(offset: number, whence: number): number | Errno {
    const at = seekTarget(this, this.file.pages, offset, whence);
    if (!isErrno(at)) this.offset = at;
    return at;
  }

  override mappable(): Mappable | Errno {
    return this.file.mappableFor(this);
  }

  override sync(): Errno | null {
    return this.file.pages.sync(0, this.file.pages.size);
  }

  override truncate(length: number, caller: Caller): Errno | null {
    const failed = truncateInode(this.inode, length, caller);
    if (failed === null) notifyPlace(this.path.dentry, IN_MODIFY);
    return failed;
  }

  /** As tmpfs does: KEEP_SIZE and PUNCH_HOLE; EOPNOTSUPP for other modes. */
  override allocate(
    mode: number,
    offset: number,
    length: number,
    caller: Caller,
  ): Errno | null {
    const known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    if ((mode & ~known) !== 0) return EOPNOTSUPP;
    const file = this.file;
    const end = offset + length;
    const isPunch = (mode & FALLOC_FL_PUNCH_HOLE) !== 0;
    const grown = isPunch || (mode & FALLOC_FL_KEEP_SIZE) !== 0
      ? file.pages.size
      : Math.max(end, file.pages.size);
    if (grown > file.pages.size && grown > caller.limit(RLIMIT_FSIZE)) {
      caller.raise(SIGXFSZ);
      return EFBIG;
    }
    const refused = file.checkWrite(isPunch ? 0 : grown);
    if (refused !== null) return refused;
    if (isPunch) file.pages.punch(offset, length);
    else {
      const failed = file.pages.allocate(offset, length);
      if (failed !== null) return failed;
      if (grown > file.pages.size) file.pages.truncate(grown);
    }
    file.onWritten(caller.clock.realtime());
    notifyPlace(this.path.dentry, IN_MODIFY);
    return null;
  }

  /** True once per open file: relatime's daily rule is worth a clock read
   * then, not on every read. */
  takeAtimeCheck(): boolean {
    if (this.#isAtimeFresh) return false;
    this.#isAtimeFresh = true;
    return true;
  }
}

/** Sets the access time after a read as the mount wants it: never, always, or
 * (relatime, the default) when it would be older than the last change or than
 * a day. */
function touchAtime(open: RegularFileDescription, caller: Caller): void {
  const flags = open.path.mount.flags;
  if ((flags & (MS_NOATIME | MS_RDONLY)) !== 0) return;
  if ((open.flags & O_NOATIME) !== 0) return;
  const { atime, mtime, ctime } = open.file;
  const isStale = (flags & MS_STRICTATIME) !== 0 ||
    !isAfter(atime, mtime) || !isAfter(atime, ctime);
  if (!isStale && !open.takeAtimeCheck()) return;
  const now = caller.clock.realtime();
  if (isStale || now.sec - atime.sec >= DAY_SEC) open.file.atime = now;
}

function isAfter(one: Timespec, other: Timespec): boolean {
  return one.sec > other.sec ||
    (one.sec === other.sec && one.nsec > other.nsec);
}

/** Where lseek(2) goes in a file with a page cache. EINVAL, ENXIO. */
export function seekTarget(
  open: FileDescription,
  pages: PageCache,
  offset: number,
  whence: number,
): number | Errno {
  let target: number;
  switch (whence) {
    case SEEK_SET:
      target = offset;
      break;
    case SEEK_CUR:
      target = open.offset + offset;
      break;
    case SEEK_END:
      target = pages.size + offset;
      break;
    case SEEK_DATA:
      return offset < 0 ? ENXIO : pages.nextData(offset);
    case SEEK_HOLE:
      return offset < 0 ? ENXIO : pages.nextHole(offset);
    default:
      return EINVAL;
  }
  return target < 0 || target > MAX_LFS_FILESIZE ? EINVAL : target;
}
