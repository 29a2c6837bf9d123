/**
 * VirtualFilesystem: what the rest of the kernel asks about files by name. One
 * per kernel. Paths are byte strings; `at` is where relative ones begin. Every
 * operation checks what Linux checks, in its order, with the caller's identity.
 *
 * The class is the index of the room: each method is told in the file that its
 * import names.
 * @module
 */
import { EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import type { ByteString } from "../mm/user_memory.ts";
import * as attributes from "./attributes.ts";
import type { Caller, Identity } from "./caller.ts";
import type { Dentry } from "./dentry.ts";
import type { FileDescription } from "./file_description.ts";
import type { FileSystem } from "./file_system.ts";
import type { Inode } from "./inode.ts";
import type { Mount, VfsPath } from "./mount.ts";
import { copySubtree, namespaceRoot } from "./mount_tree.ts";
import { changePropagation, joinAsCopy } from "./propagation.ts";
import * as mounting from "./mounting.ts";
import * as names from "./names.ts";
import { openExecutable, openFile, type OpenHow } from "./open.ts";
import { nameOf, type PathName, showPath } from "./path_name.ts";
import type { LastKind } from "./path_walk.ts";
import { rename } from "./rename.ts";
import { type ResolveOptions, VfsCore } from "./vfs_core.ts";
import * as xattr from "./xattr.ts";

/** Where a path begins and what it is. */
export interface PathAt {
  readonly at: VfsPath;
  readonly path: ByteString;
}

/** The directory of a path's last component, and that component. */
export interface ParentPath {
  /** Acquired; the receiver releases it. */
  readonly parent: VfsPath;
  readonly name: ByteString;
  /** Only a "name" can be made or removed. */
  readonly kind: LastKind;
  readonly trailingSlash: boolean;
}

export class VirtualFilesystem extends VfsCore {
  // Walking. lookup() and lookupParent() (vfs_core.ts) do the same without
  // taking references, for callers that are done before the next walk.

  /** The place that a path leads to, acquired: the receiver releases it. */
  resolve(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    options: ResolveOptions,
  ): VfsPath | Errno {
    const walk = this.lookup(caller, at, path, options);
    if (isErrno(walk)) return walk;
    return walk.mount.placeOf(walk.dentry).acquire();
  }

  /** The directory that a path's last component is in. */
  resolveParent(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
  ): ParentPath | Errno {
    const walk = this.lookupParent(caller, at, path);
    if (isErrno(walk)) return walk;
    return {
      parent: walk.mount.placeOf(walk.dentry).acquire(),
      name: walk.name,
      kind: walk.kind,
      trailingSlash: walk.hasTrailingSlash,
    };
  }

  /** How `place` is called, seen from `root`: getcwd(2). */
  nameOf(root: VfsPath, place: VfsPath): PathName {
    return nameOf(root, place);
  }
  /** The same as text, with " (deleted)" where /proc/pid/fd says so. */
  pathTo(root: VfsPath, place: VfsPath): ByteString {
    return showPath(root, place);
  }

  // Opening. The caller owns the reference on the result.

  /** open(2). EAGAIN with `openWait` set: wait there, then call again. */
  open(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    how: OpenHow,
  ): FileDescription | Errno {
    return openFile(this, caller, at, path, how);
  }
  /** The open of execve(2). */
  openExecutable(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    options: ResolveOptions,
  ): FileDescription | Errno {
    return openExecutable(this, caller, at, path, options);
  }

  // Names.

  mkdir(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    mode: number,
  ): Errno | null {
    return names.makeDirectory(this, caller, at, path, mode);
  }
  /** `mode`: S_IFMT type and permission bits; `rdev`: new_encode_dev number.
   * Makes socket nodes, too. The Dentry is cached, not referenced. */
  mknod(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    mode: number,
    rdev: number,
  ): Dentry | Errno {
    return names.makeNode(this, caller, at, path, mode, rdev);
  }
  symlink(
    caller: Caller,
    target: ByteString,
    at: VfsPath,
    path: ByteString,
  ): Errno | null {
    return names.makeSymlink(this, caller, target, at, path);
  }
  link(
    caller: Caller,
    from: PathAt,
    options: ResolveOptions,
    to: PathAt,
  ): Errno | null {
    return names.makeLink(this, caller, from, options, to);
  }
  unlink(caller: Caller, at: VfsPath, path: ByteString): Errno | null {
    return names.unlink(this, caller, at, path);
  }
  rmdir(caller: Caller, at: VfsPath, path: ByteString): Errno | null {
    return names.removeDirectory(this, caller, at, path);
  }
  /** `flags`: RENAME_*. */
  rename(
    caller: Caller,
    from: PathAt,
    to: PathAt,
    flags: number,
  ): Errno | null {
    return rename(this, caller, from, to, flags);
  }
  readlink(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    options: { readonly allowEmpty: boolean },
  ): ByteString | Errno {
    const { allowEmpty } = options;
    const walk = this.lookup(caller, at, path, { follow: false, allowEmpty });
    if (isErrno(walk)) return walk;
    return walk.inode.isSymlink ? walk.inode.readlink(caller) : EINVAL;
  }

  // Attributes of an inode, as reached through a Mount.

  chmod(
    mount: Mount,
    inode: Inode,
    mode: number,
    caller: Caller,
  ): Errno | null {
    return attributes.changeMode(mount, inode, mode, caller);
  }
  /** -1 leaves an id. */
  chown(
    mount: Mount,
    inode: Inode,
    uid: number,
    gid: number,
    caller: Caller,
  ): Errno | null {
    return attributes.changeOwner(mount, inode, uid, gid, caller);
  }
  utimens(
    mount: Mount,
    inode: Inode,
    atime: attributes.NewTime,
    mtime: attributes.NewTime,
    caller: Caller,
  ): Errno | null {
    return attributes.changeTimes(mount, inode, atime, mtime, caller);
  }
  /** truncate(2); ftruncate(2) is FileDescription.truncate(). */
  truncate(
    mount: Mount,
    inode: Inode,
    length: number,
    caller: Caller,
  ): Errno | null {
    return attributes.truncatePath(mount, inode, length, caller);
  }
  /** access(2) for any identity; `want`: R_OK, W_OK, X_OK. */
  access(
    mount: Mount,
    inode: Inode,
    want: number,
    identity: Identity,
  ): Errno | null {
    return attributes.checkAccess(mount, inode, want, identity);
  }
  getXattr(
    inode: Inode,
    name: ByteString,
    identity: Identity,
  ): Uint8Array | Errno {
    return xattr.getXattr(inode, name, identity);
  }
  /** `flags`: XATTR_CREATE, XATTR_REPLACE. */
  setXattr(
    mount: Mount,
    inode: Inode,
    name: ByteString,
    value: Uint8Array,
    flags: number,
    caller: Caller,
  ): Errno | null {
    return xattr.setXattr(mount, inode, name, value, flags, caller);
  }
  removeXattr(
    mount: Mount,
    inode: Inode,
    name: ByteString,
    caller: Caller,
  ): Errno | null {
    return xattr.removeXattr(mount, inode, name, caller);
  }
  listXattrs(inode: Inode, identity: Identity): readonly ByteString[] | Errno {
    return xattr.listXattrs(inode, identity);
  }

  // Mounts.

  /** A new namespace with `fs` at its root: its root Mount. */
  newNamespace(
    fs: FileSystem,
    options: { readonly flags: number; readonly source: string },
  ): Mount {
    const mount = mounting.mountFileSystem(this, fs, null, options);
    if (isErrno(mount)) throw new Error("A root mount has no mountpoint");
    return mount;
  }
  /** CLONE_NEWNS: a copy of the whole tree that `mount` is in; `onCopy` is told
   * which Mount stands for which. */
  copyNamespace(
    mount: Mount,
    onCopy: (from: Mount, to: Mount) => void,
  ): Mount {
    const root = namespaceRoot(mount);
    return copySubtree(root, root.root, {
      isRecursive: true,
      withUnbindable: true,
      nextId: () => this.nextMountId(),
      onCopy: (from, to) => {
        joinAsCopy(from, to);
        onCopy(from, to);
      },
    });
  }
  /** The last task of a namespace is gone. */
  releaseNamespace(root: Mount): void {
    mounting.detachTree(this, root);
  }
  /** Mounts `fs` at a place; `flags`: MS_* that a Mount keeps. */
  mount(
    fs: FileSystem,
    at: VfsPath,
    options: { readonly flags: number; readonly source: string },
  ): Mount | Errno {
    return mounting.mountFileSystem(this, fs, at, options);
  }
  bind(
    source: VfsPath,
    at: VfsPath,
    options: { readonly isRecursive: boolean },
  ): Mount | Errno {
    return mounting.bindMount(this, source, at, options);
  }
  remount(at: VfsPath, flags: number): Errno | null {
    return mounting.remount(at, flags);
  }
  moveMount(from: VfsPath, at: VfsPath): Errno | null {
    return mounting.moveMount(this, from, at);
  }
  /** A copy of what is at a place, in no namespace: open_tree(2). EINVAL. */
  cloneTree(
    source: VfsPath,
    options: { readonly isRecursive: boolean },
  ): Mount | Errno {
    return mounting.cloneTree(this, source, options);
  }
  /** Hangs a tree that is in no namespace at a place. */
  attach(tree: Mount, at: VfsPath): Errno | null {
    return mounting.attachDetached(this, tree, at);
  }
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. */
  changePropagation(mount: Mount, type: number): void {
    changePropagation(this, mount, type);
  }
  /** `flags`: MNT_DETACH or 0. */
  umount(at: VfsPath, flags: number): Errno | null {
    return mounting.unmount(this, at, flags);
  }
  pivotRoot(
    root: VfsPath,
    newRoot: VfsPath,
    putOld: VfsPath,
  ): Errno | null {
    return mounting.pivotRoot(root, newRoot, putOld);
  }
  /** Rows of /proc/pid/mountinfo. */
  mountRows(root: VfsPath): Iterable<mounting.MountRow> {
    return mounting.mountRows(root);
  }
}
