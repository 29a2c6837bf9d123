/**
 * A mounted file system instance (struct super_block).
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { Dentry } from "./dentry.ts";
import type { Inode } from "./inode.ts";

/** What statfs(2) reports, in blocks of `blockSize` bytes. */
export interface FileSystemStatus {
  readonly type: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly blocksAvailable: number;
  readonly files: number;
  readonly filesFree: number;
  readonly nameLength: number;
}

export abstract class FileSystem {
  /** As in /proc/filesystems: "tmpfs", "proc", ... */
  abstract readonly typeName: string;
  /** st_dev of its inodes (makedev of an anonymous device). */
  abstract readonly device: number;
  /** The root directory's inode. */
  abstract readonly root: Inode;
  /** Mounts of this instance, lazily unmounted but busy ones included. */
  mountCount = 0;
  /** True if nothing in it can be changed, whatever the mount says. */
  readonly isReadOnly: boolean = false;
  /** True if its inodes keep access control lists (Inode.acls). */
  readonly hasAcls: boolean = false;
  #rootDentry: Dentry | null = null;

  /** The root directory's Dentry: one for all mounts of this instance. */
  get rootDentry(): Dentry {
    if (this.#rootDentry === null || this.#rootDentry.inode === null) {
      this.#rootDentry = new Dentry(this, null, "", this.root);
    }
    return this.#rootDentry;
  }

  /** True if names can change behind our back: the VFS then asks
   * revalidate() before it trusts a cached Dentry. */
  readonly needsRevalidation: boolean = false;
  /** False: the cached answer for `name` in `directory` is stale. */
  revalidate(
    _directory: Inode,
    _name: ByteString,
    _cached: Inode | null,
  ): boolean {
    return true;
  }
  /** True if asking for several names at once is cheaper: the VFS then calls
   * expectWalk() before it steps through all but the last of them, and through
   * the last one if it will be opened. */
  get wantsPaths(): boolean {
    return false;
  }
  /** The walk stands in `directory` and goes on with what `path` holds from
   * `start` (the first byte of a name) on. `opensLast`: what it leads to will
   * be opened for reading, if that is allowed. */
  expectWalk(
    _directory: Inode,
    _path: ByteString,
    _start: number,
    _opensLast: boolean,
  ): void {}
  abstract status(): FileSystemStatus | Errno;
  /** Options as /proc/mounts shows them, without ro/rw: ",size=64k". */
  options(): string {
    return "";
  }
  sync(): Errno | null {
    return null;
  }
  /** The last Mount is gone. */
  release(): void {}
}
