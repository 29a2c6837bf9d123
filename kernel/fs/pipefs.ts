/**
 * pipefs and FIFOs: opens Pipes (pipe.ts) as file descriptions, nameless for
 * pipe(2) and by name for FIFO inodes of any file system. Source: pipe(7),
 * fifo(7), fcntl(2).
 * @module
 */
import { CAP_SYS_RESOURCE } from "../abi/capability.ts";
import {
  EAGAIN,
  EINVAL,
  ENOTTY,
  ENXIO,
  EPERM,
  type Errno,
} from "../abi/errno.ts";
import {
  O_ACCMODE,
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../abi/fcntl.ts";
import { FIONREAD } from "../abi/ioctl.ts";
import { PIPEFS_MAGIC } from "../abi/magic.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../abi/poll.ts";
import { S_IFIFO } from "../abi/stat.ts";
import type { HostMemory } from "../host.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import type { RingPages } from "../mm/memory_ring.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import type { Clock } from "../time/clock.ts";
import type { Caller } from "../vfs/caller.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { VfsPath } from "../vfs/mount.ts";
import { AnonFileSystem, AnonInode } from "./anon_inode.ts";
import { Pipe, PIPE_MAX_SIZE, PIPE_PAGE_SIZE } from "./pipe.ts";

/** Both descriptions of a new pipe; disposing drops the opener's references. */
export interface PipeEnds extends Disposable {
  readonly reader: FileDescription;
  readonly writer: FileDescription;
}

/** A blocking open(2) of a FIFO that waits for the other end. */
interface WaitingOpen {
  readonly caller: Caller;
  readonly mode: number;
  /** The other end came; it may be gone again when the opener runs. */
  isMet: boolean;
}

/** The pipe of a FIFO inode, with the opens that wait on inode.queue. */
class Fifo extends Pipe {
  waitingOpens: WaitingOpen[] = [];
}

/** The inode of a nameless pipe. /proc/pid/fd/N opens it again like a FIFO. */
class PipeInode extends AnonInode {
  constructor(
    readonly pipes: PipeFileSystem,
    ino: number,
    readonly pipe: Fifo,
    caller: Caller | null,
  ) {
    super(pipes, ino, S_IFIFO | 0o600, pipes.clock.realtime());
    this.endpoint = pipe;
    this.uid = caller?.identity.fsuid ?? 0;
    this.gid = caller?.identity.fsgid ?? 0;
  }

  override open(
    path: VfsPath,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    return this.pipes.openFifo(path, flags, caller);
  }
}

/** An end of a pipe, or both (O_RDWR of a FIFO). */
export class PipeDescription extends FileDescription {
  readonly #canRead: boolean;
  readonly #canWrite: boolean;

  /** `seenWriters`: see Pipe.readiness(). */
  constructor(
    readonly pipe: Pipe,
    path: VfsPath,
    flags: number,
    readonly seenWriters = -1,
  ) {
    super(path, flags);
    this.#canRead = this.isReadable;
    this.#canWrite = this.isWritable;
    if (this.#canRead) {
      pipe.readers++;
      pipe.readerOpens++;
    }
    if (this.#canWrite) {
      pipe.writers++;
      pipe.writerOpens++;
    }
  }

  override get canSignal(): boolean {
    return true;
  }

  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.pipe.queue;
  }
  override readiness(): number {
    return this.pipe.readiness(
      this.#canRead,
      this.#canWrite,
      this.seenWriters,
    );
  }
  override read(io: IoBuffer, _caller: Caller): number | Errno {
    return this.pipe.read(io);
  }
  override write(io: IoBuffer, caller: Caller): number | Errno {
    return this.pipe.write(io, (this.flags & O_DIRECT) !== 0, caller);
  }
  override ioctl(
    request: number,
    argument: number,
    caller: Caller,
  ): number | Errno {
    if (request !== FIONREAD) return ENOTTY;
    return caller.memory.writeU32(argument, this.pipe.used) ?? 0;
  }

  /** F_GETPIPE_SZ, bytes. */
  get capacity(): number {
    return this.pipe.capacity;
  }
  /** F_SETPIPE_SZ: returns the capacity that the pipe got, bytes. EINVAL over
   * 2^31, EPERM over PIPE_MAX_SIZE without CAP_SYS_RESOURCE, EBUSY, ENOMEM. */
  setCapacity(bytes: number, caller: Caller): number | Errno {
    if (bytes < 0 || bytes > 2 ** 31) return EINVAL;
    let rounded = PIPE_PAGE_SIZE;
    while (rounded < bytes) rounded *= 2;
    if (
      rounded > this.pipe.capacity && rounded > PIPE_MAX_SIZE &&
      !caller.identity.has(CAP_SYS_RESOURCE)
    ) return EPERM;
    return this.pipe.resize(rounded) ?? this.pipe.capacity;
  }

  protected override onClose(): void {
    const pipe = this.pipe;
    if (this.#canRead) pipe.readers--;
    if (this.#canWrite) pipe.writers--;
    if (pipe.readers + pipe.writers === 0) {
      pipe.free();
      return;
    }
    if (this.#canWrite && pipe.writers === 0) pipe.queue.wake(POLLHUP | POLLIN);
    if (this.#canRead && pipe.readers === 0) pipe.queue.wake(POLLERR | POLLOUT);
  }
}

/** pipefs, and the opener of FIFOs for every file system. */
export class PipeFileSystem extends AnonFileSystem {
  readonly #memory: HostMemory;
  readonly #pages: RingPages;

  constructor(options: {
    readonly memory: HostMemory;
    readonly pages: RingPages;
    readonly clock: Clock;
    readonly device: number;
  }) {
    super({
      typeName: "pipefs",
      magic: PIPEFS_MAGIC,
      device: options.device,
      clock: options.clock,
    });
    this.#memory = options.memory;
    this.#pages = options.pages;
  }

  /** pipe2(2): a new pipe; `flags` are O_NONBLOCK and O_DIRECT. `caller` owns
   * its inode. */
  open(flags: number, caller: Caller | null = null): PipeEnds {
    const pipe = new Fifo(this.#memory, this.#pages);
    const inode = new PipeInode(this, this.nextIno(), pipe, caller);
    const place = this.place(inode, `pipe:[${inode.ino}]`);
    const reader = new PipeDescription(pipe, place, flags | O_RDONLY);
    const writer = new PipeDescription(pipe, place, flags | O_WRONLY);
    return {
      reader,
      writer,
      [Symbol.dispose]() {
        reader.release();
        writer.release();
      },
    };
  }

  /**
   * open(2) of a FIFO inode, for VfsCore.openFifo. A blocking open of one end
   * returns EAGAIN until the other end is opened: wait on inode.queue and try
   * again as the same caller. ENXIO: O_WRONLY|O_NONBLOCK without a reader.
   */
  openFifo(
    path: VfsPath,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    const inode = path.dentry.inode!;
    // Another pseudo file system's: a pipe that the host lent us.
    if (inode instanceof AnonInode && !(inode instanceof PipeInode)) {
      return inode.open(path, flags, caller);
    }
    const mode = flags & O_ACCMODE;
    if (mode > O_RDWR) return EINVAL;
    let fifo: Fifo;
    if (inode.endpoint instanceof Fifo) fifo = inode.endpoint;
    else {
      fifo = new Fifo(this.#memory, this.#pages);
      inode.endpoint = fifo;
    }
    // Nobody waits any more: what is on the list was interrupted.
    if (fifo.waitingOpens.length > 0 && inode.queue.isEmpty) {
      fifo.waitingOpens = fifo.waitingOpens.filter((it) => it.isMet);
    }
    const isBlocking = (flags & O_NONBLOCK) === 0;
    let seenWriters = -1;
    // A pipe reached by /proc/pid/fd is opened at once: it had its two ends.
    if (mode !== O_RDWR && !(inode instanceof PipeInode)) {
      const isMet = takeMet(fifo, caller, mode) || isPeerThere(fifo, mode);
      if (!isMet && isBlocking) {
        waitForPeer(fifo, caller, mode);
        return EAGAIN;
      }
      if (!isMet && mode === O_WRONLY) return ENXIO;
      if (!isMet) seenWriters = fifo.writerOpens;
    }
    const file = new PipeDescription(fifo, path, flags, seenWriters);
    for (const waiting of fifo.waitingOpens) {
      if (waiting.mode !== mode) waiting.isMet = true;
    }
    inode.queue.wake();
    return file;
  }
}

/** True if an end of the other kind is open, or waits in its own open. */
function isPeerThere(fifo: Fifo, mode: number): boolean {
  if ((mode === O_RDONLY ? fifo.writers : fifo.readers) > 0) return true;
  return fifo.waitingOpens.some((it) => it.mode !== mode && !it.isMet);
}

/** Takes the caller off the list if its peer has come. */
function takeMet(fifo: Fifo, caller: Caller, mode: number): boolean {
  const index = fifo.waitingOpens.findIndex((it) =>
    it.caller === caller && it.mode === mode && it.isMet
  );
  if (index < 0) return false;
  fifo.waitingOpens.splice(index, 1);
  return true;
}

function waitForPeer(fifo: Fifo, caller: Caller, mode: number): void {
  if (fifo.waitingOpens.some((it) => it.caller === caller)) return;
  fifo.waitingOpens.push({ caller, mode, isMet: false });
}
