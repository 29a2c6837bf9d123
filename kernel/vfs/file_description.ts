/**
 * FileDescription: an open file (struct file). Subclasses override what their
 * kind supports; the defaults refuse as Linux refuses.
 *
 * Nothing here blocks: an operation that would have to wait returns EAGAIN, and
 * the system call layer parks the task on `queue` (unless O_NONBLOCK) and runs
 * the call again. An operation that moved some bytes returns their count.
 * @module
 */
import {
  EAGAIN,
  EBADF,
  EINVAL,
  ENODEV,
  ENOTDIR,
  ENOTTY,
  EOPNOTSUPP,
  type Errno,
  ESPIPE,
} from "../abi/errno.ts";
import { O_ACCMODE, O_PATH, O_RDONLY, O_RDWR, O_WRONLY } from "../abi/fcntl.ts";
import { POLLIN, POLLOUT } from "../abi/poll.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import type { Mappable } from "../mm/mappable.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import type { Caller } from "./caller.ts";
import { releaseFileLocks, releasePosixLocks } from "./file_lock.ts";
import { releaseLease } from "./file_lease.ts";
import type { DirectorySink, Inode } from "./inode.ts";
import type { VfsPath } from "./mount.ts";
import { showPath } from "./path_name.ts";
import { notifyClose } from "./watches.ts";

/** Wants to hear of the end of a file without holding a reference on it. */
export interface CloseWatcher {
  fileClosed(): void;
}

/** Who hears of a file by a signal (F_SETOWN); task/file_owner.ts has it. */
export interface SignalOwner {
  /** Sends the signal; `reason` is a POLL_* si_code. */
  send(reason: number): void;
  /** The file closes. */
  end(): void;
}

export abstract class FileDescription {
  /** Access mode, status flags (O_APPEND, O_NONBLOCK, ...), O_PATH. */
  flags: number;
  /** Position for read, write, lseek, readdir. */
  offset = 0;
  /** F_SETOWN, F_SETSIG, O_ASYNC; null: never asked for. */
  signalOwner: SignalOwner | null = null;
  readonly path: VfsPath;
  /** Told before the file closes; epoll.ts keeps its registrations here. */
  closeWatchers: Set<CloseWatcher> | null = null;
  #references = 1;

  /** Takes a reference on `path` and its inode, dropped by the last
   * release(). */
  constructor(path: VfsPath, flags: number) {
    this.path = path;
    this.flags = flags;
    path.acquire();
    path.dentry.inode?.acquire();
    this.inode = path.dentry.inode!;
    if (!this.inode.isRegular) return;
    if (this.isWritable) this.inode.writers++;
    else if (this.isReadable) this.inode.readers++;
  }
  readonly inode: Inode;

  // Access mode 3 allows neither: only ioctl(2).
  get isReadable(): boolean {
    const mode = this.flags & (O_ACCMODE | O_PATH);
    return mode === O_RDONLY || mode === O_RDWR;
  }
  get isWritable(): boolean {
    const mode = this.flags & (O_ACCMODE | O_PATH);
    return mode === O_WRONLY || mode === O_RDWR;
  }
  /** FMODE_PREAD/FMODE_LSEEK: false for pipes, sockets, ttys. */
  get isSeekable(): boolean {
    return true;
  }

  acquire(): this {
    this.#references++;
    return this;
  }
  get references(): number {
    return this.#references;
  }
  /** Drops a reference; the last one closes the file. */
  release(): void {
    if (--this.#references > 0) return;
    if (this.closeWatchers !== null) {
      for (const watcher of [...this.closeWatchers]) watcher.fileClosed();
    }
    this.signalOwner?.end();
    notifyClose(this);
    this.onClose();
    if (this.inode.locks !== null) releaseFileLocks(this.inode, this);
    if (this.inode.leases !== null) releaseLease(this);
    if (this.inode.isRegular) {
      if (this.isWritable) this.inode.writers--;
      else if (this.isReadable) this.inode.readers--;
    }
    this.inode.release();
    this.path.release();
  }
  /** Last reference gone. */
  protected onClose(): void {}
  /** close(2) of one descriptor (locks, flush); every time, not only the last. */
  flush(caller: Caller): Errno | null {
    if (this.inode.locks !== null) {
      releasePosixLocks(this.inode, caller.lockOwner);
    }
    return null;
  }

  /** False for files that epoll_ctl(2) refuses with EPERM, as they are always
   * ready. */
  get isPollable(): boolean {
    return !this.inode.isRegular && !this.inode.isDirectory;
  }
  /** Whether O_ASYNC makes it send signals. */
  get canSignal(): boolean {
    return false;
  }
  /** Whether it may be used with O_DIRECT. */
  get canBypassCache(): boolean {
    return false;
  }
  /** Where waiters for readiness() wait. */
  get queue(): WaitQueue {
    return this.inode.queue;
  }
  /** POLL* bits that are true now (POLLERR and POLLHUP unasked). */
  readiness(): number {
    return POLLIN | POLLOUT;
  }
  /** How long a blocking read or write may wait in all, ns: SO_RCVTIMEO,
   * SO_SNDTIMEO, VTIME. When the time is over the result is EAGAIN, or
   * readTimeoutResult. */
  get readTimeoutNs(): number {
    return Infinity;
  }
  get writeTimeoutNs(): number {
    return Infinity;
  }
  get readTimeoutResult(): number | Errno {
    return EAGAIN;
  }

  // The system call layer has checked the access mode and that offset >= 0.
  /** Reads at `this.offset` and advances it. 0 at the end. */
  read(_io: IoBuffer, _caller: Caller): number | Errno {
    return EINVAL;
  }
  write(_io: IoBuffer, _caller: Caller): number | Errno {
    return EINVAL;
  }
  readAt(_io: IoBuffer, _offset: number, _caller: Caller): number | Errno {
    return ESPIPE;
  }
  writeAt(_io: IoBuffer, _offset: number, _caller: Caller): number | Errno {
    return ESPIPE;
  }
  /** lseek(2): sets and returns the offset. */
  seek(_offset: number, _whence: number): number | Errno {
    return ESPIPE;
  }
  /** getdents64(2): emits from `this.offset` on and advances it. */
  readDirectory(_sink: DirectorySink, _caller: Caller): Errno | null {
    return ENOTDIR;
  }
  ioctl(_request: number, _argument: number, _caller: Caller): number | Errno {
    return ENOTTY;
  }
  /** For mmap(2). The access mode was checked. */
  mappable(): Mappable | Errno {
    return ENODEV;
  }
  // For /proc/pid/maps (mm's FileOwner).
  get mapName(): ByteString {
    return showPath(null, this.path);
  }
  get mapDevice(): number {
    return this.inode.fs.device;
  }
  get mapInode(): number {
    return this.inode.ino;
  }
  /** Lines of /proc/pid/fdinfo that only files of this kind have. */
  showInfo(): string {
    return "";
  }
  /** fsync(2), fdatasync(2). */
  sync(_dataOnly: boolean): Errno | null {
    return EINVAL;
  }
  /** ftruncate(2): only regular files. */
  truncate(_length: number, _caller: Caller): Errno | null {
    return EINVAL;
  }
  allocate(
    _mode: number,
    _offset: number,
    _length: number,
    _caller: Caller,
  ): Errno | null {
    return EOPNOTSUPP;
  }
  /** O_* bits that F_SETFL may change were checked; EINVAL refuses. */
  setStatusFlags(flags: number): Errno | null {
    this.flags = flags;
    return null;
  }
}

/** O_PATH: names a place, allows nothing else. */
export class PathDescription extends FileDescription {
  override readiness(): number {
    return 0;
  }
  override read(): Errno {
    return EBADF;
  }
  override write(): Errno {
    return EBADF;
  }
}
