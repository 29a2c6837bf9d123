/**
 * Who wants to know what happens to files (fsnotify): watches hang on inodes,
 * and the VFS tells them. fs/inotify.ts makes events of what they hear. Source:
 * inotify(7).
 *
 * A watch holds a reference on its inode, so that the file system keeps it. The
 * inode counts as deleted when its last name is gone and only watches hold it.
 * @module
 */
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, IN_ISDIR } from "../abi/inotify.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Dentry } from "./dentry.ts";
import type { FileDescription } from "./file_description.ts";
import type { Inode } from "./inode.ts";

/** One watcher's interest in one inode. */
export interface Watch {
  /** IN_* that happened; `name` is the entry of a watched directory that it
   * happened to, null for the inode itself. `isUnlinked`: the entry is. */
  hear(
    mask: number,
    name: ByteString | null,
    options: { readonly cookie: number; readonly isUnlinked: boolean },
  ): void;
  /** The inode is gone, and the watch with it. */
  hearDeleted(): void;
}

/** The watches of one inode. */
export class InodeWatches {
  readonly #inode: Inode;
  readonly #watches = new Set<Watch>();

  constructor(inode: Inode) {
    this.#inode = inode;
  }

  get count(): number {
    return this.#watches.size;
  }
  add(watch: Watch): void {
    this.#watches.add(watch);
    this.#inode.acquire();
  }
  remove(watch: Watch): void {
    if (!this.#watches.delete(watch)) return;
    if (this.#watches.size === 0) this.#inode.watches = null;
    this.#inode.release();
  }
  tell(
    mask: number,
    name: ByteString | null,
    cookie: number,
    isUnlinked: boolean,
  ): void {
    // One-shot watches leave while we tell.
    for (const watch of [...this.#watches]) {
      watch.hear(mask, name, { cookie, isUnlinked });
    }
  }
  tellDeleted(): void {
    for (const watch of [...this.#watches]) watch.hearDeleted();
  }
}

/** The watches of an inode, made on first use. */
export function watchesOf(inode: Inode): InodeWatches {
  inode.watches ??= new InodeWatches(inode);
  return inode.watches;
}

/** Something happened to an inode itself. */
export function notifyInode(inode: Inode, mask: number): void {
  const watches = inode.watches;
  if (watches === null) return;
  watches.tell(inode.isDirectory ? mask | IN_ISDIR : mask, null, 0, false);
}

/** Something happened to `name` in a directory; `child` is what it leads, or
 * led, to. */
export function notifyEntry(
  directory: Inode,
  name: ByteString,
  child: Inode,
  mask: number,
  cookie = 0,
): void {
  const watches = directory.watches;
  if (watches === null) return;
  const shown = child.isDirectory ? mask | IN_ISDIR : mask;
  watches.tell(shown, name, cookie, false);
}

/** Something happened to the file at a place: its directory hears it with the
 * name, the file without. */
export function notifyPlace(dentry: Dentry, mask: number): void {
  const inode = dentry.inode;
  if (inode === null) return;
  const above = dentry.parent?.inode?.watches ?? null;
  if (above !== null) {
    const shown = inode.isDirectory ? mask | IN_ISDIR : mask;
    above.tell(shown, dentry.name, 0, dentry.isDeleted);
  }
  if (inode.watches !== null) notifyInode(inode, mask);
}

/** The last reference on an open file goes. */
export function notifyClose(file: FileDescription): void {
  const { dentry } = file.path;
  notifyPlace(dentry, file.isWritable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}
