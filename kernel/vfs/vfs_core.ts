/**
 * VfsCore: the state that all VFS operations share, and the walks that they
 * begin with. The operations themselves are functions over it, a file per
 * family: open.ts, names.ts, rename.ts, attributes.ts, xattr.ts, mounting.ts.
 * @module
 */
import { makedev, UNNAMED_MAJOR } from "../abi/dev.ts";
import { ENOENT, ENXIO, type Errno } from "../abi/errno.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import type { Caller } from "./caller.ts";
import { Dcache, DEFAULT_DCACHE_LIMIT } from "./dcache.ts";
import { DeviceRegistry } from "./device_registry.ts";
import type { FileDescription } from "./file_description.ts";
import type { FileSystem } from "./file_system.ts";
import { PeerGroup, type VfsPath } from "./mount.ts";
import { PathWalk } from "./path_walk.ts";

/** How to resolve a path. */
export interface ResolveOptions {
  /** Follow a symlink that the whole path names. */
  readonly follow: boolean;
  /** "" is `at` itself (AT_EMPTY_PATH) instead of ENOENT. */
  readonly allowEmpty?: boolean;
  /** ENOTDIR for anything but a directory. */
  readonly wantDirectory?: boolean;
  /** RESOLVE_*. */
  readonly resolveFlags?: number;
}

export const FOLLOW: ResolveOptions = Object.freeze({ follow: true });
export const NOFOLLOW: ResolveOptions = Object.freeze({ follow: false });

/** Makes an instance of a file system for mount(2). */
export interface FileSystemType {
  /** As in /proc/filesystems. */
  readonly name: string;
  /** False: "nodev", so the source is a free text. */
  readonly needsDevice: boolean;
  /** EINVAL: bad options. `data`: the comma-separated options. */
  create(
    source: string,
    data: ByteString,
    caller: Caller,
  ): FileSystem | Errno;
}

/** Opens a FIFO; fs/pipefs.ts implements it. EAGAIN: the other end is not open
 * yet, wait on the inode's queue and call again. */
export type OpenFifo = (
  path: VfsPath,
  flags: number,
  caller: Caller,
) => FileDescription | Errno;

export class VfsCore {
  readonly dcache: Dcache;
  readonly walk: PathWalk;
  readonly devices = new DeviceRegistry();
  readonly fileSystemTypes = new Map<string, FileSystemType>();
  /** Set by the kernel when it has pipes. */
  openFifo: OpenFifo = () => ENXIO;
  /** After open() returned EAGAIN: where to wait before trying again. */
  openWait: WaitQueue | null = null;
  /** And until when, ns of the monotonic clock. */
  openDeadlineNs = Infinity;
  #lastMountId = 0;
  readonly #peerGroups = new Set<number>();
  #lastMoveCookie = 0;
  #lastDevice = 0;

  constructor(options: { readonly dcacheLimit?: number } = {}) {
    this.dcache = new Dcache(options.dcacheLimit ?? DEFAULT_DCACHE_LIMIT);
    this.walk = new PathWalk(this.dcache);
  }

  /** Groups have the smallest numbers that are free. */
  newPeerGroup(): PeerGroup {
    let id = 1;
    while (this.#peerGroups.has(id)) id++;
    this.#peerGroups.add(id);
    return new PeerGroup(id);
  }
  /** Nobody is in it any more. */
  endPeerGroup(group: PeerGroup): void {
    this.#peerGroups.delete(group.id);
  }

  nextMountId(): number {
    return ++this.#lastMountId;
  }

  /** Ties IN_MOVED_FROM and IN_MOVED_TO of one rename together. */
  nextMoveCookie(): number {
    return this.#lastMoveCookie = (this.#lastMoveCookie + 1) >>> 0;
  }

  /** An anonymous device number (major 0) for st_dev of a file system. */
  newDevice(): number {
    return makedev(UNNAMED_MAJOR, ++this.#lastDevice);
  }

  /**
   * Walks to a place that must exist: `core.walk` then stands there, until the
   * next walk. No reference is taken.
   */
  lookup(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    options: ResolveOptions,
  ): PathWalk | Errno {
    if (path.length === 0 && options.allowEmpty !== true) return ENOENT;
    const walk = this.walk;
    const flags = options.resolveFlags ?? 0;
    let failed = walk.begin(caller, at, path, flags);
    if (failed !== null) return failed;
    failed = walk.resolve(options.follow, options.wantDirectory === true);
    return failed ?? walk;
  }

  /** Walks to the directory of the last component: `core.walk` then stands
   * there, with `name`, `kind` and `hasTrailingSlash` of the last one. */
  lookupParent(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    resolveFlags = 0,
  ): PathWalk | Errno {
    if (path.length === 0) return ENOENT;
    const walk = this.walk;
    return walk.begin(caller, at, path, resolveFlags) ??
      walk.toParent() ?? walk;
  }
}
