/**
 * MemoryInode: an inode whose attributes and extended attributes live in the
 * kernel only, for tmpfs, kernfs and other file systems without storage.
 * @module
 */
import { EINVAL, type Errno } from "../abi/errno.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { type AttributeChange, Inode } from "./inode.ts";
import { SimpleXattrs } from "./simple_xattrs.ts";

export abstract class MemoryInode extends Inode {
  #xattrs: SimpleXattrs | null = null;

  /** EINVAL for a size: kinds with data override this. */
  override setAttributes(change: AttributeChange): Errno | null {
    if (change.size !== undefined) return EINVAL;
    this.applyAttributes(change);
    return null;
  }

  /** Stores everything but the size. */
  protected applyAttributes(change: AttributeChange): void {
    if (change.mode !== undefined) {
      this.mode = (this.mode & ~0o7777) | (change.mode & 0o7777);
    }
    if (change.uid !== undefined) this.uid = change.uid;
    if (change.gid !== undefined) this.gid = change.gid;
    if (change.atime !== undefined) this.atime = change.atime;
    if (change.mtime !== undefined) this.mtime = change.mtime;
    if (change.ctime !== undefined) this.ctime = change.ctime;
  }

  #values(): SimpleXattrs {
    return this.#xattrs ??= new SimpleXattrs();
  }
  override getXattr(name: ByteString): Uint8Array | Errno {
    return this.#values().get(name);
  }
  override setXattr(
    name: ByteString,
    value: Uint8Array,
    flags: number,
  ): Errno | null {
    return this.#values().set(name, value, flags);
  }
  override removeXattr(name: ByteString): Errno | null {
    return this.#values().remove(name);
  }
  override listXattrs(): readonly ByteString[] | Errno {
    return this.#xattrs?.list() ?? [];
  }
}
