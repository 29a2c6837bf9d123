/**
 * Bytes that were written and are not yet acknowledged: a ring that grows by
 * doubling when it must and holds nothing when nothing was written.
 * @module
 */
const FIRST_CAPACITY = 4096;

export class SendBuffer {
  #bytes = new Uint8Array(0);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Copies bytes to the end. Precondition: the caller keeps the limit. */
  append(from: Uint8Array): void {
    const length = from.length;
    this.#reserve(this.#size + length);
    const capacity = this.#bytes.length;
    const at = (this.#head + this.#size) % capacity;
    const first = Math.min(length, capacity - at);
    if (first === length) this.#bytes.set(from, at);
    else {
      this.#bytes.set(from.subarray(0, first), at);
      this.#bytes.set(from.subarray(first), 0);
    }
    this.#size += length;
  }

  /** Copies `length` bytes from `offset` after the first. */
  copy(offset: number, length: number, into: Uint8Array, at: number): void {
    if (length === 0) return;
    const capacity = this.#bytes.length;
    const from = (this.#head + offset) % capacity;
    const first = Math.min(length, capacity - from);
    into.set(this.#bytes.subarray(from, from + first), at);
    if (first < length) {
      into.set(this.#bytes.subarray(0, length - first), at + first);
    }
  }

  /** Forgets the first bytes. */
  drop(length: number): void {
    this.#size -= length;
    this.#head = this.#size === 0
      ? 0
      : (this.#head + length) % this.#bytes.length;
  }

  clear(): void {
    this.#bytes = new Uint8Array(0);
    this.#head = 0;
    this.#size = 0;
  }

  #reserve(wanted: number): void {
    if (wanted <= this.#bytes.length) return;
    let capacity = Math.max(FIRST_CAPACITY, this.#bytes.length);
    while (capacity < wanted) capacity *= 2;
    const grown = new Uint8Array(capacity);
    this.copy(0, this.#size, grown, 0);
    this.#bytes = grown;
    this.#head = 0;
  }
}
