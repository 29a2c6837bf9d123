/**
 * Pseudo file systems for descriptors that have no name in any directory:
 * pipes (`pipe:[N]`), sockets (`socket:[N]`) and event files
 * (`anon_inode:[eventfd]`). They are mounted nowhere; a Dentry here has no
 * parent, is not its mount's root, its name is the whole text that
 * /proc/pid/fd shows, and it ends with its last reference. Source: proc(5), /proc/pid/fd.
 * @module
 */
import { ENXIO, type Errno } from "../abi/errno.ts";
import { NAME_MAX } from "../abi/limits.ts";
import { ANON_INODE_FS_MAGIC } from "../abi/magic.ts";
import { S_IFDIR, S_IRUSR, S_IWUSR } from "../abi/stat.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Clock } from "../time/clock.ts";
import type { Caller } from "../vfs/caller.ts";
import { Dentry } from "../vfs/dentry.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { FileSystem, type FileSystemStatus } from "../vfs/file_system.ts";
import { type AttributeChange, Inode } from "../vfs/inode.ts";
import { Mount, VfsPath } from "../vfs/mount.ts";

/** An inode of a pseudo file system; opening it by /proc/pid/fd is ENXIO. */
export class AnonInode extends Inode {
  override open(
    _path: VfsPath,
    _flags: number,
    _caller: Caller,
  ): FileDescription | Errno {
    return ENXIO;
  }
  /** fchmod(2), fchown(2) and futimens(3) work, truncation does not. */
  override setAttributes(change: AttributeChange): Errno | null {
    if (change.mode !== undefined) {
      this.mode = (this.mode & ~0o7777) | (change.mode & 0o7777);
    }
    if (change.uid !== undefined) this.uid = change.uid;
    if (change.gid !== undefined) this.gid = change.gid;
    if (change.atime !== undefined) this.atime = change.atime;
    if (change.mtime !== undefined) this.mtime = change.mtime;
    if (change.ctime !== undefined) this.ctime = change.ctime;
    return null;
  }
}

/** What a pseudo file system is built from. */
export interface AnonFileSystemOptions {
  /** As in /proc/filesystems. */
  readonly typeName: string;
  /** *_MAGIC for statfs(2). */
  readonly magic: number;
  /** st_dev: an anonymous device number of its own. */
  readonly device: number;
  readonly clock: Clock;
}

/** A file system of nameless inodes, with the one internal Mount of it. */
export class AnonFileSystem extends FileSystem {
  readonly typeName: string;
  readonly device: number;
  readonly root: Inode;
  readonly mount: Mount;
  readonly clock: Clock;
  readonly #magic: number;
  #lastIno = 1;

  constructor(options: AnonFileSystemOptions) {
    super();
    this.typeName = options.typeName;
    this.device = options.device;
    this.clock = options.clock;
    this.#magic = options.magic;
    this.root = new AnonInode(this, 1, S_IFDIR, this.clock.realtime());
    const dentry = new Dentry(this, null, "", this.root);
    const source = options.typeName;
    this.mount = new Mount(0, this, dentry, null, null, 0, source);
  }

  /** A number for a new inode. */
  nextIno(): number {
    return ++this.#lastIno;
  }

  /** A new place for `inode`, shown as `name`; the caller takes the first
   * reference (FileDescription's constructor does). */
  place(inode: Inode, name: ByteString): VfsPath {
    return new VfsPath(this.mount, new Dentry(this, null, name, inode));
  }

  override status(): FileSystemStatus {
    return {
      type: this.#magic,
      blockSize: 4096,
      blocks: 0,
      blocksFree: 0,
      blocksAvailable: 0,
      files: 0,
      filesFree: 0,
      nameLength: NAME_MAX,
    };
  }
}

/** anon_inodefs: one inode that all event files share, a place per kind. */
export class AnonInodes extends AnonFileSystem {
  readonly #inode: AnonInode;
  readonly #places = new Map<string, VfsPath>();

  constructor(options: { readonly device: number; readonly clock: Clock }) {
    super({
      typeName: "anon_inodefs",
      magic: ANON_INODE_FS_MAGIC,
      device: options.device,
      clock: options.clock,
    });
    const now = this.clock.realtime();
    this.#inode = new AnonInode(this, this.nextIno(), S_IRUSR | S_IWUSR, now);
  }

  /** The place of a kind of event file: "[eventfd]", "[eventpoll]", ... */
  placeOf(kind: string): VfsPath {
    let place = this.#places.get(kind);
    if (place === undefined) {
      place = this.place(this.#inode, `anon_inode:${kind}`).acquire();
      this.#places.set(kind, place);
    }
    return place;
  }
}
