/**
 * Changing the mount tree: mount(2) with its variants, umount2(2),
 * pivot_root(2). Permission (CAP_SYS_ADMIN) and decoding are the system call's
 * business; what happens elsewhere at the same time is in propagation.ts.
 * @module
 */
import {
  EBUSY,
  EINVAL,
  ELOOP,
  ENOTDIR,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import {
  MNT_DETACH,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_RELATIME,
  MS_STRICTATIME,
} from "../abi/mount.ts";
import type { ByteString } from "../mm/user_memory.ts";
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
import {
  attachTree,
  changePropagation,
  checkRoom,
  joinAsCopy,
  liftCover,
  propagatedUmounts,
} from "./propagation.ts";
import type { VfsCore } from "./vfs_core.ts";

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
      checkRoom(at.mount, 1);
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
  if (at === null) return mount;
  const failed = attachTree(core, mount, topOf(at));
  if (failed === null) return mount;
  // The caller gives the file system back if it was not mounted.
  fs.mountCount++;
  detachTree(core, mount);
  fs.mountCount--;
  return failed;
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
  const refused = checkMountpoint(source.dentry.inode!.isDirectory, at);
  if (refused !== null) return refused;
  const copy = cloneTree(core, source, options);
  if (isErrno(copy)) return copy;
  const failed = attachTree(core, copy, topOf(at));
  if (failed === null) return copy;
  detachTree(core, copy);
  return failed;
}

/** A copy of what is at a place, in no namespace yet. EINVAL: unbindable. */
export function cloneTree(
  core: VfsCore,
  source: VfsPath,
  options: { readonly isRecursive: boolean },
): Mount | Errno {
  if (source.mount.isUnbindable || source.dentry.isDeleted) return EINVAL;
  if (options.isRecursive) {
    // As many as are below the source would have to fit somewhere.
    const refused = checkRoom(source.mount, 0);
    if (refused !== null) return refused;
  }
  return copySubtree(source.mount, source.dentry, {
    isRecursive: options.isRecursive,
    nextId: () => core.nextMountId(),
    onCopy: joinAsCopy,
  });
}

/** move_mount(2) of a tree that is in no namespace. */
export function attachDetached(
  core: VfsCore,
  tree: Mount,
  at: VfsPath,
): Errno | null {
  if (isMountAbove(tree, at.mount)) return ELOOP;
  return checkMountpoint(tree.root.inode!.isDirectory, at) ??
    attachTree(core, tree, topOf(at));
}

/** MS_REMOUNT | MS_BIND: changes the flags of one Mount. */
export function remount(at: VfsPath, flags: number): Errno | null {
  if (at.dentry !== at.mount.root) return EINVAL;
  at.mount.flags = mountFlags(flags);
  return null;
}

/** MS_MOVE. EINVAL: not a mountpoint, the root, on a shared mount, or from
 * elsewhere; ELOOP: below itself. */
export function moveMount(
  core: VfsCore,
  from: VfsPath,
  at: VfsPath,
): Errno | null {
  const mount = from.mount;
  if (from.dentry !== mount.root || mount.parent === null) return EINVAL;
  const refused = checkMountpoint(from.dentry.inode!.isDirectory, at);
  if (refused !== null) return refused;
  if (mount.parent.peers !== null) return EINVAL;
  if (isMountAbove(mount, at.mount)) return ELOOP;
  const old = new VfsPath(mount.parent, mount.mountpoint!);
  unhookMount(mount);
  const failed = attachTree(core, mount, topOf(at));
  if (failed !== null) attachMount(mount, old);
  return failed;
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
  const isLazy = (flags & MNT_DETACH) !== 0;
  if (!isLazy && (mount.isBusy || mount.children.length > 0)) return EBUSY;
  const elsewhere = propagatedUmounts(mount, isLazy);
  if (isErrno(elsewhere)) return elsewhere;
  // What was mounted below goes from there, too; the deepest first.
  const below = [...mountSubtree(mount)].slice(1).reverse();
  for (const child of below) {
    const others = propagatedUmounts(child, true);
    if (!isErrno(others)) others.forEach((other) => detachOne(core, other));
  }
  detachTree(core, mount);
  for (const other of elsewhere) detachOne(core, other);
  return null;
}

/** Unmounts a copy; what covers it stays. */
function detachOne(core: VfsCore, mount: Mount): void {
  if (!mount.isAttached || mount.parent === null) return;
  liftCover(mount);
  detachTree(core, mount);
}

/** Takes a tree of Mounts apart; the last task of a namespace does this, too. */
export function detachTree(core: VfsCore, top: Mount): void {
  for (const mount of mountSubtree(top)) {
    changePropagation(core, mount, MS_PRIVATE);
    // Names go while the file system is still there to evict their inodes.
    if (mount.fs.mountCount === 1) core.dcache.forget(mount.fs);
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
  if (
    putOld.mount.peers !== null || newMount.parent.peers !== null ||
    (oldMount.parent?.peers ?? null) !== null
  ) return EINVAL;
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
