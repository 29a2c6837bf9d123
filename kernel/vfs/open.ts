/**
 * Opening files: open(2), openat2(2), O_PATH, O_TMPFILE and the open that
 * execve(2) does. The flags were validated by the system call.
 * @module
 */
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOTDIR,
  ENXIO,
  type Errno,
  ETXTBSY,
  isErrno,
} from "../abi/errno.ts";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
} from "../abi/fcntl.ts";
import { IN_MODIFY, IN_OPEN } from "../abi/inotify.ts";
import { MS_NODEV, MS_NOEXEC } from "../abi/mount.ts";
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
} from "../abi/stat.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { truncateInode } from "./attributes.ts";
import { inheritAcls } from "./acl_inode.ts";
import type { Caller } from "./caller.ts";
import { Dentry } from "./dentry.ts";
import { type FileDescription, PathDescription } from "./file_description.ts";
import { breakLeases } from "./file_lease.ts";
import type { Inode } from "./inode.ts";
import type { Mount, VfsPath } from "./mount.ts";
import { createChild, newInode } from "./names.ts";
import { FOLLOWED } from "./path_walk.ts";
import {
  checkOwner,
  checkPermission,
  checkWritable,
  isFileSystemData,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
} from "./permission.ts";
import type { ResolveOptions, VfsCore } from "./vfs_core.ts";
import { notifyPlace } from "./watches.ts";

/** How to open: struct open_how. */
export interface OpenHow {
  /** O_*. */
  readonly flags: number;
  /** Permission bits of a file that is made, before the umask. */
  readonly mode: number;
  /** RESOLVE_*. */
  readonly resolveFlags?: number;
}

/** Flags that act at open time only. */
const CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
/** O_TMPFILE without the O_DIRECTORY that it includes. */
const TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY;

/** open(2). The caller owns the reference on the result. EAGAIN with
 * `core.openWait` set: a FIFO waits for its other end. */
export function openFile(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  how: OpenHow,
): FileDescription | Errno {
  core.openWait = null;
  core.openDeadlineNs = Infinity;
  if (path.length === 0) return ENOENT;
  if ((how.flags & TMPFILE_BIT) !== 0) {
    return openTemporary(core, caller, at, path, how);
  }
  if ((how.flags & O_PATH) !== 0) return openPath(core, caller, at, path, how);

  const { flags } = how;
  const walk = core.walk;
  const failed = walk.begin(caller, at, path, how.resolveFlags ?? 0);
  if (failed !== null) return failed;
  walk.opensLast =
    (flags & (O_ACCMODE | O_CREAT | O_TRUNC | O_DIRECTORY)) === 0;
  const isCreating = (flags & O_CREAT) !== 0;
  const isExclusive = isCreating && (flags & O_EXCL) !== 0;
  const isFollowing = (flags & O_NOFOLLOW) === 0 && !isExclusive;
  let isCreated = false;
  for (;;) {
    const stuck = walk.toParent();
    if (stuck !== null) return stuck;
    const isDirectoryWanted = walk.hasTrailingSlash;
    let step: Errno | null | typeof FOLLOWED;
    if (walk.kind !== "name") {
      step = walk.stepLast(false);
    } else {
      if (isCreating && isDirectoryWanted) return EISDIR;
      let child = walk.lookupLast();
      if (isCreating && !isErrno(child) && child.inode === null) {
        const made = createRegular(walk.mount, child, how, caller);
        if (made === null) isCreated = true;
        else if (made !== EEXIST || isExclusive) return made;
        else {
          // Made by the host meanwhile: then it is there to be opened.
          core.dcache.drop(child);
          child = walk.lookupLast();
        }
      }
      if (isErrno(child)) return child;
      if (child.inode === null) return ENOENT;
      if (isExclusive && !isCreated) return EEXIST;
      const isFollowed = isFollowing || isDirectoryWanted;
      step = walk.stepOnto(child, isFollowed && !isCreated);
    }
    if (step === FOLLOWED) continue;
    if (step !== null) return step;
    const inode = walk.inode;
    if (!isCreated) {
      if (isExclusive) return EEXIST;
      if (isCreating && inode.isDirectory) return EISDIR;
    }
    if (isDirectoryWanted || (flags & O_DIRECTORY) !== 0) {
      if (!inode.isDirectory) return ENOTDIR;
    }
    return openPlace(core, walk.mount, walk.dentry, flags, isCreated, caller);
  }
}

function createRegular(
  mount: Mount,
  child: Dentry,
  how: OpenHow,
  caller: Caller,
): Errno | null {
  const refused = checkWritable(mount);
  if (refused !== null) return refused;
  const mode = (how.mode & S_IALLUGO) | S_IFREG;
  return createChild(child, mode, caller);
}

/** What opening an existing file asks of its mode bits. */
function wantedAccess(flags: number): number {
  const mode = flags & O_ACCMODE;
  const want = mode === O_RDONLY
    ? MAY_READ
    : mode === 1
    ? MAY_WRITE
    : MAY_READ | MAY_WRITE;
  return (flags & O_TRUNC) !== 0 ? want | MAY_WRITE : want;
}

/** Checks and opens what a walk found. */
function openPlace(
  core: VfsCore,
  mount: Mount,
  dentry: Dentry,
  flags: number,
  isCreated: boolean,
  caller: Caller,
): FileDescription | Errno {
  const inode = dentry.inode!;
  const isTruncating = !isCreated && (flags & O_TRUNC) !== 0 &&
    inode.isRegular;
  if (isTruncating) {
    const refused = checkWritable(mount);
    if (refused !== null) return refused;
  }
  const want = isCreated ? 0 : wantedAccess(flags);
  const refused = mayOpen(mount, inode, want, flags, caller) ??
    checkWriteAccess(mount, inode, flags);
  if (refused !== null) return refused;

  if (inode.leases !== null) {
    const stuck = breakLeases(inode, flags, caller.clock);
    if (stuck !== null) {
      if (stuck.waitNs > 0) core.openWait = inode.queue;
      core.openDeadlineNs = stuck.waitNs;
      return stuck.error;
    }
  }
  const file = openInode(core, mount.placeOf(dentry), flags, caller);
  if (isErrno(file)) return file;
  if ((flags & O_DIRECT) !== 0 && !file.canBypassCache) {
    file.release();
    return EINVAL;
  }
  if (isTruncating) {
    const failed = truncateInode(inode, 0, caller);
    if (failed !== null) {
      file.release();
      return failed;
    }
  }
  file.flags &= ~CREATION_FLAGS;
  if (isTruncating) notifyPlace(dentry, IN_MODIFY);
  notifyPlace(dentry, IN_OPEN);
  return file;
}

/** may_open(): type, mount and permission checks in Linux's order. */
function mayOpen(
  mount: Mount,
  inode: Inode,
  want: number,
  flags: number,
  caller: Caller,
): Errno | null {
  switch (inode.mode & S_IFMT) {
    case S_IFLNK:
      return ELOOP;
    case S_IFDIR:
      if ((want & MAY_WRITE) !== 0) return EISDIR;
      break;
    case S_IFBLK:
    case S_IFCHR:
      if ((mount.flags & MS_NODEV) !== 0) return EACCES;
      break;
  }
  if (want !== 0) {
    const denied = checkPermission(caller.identity, inode, want);
    if (denied !== null) return denied;
  }
  if ((flags & O_NOATIME) !== 0) return checkOwner(caller.identity, inode);
  return null;
}

/** get_write_access(): ETXTBSY, EROFS. */
function checkWriteAccess(
  mount: Mount,
  inode: Inode,
  flags: number,
): Errno | null {
  const mode = flags & O_ACCMODE;
  if (mode === O_RDONLY || mode === O_ACCMODE) return null;
  if (!isFileSystemData(inode)) return null;
  if (inode.isWriteDenied) return ETXTBSY;
  return checkWritable(mount);
}

/** Opens by type: devices and FIFOs are not the file system's business. */
export function openInode(
  core: VfsCore,
  path: VfsPath,
  flags: number,
  caller: Caller,
): FileDescription | Errno {
  const inode = path.dentry.inode!;
  const type = inode.mode & S_IFMT;
  switch (type) {
    case S_IFCHR:
    case S_IFBLK:
      return core.devices.open(type, path, inode.rdev, flags, caller);
    case S_IFIFO: {
      const file = core.openFifo(path, flags, caller);
      if (file === EAGAIN) core.openWait = inode.queue;
      return file;
    }
    case S_IFSOCK:
      return ENXIO;
    default:
      return inode.open(path, flags, caller);
  }
}

function openPath(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  how: OpenHow,
): FileDescription | Errno {
  const walk = core.lookup(caller, at, path, {
    follow: (how.flags & O_NOFOLLOW) === 0,
    wantDirectory: (how.flags & O_DIRECTORY) !== 0,
    resolveFlags: how.resolveFlags ?? 0,
  });
  if (isErrno(walk)) return walk;
  const place = walk.mount.placeOf(walk.dentry);
  return new PathDescription(place, how.flags & ~CREATION_FLAGS);
}

function openTemporary(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  how: OpenHow,
): FileDescription | Errno {
  const walk = core.lookup(caller, at, path, {
    follow: (how.flags & O_NOFOLLOW) === 0,
    wantDirectory: true,
    resolveFlags: how.resolveFlags ?? 0,
  });
  if (isErrno(walk)) return walk;
  const { mount, dentry, inode: directory } = walk;
  const refused = checkWritable(mount) ??
    checkPermission(caller.identity, directory, MAY_WRITE | MAY_EXEC);
  if (refused !== null) return refused;
  const mode = (how.mode & S_IALLUGO) | S_IFREG;
  const inherited = inheritAcls(directory, mode, caller);
  const what = newInode(directory, inherited.mode, caller);
  const inode = directory.createTemporary(what);
  if (isErrno(inode)) return inode;
  if (inherited.acls !== null) inode.acls = inherited.acls;
  inode.isLinkable = (how.flags & O_EXCL) === 0;
  const nameless = new Dentry(dentry.fs, dentry, `#${inode.ino}`, inode);
  nameless.isDeleted = true;
  const place = mount.placeOf(nameless).acquire();
  const flags = how.flags & ~O_TRUNC;
  const file = openInode(core, place, flags & ~TMPFILE_BIT, caller);
  place.release();
  if (isErrno(file)) return file;
  file.flags = flags & ~CREATION_FLAGS;
  return file;
}

/**
 * The open that execve(2) does: a regular file, with execute permission, on a
 * mount without MS_NOEXEC; read permission is not asked. EACCES, ENOENT, ELOOP,
 * ETXTBSY, ... The caller owns the reference, and denies writing if it wants to.
 */
export function openExecutable(
  core: VfsCore,
  caller: Caller,
  at: VfsPath,
  path: ByteString,
  options: ResolveOptions,
): FileDescription | Errno {
  const walk = core.lookup(caller, at, path, options);
  if (isErrno(walk)) return walk;
  const inode = walk.inode;
  if (inode.isSymlink) return ELOOP;
  if (!inode.isRegular || (walk.mount.flags & MS_NOEXEC) !== 0) return EACCES;
  const denied = checkPermission(caller.identity, inode, MAY_EXEC);
  if (denied !== null) return denied;
  if (inode.writers > 0) return ETXTBSY;
  return inode.open(walk.mount.placeOf(walk.dentry), O_RDONLY, caller);
}
