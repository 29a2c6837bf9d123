/**
 * Reading and writing the little-endian fields of messages. A reader never
 * throws on hostile bytes: it turns bad and yields zeros, and the caller asks
 * once, at the end. A writer throws RangeError beyond its buffer: senders
 * bound what they send.
 * @module
 */
import { GOFER_STAT, GOFER_STAT_SIZE } from "../ffi/gofer_stat.ts";
import type { GoferStat } from "./client.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const WORD = 2 ** 32;

export class MessageWriter {
  readonly view: DataView;
  /** Bytes written. */
  length = 0;

  constructor(readonly bytes: Bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get room(): number {
    return this.bytes.length - this.length;
  }

  u8(value: number): void {
    this.view.setUint8(this.length, value);
    this.length += 1;
  }
  u16(value: number): void {
    this.view.setUint16(this.length, value, true);
    this.length += 2;
  }
  u32(value: number): void {
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }
  i32(value: number): void {
    this.view.setInt32(this.length, value, true);
    this.length += 4;
  }
  f64(value: number): void {
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** A u16 length and that many bytes, one per UTF-16 unit. */
  text(value: string): void {
    const length = value.length;
    this.u16(length);
    if (length > this.room) throw new RangeError("message overflow");
    for (let i = 0; i < length; i++) {
      this.bytes[this.length + i] = value.charCodeAt(i);
    }
    this.length += length;
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    this.bytes.set(value, this.length);
    this.length += value.length;
  }
}

export class MessageReader {
  readonly #view: DataView;
  readonly #bytes: Bytes;
  #at = 0;
  #end = 0;
  #isBad = false;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Begins to read bytes [start, end) of the buffer. */
  reset(start: number, end: number): void {
    this.#at = start;
    this.#end = end;
    this.#isBad = end > this.#bytes.length || start > end;
  }

  /** Makes room for `size` bytes; the position to read at, or -1. */
  #take(size: number): number {
    const at = this.#at;
    if (this.#isBad || at + size > this.#end) {
      this.#isBad = true;
      return -1;
    }
    this.#at = at + size;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }
  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, true);
  }
  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }
  i32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getInt32(at, true);
  }
  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#view.getFloat64(at, true);
  }

  /** A byte string of at most `maxLength` bytes. */
  text(maxLength: number): string {
    const length = this.u16();
    if (length > maxLength) this.#isBad = true;
    const at = this.#take(length);
    return at < 0 ? "" : byteString(this.#bytes, at, length);
  }

  /** A copy of the next `length` bytes. */
  raw(length: number): Bytes {
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(0) : this.#bytes.slice(at, at + length);
  }

  stat(): GoferStat | null {
    const at = this.#take(GOFER_STAT_SIZE);
    return at < 0 ? null : decodeStat(this.#view, at);
  }

  /** Whether everything read was there, so far. */
  get isGood(): boolean {
    return !this.#isBad;
  }
  /** Whether everything read was there, and nothing is left. */
  get isComplete(): boolean {
    return !this.#isBad && this.#at === this.#end;
  }
  get remaining(): number {
    return this.#isBad ? 0 : this.#end - this.#at;
  }
}

/** Bytes [start, start + length) as a byte string. */
export function byteString(
  bytes: Uint8Array,
  start: number,
  length: number,
): string {
  // Names are short; a targets' 4 KiB still fit the argument list.
  return String.fromCharCode.apply(
    null,
    bytes.subarray(start, start + length) as unknown as number[],
  );
}

/** Attributes in the layout of ffi/gofer_stat.ts at byte `at`. */
export function decodeStat(view: DataView, at: number): GoferStat {
  const u32 = (offset: number) => view.getUint32(at + offset, true);
  const f64 = (offset: number) => view.getFloat64(at + offset, true);
  return {
    mode: u32(GOFER_STAT.mode),
    nlink: u32(GOFER_STAT.nlink),
    uid: u32(GOFER_STAT.uid),
    gid: u32(GOFER_STAT.gid),
    rdev: u32(GOFER_STAT.rdev),
    dev: u32(GOFER_STAT.dev),
    ino: foldInode(u32(GOFER_STAT.ino_low), u32(GOFER_STAT.ino_high)),
    size: f64(GOFER_STAT.size),
    blocks: f64(GOFER_STAT.blocks),
    blksize: u32(GOFER_STAT.blksize),
    atimeSec: f64(GOFER_STAT.atime),
    atimeNsec: u32(GOFER_STAT.atime_nsec),
    mtimeSec: f64(GOFER_STAT.mtime),
    mtimeNsec: u32(GOFER_STAT.mtime_nsec),
    ctimeSec: f64(GOFER_STAT.ctime),
    ctimeNsec: u32(GOFER_STAT.ctime_nsec),
    btimeSec: f64(GOFER_STAT.btime),
    btimeNsec: u32(GOFER_STAT.btime_nsec),
  };
}

/**
 * An inode number that a double holds exactly: the upper 11 bits, which only
 * stacked file systems set, are folded into the next ones.
 */
export function foldInode(low: number, high: number): number {
  const upper = (high & 0x1fffff) ^ (high >>> 21);
  return upper * WORD + low;
}
