/**
 * OverlayInode: one file of an overlay, whether it came from a lower layer or
 * was made here. This class is all that symlinks, devices, FIFOs and sockets
 * need; overlay_regular.ts and overlay_directory.ts extend it.
 *
 * An inode from a lower layer shows the lower one's attributes until the first
 * change, which it keeps itself from then on (nothing is ever written below).
 * It is the same object for all names of the lower inode, so hard links stay
 * hard links and inode numbers survive changes.
 *
 * Lifetime: unchanged inodes end with their last reference. Changed ones are
 * pinned: they live until their last name is gone.
 * @module
 */
import { EINVAL, EOPNOTSUPP, type Errno, isErrno } from "../../abi/errno.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { PageUsage } from "../../mm/page_cache.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock, Timespec } from "../../time/clock.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileSystem } from "../../vfs/file_system.ts";
import { type AttributeChange, Inode, type NewInode } from "../../vfs/inode.ts";
import { SimpleXattrs } from "../../vfs/simple_xattrs.ts";
import type { LayerInode } from "./layers.ts";

/** What inodes need of their overlay. */
export interface OverlayHome extends FileSystem, PageUsage {
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  nextIno(): number;
  /** The overlay's inode for what the layers have at one place: several
   * directories, or one inode of another type. */
  adopt(found: readonly LayerInode[]): OverlayInode;
  /** An inode of no layer. ENOSPC. */
  make(what: NewInode): OverlayInode | Errno;
  /** Its last reference is gone, and nothing of it needs to be kept. */
  forget(inode: OverlayInode): void;
}

/** Names that overlayfs keeps for itself. */
const OVERLAY_XATTR = "trusted.overlay.";

export class OverlayInode extends Inode {
  protected readonly home: OverlayHome;
  /** The uppermost layer's inode; null if it was made here. */
  readonly lower: Inode | null;
  readonly #target: ByteString;
  /** True once attributes are kept here. */
  #isOwned: boolean;
  #isPinned: boolean;
  /** Names made here less names removed here. */
  #linkChange = 0;
  #xattrs: SimpleXattrs | null = null;

  /** With `from`: shows that inode, and holds a reference on it. */
  constructor(
    home: OverlayHome,
    ino: number,
    from: Inode | null,
    what: NewInode,
  ) {
    super(home, ino, what.mode, from?.btime ?? home.clock.realtime());
    this.home = home;
    this.lower = from;
    this.#isOwned = from === null;
    this.#isPinned = from === null;
    this.#target = what.target;
    if (from !== null) {
      from.acquire();
      this.#show(from);
    } else {
      this.uid = what.uid;
      this.gid = what.gid;
      this.rdev = what.rdev;
      this.size = what.target.length;
    }
  }

  #show(lower: Inode): void {
    this.mode = lower.mode;
    this.uid = lower.uid;
    this.gid = lower.gid;
    this.size = lower.size;
    this.rdev = lower.rdev;
    this.blocks = lower.blocks;
    this.blockSize = lower.blockSize;
    this.atime = lower.atime;
    this.mtime = lower.mtime;
    this.ctime = lower.ctime;
    this.nlink = lower.nlink + this.#linkChange;
  }

  override refresh(): Errno | null {
    if (this.#isOwned || this.lower === null) return null;
    const failed = this.lower.refresh();
    if (failed === null) this.#show(this.lower);
    return failed;
  }

  /** Keeps the attributes here from now on (metadata copy-up). */
  own(): Errno | null {
    if (this.#isOwned) return null;
    const failed = this.refresh();
    if (failed !== null) return failed;
    this.#isOwned = true;
    this.pin();
    return null;
  }

  /** Keeps the inode as long as it has a name. */
  pin(): void {
    this.#isPinned = true;
  }

  /** A name came (1) or went (-1). */
  changeLinks(by: number, now: Timespec): Errno | null {
    const failed = this.own();
    if (failed !== null) return failed;
    this.#linkChange += by;
    this.nlink += by;
    this.ctime = now;
    return null;
  }

  /** Ends it if its last name is gone and nobody holds it. */
  collect(): void {
    if (!this.isReferenced) this.evict();
  }

  /** True if something here must outlive the last reference. */
  protected get isKept(): boolean {
    return this.#isPinned && this.nlink > 0;
  }
  protected override evict(): void {
    if (this.isKept) return;
    this.home.forget(this);
    this.freeData();
    this.lower?.release();
  }
  /** Gives memory back. May run more than once. */
  freeData(): void {}

  override readlink(caller: Caller): ByteString | Errno {
    if (!this.isSymlink) return EINVAL;
    return this.lower === null ? this.#target : this.lower.readlink(caller);
  }

  override setAttributes(change: AttributeChange): Errno | null {
    if (change.size !== undefined) return EINVAL;
    return this.own() ?? this.#apply(change);
  }

  #apply(change: AttributeChange): null {
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

  override getXattr(name: ByteString): Uint8Array | Errno {
    if (this.#xattrs !== null) return this.#xattrs.get(name);
    if (this.lower === null || name.startsWith(OVERLAY_XATTR)) {
      return new SimpleXattrs().get(name);
    }
    return this.lower.getXattr(name);
  }

  override listXattrs(): readonly ByteString[] | Errno {
    if (this.#xattrs !== null) return this.#xattrs.list();
    if (this.lower === null) return [];
    const names = this.lower.listXattrs();
    if (isErrno(names)) return names;
    return names.filter((name) => !name.startsWith(OVERLAY_XATTR));
  }

  override setXattr(
    name: ByteString,
    value: Uint8Array,
    flags: number,
  ): Errno | null {
    const own = this.#ownXattrs();
    return isErrno(own) ? own : own.set(name, value, flags);
  }

  override removeXattr(name: ByteString): Errno | null {
    const own = this.#ownXattrs();
    return isErrno(own) ? own : own.remove(name);
  }

  /** Copies what the lower inode has. */
  #ownXattrs(): SimpleXattrs | Errno {
    const failed = this.own();
    if (failed !== null) return failed;
    if (this.#xattrs === null) {
      const copy = new SimpleXattrs();
      const names = this.listXattrs();
      if (isErrno(names) && names !== EOPNOTSUPP) return names;
      for (const name of isErrno(names) ? [] : names) {
        const value = this.getXattr(name);
        if (!isErrno(value)) copy.set(name, value, 0);
      }
      this.#xattrs = copy;
    }
    this.ctime = this.home.clock.realtime();
    return this.#xattrs;
  }
}
