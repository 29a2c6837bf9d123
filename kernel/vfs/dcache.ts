/**
 * The dentry cache: which names are remembered, positive or negative.
 *
 * A Dentry is *hashed* while its parent's children lead to it. Every hashed
 * Dentry is on one list, newest first; when there are more than `limit`, trim()
 * sweeps from the oldest end, gives the recently used a second chance, skips
 * the referenced, and forgets the rest. Children hold references on their
 * parents, so that only leaves go. An unhashed Dentry lives on as long as it is
 * referenced.
 *
 * trim() runs before a walk, never during one: a walk takes no references on
 * the Dentries that it passes.
 * @module
 */
import type { ByteString } from "../mm/user_memory.ts";
import { Dentry } from "./dentry.ts";
import type { FileSystem } from "./file_system.ts";
import type { Inode } from "./inode.ts";

/** Hashed Dentries that are kept unless told otherwise. */
export const DEFAULT_DCACHE_LIMIT = 16_384;

export class Dcache {
  #newest: Dentry | null = null;
  #oldest: Dentry | null = null;
  #size = 0;

  constructor(readonly limit: number = DEFAULT_DCACHE_LIMIT) {}

  /** Number of hashed Dentries. */
  get size(): number {
    return this.#size;
  }

  /** Remembers what `name` in `parent` leads to. Precondition: no hashed
   * Dentry has that place. */
  insert(parent: Dentry, name: ByteString, inode: Inode | null): Dentry {
    const dentry = new Dentry(parent.fs, parent, name, inode);
    this.#hash(dentry);
    return dentry;
  }

  /** Forgets a name whose answer is stale. Open files of it live on. */
  drop(dentry: Dentry): void {
    if (!dentry.isHashed) return;
    this.#unhash(dentry);
    if (!dentry.isReferenced) dentry.end();
  }

  /** The name was removed: a referenced Dentry becomes nameless, and in its
   * place stands a negative one. */
  delete(dentry: Dentry): void {
    this.#dropChildren(dentry);
    if (!dentry.isReferenced) {
      dentry.setInode(null);
      return;
    }
    const { parent, name } = dentry;
    this.#unhash(dentry);
    dentry.isDeleted = true;
    if (parent !== null) this.insert(parent, name, null);
  }

  /** The name was moved; a Dentry that stood at the new place is deleted. */
  move(dentry: Dentry, parent: Dentry, name: ByteString): void {
    const replaced = parent.child(name);
    if (replaced !== undefined && replaced !== dentry) {
      this.#dropChildren(replaced);
      this.#unhash(replaced);
      replaced.isDeleted = true;
      if (!replaced.isReferenced) replaced.end();
    }
    this.#unhash(dentry);
    this.#place(dentry, parent, name);
    this.#hash(dentry);
  }

  /** Two names were exchanged. */
  exchange(one: Dentry, other: Dentry): void {
    const { parent, name } = one;
    const otherParent = other.parent;
    const otherName = other.name;
    if (parent === null || otherParent === null) {
      throw new Error("The root of a file system has no name to exchange");
    }
    this.#unhash(one);
    this.#unhash(other);
    this.#place(one, otherParent, otherName);
    this.#place(other, parent, name);
    this.#hash(one);
    this.#hash(other);
  }

  /** Forgets old names until the limit is kept, as far as possible. */
  trim(): void {
    if (this.#size <= this.limit) return;
    // Leave some room, so that the next walks need not sweep at once.
    const target = this.limit - (this.limit >> 4);
    let budget = this.#size;
    while (this.#size > target && budget-- > 0) {
      const dentry = this.#oldest!;
      if (dentry.isReferenced || dentry.isRecent) {
        dentry.isRecent = false;
        this.#unlist(dentry);
        this.#list(dentry);
      } else {
        this.drop(dentry);
      }
    }
  }

  /** Forgets every unreferenced name of a file system (its last umount). */
  forget(fs: FileSystem): void {
    // Leaves go first and free their parents; each round removes one level.
    let isChanged = true;
    while (isChanged) {
      isChanged = false;
      let dentry = this.#oldest;
      while (dentry !== null) {
        const next: Dentry | null = dentry.newer;
        if (dentry.fs === fs && !dentry.isReferenced) {
          this.drop(dentry);
          isChanged = true;
        }
        dentry = next;
      }
    }
  }

  /** Negative entries must not keep a removed directory alive. */
  #dropChildren(dentry: Dentry): void {
    for (const child of dentry.children()) {
      if (!child.isReferenced) this.drop(child);
    }
  }

  #place(dentry: Dentry, parent: Dentry, name: ByteString): void {
    parent.acquire();
    dentry.parent?.release();
    dentry.parent = parent;
    dentry.name = name;
  }

  #hash(dentry: Dentry): void {
    dentry.parent!.hashChild(dentry);
    dentry.isHashed = true;
    dentry.isRecent = true;
    this.#size++;
    this.#list(dentry);
  }

  #unhash(dentry: Dentry): void {
    dentry.parent!.unhashChild(dentry);
    dentry.isHashed = false;
    this.#size--;
    this.#unlist(dentry);
  }

  #list(dentry: Dentry): void {
    dentry.older = this.#newest;
    dentry.newer = null;
    if (this.#newest !== null) this.#newest.newer = dentry;
    else this.#oldest = dentry;
    this.#newest = dentry;
  }

  #unlist(dentry: Dentry): void {
    if (dentry.newer !== null) dentry.newer.older = dentry.older;
    else this.#newest = dentry.older;
    if (dentry.older !== null) dentry.older.newer = dentry.newer;
    else this.#oldest = dentry.newer;
    dentry.newer = null;
    dentry.older = null;
  }
}
