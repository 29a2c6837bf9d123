/**
 * Inode: what a name leads to, independent of the name. A file system
 * subclasses Inode and overrides what it supports; the defaults refuse as
 * Linux refuses (EPERM, ENOTDIR, EINVAL, EOPNOTSUPP).
 *
 * Permission checks, trailing-slash rules, mount flags and dcache upkeep are
 * the VFS's business (virtual_filesystem.ts): methods here are called only
 * after they passed. Names are byte strings without "/" of 1..255 bytes, never
 * "." or "..".
 * @module
 */
import {
  EINVAL,
  ENOTDIR,
  ENOTTY,
  EOPNOTSUPP,
  EPERM,
  type Errno,
} from "../abi/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../abi/stat.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Timespec } from "../time/clock.ts";
import type { InodeAcls } from "./acl_inode.ts";
import type { Caller } from "./caller.ts";
import type { FileDescription } from "./file_description.ts";
import type { FileLease } from "./file_lease.ts";
import type { FileSystem } from "./file_system.ts";
import type { VfsPath } from "./mount.ts";
import type { InodeWatches } from "./watches.ts";

/** Attributes to change; absent ones stay. Times: the VFS resolved UTIME_NOW. */
export interface AttributeChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: Timespec;
  readonly mtime?: Timespec;
  readonly ctime?: Timespec;
}

/** What a new inode gets, already adjusted for umask and setgid directories. */
export interface NewInode {
  /** S_IFMT type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number for S_IFCHR and S_IFBLK. */
  readonly rdev: number;
  /** Target for S_IFLNK. */
  readonly target: ByteString;
}

/** Receives directory entries; returns false when its buffer is full. */
export interface DirectorySink {
  /** `cookie`: offset to continue *after* this entry; `type`: DT_*. */
  emit(name: ByteString, ino: number, type: number, cookie: number): boolean;
}

/** An object that a FIFO or socket inode carries while it is in use. */
export interface InodeEndpoint {
  readonly kind: "fifo" | "socket";
}

export abstract class Inode {
  // Attributes as stat(2) shows them; changed only by the owning file system.
  mode: number;
  uid = 0;
  gid = 0;
  nlink = 1;
  size = 0;
  rdev = 0;
  /** 512-byte units. */
  blocks = 0;
  blockSize = 4096;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  btime: Timespec;
  /** Counts changes to a directory's contents or a file's data (i_version). */
  version = 0;

  /** Woken on POLL* changes of FIFOs and on lock release. */
  readonly queue = new WaitQueue();
  /** The pipe of a FIFO or the bound socket of a socket inode; managed by
   * fs/pipefs.ts and socket/unix. */
  endpoint: InodeEndpoint | null = null;
  /** Advisory locks hang here (vfs/file_lock.ts). */
  locks: object | null = null;
  /** Access control lists; null: mode bits only (vfs/acl_inode.ts). */
  acls: InodeAcls | null = null;
  /** Who wants to know what happens to it. */
  watches: InodeWatches | null = null;
  /** Open files that may write (i_writecount); kept by FileDescription. */
  writers = 0;
  /** Open files that may only read, of regular files (i_readcount). */
  readers = 0;
  /** F_SETLEASE (vfs/file_lease.ts). */
  leases: FileLease[] | null = null;
  /** Made by O_TMPFILE without O_EXCL: link(2) may name it although nlink is
   * 0. */
  isLinkable = false;
  /** Programs that run from this file, which nobody may write (ETXTBSY). */
  #writeDeniers = 0;

  constructor(
    readonly fs: FileSystem,
    readonly ino: number,
    mode: number,
    now: Timespec,
  ) {
    this.mode = mode;
    this.atime = now;
    this.mtime = now;
    this.ctime = now;
    this.btime = now;
  }

  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  get isRegular(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  get isSymlink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }

  get isWriteDenied(): boolean {
    return this.#writeDeniers > 0;
  }
  /** A process runs this file; openExecutable() made sure that nobody had it
   * open for writing. */
  denyWrite(): void {
    this.#writeDeniers++;
  }
  /** Undoes one denyWrite(). */
  allowWrite(): void {
    this.#writeDeniers--;
  }

  // References: Dentries and FileDescriptions hold one each. At zero the file
  // system may drop the inode (and its data if nlink is 0 too).
  #references = 0;
  acquire(): void {
    this.#references++;
  }
  release(): void {
    if (--this.#references === 0) this.evict();
    else if (
      this.watches !== null && this.nlink === 0 &&
      this.#references === this.watches.count
    ) this.watches.tellDeleted();
  }
  get isReferenced(): boolean {
    return this.#references > 0;
  }
  /** No Dentry and no FileDescription is left. */
  protected evict(): void {}

  /** Brings the attribute fields up to date (remote file systems). */
  refresh(): Errno | null {
    return null;
  }

  // Directories.
  /** The child, null if there is none. */
  lookup(_name: ByteString): Inode | null | Errno {
    return ENOTDIR;
  }
  /** Makes a file, directory, symlink, device node, FIFO or socket. */
  create(_name: ByteString, _what: NewInode): Inode | Errno {
    return EPERM;
  }
  /** Makes a nameless regular file (O_TMPFILE), which link() can name. */
  createTemporary(_what: NewInode): Inode | Errno {
    return EOPNOTSUPP;
  }
  link(_name: ByteString, _target: Inode): Errno | null {
    return EPERM;
  }
  unlink(_name: ByteString, _child: Inode): Errno | null {
    return EPERM;
  }
  rmdir(_name: ByteString, _child: Inode): Errno | null {
    return EPERM;
  }
  /** `replaced` is the inode now at the target name; flags are RENAME_*. The
   * VFS has checked types, ancestry and permissions. */
  rename(
    _name: ByteString,
    _child: Inode,
    _toDirectory: Inode,
    _toName: ByteString,
    _replaced: Inode | null,
    _flags: number,
  ): Errno | null {
    return EPERM;
  }
  /** Emits entries from `cookie` on (0 = start), "." and ".." excluded: the VFS
   * adds them. Cookies are > 2, stable while the entry exists. */
  readDirectory(
    _cookie: number,
    _sink: DirectorySink,
  ): Errno | null {
    return ENOTDIR;
  }

  // Symbolic links.
  readlink(_caller: Caller): ByteString | Errno {
    return EINVAL;
  }
  /** Magic links (/proc/pid/fd/N, cwd, exe): where they lead, if this is one. */
  followMagic(_caller: Caller): VfsPath | Errno | null {
    return null;
  }

  // Everything.
  /** Opens an object of this inode; `path` is how it was reached; flags are
   * O_*. O_TRUNC and O_CREAT were handled. EAGAIN: wait on `queue`, try again
   * (FIFOs). */
  open(_path: VfsPath, _flags: number, _caller: Caller):
    | FileDescription
    | Errno {
    return EPERM;
  }
  setAttributes(_change: AttributeChange): Errno | null {
    return EPERM;
  }
  getXattr(_name: ByteString): Uint8Array | Errno {
    return EOPNOTSUPP;
  }
  setXattr(
    _name: ByteString,
    _value: Uint8Array,
    _flags: number,
  ): Errno | null {
    return EOPNOTSUPP;
  }
  removeXattr(_name: ByteString): Errno | null {
    return EOPNOTSUPP;
  }
  listXattrs(): readonly ByteString[] | Errno {
    return EOPNOTSUPP;
  }
  /** ioctl(2) that needs no open object; ENOTTY by default. */
  ioctl(_request: number, _argument: number, _caller: Caller): number | Errno {
    return ENOTTY;
  }
}
