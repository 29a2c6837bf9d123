/**
 * GoferFileSystem: a directory tree (or a single file) of the host, mounted
 * through the file server.
 *
 * "exclusive": nobody else changes it while we run (the root file system of a
 * container), so names and attributes are cached without asking again.
 * "shared" (bind mounts): every use is checked with the server.
 *
 * Inodes are found by node, so that hard links are one inode. The table holds
 * no references: an inode leaves it when it is evicted.
 * @module
 */
import type {
  GoferClient,
  GoferNode,
  GoferNodeId,
} from "../../../gofer/client.ts";
import type { Errno } from "../../abi/errno.ts";
import { S_ISDIR, S_ISREG } from "../../abi/stat.ts";
import type { HostFiles } from "../../host.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock } from "../../time/clock.ts";
import { FileSystem, type FileSystemStatus } from "../../vfs/file_system.ts";
import type { Inode } from "../../vfs/inode.ts";
import { type GoferContext, goferErrno } from "./gofer_context.ts";
import { GoferDirectory } from "./gofer_directory.ts";
import { GoferInode } from "./gofer_inode.ts";
import { GoferRegular } from "./gofer_regular.ts";
import { IdleHandles } from "./host_handles.ts";
import { type Prefetched, ReadAhead } from "./read_ahead.ts";
import { WalkAhead } from "./walk_ahead.ts";

export type GoferMode = "exclusive" | "shared";

export interface GoferFileSystemOptions {
  readonly client: GoferClient;
  /** Name of the mount on the client's connection. */
  readonly mount: string;
  readonly mode: GoferMode;
  /** st_dev: an anonymous device number of its own. */
  readonly device: number;
  readonly clock: Clock;
  readonly files: HostFiles;
  readonly memoryFile: MemoryFile;
  /** Files whose unused host descriptors are kept open. */
  readonly maxIdleFiles?: number;
}

const DEFAULT_MAX_IDLE_FILES = 256;

/** Inode numbers below this leave room for the index of a host device. */
const INO_SPACE = 2 ** 48;
const INO_DEVICES = 32;

export class GoferFileSystem extends FileSystem implements GoferContext {
  readonly typeName = "gofer";
  readonly device: number;
  readonly root: GoferInode;
  override readonly isReadOnly: boolean;
  override readonly needsRevalidation: boolean;

  readonly client: GoferClient;
  readonly files: HostFiles;
  readonly memoryFile: MemoryFile;
  readonly clock: Clock;
  readonly idleHandles: IdleHandles;
  readonly walkAhead: WalkAhead;
  readonly readAhead: ReadAhead;
  readonly isShared: boolean;

  readonly #inodes = new Map<GoferNodeId, GoferInode>();
  /** Index by st_dev on the host; the root's is 0. */
  readonly #hostDevices = new Map<number, number>();

  private constructor(
    options: GoferFileSystemOptions,
    root: GoferNode,
    isReadOnly: boolean,
  ) {
    super();
    this.device = options.device;
    this.client = options.client;
    this.files = options.files;
    this.memoryFile = options.memoryFile;
    this.clock = options.clock;
    this.walkAhead = new WalkAhead(
      options.client,
      options.clock,
      options.files,
      options.mode === "shared",
    );
    this.readAhead = new ReadAhead(
      options.client,
      (node) => this.isKnown(node),
    );
    this.idleHandles = new IdleHandles(
      options.maxIdleFiles ?? DEFAULT_MAX_IDLE_FILES,
    );
    this.isShared = options.mode === "shared";
    this.needsRevalidation = this.isShared;
    this.isReadOnly = isReadOnly;
    this.root = this.adopt(root, "");
    this.root.acquire();
  }

  /** Attaches to a mount of the file server. ENOENT, EIO. */
  static attach(options: GoferFileSystemOptions): GoferFileSystem | Errno {
    const root = options.client.attach(options.mount);
    if (typeof root === "number") return goferErrno(root);
    return new GoferFileSystem(options, root, root.isReadOnly);
  }

  /** Inodes in memory, for tests. */
  get inodeCount(): number {
    return this.#inodes.size;
  }

  adopt(node: GoferNode, target: string): GoferInode {
    const known = this.#inodes.get(node.node);
    if (known !== undefined) {
      this.client.forget(node.node, 1);
      known.update(node.stat);
      return known;
    }
    const ino = this.#inodeNumber(node);
    const Kind = S_ISDIR(node.stat.mode)
      ? GoferDirectory
      : S_ISREG(node.stat.mode)
      ? GoferRegular
      : GoferInode;
    const inode = new Kind(this, this, ino, node, target);
    this.#inodes.set(node.node, inode);
    return inode;
  }

  adoptAhead(holder: Prefetched): GoferInode {
    const contents = this.readAhead.take(holder);
    const isNew = !this.isKnown(holder.node.node);
    const inode = this.adopt(holder.node, "");
    if (contents !== null) {
      if (isNew && inode instanceof GoferDirectory) inode.fill(contents);
      else this.readAhead.discard(contents.prefetched);
    }
    return inode;
  }

  isKnown(node: GoferNodeId): boolean {
    return this.#inodes.has(node);
  }

  drop(inode: Inode): void {
    if (!(inode instanceof GoferInode)) return;
    this.#inodes.delete(inode.node);
    this.client.forget(inode.node, 1);
  }

  /** Mounts below the root on the host have inode numbers of their own, but
   * here everything is one device. */
  #inodeNumber({ stat }: GoferNode): number {
    let index = this.#hostDevices.get(stat.dev);
    if (index === undefined) {
      index = this.#hostDevices.size;
      this.#hostDevices.set(stat.dev, index);
    }
    if (index === 0 || stat.ino >= INO_SPACE) return stat.ino;
    return (index % INO_DEVICES) * INO_SPACE + stat.ino;
  }

  override get wantsPaths(): boolean {
    return true;
  }
  override expectWalk(
    directory: Inode,
    path: ByteString,
    start: number,
    opensLast: boolean,
  ): void {
    if (directory instanceof GoferDirectory) {
      this.walkAhead.expect(directory.node, path, start, opensLast);
    }
  }

  override revalidate(
    directory: Inode,
    name: ByteString,
    cached: Inode | null,
  ): boolean {
    if (!(directory instanceof GoferDirectory)) return false;
    if (cached !== null && !(cached instanceof GoferInode)) return false;
    return directory.stillHas(name, cached);
  }

  override status(): FileSystemStatus | Errno {
    const status = this.client.statfs(this.root.node);
    if (typeof status === "number") return goferErrno(status);
    return {
      type: status.type,
      blockSize: status.bsize,
      blocks: status.blocks,
      blocksFree: status.bfree,
      blocksAvailable: status.bavail,
      files: status.files,
      filesFree: status.ffree,
      nameLength: status.namelen,
    };
  }

  override sync(): Errno | null {
    let failure: Errno | null = null;
    for (const inode of this.#inodes.values()) {
      failure = inode.syncHost() ?? failure;
    }
    return failure;
  }

  override release(): void {
    this.walkAhead.clear();
    this.root.release();
    this.client.flush();
  }
}
