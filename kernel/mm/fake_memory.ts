/**
 * FakeMemory: a HostMemory over an ordinary array, for tests of everything that
 * lives in the memory file.
 * @module
 */
import type { HostMemory } from "../host.ts";

export class FakeMemory implements HostMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly size: number;
  /** Calls of punch(), for tests that count them. */
  punches = 0;

  constructor(size: number = 16 << 20) {
    this.size = size;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  punch(offset: number, length: number): void {
    this.punches++;
    this.#check(offset, length).fill(0);
  }
  populate(offset: number, length: number): void {
    this.#check(offset, length);
  }
  /** Everything an ordinary array has is there. */
  residentBytes(offset: number, length: number): number {
    return this.#check(offset, length).length;
  }
  copy(to: number, from: number, length: number): void {
    this.#check(to, length);
    this.#check(from, length);
    this.bytes.copyWithin(to, from, from + length);
  }
  zero(offset: number, length: number): void {
    this.#check(offset, length).fill(0);
  }
  read(offset: number, into: Uint8Array): void {
    into.set(this.#check(offset, into.length));
  }
  write(offset: number, from: Uint8Array): void {
    this.#check(offset, from.length).set(from);
  }

  #check(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new RangeError(`[${offset}, +${length}) is outside the window`);
    }
    return this.bytes.subarray(offset, offset + length);
  }
}
