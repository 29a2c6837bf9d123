/**
 * UserAccess: guest memory for system calls, see user_memory.ts. Words that lie
 * in one page of the translation cache cost two array reads and a DataView
 * access; everything else goes through translate(), page run by page run.
 * @module
 */
import { EFAULT, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { MAX_RW_COUNT } from "../abi/limits.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import { IOV_MAX, IOVEC_SIZE } from "../abi/uio.ts";
import {
  ACCESS_FORCE,
  ACCESS_READ,
  ACCESS_WRITE,
  fault,
  FaultCode,
} from "./fault.ts";
import type { IoBuffer } from "./io_buffer.ts";
import { MemoryState } from "./memory_state.ts";
import { UserBuffer } from "./user_buffer.ts";
import type { ByteString, FutexKey, UserMemory } from "./user_memory.ts";

/** Entries of the translation cache, less one. */
const ENTRY_MASK = 63;
const PAGE_MASK = PAGE_SIZE - 1;
const TWO32 = 4294967296;

export class UserAccess extends MemoryState implements UserMemory {
  /** Bytes behind the offset that translate() returned. */
  runLength = 0;
  /** Characters of the piece of a string being read. */
  readonly #codes: number[] = new Array(128).fill(0);

  /**
   * Memory-file offset of `addr`, with `runLength` bytes, at most `maxLength`,
   * contiguous behind it; -1 if the access is not allowed (EFAULT).
   */
  translate(addr: number, maxLength: number, isWrite: boolean): number {
    const { cache } = this;
    const start = isWrite ? cache.writeStart : cache.readStart;
    const end = isWrite ? cache.writeEnd : cache.readEnd;
    if (addr >= start && addr < end) {
      const left = end - addr;
      this.runLength = left < maxLength ? left : maxLength;
      return (isWrite ? cache.writeOffset : cache.readOffset) + (addr - start);
    }
    return this.#translateSlow(addr, maxLength, isWrite);
  }

  #translateSlow(addr: number, maxLength: number, isWrite: boolean): number {
    const access = isWrite ? ACCESS_WRITE : ACCESS_READ;
    if (!(addr < this.layout.maxAddress)) return -1;
    if (fault(this, addr, access) !== FaultCode.Ok) return -1;
    const { start, end, offset } = this.found;
    const page = addr - (addr & PAGE_MASK);
    this.cache.fill(page, start, end, offset, isWrite);
    this.runLength = Math.min(maxLength, end - addr);
    return offset + (addr - start);
  }

  /** Offset of a word of `size` bytes for reading; -1: it crosses a page or
   * must be looked up by translate(). */
  #readable(addr: number, size: number): number {
    const inPage = addr & PAGE_MASK;
    const entry = (addr >>> 12) & ENTRY_MASK;
    const { cache } = this;
    if (
      cache.readTags[entry] === addr - inPage && inPage <= PAGE_SIZE - size
    ) return cache.readOffsets[entry]! + inPage;
    const offset = this.translate(addr, size, false);
    return offset >= 0 && this.runLength >= size ? offset : -1;
  }

  #writable(addr: number, size: number): number {
    const inPage = addr & PAGE_MASK;
    const entry = (addr >>> 12) & ENTRY_MASK;
    const { cache } = this;
    if (
      cache.writeTags[entry] === addr - inPage && inPage <= PAGE_SIZE - size
    ) return cache.writeOffsets[entry]! + inPage;
    const offset = this.translate(addr, size, true);
    return offset >= 0 && this.runLength >= size ? offset : -1;
  }

  /** A little-endian word of up to 6 bytes that crosses a page, or EFAULT. */
  #readAcross(addr: number, size: number): number | Errno {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      const byte = this.readU8(addr + i);
      if (isErrno(byte)) return byte;
      value = value * 256 + byte;
    }
    return value;
  }

  /** Both halves are checked before the first byte is stored. */
  #writeAcross(addr: number, size: number, value: number): Errno | null {
    if (this.translate(addr + size - 1, 1, true) < 0) return EFAULT;
    let rest = value;
    for (let i = 0; i < size; i++) {
      const failure = this.writeU8(addr + i, rest & 0xff);
      if (failure !== null) return failure;
      rest = Math.floor(rest / 256);
    }
    return null;
  }

  readU8(addr: number): number | Errno {
    const at = this.#readable(addr, 1);
    return at < 0 ? EFAULT : this.memory.view.getUint8(at);
  }
  readU16(addr: number): number | Errno {
    const at = this.#readable(addr, 2);
    if (at < 0) return this.#readAcross(addr, 2);
    return this.memory.view.getUint16(at, true);
  }
  readU32(addr: number): number | Errno {
    const at = this.#readable(addr, 4);
    if (at < 0) return this.#readAcross(addr, 4);
    return this.memory.view.getUint32(at, true);
  }
  readI32(addr: number): number | Errno {
    const at = this.#readable(addr, 4);
    if (at >= 0) return this.memory.view.getInt32(at, true);
    const value = this.#readAcross(addr, 4);
    return isErrno(value) ? value : value | 0;
  }
  readU64(addr: number): number | Errno {
    const at = this.#readable(addr, 8);
    if (at >= 0) {
      const { view } = this.memory;
      return view.getUint32(at + 4, true) * TWO32 + view.getUint32(at, true);
    }
    const low = this.readU32(addr);
    if (isErrno(low)) return low;
    const high = this.readU32(addr + 4);
    return isErrno(high) ? high : high * TWO32 + low;
  }
  readI64(addr: number): number | Errno {
    const at = this.#readable(addr, 8);
    if (at >= 0) {
      const { view } = this.memory;
      return view.getInt32(at + 4, true) * TWO32 + view.getUint32(at, true);
    }
    const low = this.readU32(addr);
    if (isErrno(low)) return low;
    const high = this.readI32(addr + 4);
    return isErrno(high) ? high : high * TWO32 + low;
  }

  writeU8(addr: number, value: number): Errno | null {
    const at = this.#writable(addr, 1);
    if (at < 0) return EFAULT;
    this.memory.view.setUint8(at, value);
    return null;
  }
  writeU16(addr: number, value: number): Errno | null {
    const at = this.#writable(addr, 2);
    if (at < 0) return this.#writeAcross(addr, 2, value & 0xffff);
    this.memory.view.setUint16(at, value, true);
    return null;
  }
  writeU32(addr: number, value: number): Errno | null {
    const at = this.#writable(addr, 4);
    if (at < 0) return this.#writeAcross(addr, 4, value >>> 0);
    this.memory.view.setUint32(at, value, true);
    return null;
  }
  writeU64(addr: number, value: number): Errno | null {
    // Two's complement: the low word of a negative number is what >>> makes of
    // it, and the high word follows by subtraction.
    const low = value >>> 0;
    const high = Math.floor((value - low) / TWO32) >>> 0;
    const at = this.#writable(addr, 8);
    if (at >= 0) {
      const { view } = this.memory;
      view.setUint32(at, low, true);
      view.setUint32(at + 4, high, true);
      return null;
    }
    if (this.translate(addr + 7, 1, true) < 0) return EFAULT;
    return this.writeU32(addr, low) ?? this.writeU32(addr + 4, high);
  }
  writeI32s(addr: number, values: readonly number[]): Errno | null {
    for (let i = 0; i < values.length; i++) {
      const failure = this.writeU32(addr + 4 * i, values[i]!);
      if (failure !== null) return failure;
    }
    return null;
  }

  readBytes(addr: number, into: Uint8Array): Errno | null {
    const length = into.length;
    if (length === 0) return null;
    let at = this.translate(addr, length, false);
    if (at < 0) return EFAULT;
    if (this.runLength === length) {
      this.memory.read(at, into);
      return null;
    }
    let done = 0;
    while (true) {
      const count = this.runLength;
      this.memory.read(at, into.subarray(done, done + count));
      done += count;
      if (done === length) return null;
      at = this.translate(addr + done, length - done, false);
      if (at < 0) return EFAULT;
    }
  }

  writeBytes(addr: number, from: Uint8Array): Errno | null {
    const length = from.length;
    if (length === 0) return null;
    let at = this.translate(addr, length, true);
    if (at < 0) return EFAULT;
    if (this.runLength === length) {
      this.memory.write(at, from);
      return null;
    }
    let done = 0;
    while (true) {
      const count = this.runLength;
      this.memory.write(at, from.subarray(done, done + count));
      done += count;
      if (done === length) return null;
      at = this.translate(addr + done, length - done, true);
      if (at < 0) return EFAULT;
    }
  }

  /** As readBytes(), from memory that its owner cannot read, too: for
   * debuggers. */
  readForced(addr: number, into: Uint8Array): Errno | null {
    let done = 0;
    while (done < into.length) {
      const at = addr + done;
      if (!(at < this.layout.maxAddress)) return EFAULT;
      const code = fault(this, at, ACCESS_READ | ACCESS_FORCE);
      if (code !== FaultCode.Ok) return EFAULT;
      const { start, end, offset } = this.found;
      const count = Math.min(end - at, into.length - done);
      this.memory.read(
        offset + (at - start),
        into.subarray(done, done + count),
      );
      done += count;
    }
    return null;
  }

  /** As writeBytes(), into read-only private memory too: for debuggers. */
  writeForced(addr: number, from: Uint8Array): Errno | null {
    let done = 0;
    while (done < from.length) {
      const code = fault(this, addr + done, ACCESS_WRITE | ACCESS_FORCE);
      if (code !== FaultCode.Ok) return EFAULT;
      const { start, end, offset } = this.found;
      const at = addr + done;
      const count = Math.min(end - at, from.length - done);
      this.memory.write(
        offset + (at - start),
        from.subarray(done, done + count),
      );
      done += count;
    }
    return null;
  }

  readString(
    addr: number,
    maxBytes: number,
    tooLong: Errno,
  ): ByteString | Errno {
    const { view } = this.memory;
    const codes = this.#codes;
    let text = "";
    let done = 0;
    while (done < maxBytes) {
      let from = this.translate(addr + done, maxBytes - done, false);
      if (from < 0) return EFAULT;
      const end = from + this.runLength;
      while (from < end) {
        const most = Math.min(end - from, codes.length);
        let count = 0;
        let code = 1;
        while (count < most) {
          code = view.getUint8(from + count);
          if (code === 0) break;
          codes[count++] = code;
        }
        // Much faster than a character at a time, also to use as a key later.
        const piece = String.fromCharCode.apply(null, codes.slice(0, count));
        text = text === "" ? piece : text + piece;
        if (code === 0) return text;
        from += count;
        done += count;
      }
    }
    return tooLong;
  }

  buffer(addr: number, length: number): IoBuffer | Errno {
    if (!(addr + length <= this.layout.maxAddress)) return EFAULT;
    const buffer = new UserBuffer(this);
    buffer.add(addr, length);
    return buffer;
  }

  vector(iov: number, count: number): IoBuffer | Errno {
    if (count < 0 || count > IOV_MAX) return EINVAL;
    const buffer = new UserBuffer(this);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const base = this.readU64(iov + i * IOVEC_SIZE);
      if (isErrno(base)) return base;
      const length = this.readI64(iov + i * IOVEC_SIZE + 8);
      if (isErrno(length)) return length;
      if (length < 0) return EINVAL;
      if (!(base + length <= this.layout.maxAddress)) return EFAULT;
      const left = MAX_RW_COUNT - total;
      const used = Math.min(length, left);
      total += used;
      if (used > 0) buffer.add(base, used);
    }
    return buffer;
  }

  compareExchangeU32(
    addr: number,
    expected: number,
    value: number,
  ): number | Errno {
    const at = this.translate(addr, 4, true);
    if (at < 0 || (addr & 3) !== 0) return EFAULT;
    const old = Atomics.compareExchange(
      this.file.words32,
      at / 4,
      expected | 0,
      value | 0,
    );
    return old >>> 0;
  }

  futexKey(addr: number, shared: boolean): FutexKey | Errno {
    if ((addr & 3) !== 0) return EINVAL;
    if (!(addr < this.layout.maxAddress)) return EFAULT;
    if (!shared) return { space: this, offset: addr };
    const vma = this.vmas.find(addr);
    if (vma !== null && !vma.isShared) {
      const at = this.translate(addr, 4, false);
      return at < 0 ? EFAULT : { space: this, offset: addr };
    }
    const at = this.translate(addr, 4, false);
    return at < 0 ? EFAULT : { space: this.file, offset: at };
  }
}
