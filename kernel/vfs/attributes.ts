/**
 * Changing attributes: chmod(2), chown(2), utimensat(2), truncate(2); and
 * asking, access(2). The rules of notify_change() and setattr_prepare().
 * @module
 */
import { CAP_CHOWN, CAP_FOWNER, CAP_FSETID } from "../abi/capability.ts";
import {
  EACCES,
  EFBIG,
  EINVAL,
  EISDIR,
  EPERM,
  EROFS,
  type Errno,
  ETXTBSY,
} from "../abi/errno.ts";
import { O_WRONLY, X_OK } from "../abi/fcntl.ts";
import { MAX_LFS_FILESIZE } from "../abi/limits.ts";
import { MS_NOEXEC } from "../abi/mount.ts";
import { RLIMIT_FSIZE } from "../abi/resource.ts";
import { SIGXFSZ } from "../abi/signal.ts";
import { S_IALLUGO, S_IFMT, S_ISGID, S_ISUID } from "../abi/stat.ts";
import type { Timespec } from "../time/clock.ts";
import { followMode } from "./acl_inode.ts";
import type { Caller, Identity } from "./caller.ts";
import { breakLeases } from "./file_lease.ts";
import type { AttributeChange, Inode } from "./inode.ts";
import type { Mount } from "./mount.ts";
import {
  checkOwner,
  checkPermission,
  checkWritable,
  isFileSystemData,
  MAY_WRITE,
  modeAfterWrite,
  withoutSetId,
} from "./permission.ts";

/** A time to set: explicit, the present (UTIME_NOW), or none (UTIME_OMIT). */
export type NewTime = Timespec | "now" | "omit";

/** chmod(2), fchmod(2). EROFS, EPERM. */
export function changeMode(
  mount: Mount,
  inode: Inode,
  mode: number,
  caller: Caller,
): Errno | null {
  const identity = caller.identity;
  const refused = checkWritable(mount) ?? checkOwner(identity, inode);
  if (refused !== null) return refused;
  let bits = mode & S_IALLUGO;
  if (!identity.isInGroup(inode.gid) && !identity.has(CAP_FSETID)) {
    bits &= ~S_ISGID;
  }
  const failed = inode.setAttributes({
    mode: (inode.mode & S_IFMT) | bits,
    ctime: caller.clock.realtime(),
  });
  if (failed === null && inode.acls !== null) followMode(inode);
  return failed;
}

/** chown(2) and its kin; -1 leaves an id. EROFS, EPERM. */
export function changeOwner(
  mount: Mount,
  inode: Inode,
  uid: number,
  gid: number,
  caller: Caller,
): Errno | null {
  const identity = caller.identity;
  const refused = checkWritable(mount);
  if (refused !== null) return refused;
  if (!mayChangeOwner(identity, inode, uid, gid)) return EPERM;
  const change: { -readonly [K in keyof AttributeChange]: AttributeChange[K] } =
    { ctime: caller.clock.realtime() };
  if (uid !== -1) change.uid = uid;
  if (gid !== -1) change.gid = gid;
  if (!inode.isDirectory && (inode.mode & (S_ISUID | S_ISGID)) !== 0) {
    let mode = withoutSetId(inode.mode);
    // Set-group-ID without group execute marks mandatory locking; it goes only
    // if the changer could not set it.
    if (!identity.isInGroup(inode.gid) && !identity.has(CAP_FSETID)) {
      mode &= ~S_ISGID;
    }
    if (mode !== inode.mode) {
      // Even chown(-1, -1), which asks for nothing else, is a chmod then.
      const denied = checkOwner(identity, inode);
      if (denied !== null) return denied;
      change.mode = mode;
    }
  }
  return inode.setAttributes(change);
}

function mayChangeOwner(
  identity: Identity,
  inode: Inode,
  uid: number,
  gid: number,
): boolean {
  if (identity.has(CAP_CHOWN)) return true;
  const isOwner = identity.fsuid === inode.uid;
  if (uid !== -1 && !(isOwner && uid === inode.uid)) return false;
  if (gid === -1) return true;
  return isOwner && (gid === inode.gid || identity.isInGroup(gid));
}

/** utimensat(2) and its kin. EROFS, EPERM, EACCES. */
export function changeTimes(
  mount: Mount,
  inode: Inode,
  atime: NewTime,
  mtime: NewTime,
  caller: Caller,
): Errno | null {
  if (atime === "omit" && mtime === "omit") return null;
  const identity = caller.identity;
  const refused = checkWritable(mount);
  if (refused !== null) return refused;
  const isOwner = identity.fsuid === inode.uid || identity.has(CAP_FOWNER);
  if (!isOwner) {
    if (atime !== "now" || mtime !== "now") return EPERM;
    const denied = checkPermission(identity, inode, MAY_WRITE);
    if (denied !== null) return denied;
  }
  const now = caller.clock.realtime();
  const change: { -readonly [K in keyof AttributeChange]: AttributeChange[K] } =
    { ctime: now };
  if (atime !== "omit") change.atime = atime === "now" ? now : atime;
  if (mtime !== "omit") change.mtime = mtime === "now" ? now : mtime;
  return inode.setAttributes(change);
}

/** truncate(2): checks of the path form, then the change. EAGAIN: a lease is
 * in the way; wait on the inode's queue until leaseDeadline(). */
export function truncatePath(
  mount: Mount,
  inode: Inode,
  length: number,
  caller: Caller,
): Errno | null {
  if (inode.isDirectory) return EISDIR;
  if (!inode.isRegular) return EINVAL;
  const refused = checkWritable(mount) ??
    checkPermission(caller.identity, inode, MAY_WRITE);
  if (refused !== null) return refused;
  if (inode.isWriteDenied) return ETXTBSY;
  if (inode.leases !== null) {
    const stuck = breakLeases(inode, O_WRONLY, caller.clock);
    if (stuck !== null) return stuck.error;
  }
  return truncateInode(inode, length, caller);
}

/** Sets the size of a regular file that the caller may write. EFBIG (with
 * SIGXFSZ beyond RLIMIT_FSIZE). */
export function truncateInode(
  inode: Inode,
  length: number,
  caller: Caller,
): Errno | null {
  if (length > inode.size) {
    if (length > caller.limit(RLIMIT_FSIZE)) {
      caller.raise(SIGXFSZ);
      return EFBIG;
    }
    if (length > MAX_LFS_FILESIZE) return EFBIG;
  }
  const now = caller.clock.realtime();
  const mode = modeAfterWrite(caller.identity, inode);
  return inode.setAttributes(
    mode === null
      ? { size: length, mtime: now, ctime: now }
      : { size: length, mode, mtime: now, ctime: now },
  );
}

/** access(2) for `identity`: `want` is R_OK, W_OK, X_OK bits or F_OK. EACCES,
 * EROFS. */
export function checkAccess(
  mount: Mount,
  inode: Inode,
  want: number,
  identity: Identity,
): Errno | null {
  if ((want & X_OK) !== 0 && inode.isRegular) {
    if ((mount.flags & MS_NOEXEC) !== 0) return EACCES;
  }
  const denied = want === 0 ? null : checkPermission(identity, inode, want);
  if (denied !== null) return denied;
  if ((want & MAY_WRITE) !== 0 && isFileSystemData(inode)) {
    return checkWritable(mount) === null ? null : EROFS;
  }
  return null;
}
