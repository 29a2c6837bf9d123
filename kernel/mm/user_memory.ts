/**
 * Guest memory as system calls see it: typed loads and stores at guest
 * addresses, strings, and cursors for I/O. MemoryManager implements it. Every
 * access is checked against the VMAs and brings absent pages in; EFAULT is the
 * only failure that a guest can cause.
 *
 * Copy in once, validate, then use: no view of guest memory outlives a call.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { IoBuffer } from "./io_buffer.ts";

/**
 * A string of bytes: one UTF-16 unit (0..255) per byte. Names and paths are
 * byte strings throughout the kernel, because Linux does not know encodings.
 */
export type ByteString = string;

export interface UserMemory {
  readU8(addr: number): number | Errno;
  readU16(addr: number): number | Errno;
  readI32(addr: number): number | Errno;
  readU32(addr: number): number | Errno;
  /** Full 64 bits as a double; exact below 2^53. */
  readU64(addr: number): number | Errno;
  readI64(addr: number): number | Errno;
  writeU8(addr: number, value: number): Errno | null;
  writeU16(addr: number, value: number): Errno | null;
  writeU32(addr: number, value: number): Errno | null;
  /** Takes negative values as two's complement (so I32 and I64 too). */
  writeU64(addr: number, value: number): Errno | null;
  writeI32s(addr: number, values: readonly number[]): Errno | null;

  /** Copies exactly into.length bytes, or fails and leaves `into` undefined. */
  readBytes(addr: number, into: Uint8Array): Errno | null;
  /** Copies all of `from`; on EFAULT a prefix may have been stored. */
  writeBytes(addr: number, from: Uint8Array): Errno | null;
  /** NUL-terminated string without its NUL. `tooLong` if none within
   * `maxBytes` bytes (ENAMETOOLONG for paths, E2BIG for argv). */
  readString(
    addr: number,
    maxBytes: number,
    tooLong: Errno,
  ): ByteString | Errno;

  /** A cursor over [addr, addr + length). Does not touch memory. EFAULT if the
   * range leaves the user address range. */
  buffer(addr: number, length: number): IoBuffer | Errno;
  /** A cursor over an iovec array. EINVAL: count over IOV_MAX, or lengths over
   * SSIZE_MAX in sum; EFAULT. Lengths beyond MAX_RW_COUNT are cut. */
  vector(iov: number, count: number): IoBuffer | Errno;

  /** Atomic compare-and-swap of an aligned word; the old value. */
  compareExchangeU32(
    addr: number,
    expected: number,
    value: number,
  ): number | Errno;
  /** Identity of a word for futexes: see FutexKey. `shared` looks through
   * shared mappings (memory-file offset), else (this memory, addr). */
  futexKey(addr: number, shared: boolean): FutexKey | Errno;
}

/** Two equal keys name the same futex: compare `space` and `offset`. */
export interface FutexKey {
  /** The UserMemory for private words, the MemoryFile for shared ones. */
  readonly space: object;
  readonly offset: number;
}
