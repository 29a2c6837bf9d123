/**
 * Dentry: a name in a directory and the inode it leads to (none: a negative
 * entry). Dentries form one tree per file system instance. Which of them stay
 * cached, and for how long, is dcache.ts's business.
 * @module
 */
import type { ByteString } from "../mm/user_memory.ts";
import type { FileSystem } from "./file_system.ts";
import type { Inode } from "./inode.ts";

export class Dentry {
  /** Hashed children; made with the first one, since most Dentries are files. */
  #children: Map<ByteString, Dentry> | null = null;
  /** How many Mounts have this Dentry as their mountpoint. */
  mountCount = 0;
  /** True while the parent's children lead here; changed by Dcache only. */
  isHashed = false;
  /** True after unlink, rmdir or replacement by rename: nameless. */
  isDeleted = false;
  #references = 0;

  // Managed by Dcache: neighbours in the least-recently-used list, and whether
  // a walk came by since the list was last swept.
  newer: Dentry | null = null;
  older: Dentry | null = null;
  isRecent = false;

  /** `parent` is null for the root of a file system, and for the places of
   * nameless files. Holds a reference on its parent and, while it is positive,
   * on its inode. */
  constructor(
    readonly fs: FileSystem,
    public parent: Dentry | null,
    public name: ByteString,
    public inode: Inode | null,
  ) {
    parent?.acquire();
    inode?.acquire();
  }

  /** Replaces the inode (null makes the entry negative). */
  setInode(inode: Inode | null): void {
    inode?.acquire();
    this.inode?.release();
    this.inode = inode;
  }

  /** Held by a child, an open file, a mount, a working directory, ... */
  get isReferenced(): boolean {
    return this.#references > 0;
  }
  acquire(): void {
    this.#references++;
  }
  /** A hashed Dentry stays cached until the dcache trims it; any other one ends
   * with its last reference. */
  release(): void {
    this.#references--;
    if (this.#references === 0 && !this.isHashed) this.end();
  }
  /** Lets go of the inode and the parent. Precondition: unreferenced and not
   * hashed. */
  end(): void {
    this.setInode(null);
    // A loop: a guest can nest removed directories deeper than our stack.
    let above = this.#leaveParent();
    while (above !== null && !above.isReferenced && !above.isHashed) {
      above.setInode(null);
      above = above.#leaveParent();
    }
  }

  #leaveParent(): Dentry | null {
    const parent = this.parent;
    this.parent = null;
    if (parent !== null) parent.#references--;
    return parent;
  }

  /** The hashed child of that name. */
  child(name: ByteString): Dentry | undefined {
    return this.#children?.get(name);
  }
  /** All hashed children, in no particular order. */
  children(): Iterable<Dentry> {
    return this.#children?.values() ?? [];
  }
  /** For Dcache only. */
  hashChild(child: Dentry): void {
    this.#children ??= new Map();
    this.#children.set(child.name, child);
  }
  /** For Dcache only. */
  unhashChild(child: Dentry): void {
    this.#children?.delete(child.name);
    if (this.#children?.size === 0) this.#children = null;
  }

  /** True if `this` is `other` or above it in the same file system. */
  isAncestorOf(other: Dentry): boolean {
    for (let at: Dentry | null = other; at !== null; at = at.parent) {
      if (at === this) return true;
    }
    return false;
  }
}
