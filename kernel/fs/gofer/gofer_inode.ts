/**
 * GoferInode: a file of the host, behind the file server. What only directories
 * and regular files do is in gofer_directory.ts and gofer_regular.ts; symlinks,
 * devices, FIFOs and sockets are this class. The last three are but names: the
 * VFS opens the sandbox's own devices and pipes in their place.
 *
 * Attributes are cached. In an exclusive file system they are asked for again
 * only after a change of ours with side effects that we don't compute (blocks,
 * link counts, times of directories); in a shared one on each use, except that
 * what came with the walk a moment ago still counts.
 * @module
 */
import type {
  GoferNode,
  GoferNodeId,
  GoferStat,
} from "../../../gofer/client.ts";
import { EINVAL, type Errno, ESTALE } from "../../abi/errno.ts";
import { S_IFMT } from "../../abi/stat.ts";
import { XATTR_SIZE_MAX } from "../../abi/xattr.ts";
import type { HostStat } from "../../host.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileSystem } from "../../vfs/file_system.ts";
import { type AttributeChange, Inode } from "../../vfs/inode.ts";
import { storeStat, toSetAttr } from "./gofer_attributes.ts";
import { type GoferContext, goferErrno } from "./gofer_context.ts";

/** How long attributes of a shared file count after they arrived: enough for
 * the system call that walked to it, too short for anything else to happen. */
const FRESH_NS = 20_000;

export class GoferInode extends Inode {
  // Immutable.
  readonly node: GoferNodeId;
  protected readonly gofer: GoferContext;
  /** What distinguishes inode numbers of the host device that it is on. */
  protected readonly inoBase: number;

  // Rebuilt on restore, not saved.
  #target: ByteString;
  #isStale = false;
  #freshAtNs: number;

  /** Takes over one reference on the node; `target` as in
   * GoferContext.adopt(). */
  constructor(
    fs: FileSystem,
    gofer: GoferContext,
    ino: number,
    { node, stat }: GoferNode,
    target: ByteString,
  ) {
    super(fs, ino, stat.mode, { sec: stat.btimeSec, nsec: stat.btimeNsec });
    this.gofer = gofer;
    this.node = node;
    this.inoBase = ino - stat.ino;
    this.#target = target;
    this.#freshAtNs = gofer.clock.monotonicNs();
    storeStat(this, stat);
  }

  /** The server has sent the attributes anew. */
  update(stat: GoferStat | HostStat): void {
    storeStat(this, stat);
    this.#isStale = false;
    this.#freshAtNs = this.gofer.clock.monotonicNs();
  }

  /** Something of ours changed: attributes must be asked for before they are
   * shown again. */
  markStale(): void {
    this.gofer.walkAhead.clear();
    this.#isStale = true;
    this.version++;
  }

  /** Attributes from the host; a negative errno. */
  protected askHost(): GoferStat | HostStat | number {
    return this.gofer.client.getattr(this.node);
  }

  override refresh(): Errno | null {
    const { isShared, clock } = this.gofer;
    if (!this.#isStale) {
      if (!isShared) return null;
      if (clock.monotonicNs() - this.#freshAtNs < FRESH_NS) return null;
    }
    const stat = this.askHost();
    if (typeof stat === "number") return goferErrno(stat);
    if ((stat.mode & S_IFMT) !== (this.mode & S_IFMT)) return ESTALE;
    this.update(stat);
    return null;
  }

  /** One name of the file is gone; of a directory, the only one. */
  loseName(): void {
    this.nlink = this.isDirectory ? 0 : Math.max(0, this.nlink - 1);
    this.markStale();
  }

  /** Writes what only our memory has to the host. */
  syncHost(): Errno | null {
    return null;
  }

  protected override evict(): void {
    this.gofer.drop(this);
  }

  override readlink(_caller: Caller): ByteString | Errno {
    if (!this.isSymlink) return EINVAL;
    // A symlink's target never changes: another target is another file.
    if (this.#target === "") {
      const target = this.gofer.client.readlink(this.node);
      if (typeof target === "number") return goferErrno(target);
      this.#target = target;
    }
    return this.#target;
  }

  override setAttributes(change: AttributeChange): Errno | null {
    const request = toSetAttr(change);
    // Nothing but ctime: the host keeps that itself.
    if (Object.keys(request).length === 0) return null;
    const stat = this.gofer.client.setattr(this.node, request);
    if (typeof stat === "number") return goferErrno(stat);
    this.gofer.walkAhead.clear();
    this.update(stat);
    return null;
  }

  override getXattr(name: ByteString): Uint8Array | Errno {
    const value = this.gofer.client.getxattr(this.node, name, XATTR_SIZE_MAX);
    return typeof value === "number" ? goferErrno(value) : value;
  }

  override setXattr(
    name: ByteString,
    value: Uint8Array,
    flags: number,
  ): Errno | null {
    const { client } = this.gofer;
    return errnoOrNull(client.setxattr(this.node, name, value, flags));
  }

  override removeXattr(name: ByteString): Errno | null {
    return errnoOrNull(this.gofer.client.removexattr(this.node, name));
  }

  override listXattrs(): readonly ByteString[] | Errno {
    const names = this.gofer.client.listxattr(this.node);
    return typeof names === "number" ? goferErrno(names) : names;
  }
}

/** What a call without a result returned. */
export function errnoOrNull(result: number): Errno | null {
  return result < 0 ? goferErrno(result) : null;
}
