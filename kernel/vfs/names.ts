/**
 * Making and removing names: mkdir(2), mknod(2), symlink(2), link(2),
 * unlink(2), rmdir(2). Order of checks as in Linux's fs/namei.c.
 * @module
 */
import {
  CAP_DAC_READ_SEARCH,
  CAP_FSETID,
  CAP_MKNOD,
} from "../abi/capability.ts";
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  type Errno,
  EXDEV,
  isErrno,
} from "../abi/errno.ts";
import { IN_ATTRIB, IN_CREATE, IN_DELETE } from "../abi/inotify.ts";
import { PATH_MAX } from "../abi/limits.ts";
import {
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_IRWXUGO,
  S_ISGID,
  S_ISVTX,
  S_IXGRP,
} from "../abi/stat.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { inheritAcls } from "./acl_inode.ts";
import type { Caller } from "./caller.ts";
import type { Dentry } from "./dentry.ts";
import type { Inode, NewInode } from "./inode.ts";
import type { VfsPath } from "./mount.ts";
import type { PathWalk } from "./path_walk.ts";
import {
  checkPermission,
  checkSticky,
  checkWritable,
  MAY_EXEC,
  MAY_WRITE,
} from "./permission.ts";
import type { ResolveOptions, VfsCore } from "./vfs_core.ts";
import { notifyEntry, notifyInode } from "./watches.ts";

/** Owner, group and mode of a new inode (inode_init_owner): a set-group-ID
 * directory passes on its group, and to directories the bit itself. `mode` has
 * the umask applied. */
export function newInode(
  directory: Inode,
  mode: number,
  caller: Caller,
  special: { readonly rdev?: number; readonly target?: ByteString } = {},
): NewInode {
  const identity = caller.identity;
  let gid = identity.fsgid;
  let finalMode = mode;
  if ((directory.mode & S_ISGID) !== 0) {
    gid = directory.gid;
    if ((mode & S_IFMT) === S_IFDIR) {
      finalMode |= S_ISGID;
    } else if (
      (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP) &&
      !identity.isInGroup(gid) && !identity.has(CAP_FSETID)
    ) {
      finalMode &= ~S_ISGID;
    }
  }
  return {
    mode: finalMode,
    uid: identity.fsuid,
    gid,
    rdev: special.rdev ?? 0,
    target: special.target ?? "",
  };
}

/** may_create(). EEXIST, ENOENT, EACCES. */
export function mayCreate(child: Dentry, caller: Caller): Errno | null {
  if (child.inode !== null) return EEXIST;
  const parent = child.parent!;
  if (parent.isDeleted) return ENOENT;
  return checkPermission(
    caller.identity,
    parent.inode!,
    MAY_WRITE | MAY_EXEC,
  );
}

/** may_delete(). ENOENT, EACCES, EPERM, ENOTDIR, EBUSY, EISDIR. */
export function mayDelete(
  child: Dentry,
  caller: Caller,
  options: { readonly asDirectory: boolean },
): Errno | null {
  const victim = child.inode;
  if (victim === null) return ENOENT;
  const directory = child.parent!.inode!;
  const refused =
    checkPermission(caller.identity, directory, MAY_WRITE | MAY_EXEC) ??
      checkSticky(caller.identity, directory, victim);
  if (refused !== null) return refused;
  if (options.asDirectory) {
    if (!victim.isDirectory) return ENOTDIR;
  } else if (victim.isDirectory) {
    return EISDIR;
  }
  return child.parent!.isDeleted ? ENOENT : null;
}

/** Makes an inode under a negative Dentry. `mode`: with type, before the
 * umask. */
export function createChild(
  child: Dentry,
  mode: number,
  caller: Caller,
  special: { readonly rdev?: number; readonly target?: ByteString } = {},
): Errno | null {
  const refused = mayCreate(child, caller);
  if (refused !== null) return refused;
  const directory = child.parent!.inode!;
  const { mode: kept, acls } = inheritAcls(directory, mode, caller);
  const what = newInode(directory, kept, caller, special);
  const inode = directory.create(child.name, what);
  if (isErrno(inode)) return inode;
  if (acls !== null) inode.acls = acls;
  child.setInode(inode);
  notifyEntry(directory, child.name, inode, IN_CREATE);
  return null;
}

/** filename_create(): the negative Dentry that is to become something. EEXIST,
 * ENOENT, EROFS. */
function negativeLast(
  walk: PathWalk,
  options: { readonly asDirectory: boolean },
): Dentry | Errno {
  if (walk.kind !== "name") return EEXIST;
  const child = walk.lookupLast();
  if (isErrno(child)) return child;
  if (child.inode !== null) return EEXIST;
  if (walk.hasTrailingSlash && !options.asDirectory) return ENOENT;
  return checkWritable(walk.mount) ?? child;
}

function make(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  mode: number,
  special?: { readonly rdev?: number; readonly target?: ByteString },
): Dentry | Errno {
  const walk = core.lookupParent(caller, at, path);
  if (isErrno(walk)) return walk;
  const asDirectory = (mode & S_IFMT) === S_IFDIR;
  const child = negativeLast(walk, { asDirectory });
  if (isErrno(child)) return child;
  return createChild(child, mode, caller, special) ?? child;
}

/** mkdir(2). */
export function makeDirectory(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  mode: number,
): Errno | null {
  const kept = mode & (S_IRWXUGO | S_ISVTX);
  const made = make(core, caller, at, path, kept | S_IFDIR);
  return isErrno(made) ? made : null;
}

/** mknod(2), and bind(2) of a Unix socket. Returns the new Dentry, which is
 * cached but not referenced. EPERM, EINVAL. */
export function makeNode(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  mode: number,
  rdev: number,
): Dentry | Errno {
  let type = mode & S_IFMT;
  switch (type) {
    case 0:
      type = S_IFREG;
      break;
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
      break;
    case S_IFDIR:
      return EPERM;
    default:
      return EINVAL;
  }
  const kept = mode & S_IALLUGO;
  const isDevice = type === S_IFCHR || type === S_IFBLK;
  const walk = core.lookupParent(caller, at, path);
  if (isErrno(walk)) return walk;
  const child = negativeLast(walk, { asDirectory: false });
  if (isErrno(child)) return child;
  const refused = mayCreate(child, caller);
  if (refused !== null) return refused;
  // Device 0:0 is overlayfs's whiteout, which everybody may make.
  const isWhiteout = type === S_IFCHR && rdev === 0;
  if (isDevice && !isWhiteout && !caller.identity.has(CAP_MKNOD)) return EPERM;
  const special = { rdev: isDevice ? rdev : 0 };
  return createChild(child, kept | type, caller, special) ?? child;
}

/** symlink(2). ENOENT for an empty target. */
export function makeSymlink(
  core: VfsCore,
  caller: Caller,
  target: ByteString,
  at: VfsPath,
  path: ByteString,
): Errno | null {
  if (target.length === 0) return ENOENT;
  if (target.length >= PATH_MAX) return ENAMETOOLONG;
  const made = make(core, caller, at, path, S_IFLNK | S_IRWXUGO, { target });
  return isErrno(made) ? made : null;
}

/** link(2), linkat(2). */
export function makeLink(
  core: VfsCore,
  caller: Caller,
  from: { readonly at: VfsPath; readonly path: ByteString },
  options: ResolveOptions,
  to: { readonly at: VfsPath; readonly path: ByteString },
): Errno | null {
  if (options.allowEmpty && from.path.length === 0) {
    if (!caller.identity.has(CAP_DAC_READ_SEARCH)) return ENOENT;
  }
  const found = core.lookup(caller, from.at, from.path, options);
  if (isErrno(found)) return found;
  const source = found.mount.placeOf(found.dentry).acquire();
  const result = linkTo(core, caller, source, to.at, to.path);
  source.release();
  return result;
}

function linkTo(
  core: VfsCore,
  caller: Caller,
  source: VfsPath,
  at: VfsPath,
  path: ByteString,
): Errno | null {
  const walk = core.lookupParent(caller, at, path);
  if (isErrno(walk)) return walk;
  const child = negativeLast(walk, { asDirectory: false });
  if (isErrno(child)) return child;
  if (walk.mount !== source.mount) return EXDEV;
  const refused = mayCreate(child, caller);
  if (refused !== null) return refused;
  const inode = source.dentry.inode!;
  if (inode.fs !== walk.inode.fs) return EXDEV;
  if (inode.isDirectory) return EPERM;
  if (inode.nlink === 0 && !inode.isLinkable) return ENOENT;
  const failed = walk.inode.link(child.name, inode);
  if (failed !== null) return failed;
  inode.isLinkable = false;
  child.setInode(inode);
  notifyInode(inode, IN_ATTRIB);
  notifyEntry(walk.inode, child.name, inode, IN_CREATE);
  return null;
}

/** unlink(2). */
export function unlink(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
): Errno | null {
  const walk = core.lookupParent(caller, at, path);
  if (isErrno(walk)) return walk;
  if (walk.kind !== "name") return EISDIR;
  const refused = checkWritable(walk.mount);
  if (refused !== null) return refused;
  const child = walk.lookupLast();
  if (isErrno(child)) return child;
  if (child.inode === null) return ENOENT;
  if (walk.hasTrailingSlash) return child.inode.isDirectory ? EISDIR : ENOTDIR;
  const denied = mayDelete(child, caller, { asDirectory: false });
  if (denied !== null) return denied;
  if (child.mountCount > 0) return EBUSY;
  const failed = walk.inode.unlink(child.name, child.inode);
  if (failed !== null) return failed;
  notifyInode(child.inode, IN_ATTRIB);
  notifyEntry(walk.inode, child.name, child.inode, IN_DELETE);
  core.dcache.delete(child);
  return null;
}

/** rmdir(2). */
export function removeDirectory(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
): Errno | null {
  const walk = core.lookupParent(caller, at, path);
  if (isErrno(walk)) return walk;
  if (walk.kind === "dotdot") return ENOTEMPTY;
  if (walk.kind === "dot") return EINVAL;
  if (walk.kind === "root") return EBUSY;
  const refused = checkWritable(walk.mount);
  if (refused !== null) return refused;
  const child = walk.lookupLast();
  if (isErrno(child)) return child;
  if (child.inode === null) return ENOENT;
  const denied = mayDelete(child, caller, { asDirectory: true });
  if (denied !== null) return denied;
  if (child.mountCount > 0) return EBUSY;
  const failed = walk.inode.rmdir(child.name, child.inode);
  if (failed !== null) return failed;
  notifyEntry(walk.inode, child.name, child.inode, IN_DELETE);
  core.dcache.delete(child);
  return null;
}
