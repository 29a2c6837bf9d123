/**
 * MemoryRing: a bounded queue of bytes in the memory file, so that data goes
 * between it and guest memory without passing through JavaScript. Pipes and
 * stream sockets keep theirs here. The buffer is taken with the first byte.
 * @module
 */
import { type Errno, isErrno } from "../abi/errno.ts";
import type { HostMemory } from "../host.ts";
import type { IoBuffer } from "./io_buffer.ts";

/** Where rings take their buffers from: the part of MemoryFile they use. */
export interface RingPages {
  /** Memory-file offset of `length` bytes, a page multiple, or ENOMEM. What is
   * in them does not matter: only bytes that were written are read. */
  allocate(
    length: number,
    options: { readonly isZeroed: boolean },
  ): number | Errno;
  release(offset: number, length: number): void;
}

const UNZEROED = { isZeroed: false };

export class MemoryRing {
  /** Size of the buffer in bytes, a page multiple. */
  capacity: number;
  /** Bytes in the queue. */
  used = 0;
  readonly #memory: HostMemory;
  readonly #pages: RingPages;
  /** Memory-file offset of the buffer, -1 while there is none. */
  #base = -1;
  /** Position of the first byte. */
  #head = 0;

  constructor(memory: HostMemory, pages: RingPages, capacity: number) {
    this.#memory = memory;
    this.#pages = pages;
    this.capacity = capacity;
  }

  get free(): number {
    return this.capacity - this.used;
  }

  /** Appends up to `length` bytes; how many. EFAULT, ENOMEM. Preconditions:
   * 0 < length <= free, length <= io.remaining. */
  append(io: IoBuffer, length: number): number | Errno {
    if (this.#base < 0) {
      const base = this.#pages.allocate(this.capacity, UNZEROED);
      if (isErrno(base)) return base;
      this.#base = base;
    }
    const tail = (this.#head + this.used) % this.capacity;
    const first = Math.min(length, this.capacity - tail);
    let moved = io.takeMemory(this.#base + tail, first);
    if (isErrno(moved)) return moved;
    if (moved === first && length > first) {
      const rest = io.takeMemory(this.#base, length - first);
      if (!isErrno(rest)) moved += rest;
    }
    this.used += moved;
    return moved;
  }

  /** Copies up to `length` bytes from `skip` on without taking them. EFAULT.
   * Preconditions: 0 < length, skip + length <= used, length <=
   * io.remaining. */
  peek(io: IoBuffer, length: number, skip = 0): number | Errno {
    const start = (this.#head + skip) % this.capacity;
    const first = Math.min(length, this.capacity - start);
    let moved = io.putMemory(this.#base + start, first);
    if (isErrno(moved)) return moved;
    if (moved === first && length > first) {
      const rest = io.putMemory(this.#base, length - first);
      if (!isErrno(rest)) moved += rest;
    }
    return moved;
  }

  /** Moves up to `length` bytes out; as peek(). */
  take(io: IoBuffer, length: number): number | Errno {
    const moved = this.peek(io, length);
    if (!isErrno(moved)) this.drop(moved);
    return moved;
  }

  /** Drops the first `length` <= used bytes. */
  drop(length: number): void {
    this.used -= length;
    // An empty ring starts over, so that a ping-pong stays in one page.
    if (this.used === 0) this.#head = 0;
    else this.#head = (this.#head + length) % this.capacity;
  }

  /** Changes the size of the buffer. ENOMEM. Precondition: used <= capacity. */
  resize(capacity: number): Errno | null {
    if (this.#base >= 0) {
      const base = this.#pages.allocate(capacity, UNZEROED);
      if (isErrno(base)) return base;
      const first = Math.min(this.used, this.capacity - this.#head);
      this.#memory.copy(base, this.#base + this.#head, first);
      this.#memory.copy(base + first, this.#base, this.used - first);
      this.#pages.release(this.#base, this.capacity);
      this.#base = base;
      this.#head = 0;
    }
    this.capacity = capacity;
    return null;
  }

  /** Empties the queue and gives the buffer back. */
  clear(): void {
    if (this.#base >= 0) this.#pages.release(this.#base, this.capacity);
    this.#base = -1;
    this.#head = 0;
    this.used = 0;
  }
}
