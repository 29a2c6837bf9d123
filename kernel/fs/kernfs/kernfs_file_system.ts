/**
 * KernfsFileSystem: base of file systems whose trees are made up by the kernel
 * (proc, sysfs). Names of such a tree may vanish with what they show, so the
 * VFS asks again before it trusts a name that it remembers.
 * @module
 */
import { NAME_MAX } from "../../abi/limits.ts";
import { PAGE_SIZE } from "../../abi/mman.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock } from "../../time/clock.ts";
import { FileSystem, type FileSystemStatus } from "../../vfs/file_system.ts";
import type { Inode } from "../../vfs/inode.ts";
import { ContentCache } from "./content_cache.ts";
import { KernfsDirectory } from "./kernfs_directory.ts";
import { type KernfsHome, KernfsInode } from "./kernfs_inode.ts";

/** What an instance is built from. */
export interface KernfsOptions {
  readonly typeName: string;
  /** *_MAGIC for statfs(2). */
  readonly magic: number;
  /** st_dev: an anonymous device number of its own. */
  readonly device: number;
  readonly clock: Clock;
  /** Shared with other instances, so that they have one budget. */
  readonly contents?: ContentCache;
}

export abstract class KernfsFileSystem extends FileSystem
  implements KernfsHome {
  readonly typeName: string;
  readonly device: number;
  readonly clock: Clock;
  readonly contents: ContentCache;
  override readonly needsRevalidation = true;
  readonly #magic: number;

  constructor(options: KernfsOptions) {
    super();
    this.typeName = options.typeName;
    this.device = options.device;
    this.clock = options.clock;
    this.contents = options.contents ?? new ContentCache();
    this.#magic = options.magic;
  }

  override revalidate(
    directory: Inode,
    _name: ByteString,
    cached: Inode | null,
  ): boolean {
    if (cached instanceof KernfsInode) return cached.isCurrent();
    return directory instanceof KernfsDirectory && directory.hasFixedNames;
  }

  override status(): FileSystemStatus {
    return {
      type: this.#magic,
      blockSize: PAGE_SIZE,
      blocks: 0,
      blocksFree: 0,
      blocksAvailable: 0,
      files: 0,
      filesFree: 0,
      nameLength: NAME_MAX,
    };
  }
}
