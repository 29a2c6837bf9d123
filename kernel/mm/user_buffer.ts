/**
 * UserBuffer: a cursor over guest memory, one range or an iovec array. Ranges
 * were checked against the address limit; whether they are mapped shows when
 * the cursor gets there.
 * @module
 */
import { EFAULT, type Errno } from "../abi/errno.ts";
import type { HostMemory } from "../host.ts";
import { IoBuffer } from "./io_buffer.ts";

/** The part of UserAccess that a cursor needs. */
export interface Translator {
  readonly memory: HostMemory;
  translate(addr: number, maxLength: number, isWrite: boolean): number;
  readonly runLength: number;
}

export class UserBuffer extends IoBuffer {
  readonly #user: Translator;
  // The range under the cursor; the others only exist for vectors.
  #addr = 0;
  #left = 0;
  #ranges: number[] | null = null;
  #index = 0;
  #remaining = 0;
  #done = 0;

  constructor(user: Translator) {
    super(user.memory);
    this.#user = user;
  }

  /** Appends a range; before the cursor moves. */
  add(addr: number, length: number): void {
    if (this.#remaining === 0) {
      this.#addr = addr;
      this.#left = length;
    } else {
      this.#ranges ??= [this.#addr, this.#left];
      this.#ranges.push(addr, length);
    }
    this.#remaining += length;
  }

  get remaining(): number {
    return this.#remaining;
  }
  get done(): number {
    return this.#done;
  }

  override run(maxLength: number, write: boolean): number | Errno {
    const most = this.#left < maxLength ? this.#left : maxLength;
    const at = this.#user.translate(this.#addr, most, write);
    if (at < 0) return EFAULT;
    this.runLength = this.#user.runLength;
    return at;
  }

  override advance(length: number): void {
    this.#done += length;
    this.#remaining -= length;
    if (length >= 0 && length < this.#left) {
      this.#addr += length;
      this.#left -= length;
    } else if (this.#ranges === null) {
      this.#addr += length;
      this.#left -= length;
    } else this.#walk(length);
  }

  /** Moves over the ends of ranges, in either direction. */
  #walk(length: number): void {
    const ranges = this.#ranges!;
    let index = this.#index;
    // Bytes from the start of the current range to where the cursor goes.
    let inRange = ranges[2 * index + 1]! - this.#left + length;
    while (inRange < 0) inRange += ranges[2 * --index + 1]!;
    while (
      inRange >= ranges[2 * index + 1]! && 2 * index + 2 < ranges.length
    ) {
      inRange -= ranges[2 * index + 1]!;
      index++;
    }
    this.#index = index;
    this.#addr = ranges[2 * index]! + inRange;
    this.#left = ranges[2 * index + 1]! - inRange;
  }
}
