/**
 * A bounded queue of bytes that grows as it is used. Terminals move little
 * data and look at every byte, so theirs lives in an ordinary array and not in
 * the memory file.
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";

const FIRST_SIZE = 256;

export class ByteQueue {
  /** Power-of-two ring. */
  #ring = new Uint8Array(FIRST_SIZE);
  #head = 0;
  #length = 0;

  constructor(readonly capacity: number) {}

  get length(): number {
    return this.#length;
  }
  get room(): number {
    return this.capacity - this.#length;
  }

  /** Appends a byte. Going beyond the capacity is the caller's business. */
  push(byte: number): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = byte;
    this.#length++;
  }

  /** Takes the first byte, -1 if there is none. */
  shift(): number {
    if (this.#length === 0) return -1;
    const byte = this.#ring[this.#head]!;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    return byte;
  }

  /** Copies the first bytes into an array and drops them; their count. */
  takeInto(into: Uint8Array): number {
    const count = Math.min(into.length, this.#length);
    const first = Math.min(count, this.#ring.length - this.#head);
    into.set(this.#ring.subarray(this.#head, this.#head + first));
    into.set(this.#ring.subarray(0, count - first), first);
    this.#drop(count);
    return count;
  }

  /** Puts the first bytes at the cursor and drops those that were stored. */
  moveTo(io: IoBuffer): number | Errno {
    let moved = 0;
    while (this.#length > 0 && io.remaining > 0) {
      const run = Math.min(
        this.#length,
        io.remaining,
        this.#ring.length - this.#head,
      );
      const put = io.put(this.#ring, this.#head, run);
      if (isErrno(put)) return moved > 0 ? moved : put;
      this.#drop(put);
      moved += put;
      if (put < run) break;
    }
    return moved;
  }

  clear(): void {
    this.#head = 0;
    this.#length = 0;
  }

  #drop(count: number): void {
    this.#head = (this.#head + count) & (this.#ring.length - 1);
    this.#length -= count;
  }

  #grow(): void {
    const ring = new Uint8Array(this.#ring.length * 2);
    const length = this.#length;
    this.takeInto(ring);
    this.#ring = ring;
    this.#head = 0;
    this.#length = length;
  }
}
