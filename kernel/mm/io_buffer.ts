/**
 * Where read(2) puts bytes and write(2) takes them from: a cursor over guest
 * memory (UserBuffer, in user_buffer.ts) or over a range of the memory file
 * (MemoryBuffer). Files never see guest addresses.
 *
 * Every method that moves bytes returns how many it moved; fewer than asked
 * (with remaining > 0) means that guest memory faulted on the way, EFAULT that
 * it faulted at the first byte.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import { isErrno } from "../abi/errno.ts";
import type { HostMemory } from "../host.ts";

export abstract class IoBuffer {
  /** Bytes left between the cursor and the end. */
  abstract readonly remaining: number;
  /** Bytes moved so far. */
  abstract readonly done: number;
  /** Bytes contiguous in the memory file after run() succeeded. */
  runLength = 0;

  constructor(readonly memory: HostMemory) {}

  /**
   * Memory-file offset of the cursor, with runLength (> 0, at most maxLength)
   * bytes contiguous behind it; does not move the cursor. `write`: bytes will
   * be stored there. EFAULT. Precondition: remaining > 0.
   */
  abstract run(maxLength: number, write: boolean): number | Errno;
  /** Moves the cursor forward by `length` <= remaining (back if negative). */
  abstract advance(length: number): void;

  /** Stores bytes of an array at the cursor. */
  put(bytes: Uint8Array, start: number, length: number): number | Errno {
    const total = Math.min(length, this.remaining);
    let moved = 0;
    while (moved < total) {
      const at = this.run(total - moved, true);
      if (isErrno(at)) return moved > 0 ? moved : at;
      const count = this.runLength;
      const from = start + moved;
      this.memory.write(at, bytes.subarray(from, from + count));
      this.advance(count);
      moved += count;
    }
    return moved;
  }

  /** Stores bytes of the memory file at the cursor. */
  putMemory(offset: number, length: number): number | Errno {
    const total = Math.min(length, this.remaining);
    let moved = 0;
    while (moved < total) {
      const at = this.run(total - moved, true);
      if (isErrno(at)) return moved > 0 ? moved : at;
      this.memory.copy(at, offset + moved, this.runLength);
      moved += this.runLength;
      this.advance(this.runLength);
    }
    return moved;
  }

  /** Stores zero bytes at the cursor. */
  putZeros(length: number): number | Errno {
    const total = Math.min(length, this.remaining);
    let moved = 0;
    while (moved < total) {
      const at = this.run(total - moved, true);
      if (isErrno(at)) return moved > 0 ? moved : at;
      this.memory.zero(at, this.runLength);
      moved += this.runLength;
      this.advance(this.runLength);
    }
    return moved;
  }

  /** Takes bytes at the cursor into an array. */
  take(into: Uint8Array, start: number, length: number): number | Errno {
    const total = Math.min(length, this.remaining);
    let moved = 0;
    while (moved < total) {
      const at = this.run(total - moved, false);
      if (isErrno(at)) return moved > 0 ? moved : at;
      const to = start + moved;
      this.memory.read(at, into.subarray(to, to + this.runLength));
      moved += this.runLength;
      this.advance(this.runLength);
    }
    return moved;
  }

  /** Takes bytes at the cursor into the memory file. */
  takeMemory(offset: number, length: number): number | Errno {
    const total = Math.min(length, this.remaining);
    let moved = 0;
    while (moved < total) {
      const at = this.run(total - moved, false);
      if (isErrno(at)) return moved > 0 ? moved : at;
      this.memory.copy(offset + moved, at, this.runLength);
      moved += this.runLength;
      this.advance(this.runLength);
    }
    return moved;
  }
}

/** A range of the memory file. */
export class MemoryBuffer extends IoBuffer {
  #offset: number;
  #done = 0;
  #length: number;

  constructor(memory: HostMemory, offset: number, length: number) {
    super(memory);
    this.#offset = offset;
    this.#length = length;
  }

  get remaining(): number {
    return this.#length - this.#done;
  }
  get done(): number {
    return this.#done;
  }
  override run(maxLength: number, _write: boolean): number {
    this.runLength = Math.min(maxLength, this.remaining);
    return this.#offset + this.#done;
  }
  override advance(length: number): void {
    this.#done += length;
  }
}
