/**
 * AddressSpace over platform.h: collects requests in records of MEM_OP and
 * applies them in one call. A request that continues its predecessor extends
 * it, since the kernel walks its VMAs page run by page run.
 * @module
 */

import { CONSTANTS, MEM_OP, MEM_OPS_MAX } from "./layouts.ts";
import type { AddressSpace, Prot } from "./platform.ts";

const { MEM_MAP, MEM_UNMAP, MEM_PROTECT, MEM_POPULATE } = CONSTANTS;
const OP = MEM_OP.fields["op"]!.offset;
const PROT = MEM_OP.fields["prot"]!.offset;
const ADDR = MEM_OP.fields["addr"]!.offset;
const LENGTH = MEM_OP.fields["length"]!.offset;
const OFFSET = MEM_OP.fields["offset"]!.offset;
const RECORD_BYTES = MEM_OP.size;
const FIRST_CAPACITY = 8;

/** What a space needs of its platform. */
export interface SpaceCalls {
  /** Applies the records in `bytes`; 0 or a negative host errno. */
  apply(space: number, bytes: Uint8Array, count: number): number;
  freeSpace(space: number): void;
}

export class NativeSpace implements AddressSpace {
  readonly index: number;
  readonly #calls: SpaceCalls;
  #view: DataView;
  #count = 0;
  /** The last record, to extend it. */
  #op = 0;
  #prot = 0;
  #start = 0;
  #end = 0;
  #offsetEnd = 0;
  /** First failure since the last flush() that told it. */
  #failure = 0;
  #isReleased = false;

  constructor(calls: SpaceCalls, index: number) {
    this.#calls = calls;
    this.index = index;
    this.#view = new DataView(new ArrayBuffer(FIRST_CAPACITY * RECORD_BYTES));
  }

  map(
    addr: number,
    length: number,
    prot: Prot,
    offset: number,
    populate: boolean,
  ): void {
    const rights = populate ? prot | MEM_POPULATE : prot;
    this.#request(MEM_MAP, addr, length, rights, offset);
  }

  unmap(addr: number, length: number): void {
    this.#request(MEM_UNMAP, addr, length, 0, 0);
  }

  protect(addr: number, length: number, prot: Prot): void {
    this.#request(MEM_PROTECT, addr, length, prot, 0);
  }

  flush(): number {
    if (this.#count > 0) this.#apply();
    const failure = this.#failure;
    this.#failure = 0;
    return failure;
  }

  release(): void {
    if (this.#isReleased) throw new Error("Address space released twice");
    this.#isReleased = true;
    this.#calls.freeSpace(this.index);
  }

  #request(
    op: number,
    addr: number,
    length: number,
    prot: number,
    offset: number,
  ): void {
    if (
      this.#count > 0 && op === this.#op && prot === this.#prot &&
      addr === this.#end && (op !== MEM_MAP || offset === this.#offsetEnd)
    ) {
      this.#end = addr + length;
      this.#offsetEnd = offset + length;
      const at = (this.#count - 1) * RECORD_BYTES + LENGTH;
      setDouble(this.#view, at, this.#end - this.#start);
      return;
    }
    if (this.#count === MEM_OPS_MAX) this.#apply();
    const at = this.#count * RECORD_BYTES;
    if (at === this.#view.byteLength) this.#grow();
    const view = this.#view;
    view.setUint32(at + OP, op, true);
    view.setUint32(at + PROT, prot, true);
    setDouble(view, at + ADDR, addr);
    setDouble(view, at + LENGTH, length);
    setDouble(view, at + OFFSET, offset);
    this.#count++;
    this.#op = op;
    this.#prot = prot;
    this.#start = addr;
    this.#end = addr + length;
    this.#offsetEnd = offset + length;
  }

  #apply(): void {
    const bytes = new Uint8Array(
      this.#view.buffer,
      0,
      this.#count * RECORD_BYTES,
    );
    const result = this.#calls.apply(this.index, bytes, this.#count);
    if (result < 0 && this.#failure === 0) this.#failure = result;
    this.#count = 0;
  }

  #grow(): void {
    const bigger = new Uint8Array(2 * this.#view.byteLength);
    bigger.set(new Uint8Array(this.#view.buffer));
    this.#view = new DataView(bigger.buffer);
  }
}

/** Writes an exact integer below 2^53 as a little-endian u64. */
function setDouble(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
