/**
 * Changing the mount tree: mount(2) with its variants, umount2(2),
 * pivot_root(2). Permission (CAP_SYS_ADMIN) and decoding are the system call's
 * business. All mounts are private: there is no propagation.
 * @module
 */
import {
  EBUSY,
  EINVAL,
  ELOOP,
  ENOSPC,
  ENOTDIR,
  type Errno,
} from "../abi/errno.ts";
import {
  MNT_DETACH,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
  MS_STRICTATIME,
} from "../abi/mount.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Dcache } from "./dcache.ts";
import type { FileSystem } from "./file_system.ts";
import { Mount, VfsPath } from "./mount.ts";
import {
  attachMount,
  copySubtree,
  detachSubtree,
  isMountAbove,
  mountAt,
  mountSubtree,
  namespaceRoot,
  unhookMount,
} from "./mount_tree.ts";
import { nameOf } from "./path_name.ts";
import type { VfsCore } from "./vfs_core.ts";

/** Mounts that one namespace may have (Linux: fs.mount-max). */
const MAX_MOUNTS = 4096;

/** ENOSPC: the namespace has no room for `count` more. */
function checkRoom(at: VfsPath, count: number): Errno | null {
  let mounts = count;
  for (const _ of mountSubtree(namespaceRoot(at.mount))) mounts++;
  return mounts > MAX_MOUNTS ? ENOSPC : null;
}

/** Flags that belong to a Mount, not to the operation. */
const MOUNT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
  MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW;

/** The flags a Mount keeps; relatime unless another rule was asked for. */
export function mountFlags(flags: number): number {
  const kept = flags & MOUNT_FLAGS;
  return (kept & (MS_NOATIME | MS_STRICTATIME)) === 0
    ? kept | MS_RELATIME
    : kept;
}

/** Mounts a whole file system at a place, or (null) as the root of a new
 * namespace. ENOTDIR: directory over file or file over directory. */
export function mountFileSystem(
  core: VfsCore,
  fs: FileSystem,
  at: VfsPath | null,
  options: { readonly flags: number; readonly source: string },
): Mount | Errno {
  if (at !== null) {
    const refused = checkMountpoint(fs.root.isDirectory, at) ??
      checkRoom(at, 1);
    if (refused !== null) return refused;
  }
  const mount = new Mount(
    core.nextMountId(),
    fs,
    fs.rootDentry,
    null,
    null,
    mountFlags(options.flags),
    options.source,
  );
  if (at !== null) attachMount(mount, topOf(at));
  return mount;
}

/** Goes up through what is mounted on a place. */
function topOf(at: VfsPath): VfsPath {
  let { mount, dentry } = at;
  while (dentry.mountCount > 0) {
    const covering = mountAt(mount, dentry);
    if (covering === null) break;
    mount = covering;
    dentry = covering.root;
  }
  return dentry === at.dentry ? at : mount.placeOf(dentry);
}

function checkMountpoint(isDirectory: boolean, at: VfsPath): Errno | null {
  if (at.dentry.isDeleted || !at.mount.isAttached) return EINVAL;
  return isDirectory === at.dentry.inode!.isDirectory ? null : ENOTDIR;
}

/** MS_BIND: shows `source` at `at`, too. EINVAL: unbindable. */
export function bindMount(
  core: VfsCore,
  source: VfsPath,
  at: VfsPath,
  options: { readonly isRecursive: boolean },
): Mount | Errno {
  if (source.mount.isUnbindable || source.dentry.isDeleted) return EINVAL;
  const copies = options.isRecursive ? [...mountSubtree(source.mount)] : [];
  const refused = checkMountpoint(source.dentry.inode!.isDirectory, at) ??
    checkRoom(at, Math.max(1, copies.length));
  if (refused !== null) return refused;
  const copy = copySubtree(source.mount, source.dentry, {
    isRecursive: options.isRecursive,
    nextId: () => core.nextMountId(),
  });
  attachMount(copy, topOf(at));
  return copy;
}

/** MS_REMOUNT | MS_BIND: changes the flags of one Mount. */
export function remount(at: VfsPath, flags: number): Errno | null {
  if (at.dentry !== at.mount.root) return EINVAL;
  at.mount.flags = mountFlags(flags);
  return null;
}

/** MS_MOVE. EINVAL: not a mountpoint, the root, or from elsewhere; ELOOP: below
 * itself. */
export function moveMount(from: VfsPath, at: VfsPath): Errno | null {
  const mount = from.mount;
  if (from.dentry !== mount.root || mount.parent === null) return EINVAL;
  const refused = checkMountpoint(from.dentry.inode!.isDirectory, at);
  if (refused !== null) return refused;
  if (isMountAbove(mount, at.mount)) return ELOOP;
  unhookMount(mount);
  attachMount(mount, topOf(at));
  return null;
}

/** umount2(2) of what is mounted at a place. EINVAL: nothing; EBUSY: in use and
 * no MNT_DETACH. */
export function unmount(
  core: VfsCore,
  at: VfsPath,
  flags: number,
): Errno | null {
  const mount = at.mount;
  if (at.dentry !== mount.root || !mount.isAttached) return EINVAL;
  if (mount.parent === null) return EBUSY;
  if ((flags & MNT_DETACH) === 0) {
    if (mount.isBusy || mount.children.length > 0) return EBUSY;
  }
  detachTree(core.dcache, mount);
  return null;
}

/** Takes a tree of Mounts apart; the last task of a namespace does this, too. */
export function detachTree(dcache: Dcache, top: Mount): void {
  // Names go while the file system is still there to evict their inodes.
  for (const mount of mountSubtree(top)) {
    if (mount.fs.mountCount === 1) dcache.forget(mount.fs);
  }
  detachSubtree(top);
}

/**
 * pivot_root(2): `newRoot` becomes the root of the namespace, and the old root
 * moves to `putOld` below it. The caller moves tasks over. EINVAL, EBUSY.
 */
export function pivotRoot(
  root: VfsPath,
  newRoot: VfsPath,
  putOld: VfsPath,
): Errno | null {
  const oldMount = root.mount;
  const newMount = newRoot.mount;
  if (root.dentry !== oldMount.root) return EINVAL;
  if (newRoot.dentry !== newMount.root || newMount.parent === null) {
    return EINVAL;
  }
  if (newMount === oldMount || putOld.mount === oldMount) return EBUSY;
  if (newRoot.dentry.isDeleted || putOld.dentry.isDeleted) return EINVAL;
  if (namespaceRoot(newMount) !== namespaceRoot(oldMount)) return EINVAL;
  if (!isBelow(putOld, newRoot) || !isBelow(newRoot, root)) return EINVAL;
  if (!putOld.dentry.inode!.isDirectory) return ENOTDIR;
  const parent = oldMount.parent;
  const mountpoint = oldMount.mountpoint;
  unhookMount(newMount);
  if (parent !== null && mountpoint !== null) {
    const place = new VfsPath(parent, mountpoint);
    unhookMount(oldMount);
    attachMount(newMount, place);
  }
  attachMount(oldMount, topOf(putOld));
  return null;
}

/** True if `place` can be reached by going down from `top`. */
function isBelow(place: VfsPath, top: VfsPath): boolean {
  return !nameOf(top, place).isUnreachable;
}

/** A line of /proc/pid/mountinfo, as data. */
export interface MountRow {
  readonly mount: Mount;
  readonly parentId: number;
  /** Path of the shown directory within its file system. */
  readonly root: ByteString;
  /** Where it is mounted, seen from the reader's root. */
  readonly mountpoint: ByteString;
}

/** The Mounts that someone with this root can see, parents first. */
export function* mountRows(root: VfsPath): Generator<MountRow> {
  for (const mount of mountSubtree(namespaceRoot(root.mount))) {
    const place = nameOf(root, mount.placeOf(mount.root));
    if (place.isUnreachable) continue;
    let inside = "";
    for (let at = mount.root; at.parent !== null; at = at.parent) {
      inside = "/" + at.name + inside;
    }
    yield {
      mount,
      parentId: mount.parent?.id ?? mount.id,
      root: inside === "" ? "/" : inside,
      mountpoint: place.text,
    };
  }
}
