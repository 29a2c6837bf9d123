/**
 * overlay: a writable file system in memory above file systems that are never
 * changed (the root file system of a container above the image). Inodes are in
 * overlay_inode.ts, overlay_regular.ts and overlay_directory.ts. Source:
 * Documentation/filesystems/overlayfs.rst.
 *
 * What was changed is not written into directories of an upper file system, as
 * Linux does it, but kept by the inodes themselves; so renaming a directory or
 * changing a mode copies nothing, and hard links are never broken. Lower layers
 * must not change behind the overlay's back.
 * @module
 */
import { ENOSPC, type Errno } from "../../abi/errno.ts";
import { NAME_MAX } from "../../abi/limits.ts";
import { OVERLAYFS_SUPER_MAGIC } from "../../abi/magic.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "../../abi/stat.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock } from "../../time/clock.ts";
import { FileSystem, type FileSystemStatus } from "../../vfs/file_system.ts";
import type { Inode, NewInode } from "../../vfs/inode.ts";
import type { LayerInode } from "./layers.ts";
import { OverlayDirectory } from "./overlay_directory.ts";
import { type OverlayHome, OverlayInode } from "./overlay_inode.ts";
import { OverlayRegular } from "./overlay_regular.ts";

/** What an overlay is built from. */
export interface OverlayOptions {
  /** Uppermost first; at least one; their roots are directories. The overlay
   * lets go of them when it is released. */
  readonly lowers: readonly FileSystem[];
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  /** st_dev: an anonymous device number of its own. */
  readonly device: number;
  /** Bytes that changed data may take; by default as much as fits. */
  readonly sizeBytes?: number;
}

/** Inode numbers made here begin where hosts' rarely reach. */
const FIRST_OWN_INO = 2 ** 47;
/** Inodes that may be made: they live on the kernel's own heap. */
const INODES_MAX = 2 ** 20;
/** Distance of inode numbers of one layer from those of the one above. */
const LAYER_INOS = 2 ** 44;

const NOTHING_NEW: NewInode = { mode: 0, uid: 0, gid: 0, rdev: 0, target: "" };

export class OverlayFileSystem extends FileSystem implements OverlayHome {
  readonly typeName = "overlay";
  override readonly hasAcls = true;
  readonly device: number;
  readonly root: OverlayInode;
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  readonly #lowers: readonly FileSystem[];
  readonly #maxPages: number;
  #pages = 0;
  #lastIno = FIRST_OWN_INO;
  /** Inodes of no layer. */
  #made = 0;
  /** By uppermost lower inode; holds no references. */
  readonly #adopted = new Map<Inode, OverlayInode>();
  /** Regular files made or adopted here, for release(). */
  readonly #regulars = new Set<OverlayRegular>();

  constructor(options: OverlayOptions) {
    super();
    this.device = options.device;
    this.memoryFile = options.memoryFile;
    this.clock = options.clock;
    this.#lowers = options.lowers;
    const size = options.sizeBytes ?? options.memoryFile.memory.size;
    this.#maxPages = Math.floor(size / PAGE_SIZE);
    for (const lower of this.#lowers) lower.mountCount++;
    this.root = this.adopt(
      this.#lowers.map(({ root }, layer) => ({ inode: root, layer })),
    );
  }

  // PageUsage.
  charge(pages: number): Errno | null {
    if (this.#pages + pages > this.#maxPages) return ENOSPC;
    this.#pages += pages;
    return null;
  }
  uncharge(pages: number): void {
    this.#pages -= pages;
  }

  // OverlayHome.
  nextIno(): number {
    return ++this.#lastIno;
  }

  adopt(found: readonly LayerInode[]): OverlayInode {
    const { inode: lower, layer } = found[0]!;
    const known = this.#adopted.get(lower);
    if (known !== undefined) return known;
    const ino = inoInLayer(layer, lower.ino);
    const inode = this.#newInode(ino, found, lower.mode, NOTHING_NEW);
    this.#adopted.set(lower, inode);
    return inode;
  }

  make(what: NewInode): OverlayInode | Errno {
    if (this.#made >= INODES_MAX) return ENOSPC;
    this.#made++;
    return this.#newInode(this.nextIno(), [], what.mode, what);
  }

  #newInode(
    ino: number,
    found: readonly LayerInode[],
    mode: number,
    what: NewInode,
  ): OverlayInode {
    const lower = found[0]?.inode ?? null;
    switch (mode & S_IFMT) {
      case S_IFDIR:
        return new OverlayDirectory(this, ino, found, what, inoInLayer);
      case S_IFREG: {
        const inode = new OverlayRegular(this, ino, lower, what);
        this.#regulars.add(inode);
        return inode;
      }
      default:
        return new OverlayInode(this, ino, lower, what);
    }
  }

  forget(inode: OverlayInode): void {
    if (inode.lower !== null) this.#adopted.delete(inode.lower);
    else this.#made--;
    if (inode instanceof OverlayRegular) this.#regulars.delete(inode);
  }

  override get wantsPaths(): boolean {
    return this.#lowers.some(({ wantsPaths }) => wantsPaths);
  }
  override expectWalk(
    directory: Inode,
    path: ByteString,
    start: number,
    opensLast: boolean,
  ): void {
    if (directory instanceof OverlayDirectory) {
      directory.expectWalk(path, start, opensLast);
    }
  }

  override status(): FileSystemStatus {
    const free = this.#maxPages - this.#pages;
    return {
      type: OVERLAYFS_SUPER_MAGIC,
      blockSize: PAGE_SIZE,
      blocks: this.#maxPages,
      blocksFree: free,
      blocksAvailable: free,
      files: INODES_MAX,
      filesFree: INODES_MAX - this.#made,
      nameLength: NAME_MAX,
    };
  }

  override release(): void {
    for (const inode of this.#regulars) inode.freeData();
    for (const lower of this.#lowers) {
      if (--lower.mountCount === 0) lower.release();
    }
  }
}

/** Inode number that the overlay shows for one of a layer. */
function inoInLayer(layer: number, ino: number): number {
  return ino + layer * LAYER_INOS;
}
