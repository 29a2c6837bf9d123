/**
 * tmpfs: a file system in the memory file, bounded by size= and nr_inodes=.
 * Inodes are in tmpfs_inode.ts and tmpfs_directory.ts. Source: tmpfs(5),
 * Documentation/filesystems/tmpfs.rst.
 * @module
 */
import { ENOSPC, type Errno } from "../../abi/errno.ts";
import { NAME_MAX } from "../../abi/limits.ts";
import { TMPFS_MAGIC } from "../../abi/magic.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import { S_IFDIR } from "../../abi/stat.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { PageUsage } from "../../mm/page_cache.ts";
import type { Clock } from "../../time/clock.ts";
import { FileSystem, type FileSystemStatus } from "../../vfs/file_system.ts";
import { TmpfsDirectory } from "./tmpfs_directory.ts";
import type { TmpfsHome, TmpfsInode } from "./tmpfs_inode.ts";

/** What an instance is built from. */
export interface TmpfsOptions {
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  /** st_dev: an anonymous device number of its own. */
  readonly device: number;
  /** Bytes that data may take; Infinity by default. */
  readonly sizeBytes?: number;
  /** Inodes that may exist; at most, and by default, 2^20. */
  readonly maxInodes?: number;
  /** Mode and owner of the root directory. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Inodes live on the kernel's own heap, which has an end; so "no limit" has
 * one, too. */
const INODES_MAX = 2 ** 20;

export class TmpfsFileSystem extends FileSystem
  implements PageUsage, TmpfsHome {
  readonly typeName: string = "tmpfs";
  override readonly hasAcls = true;
  readonly device: number;
  readonly root: TmpfsDirectory;
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  readonly #maxPages: number;
  readonly #maxInodes: number;
  readonly #rootMode: number;
  #pages = 0;
  #inodes = 0;
  #lastIno = 0;

  constructor(options: TmpfsOptions) {
    super();
    this.device = options.device;
    this.memoryFile = options.memoryFile;
    this.clock = options.clock;
    this.#maxPages = Math.ceil((options.sizeBytes ?? Infinity) / PAGE_SIZE);
    this.#maxInodes = Math.min(options.maxInodes ?? Infinity, INODES_MAX);
    this.#rootMode = (options.mode ?? 0o1777) & 0o7777;
    this.takeInode();
    this.root = new TmpfsDirectory(this, {
      mode: S_IFDIR | this.#rootMode,
      uid: options.uid ?? 0,
      gid: options.gid ?? 0,
      rdev: 0,
      target: "",
    });
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

  // TmpfsHome.
  takeInode(): Errno | null {
    if (this.#inodes >= this.#maxInodes) return ENOSPC;
    this.#inodes++;
    return null;
  }
  dropInode(): void {
    this.#inodes--;
  }
  nextIno(): number {
    return ++this.#lastIno;
  }

  override status(): FileSystemStatus {
    // An instance without limits says 0, as Linux does.
    const blocks = this.#maxPages === Infinity ? 0 : this.#maxPages;
    const files = this.#maxInodes;
    const blocksFree = blocks === 0 ? 0 : blocks - this.#pages;
    return {
      type: TMPFS_MAGIC,
      blockSize: PAGE_SIZE,
      blocks,
      blocksFree,
      blocksAvailable: blocksFree,
      files,
      filesFree: files - this.#inodes,
      nameLength: NAME_MAX,
    };
  }

  override options(): string {
    let text = "";
    if (this.#maxPages !== Infinity) {
      text += `,size=${this.#maxPages * (PAGE_SIZE / 1024)}k`;
    }
    if (this.#maxInodes !== INODES_MAX) text += `,nr_inodes=${this.#maxInodes}`;
    if (this.#rootMode !== 0o1777) {
      text += `,mode=${this.#rootMode.toString(8).padStart(3, "0")}`;
    }
    if (this.root.uid !== 0) text += `,uid=${this.root.uid}`;
    if (this.root.gid !== 0) text += `,gid=${this.root.gid}`;
    return text;
  }

  /** Nothing can reach the instance any more: its pages are free again. */
  override release(): void {
    const pending: TmpfsInode[] = [this.root];
    for (let inode = pending.pop(); inode; inode = pending.pop()) {
      if (inode instanceof TmpfsDirectory) {
        for (const child of inode.children()) pending.push(child);
      }
      inode.dispose();
    }
  }
}
