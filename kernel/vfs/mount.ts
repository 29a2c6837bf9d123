/**
 * Mount: a file system, or a subtree of one, attached at a place in a
 * MountNamespace's tree; and VfsPath, a Dentry seen through a Mount (struct
 * path).
 * @module
 */
import type { Dentry } from "./dentry.ts";
import type { FileSystem } from "./file_system.ts";

/** Mounts that show each other's mounts (mount_namespaces(7), "shared"), and
 * those that only receive them; changed by propagation.ts only. */
export class PeerGroup {
  readonly members = new Set<Mount>();
  readonly slaves = new Set<Mount>();

  /** `id`: as /proc/pid/mountinfo shows it. */
  constructor(readonly id: number) {}
}

export class Mount {
  /** Mounts whose mountpoint is in this one; changed by mount_tree.ts only. */
  readonly children: Mount[] = [];
  #references = 0;
  /** False after umount: only open files keep it. */
  isAttached = true;
  /** MS_UNBINDABLE: not to be copied by bind mounts. */
  isUnbindable = false;
  /** Null: not shared. */
  peers: PeerGroup | null = null;
  /** Whose mounts it receives; null: not a slave. */
  master: PeerGroup | null = null;

  constructor(
    /** Mount ID as in /proc/pid/mountinfo. */
    readonly id: number,
    readonly fs: FileSystem,
    /** The Dentry of `fs` shown at the mountpoint. */
    readonly root: Dentry,
    /** Null for the namespace's root. */
    public parent: Mount | null,
    /** Dentry of `parent`'s file system that this covers. */
    public mountpoint: Dentry | null,
    /** MNT flags as MS_* bits: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, ... */
    public flags: number,
    /** Device name for /proc/mounts. */
    readonly source: string,
  ) {
    root.acquire();
    fs.mountCount++;
  }

  /** A Dentry of this file system seen through this Mount. */
  placeOf(dentry: Dentry): VfsPath {
    return new VfsPath(this, dentry);
  }

  acquire(): void {
    this.#references++;
  }
  release(): void {
    this.#references--;
    if (this.#references === 0 && !this.isAttached) this.#end();
  }
  /** Takes it out of the tree; it lives on while something holds it. */
  detach(): void {
    this.isAttached = false;
    if (this.#references === 0) this.#end();
  }
  #end(): void {
    this.root.release();
    if (--this.fs.mountCount === 0) this.fs.release();
  }
  /** Open files, working directories and the like: umount says EBUSY. */
  get isBusy(): boolean {
    return this.#references > 0;
  }
}

/** A place in the mount tree. Immutable; acquire/release count both parts. */
export class VfsPath {
  constructor(readonly mount: Mount, readonly dentry: Dentry) {}

  acquire(): VfsPath {
    this.mount.acquire();
    this.dentry.acquire();
    return this;
  }
  release(): void {
    this.dentry.release();
    this.mount.release();
  }
  equals(other: VfsPath): boolean {
    return this.mount === other.mount && this.dentry === other.dentry;
  }
}
