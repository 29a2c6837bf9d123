/**
 * Pipe: the one-way byte channel behind pipe(2) and FIFOs. A ring of bytes in
 * the memory file; data goes between it and guest memory without passing
 * through JavaScript. Descriptors and file systems are in pipefs.ts.
 *
 * Writes of at most PIPE_BUF bytes go in whole or not at all. A pipe is
 * writable for poll(2) while PIPE_BUF bytes are free. Linux keeps sixteen
 * page slots instead, so that odd-sized writes can fill it earlier there.
 * Source: pipe(7), pipe(2), fcntl(2).
 * @module
 */
import { EAGAIN, EBUSY, EPIPE, type Errno, isErrno } from "../abi/errno.ts";
import { PIPE_BUF } from "../abi/limits.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "../abi/poll.ts";
import { SIGPIPE } from "../abi/signal.ts";
import type { HostMemory } from "../host.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import { MemoryRing, type RingPages } from "../mm/memory_ring.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Caller } from "../vfs/caller.ts";
import type { InodeEndpoint } from "../vfs/inode.ts";

/** Capacity of a new pipe, bytes. */
export const PIPE_DEFAULT_SIZE = 65536;
/** Largest capacity without CAP_SYS_RESOURCE (fs.pipe-max-size), bytes. */
export const PIPE_MAX_SIZE = 1048576;
export const PIPE_PAGE_SIZE = 4096;

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;

/** A stretch of the ring that one write left; only packet pipes have any. */
interface Segment {
  length: number;
  readonly isPacket: boolean;
}

export class Pipe implements InodeEndpoint {
  readonly kind = "fifo";
  /** Woken on every POLL* change of either end. */
  readonly queue = new WaitQueue();

  // Open descriptors of each end, changed by PipeDescription.
  readers = 0;
  writers = 0;
  /** How often each end was opened since the pipe exists. */
  readerOpens = 0;
  writerOpens = 0;

  readonly #ring: MemoryRing;
  readonly #segments: Segment[] = [];

  constructor(memory: HostMemory, pages: RingPages) {
    this.#ring = new MemoryRing(memory, pages, PIPE_DEFAULT_SIZE);
  }

  /** Ring size in bytes: F_GETPIPE_SZ. */
  get capacity(): number {
    return this.#ring.capacity;
  }
  /** Bytes in the ring: what FIONREAD says. */
  get used(): number {
    return this.#ring.used;
  }

  get isWritable(): boolean {
    return this.#ring.free >= PIPE_BUF &&
      this.#segments.length < this.capacity / PIPE_PAGE_SIZE;
  }

  /** POLL* bits of a descriptor with these access rights. `seenWriters` is
   * writerOpens at a non-blocking open that found no writer, else -1: such a
   * reader is not told of a hang-up before its first writer. */
  readiness(canRead: boolean, canWrite: boolean, seenWriters: number): number {
    let events = 0;
    if (canRead) {
      if (this.used > 0) events |= READABLE;
      if (this.writers === 0 && this.writerOpens !== seenWriters) {
        events |= POLLHUP;
      }
    }
    if (canWrite) {
      if (this.isWritable) events |= WRITABLE;
      if (this.readers === 0) events |= POLLERR;
    }
    return events;
  }

  /** Moves up to io.remaining bytes out; 0 at the end of the stream; EAGAIN
   * when empty; EFAULT. */
  read(io: IoBuffer): number | Errno {
    if (io.remaining === 0) return 0;
    if (this.used === 0) return this.writers === 0 ? 0 : EAGAIN;
    const wasWritable = this.isWritable;
    const moved = this.#segments.length > 0
      ? this.#readSegments(io)
      : this.#ring.take(io, Math.min(this.used, io.remaining));
    if (!wasWritable && this.isWritable && !this.queue.isEmpty) {
      this.queue.wake(WRITABLE);
    }
    return moved;
  }

  /** Moves bytes in; fewer than asked when full; EAGAIN; EPIPE with SIGPIPE;
   * EFAULT. `isPacket`: O_DIRECT of the descriptor. */
  write(io: IoBuffer, isPacket: boolean, caller: Caller): number | Errno {
    const total = io.remaining;
    if (total === 0) return 0;
    if (this.readers === 0) {
      caller.raise(SIGPIPE);
      return EPIPE;
    }
    const { free } = this.#ring;
    if (total <= PIPE_BUF ? free < total : free === 0) return EAGAIN;
    const moved = isPacket || this.#segments.length > 0
      ? this.#writeSegments(io, isPacket)
      : this.#ring.append(io, Math.min(total, free));
    if (!isErrno(moved) && !this.queue.isEmpty) this.queue.wake(READABLE);
    return moved;
  }

  /** Copies the first bytes out without consuming them, for tee(2). */
  peek(io: IoBuffer): number | Errno {
    if (io.remaining === 0) return 0;
    if (this.used === 0) return this.writers === 0 ? 0 : EAGAIN;
    return this.#ring.peek(io, Math.min(this.used, io.remaining));
  }

  /** F_SETPIPE_SZ to a power of two of pages; EBUSY if the data would not
   * fit, ENOMEM. */
  resize(capacity: number): Errno | null {
    if (capacity === this.capacity) return null;
    if (
      this.used > capacity ||
      this.#segments.length > capacity / PIPE_PAGE_SIZE
    ) return EBUSY;
    const failed = this.#ring.resize(capacity);
    if (failed !== null) return failed;
    if (this.isWritable) this.queue.wake(WRITABLE);
    return null;
  }

  /** Both ends are closed: gives the buffer back, with what was in it. A FIFO
   * goes on as a new pipe. */
  free(): void {
    this.#ring.clear();
    this.#ring.capacity = PIPE_DEFAULT_SIZE;
    this.#segments.length = 0;
  }

  /** A packet ends the read, and what did not fit of it is lost. */
  #readSegments(io: IoBuffer): number | Errno {
    let total = 0;
    while (this.#segments.length > 0 && io.remaining > 0) {
      const segment = this.#segments[0]!;
      if (segment.isPacket && total > 0) break;
      const length = Math.min(segment.length, io.remaining);
      const moved = this.#ring.take(io, length);
      if (isErrno(moved)) return total > 0 ? total : moved;
      total += moved;
      segment.length -= moved;
      if (segment.isPacket) {
        this.#ring.drop(segment.length);
        this.#segments.shift();
        break;
      }
      if (segment.length === 0) this.#segments.shift();
      if (moved < length) break;
    }
    return total;
  }

  #writeSegments(io: IoBuffer, isPacket: boolean): number | Errno {
    // Bytes that came before the first packet become a segment of their own.
    if (this.#segments.length === 0 && this.used > 0) {
      this.#segments.push({ length: this.used, isPacket: false });
    }
    let total = 0;
    while (io.remaining > 0) {
      const length = Math.min(io.remaining, PIPE_BUF);
      const isRoom = length <= this.#ring.free &&
        this.#segments.length < this.capacity / PIPE_PAGE_SIZE;
      if (!isRoom) return total > 0 ? total : EAGAIN;
      const moved = this.#ring.append(io, length);
      if (isErrno(moved)) return total > 0 ? total : moved;
      const last = this.#segments.at(-1);
      if (!isPacket && last !== undefined && !last.isPacket) {
        last.length += moved;
      } else this.#segments.push({ length: moved, isPacket });
      total += moved;
      if (moved < length) break;
    }
    return total;
  }
}
