/**
 * Directories of an overlay: what the lower layers have, less the names hidden
 * here, plus the names made here.
 *
 * A lower name is hidden (Linux: a whiteout) once it was removed, moved away or
 * replaced. A name made here leads to an inode made here or, after rename or
 * link, to one from a lower layer: so a whole lower tree moves by moving its
 * top. A directory made where a lower one was removed merges with nothing
 * (Linux: opaque). Source: Documentation/filesystems/overlayfs.rst.
 * @module
 */
import { DT_CHR, IFTODT } from "../../abi/dirent.ts";
import {
  EEXIST,
  ENOTEMPTY,
  type Errno,
  EXDEV,
  isErrno,
} from "../../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_WHITEOUT } from "../../abi/fcntl.ts";
import { S_IFCHR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Timespec } from "../../time/clock.ts";
import { DirectoryDescription } from "../../vfs/directory_description.ts";
import { DirectoryIndex, FIRST_COOKIE } from "../../vfs/directory_index.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { DirectorySink, Inode, NewInode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { type LayerInode, lookupInLayers } from "./layers.ts";
import { type OverlayHome, OverlayInode } from "./overlay_inode.ts";

/** Cookies of names made here; those of lower directories are below. */
const OWN_COOKIES = 2 ** 50;

/** An entry of a merged listing of several layers. */
interface LowerEntry {
  readonly ino: number;
  readonly type: number;
}

export class OverlayDirectory extends OverlayInode {
  readonly #layers: readonly LayerInode[];
  readonly #own = new DirectoryIndex<OverlayInode>();
  readonly #hidden = new Set<ByteString>();
  /** Rebuilt on demand: lower layers do not change. */
  #merged: DirectoryIndex<LowerEntry> | null = null;
  readonly #inoOf: (layer: number, ino: number) => number;

  constructor(
    home: OverlayHome,
    ino: number,
    layers: readonly LayerInode[],
    what: NewInode,
    inoOf: (layer: number, ino: number) => number,
  ) {
    super(home, ino, layers[0]?.inode ?? null, what);
    this.#layers = layers;
    this.#inoOf = inoOf;
    // The uppermost one is held already.
    for (const { inode } of layers.slice(1)) inode.acquire();
    if (layers.length === 0) {
      this.nlink = 2;
      this.size = this.blockSize;
    } else if (layers.length > 1) this.nlink = 1;
  }

  /** Nobody counts the subdirectories of merged directories. */
  override refresh(): Errno | null {
    const failed = super.refresh();
    if (this.#layers.length > 1 && this.nlink > 0) this.nlink = 1;
    return failed;
  }

  protected override evict(): void {
    if (this.isKept) return;
    super.evict();
    for (const { inode } of this.#layers.slice(1)) inode.release();
  }

  override lookup(name: ByteString): Inode | null | Errno {
    const own = this.#own.get(name);
    if (own !== undefined) return own;
    if (this.#hidden.has(name) || this.#layers.length === 0) return null;
    const found = lookupInLayers(this.#layers, name);
    if (isErrno(found)) return found;
    return found.length === 0 ? null : this.home.adopt(found);
  }

  /** Tells the lower file systems which names lookup() will ask them for. */
  expectWalk(path: ByteString, start: number, opensLast: boolean): void {
    for (const { inode } of this.#layers) {
      if (!inode.fs.wantsPaths) continue;
      inode.fs.expectWalk(inode, path, start, opensLast);
    }
  }

  override open(path: VfsPath, flags: number): FileDescription {
    return new DirectoryDescription(path, flags);
  }

  // Listing: first the lower names in the lower order, then ours.

  override readDirectory(
    cookie: number,
    sink: DirectorySink,
  ): Errno | null {
    let at = cookie;
    if (at < OWN_COOKIES) {
      const lower = new LowerSink(this, sink);
      const failed = this.#listLower(at, lower);
      if (failed !== null || lower.isFull) return failed;
      at = OWN_COOKIES + FIRST_COOKIE;
    }
    this.#own.list(
      at - OWN_COOKIES,
      (name, inode, next) =>
        sink.emit(name, inode.ino, IFTODT(inode.mode), OWN_COOKIES + next),
    );
    return null;
  }

  #listLower(cookie: number, sink: LowerSink): Errno | null {
    const [first] = this.#layers;
    if (first === undefined) return null;
    if (this.#layers.length === 1) {
      sink.layer = first.layer;
      return first.inode.readDirectory(cookie, sink);
    }
    const merged = this.#merge();
    if (isErrno(merged)) return merged;
    merged.list(
      cookie,
      (name, { ino, type }, next) => sink.forward(name, ino, type, next),
    );
    return null;
  }

  /** All names of several layers, each once. */
  #merge(): DirectoryIndex<LowerEntry> | Errno {
    if (this.#merged !== null) return this.#merged;
    const merged = new DirectoryIndex<LowerEntry>();
    for (const { inode, layer } of this.#layers) {
      const failed = inode.readDirectory(FIRST_COOKIE, {
        emit: (name, ino, type) => {
          if (!merged.has(name)) {
            merged.set(name, { ino: this.#inoOf(layer, ino), type });
          }
          return true;
        },
      });
      if (failed !== null) return failed;
    }
    this.#merged = merged;
    return merged;
  }

  /** Whether a lower layer's entry is to be seen; `ino` as the guest sees it. */
  isVisible(name: ByteString, type: number): boolean {
    if (this.#hidden.has(name) || this.#own.has(name)) return false;
    // It may be a whiteout of a layer.
    return type !== DT_CHR || this.lookup(name) !== null;
  }
  shownIno(layer: number, ino: number): number {
    return this.#inoOf(layer, ino);
  }

  #isEmpty(): boolean | Errno {
    if (this.#own.size > 0) return false;
    const finder = new LowerSink(this, { emit: () => false });
    const failed = this.#listLower(FIRST_COOKIE, finder);
    return failed ?? !finder.isFull;
  }

  // Changes. Nothing is visible before the last step that can fail.

  override create(name: ByteString, what: NewInode): Inode | Errno {
    const taken = this.lookup(name);
    if (taken !== null) return isErrno(taken) ? taken : EEXIST;
    const failed = this.own();
    if (failed !== null) return failed;
    const inode = this.home.make(what);
    if (!isErrno(inode)) this.#put(name, inode, inode.ctime);
    return inode;
  }

  override createTemporary(what: NewInode): Inode | Errno {
    const inode = this.home.make(what);
    if (!isErrno(inode)) inode.nlink = 0;
    return inode;
  }

  override link(name: ByteString, target: Inode): Errno | null {
    if (!(target instanceof OverlayInode)) return EXDEV;
    const now = this.home.clock.realtime();
    const failed = this.own() ?? target.changeLinks(1, now);
    if (failed !== null) return failed;
    this.#put(name, target, now);
    return null;
  }

  override unlink(name: ByteString, child: Inode): Errno | null {
    const inode = child as OverlayInode;
    const now = this.home.clock.realtime();
    const failed = this.own() ?? inode.changeLinks(-1, now);
    if (failed !== null) return failed;
    this.#take(name, inode, now);
    inode.collect();
    return null;
  }

  override rmdir(name: ByteString, child: Inode): Errno | null {
    const directory = child as OverlayDirectory;
    const isEmpty = directory.#isEmpty();
    if (isErrno(isEmpty)) return isEmpty;
    if (!isEmpty) return ENOTEMPTY;
    const now = this.home.clock.realtime();
    const failed = this.own() ?? directory.own();
    if (failed !== null) return failed;
    this.#take(name, directory, now);
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
    if (!(toDirectory instanceof OverlayDirectory)) return EXDEV;
    const inode = child as OverlayInode;
    const victim = replaced as OverlayInode | null;
    const isExchange = (flags & RENAME_EXCHANGE) !== 0;
    if (victim instanceof OverlayDirectory && !isExchange) {
      const isEmpty = victim.#isEmpty();
      if (isErrno(isEmpty)) return isEmpty;
      if (!isEmpty) return ENOTEMPTY;
    }
    const failed = this.own() ?? toDirectory.own() ?? inode.own() ??
      victim?.own() ?? null;
    if (failed !== null) return failed;
    const whiteout = this.#makeWhiteout(flags);
    if (isErrno(whiteout)) return whiteout;

    const now = this.home.clock.realtime();
    this.#take(name, inode, now);
    inode.ctime = now;
    if (victim !== null) {
      toDirectory.#take(toName, victim, now);
      victim.ctime = now;
    }
    toDirectory.#put(toName, inode, now);
    if (isExchange && victim !== null) this.#put(name, victim, now);
    else if (victim instanceof OverlayDirectory) victim.#end(now);
    else if (victim !== null) {
      victim.changeLinks(-1, now);
      victim.collect();
    }
    if (whiteout !== null) this.#put(name, whiteout, now);
    return null;
  }

  #makeWhiteout(flags: number): OverlayInode | Errno | null {
    if ((flags & RENAME_WHITEOUT) === 0) return null;
    const { uid, gid } = this;
    return this.home.make({ mode: S_IFCHR, uid, gid, rdev: 0, target: "" });
  }

  #put(name: ByteString, inode: OverlayInode, now: Timespec): void {
    inode.pin();
    this.#own.set(name, inode);
    this.#touch(inode, 1, now);
  }

  /** Removes a visible name, wherever it came from. */
  #take(name: ByteString, inode: OverlayInode, now: Timespec): void {
    if (!this.#own.delete(name)) this.#hidden.add(name);
    this.#touch(inode, -1, now);
  }

  #touch(child: OverlayInode, links: number, now: Timespec): void {
    if (child.isDirectory && this.#layers.length <= 1) this.nlink += links;
    this.mtime = now;
    this.ctime = now;
    this.version++;
  }

  #end(now: Timespec): void {
    this.nlink = 0;
    this.ctime = now;
    this.collect();
  }
}

/** Passes on the entries of lower directories that are visible here. */
class LowerSink implements DirectorySink {
  readonly #directory: OverlayDirectory;
  readonly #sink: DirectorySink;
  layer = 0;
  /** The receiver wants no more. */
  isFull = false;

  constructor(directory: OverlayDirectory, sink: DirectorySink) {
    this.#directory = directory;
    this.#sink = sink;
  }

  emit(name: ByteString, ino: number, type: number, cookie: number): boolean {
    const shown = this.#directory.shownIno(this.layer, ino);
    return this.forward(name, shown, type, cookie);
  }

  /** `ino` as the guest sees it. */
  forward(
    name: ByteString,
    ino: number,
    type: number,
    cookie: number,
  ): boolean {
    if (!this.#directory.isVisible(name, type)) return true;
    this.isFull = !this.#sink.emit(name, ino, type, cookie);
    return !this.isFull;
  }
}
