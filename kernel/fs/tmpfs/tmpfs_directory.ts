/**
 * Directories of tmpfs. Source: tmpfs(5), rename(2), Linux's mm/shmem.c for
 * sizes and link counts.
 * @module
 */
import { IFTODT } from "../../abi/dirent.ts";
import {
  EEXIST,
  EMLINK,
  ENOTEMPTY,
  type Errno,
  EXDEV,
  isErrno,
} from "../../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_WHITEOUT } from "../../abi/fcntl.ts";
import { S_IFCHR, S_IFDIR, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Timespec } from "../../time/clock.ts";
import { DirectoryDescription } from "../../vfs/directory_description.ts";
import { DirectoryIndex } from "../../vfs/directory_index.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { DirectorySink, Inode, NewInode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { type TmpfsHome, TmpfsInode } from "./tmpfs_inode.ts";
import { TmpfsRegular } from "./tmpfs_regular.ts";

/** st_size grows by this with each entry (BOGO_DIRENT_SIZE). */
const ENTRY_SIZE = 20;
const MAX_LINKS = 0x7fffffff;

/** Makes an inode of any type. ENOSPC. */
function newTmpfsInode(home: TmpfsHome, what: NewInode): TmpfsInode | Errno {
  const refused = home.takeInode();
  if (refused !== null) return refused;
  switch (what.mode & S_IFMT) {
    case S_IFREG:
      return new TmpfsRegular(home, what);
    case S_IFDIR:
      return new TmpfsDirectory(home, what);
    default:
      return new TmpfsInode(home, what);
  }
}

export class TmpfsDirectory extends TmpfsInode {
  readonly #entries = new DirectoryIndex<TmpfsInode>();

  constructor(home: TmpfsHome, what: NewInode) {
    super(home, what);
    this.nlink = 2;
    this.size = 2 * ENTRY_SIZE;
  }

  /** The inodes of all entries. */
  children(): Iterable<TmpfsInode> {
    return this.#entries.values();
  }
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  override lookup(name: ByteString): TmpfsInode | null {
    return this.#entries.get(name) ?? null;
  }

  override open(path: VfsPath, flags: number): FileDescription {
    return new DirectoryDescription(path, flags);
  }

  override readDirectory(cookie: number, sink: DirectorySink): null {
    this.#entries.list(
      cookie,
      (name, inode, next) =>
        sink.emit(name, inode.ino, IFTODT(inode.mode), next),
    );
    return null;
  }

  override create(name: ByteString, what: NewInode): TmpfsInode | Errno {
    if (this.#entries.has(name)) return EEXIST;
    const inode = newTmpfsInode(this.home, what);
    if (isErrno(inode)) return inode;
    this.#insert(name, inode, inode.ctime);
    return inode;
  }

  override createTemporary(what: NewInode): TmpfsInode | Errno {
    const inode = newTmpfsInode(this.home, what);
    if (!isErrno(inode)) inode.nlink = 0;
    return inode;
  }

  override link(name: ByteString, target: Inode): Errno | null {
    if (!(target instanceof TmpfsInode)) return EXDEV;
    if (this.#entries.has(name)) return EEXIST;
    if (target.nlink >= MAX_LINKS) return EMLINK;
    const now = this.home.clock.realtime();
    target.changeLinks(1, now);
    this.#insert(name, target, now);
    return null;
  }

  override unlink(name: ByteString, child: Inode): Errno | null {
    const now = this.home.clock.realtime();
    this.#remove(name, now);
    const inode = child as TmpfsInode;
    inode.changeLinks(-1, now);
    inode.collect();
    return null;
  }

  override rmdir(name: ByteString, child: Inode): Errno | null {
    const directory = child as TmpfsDirectory;
    if (!directory.isEmpty) return ENOTEMPTY;
    const now = this.home.clock.realtime();
    this.#remove(name, now);
    directory.#end(now);
    return null;
  }

  override rename(
    name: ByteString,
    child: Inode,
    toDirectory: Inode,
    toName: ByteString,
    replaced: Inode | null,
    flags: number,
  ): Errno | null {
    if (!(toDirectory instanceof TmpfsDirectory)) return EXDEV;
    const inode = child as TmpfsInode;
    const victim = replaced as TmpfsInode | null;
    const now = this.home.clock.realtime();
    if ((flags & RENAME_EXCHANGE) !== 0 && victim !== null) {
      this.#exchange(name, inode, toDirectory, toName, victim, now);
      return null;
    }
    if (victim instanceof TmpfsDirectory && !victim.isEmpty) return ENOTEMPTY;
    let whiteout: TmpfsInode | Errno | null = null;
    if ((flags & RENAME_WHITEOUT) !== 0) {
      const { uid, gid } = this;
      const what = { mode: S_IFCHR, uid, gid, rdev: 0, target: "" };
      whiteout = newTmpfsInode(this.home, what);
      if (isErrno(whiteout)) return whiteout;
    }
    this.#remove(name, now);
    if (victim !== null) {
      toDirectory.#remove(toName, now);
      if (victim instanceof TmpfsDirectory) victim.#end(now);
      else {
        victim.changeLinks(-1, now);
        victim.collect();
      }
    }
    toDirectory.#insert(toName, inode, now);
    inode.ctime = now;
    if (whiteout !== null) this.#insert(name, whiteout, now);
    return null;
  }

  #exchange(
    name: ByteString,
    inode: TmpfsInode,
    toDirectory: TmpfsDirectory,
    toName: ByteString,
    other: TmpfsInode,
    now: Timespec,
  ): void {
    this.#entries.set(name, other);
    toDirectory.#entries.set(toName, inode);
    if (inode.isDirectory !== other.isDirectory) {
      const gained = other.isDirectory ? 1 : -1;
      this.nlink += gained;
      toDirectory.nlink -= gained;
    }
    for (const directory of [this, toDirectory]) directory.#touch(now);
    inode.ctime = now;
    other.ctime = now;
  }

  #insert(name: ByteString, inode: TmpfsInode, now: Timespec): void {
    this.#entries.set(name, inode);
    this.size += ENTRY_SIZE;
    if (inode.isDirectory) this.nlink++;
    this.#touch(now);
  }

  #remove(name: ByteString, now: Timespec): void {
    const inode = this.#entries.get(name);
    if (inode === undefined) throw new Error(`No entry ${name} to remove`);
    this.#entries.delete(name);
    this.size -= ENTRY_SIZE;
    if (inode.isDirectory) this.nlink--;
    this.#touch(now);
  }

  #touch(now: Timespec): void {
    this.mtime = now;
    this.ctime = now;
    this.version++;
  }

  /** It was removed: no ".", no name. */
  #end(now: Timespec): void {
    this.nlink = 0;
    this.ctime = now;
    this.collect();
  }
}
