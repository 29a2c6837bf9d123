/**
 * An IoBuffer that ends early: the first bytes of another one, whose cursor it
 * moves. For writes that RLIMIT_FSIZE or a file size limit cuts short.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import { isErrno } from "../abi/errno.ts";
import { IoBuffer } from "../mm/io_buffer.ts";

export class LimitedBuffer extends IoBuffer {
  readonly #whole: IoBuffer;
  readonly #start: number;
  readonly #length: number;

  /** Precondition: length <= whole.remaining. */
  constructor(whole: IoBuffer, length: number) {
    super(whole.memory);
    this.#whole = whole;
    this.#start = whole.done;
    this.#length = length;
  }

  get done(): number {
    return this.#whole.done - this.#start;
  }
  get remaining(): number {
    return this.#length - this.done;
  }
  override run(maxLength: number, write: boolean): number | Errno {
    const at = this.#whole.run(Math.min(maxLength, this.remaining), write);
    if (!isErrno(at)) this.runLength = this.#whole.runLength;
    return at;
  }
  override advance(length: number): void {
    this.#whole.advance(length);
  }
}
