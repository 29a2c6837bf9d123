/**
 * Extended attributes held in memory, for tmpfs and other file systems without
 * storage. Source: xattr(7), setxattr(2).
 * @module
 */
import { EEXIST, ENODATA, ENOSPC, type Errno } from "../abi/errno.ts";
import { XATTR_CREATE, XATTR_REPLACE } from "../abi/xattr.ts";
import type { ByteString } from "../mm/user_memory.ts";

/** Names and values of one inode may take this much of the kernel's memory. */
const MAX_BYTES = 256 * 1024;

export class SimpleXattrs {
  readonly #values = new Map<ByteString, Uint8Array>();
  #bytes = 0;

  /** ENODATA. */
  get(name: ByteString): Uint8Array | Errno {
    return this.#values.get(name) ?? ENODATA;
  }

  /** `flags`: XATTR_CREATE, XATTR_REPLACE. EEXIST, ENODATA, ENOSPC. */
  set(name: ByteString, value: Uint8Array, flags: number): Errno | null {
    const old = this.#values.get(name);
    if (old !== undefined && (flags & XATTR_CREATE) !== 0) return EEXIST;
    if (old === undefined && (flags & XATTR_REPLACE) !== 0) return ENODATA;
    const freed = old === undefined ? 0 : name.length + old.length;
    const bytes = this.#bytes - freed + name.length + value.length;
    if (bytes > MAX_BYTES) return ENOSPC;
    this.#bytes = bytes;
    this.#values.set(name, value);
    return null;
  }

  /** ENODATA. */
  remove(name: ByteString): Errno | null {
    const old = this.#values.get(name);
    if (old === undefined) return ENODATA;
    this.#values.delete(name);
    this.#bytes -= name.length + old.length;
    return null;
  }

  list(): readonly ByteString[] {
    return [...this.#values.keys()];
  }
}
