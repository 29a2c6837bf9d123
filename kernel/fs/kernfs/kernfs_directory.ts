/**
 * KernfsDirectory: base of the directories of synthetic trees.
 * @module
 */
import type { Errno } from "../../abi/errno.ts";
import { S_IFDIR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import { DirectoryDescription } from "../../vfs/directory_description.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { DirectorySink, Inode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { type KernfsHome, KernfsInode, type Subject } from "./kernfs_inode.ts";

export abstract class KernfsDirectory<S extends Subject = Subject>
  extends KernfsInode<S> {
  constructor(home: KernfsHome, subject: S, ino: number, mode: number) {
    super(home, subject, ino, S_IFDIR | mode);
    this.nlink = 2;
  }

  /** True if a name that is missing now will never be there. */
  get hasFixedNames(): boolean {
    return false;
  }

  override open(
    path: VfsPath,
    flags: number,
    caller: Caller,
  ): FileDescription | Errno {
    return this.refuseOpen(flags, caller) ??
      new DirectoryDescription(path, flags);
  }
  /** Checks of open(2) beyond the mode bits. */
  protected refuseOpen(_flags: number, _caller: Caller): Errno | null {
    return null;
  }

  abstract override lookup(name: ByteString): Inode | null | Errno;
  abstract override readDirectory(
    cookie: number,
    sink: DirectorySink,
  ): Errno | null;
}
