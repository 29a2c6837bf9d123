/**
 * Who may do what to an inode. Source: path_resolution(7), capabilities(7),
 * inode(7), open(2), unlink(2).
 * @module
 */
import {
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
} from "../abi/capability.ts";
import { EACCES, EPERM, EROFS, type Errno } from "../abi/errno.ts";
import { MS_RDONLY } from "../abi/mount.ts";
import {
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IRWXG,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  S_IXGRP,
} from "../abi/stat.ts";
import type { Identity } from "./caller.ts";
import type { Inode } from "./inode.ts";
import type { Mount } from "./mount.ts";
import { aclGrants } from "./posix_acl.ts";

// What an access needs, as the bits of one mode digit.
export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

const S_IXUGO = 0o111;

/** Checks mode bits, or the access control list, and the capabilities that
 * override them. EACCES. */
export function checkPermission(
  identity: Identity,
  inode: Inode,
  want: number,
): Errno | null {
  const mode = inode.mode;
  let granted: number;
  const acl = inode.acls?.access ?? null;
  if (identity.fsuid === inode.uid) granted = mode >> 6;
  // Without bits of the group class no entry of it grants anything.
  else if (acl !== null && (mode & S_IRWXG) !== 0) {
    granted = aclGrants(acl, inode.gid, identity, want) ? want : 0;
  } else if (identity.isInGroup(inode.gid)) granted = mode >> 3;
  else granted = mode;
  if ((want & ~granted & 7) === 0) return null;

  if ((mode & S_IFMT) === S_IFDIR) {
    if (identity.has(CAP_DAC_OVERRIDE)) return null;
    if ((want & MAY_WRITE) === 0 && identity.has(CAP_DAC_READ_SEARCH)) {
      return null;
    }
    return EACCES;
  }
  if (want === MAY_READ && identity.has(CAP_DAC_READ_SEARCH)) return null;
  if ((want & MAY_EXEC) === 0 || (mode & S_IXUGO) !== 0) {
    if (identity.has(CAP_DAC_OVERRIDE)) return null;
  }
  return EACCES;
}

/** Whether changes through this mount are refused: EROFS. */
export function checkWritable(mount: Mount): Errno | null {
  return (mount.flags & MS_RDONLY) !== 0 || mount.fs.isReadOnly ? EROFS : null;
}

/** Whether writing to the inode itself makes sense on a read-only mount: data
 * of devices, FIFOs and sockets is not the file system's. */
export function isFileSystemData(inode: Inode): boolean {
  const type = inode.mode & S_IFMT;
  return type === S_IFREG || type === S_IFDIR || type === S_IFLNK;
}

/** chmod(2) and its kin are for the owner. EPERM. */
export function checkOwner(identity: Identity, inode: Inode): Errno | null {
  if (identity.fsuid === inode.uid || identity.has(CAP_FOWNER)) return null;
  return EPERM;
}

/** A sticky directory lets only owners remove a name. EPERM. */
export function checkSticky(
  identity: Identity,
  directory: Inode,
  victim: Inode,
): Errno | null {
  if ((directory.mode & S_ISVTX) === 0) return null;
  if (identity.fsuid === victim.uid || identity.fsuid === directory.uid) {
    return null;
  }
  return identity.has(CAP_FOWNER) ? null : EPERM;
}

/** Mode of a file after a change by someone without CAP_FSETID: set-user-ID
 * goes, set-group-ID too where it is not the mark of mandatory locking. */
export function withoutSetId(mode: number): number {
  let cleared = mode & ~S_ISUID;
  if ((mode & S_IXGRP) !== 0) cleared &= ~S_ISGID;
  return cleared;
}

/** The new mode if writing to, or truncating, the file clears set-ID bits; null
 * if nothing changes. */
export function modeAfterWrite(
  identity: Identity,
  inode: Inode,
): number | null {
  const mode = inode.mode;
  if ((mode & (S_ISUID | S_ISGID)) === 0) return null;
  if ((mode & S_IFMT) !== S_IFREG) return null;
  const cleared = withoutSetId(mode);
  if (cleared === mode || identity.has(CAP_FSETID)) return null;
  return cleared;
}
