/**
 * Dentry: a name in a directory and the inode it leads to (none: a negative
 * entry). Dentries form one tree per file system instance.
 * @module
 */
import type { ByteString } from "../mm/user_memory.ts";
import type { FileSystem } from "./file_system.ts";
import type { Inode } from "./inode.ts";

export class Dentry {
  /** Cached children, by name. */
  readonly children = new Map<ByteString, Dentry>();
  /** How many Mounts have this Dentry as their mountpoint. */
  mountCount = 0;
  /** True after unlink, rmdir or replacement by rename: nameless. */
  isDeleted = false;
  #references = 0;

  /** `parent` is null for the root of a file system only. Holds a reference on
   * its inode while it is positive. */
  constructor(
    readonly fs: FileSystem,
    public parent: Dentry | null,
    public name: ByteString,
    public inode: Inode | null,
  ) {
    inode?.acquire();
  }

  /** Replaces the inode (null makes the entry negative). */
  setInode(inode: Inode | null): void {
    inode?.acquire();
    this.inode?.release();
    this.inode = inode;
  }

  get isReferenced(): boolean {
    return this.#references > 0;
  }
  acquire(): void {
    this.#references++;
  }
  /** A deleted Dentry lets go of its inode with its last reference; others
   * stay cached until the dcache trims them. */
  release(): void {
    this.#references--;
    if (this.#references === 0 && this.isDeleted) this.setInode(null);
  }

  /** True if `this` is `other` or above it in the same file system. */
  isAncestorOf(other: Dentry): boolean {
    for (let at: Dentry | null = other; at !== null; at = at.parent) {
      if (at === this) return true;
    }
    return false;
  }
}
