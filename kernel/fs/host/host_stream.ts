/**
 * Host descriptors given to the sandbox as its standard streams: pipes,
 * sockets, files and devices, used only by read(2), write(2) and poll(2).
 * Terminals are not passed on but served by terminal_pump.ts.
 *
 * Data goes straight between guest memory and the host. O_NONBLOCK is the
 * sandbox's own affair: the host's descriptions are shared with strangers and
 * keep their flags.
 * @module
 */
import {
  EINVAL,
  EPERM,
  EPIPE,
  type Errno,
  errnoFromCode,
  ESPIPE,
  isErrno,
} from "../../abi/errno.ts";
import {
  O_APPEND,
  O_PATH,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from "../../abi/fcntl.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from "../../abi/poll.ts";
import { SIGPIPE } from "../../abi/signal.ts";
import type { HostFd, HostFiles, HostStat } from "../../host.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import type { Clock } from "../../time/clock.ts";
import type { Caller } from "../../vfs/caller.ts";
import { FileDescription } from "../../vfs/file_description.ts";
import type { AttributeChange } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { AnonFileSystem, AnonInode } from "../anon_inode.ts";
import type { HostListener, HostReadiness } from "./host_readiness.ts";

const POLLED = POLLIN | POLLOUT | POLLRDHUP;
/** No magic number of its own exists; statfs(2) shows tmpfs's cousin ramfs. */
const HOST_MAGIC = 0x858458f6;

/** The pseudo file system of descriptors that the host gave us. */
export class HostStreams extends AnonFileSystem {
  readonly files: HostFiles;
  readonly readiness: HostReadiness;
  /** Numbers of host files already seen, by their host identity. */
  readonly #inos = new Map<string, number>();

  constructor(options: {
    readonly files: HostFiles;
    readonly readiness: HostReadiness;
    readonly clock: Clock;
    readonly device: number;
  }) {
    super({
      typeName: "host",
      magic: HOST_MAGIC,
      device: options.device,
      clock: options.clock,
    });
    this.files = options.files;
    this.readiness = options.readiness;
  }

  /** A description of a host descriptor, which it closes in the end; `flags`
   * is the access mode. What fstat(2) on the host says. */
  open(fd: HostFd, flags: number): HostStreamDescription | Errno {
    const stat = this.files.stat(fd);
    if (typeof stat === "number") return errnoFromCode(stat);
    const key = `${stat.dev}:${stat.ino}`;
    let ino = this.#inos.get(key);
    if (ino === undefined) {
      ino = this.nextIno();
      this.#inos.set(key, ino);
    }
    const inode = new HostStreamInode(this, ino, fd, stat);
    const place = this.place(inode, `host:[${ino}]`);
    return new HostStreamDescription(inode, place, flags);
  }
}

/** Owns the host descriptor. */
class HostStreamInode extends AnonInode implements HostListener {
  readonly isAlwaysReady: boolean;

  constructor(
    readonly streams: HostStreams,
    ino: number,
    readonly fd: HostFd,
    stat: HostStat,
  ) {
    super(streams, ino, stat.mode, streams.clock.realtime());
    this.rdev = stat.rdev;
    this.#show(stat);
    const refused = streams.readiness.watch(fd, POLLED, this);
    this.isAlwaysReady = refused === EPERM;
  }

  #show(stat: HostStat): void {
    this.size = stat.size;
    this.blocks = stat.blocks;
    this.blockSize = stat.blksize;
    this.atime = { sec: stat.atimeSec, nsec: stat.atimeNsec };
    this.mtime = { sec: stat.mtimeSec, nsec: stat.mtimeNsec };
    this.ctime = { sec: stat.ctimeSec, nsec: stat.ctimeNsec };
  }

  override refresh(): Errno | null {
    const stat = this.streams.files.stat(this.fd);
    if (typeof stat === "number") return errnoFromCode(stat);
    this.#show(stat);
    return null;
  }

  onHostEvents(events: number): void {
    let woken = events;
    if ((events & POLLIN) !== 0) woken |= POLLRDNORM;
    if ((events & POLLOUT) !== 0) woken |= POLLWRNORM;
    this.queue.wake(woken);
  }

  /** /dev/stdin and its like: another description of the same stream; of a
   * regular file one with a position of its own, as if it were opened anew. */
  override open(
    path: VfsPath,
    flags: number,
    _caller: Caller,
  ): FileDescription | Errno {
    return this.isRegular
      ? new HostFileDescription(this, path, flags)
      : new HostStreamDescription(this, path, flags);
  }
  /** Only the size of a file: the sandbox does not change whose and how
   * accessible it is what it was lent. */
  override setAttributes(change: AttributeChange): Errno | null {
    if (change.size === undefined) return EPERM;
    const result = this.streams.files.truncate(this.fd, change.size);
    return result < 0 ? errnoFromCode(result) : this.refresh();
  }

  protected override evict(): void {
    this.streams.readiness.unwatch(this.fd);
    this.streams.files.close(this.fd);
  }
}

export class HostStreamDescription extends FileDescription {
  readonly #inode: HostStreamInode;
  readonly #files: HostFiles;

  constructor(inode: HostStreamInode, path: VfsPath, flags: number) {
    super(path, flags);
    this.#inode = inode;
    this.#files = inode.streams.files;
  }

  /** False even for files: their position is shared with the host's user, and
   * nothing tells us where it stands. */
  override get isSeekable(): boolean {
    return false;
  }

  override readiness(): number {
    if ((this.flags & O_PATH) !== 0) return 0;
    if (this.#inode.isAlwaysReady) return POLLIN | POLLOUT;
    const { readiness } = this.#inode.streams;
    let events = readiness.poll(this.#inode.fd, POLLED);
    events &= POLLED | POLLERR | POLLHUP;
    if ((events & POLLIN) !== 0) events |= POLLRDNORM;
    if ((events & POLLOUT) !== 0) events |= POLLWRNORM;
    return events;
  }

  override read(io: IoBuffer, _caller: Caller): number | Errno {
    return this.move(io, -1, true);
  }
  override readAt(
    io: IoBuffer,
    offset: number,
    _caller: Caller,
  ): number | Errno {
    return this.inode.isRegular ? this.move(io, offset, true) : ESPIPE;
  }
  override write(io: IoBuffer, caller: Caller): number | Errno {
    const moved = this.move(io, -1, false);
    if (moved === EPIPE) caller.raise(SIGPIPE);
    return moved;
  }
  override writeAt(
    io: IoBuffer,
    offset: number,
    _caller: Caller,
  ): number | Errno {
    return this.inode.isRegular ? this.move(io, offset, false) : ESPIPE;
  }
  override sync(dataOnly: boolean): Errno | null {
    if (!this.inode.isRegular) return EINVAL;
    const result = this.#files.sync(this.#inode.fd, dataOnly);
    return result < 0 ? errnoFromCode(result) : null;
  }

  /** ftruncate(2). */
  override truncate(length: number, _caller: Caller): Errno | null {
    if (!this.inode.isRegular) return EINVAL;
    return this.#inode.setAttributes({ size: length });
  }

  /** One host call per run of contiguous guest memory; a short one ends it. */
  protected move(
    io: IoBuffer,
    offset: number,
    isRead: boolean,
  ): number | Errno {
    const { fd } = this.#inode;
    let total = 0;
    while (io.remaining > 0) {
      const at = io.run(io.remaining, isRead);
      if (isErrno(at)) return total > 0 ? total : at;
      const length = io.runLength;
      const position = offset < 0 ? -1 : offset + total;
      const moved = isRead
        ? this.#files.read(fd, at, length, position)
        : this.#files.write(fd, at, length, position);
      if (moved < 0) {
        return total > 0 ? total : errnoFromCode(moved);
      }
      io.advance(moved);
      total += moved;
      if (moved < length) break;
    }
    return total;
  }
}

/** A regular file that was opened through another description of it. */
class HostFileDescription extends HostStreamDescription {
  override get isSeekable(): boolean {
    return true;
  }
  override read(io: IoBuffer, _caller: Caller): number | Errno {
    const moved = this.move(io, this.offset, true);
    if (!isErrno(moved)) this.offset += moved;
    return moved;
  }
  override write(io: IoBuffer, _caller: Caller): number | Errno {
    if ((this.flags & O_APPEND) !== 0) {
      const failed = this.inode.refresh();
      if (failed !== null) return failed;
      this.offset = this.inode.size;
    }
    const moved = this.move(io, this.offset, false);
    if (!isErrno(moved)) this.offset += moved;
    return moved;
  }
  override seek(offset: number, whence: number): number | Errno {
    let base = 0;
    if (whence === SEEK_CUR) base = this.offset;
    else if (whence === SEEK_END) {
      const failed = this.inode.refresh();
      if (failed !== null) return failed;
      base = this.inode.size;
    } else if (whence !== SEEK_SET) return EINVAL;
    if (base + offset < 0) return EINVAL;
    return this.offset = base + offset;
  }
}
