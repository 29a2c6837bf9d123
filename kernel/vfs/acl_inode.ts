/**
 * Access control lists of inodes: reading and setting them as extended
 * attributes, chmod(2), and what a new file inherits. Source: acl(5), "Object
 * creation and default ACLs", "Correspondence between ACL entries and file
 * permission bits".
 * @module
 */
import { CAP_FSETID } from "../abi/capability.ts";
import {
  EACCES,
  ENODATA,
  EOPNOTSUPP,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { S_IFLNK, S_IFMT, S_ISGID } from "../abi/stat.ts";
import {
  XATTR_NAME_POSIX_ACL_ACCESS,
  XATTR_NAME_POSIX_ACL_DEFAULT,
} from "../abi/xattr.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Caller } from "./caller.ts";
import type { Inode } from "./inode.ts";
import { checkOwner } from "./permission.ts";
import {
  aclWithMode,
  formatAcl,
  isMinimal,
  modeOfAcl,
  parseAcl,
  type PosixAcl,
} from "./posix_acl.ts";

/** The lists of one inode; not both are null. */
export interface InodeAcls {
  /** Null: the mode bits say all. */
  readonly access: PosixAcl | null;
  /** Of a directory: what new files in it get. */
  readonly initial: PosixAcl | null;
}

export function isAclName(name: ByteString): boolean {
  return name === XATTR_NAME_POSIX_ACL_ACCESS ||
    name === XATTR_NAME_POSIX_ACL_DEFAULT;
}

function hasAcls(inode: Inode): boolean {
  return inode.fs.hasAcls && !inode.isSymlink;
}

/** getxattr(2) of a list. ENODATA, EOPNOTSUPP. */
export function getAcl(inode: Inode, name: ByteString): Uint8Array | Errno {
  if (!hasAcls(inode)) return EOPNOTSUPP;
  const acl = name === XATTR_NAME_POSIX_ACL_ACCESS
    ? inode.acls?.access
    : inode.acls?.initial;
  return acl === undefined || acl === null ? ENODATA : formatAcl(acl);
}

/** Names of the lists that an inode has. */
export function aclNames(inode: Inode): ByteString[] {
  const names: ByteString[] = [];
  if (!hasAcls(inode) || inode.acls === null) return names;
  if (inode.acls.access !== null) names.push(XATTR_NAME_POSIX_ACL_ACCESS);
  if (inode.acls.initial !== null) names.push(XATTR_NAME_POSIX_ACL_DEFAULT);
  return names;
}

/** setxattr(2) of a list; an empty value removes it. The mode bits follow.
 * EINVAL, EOPNOTSUPP, EPERM; EACCES: a default list of what is no directory. */
export function setAcl(
  inode: Inode,
  name: ByteString,
  value: Uint8Array,
  caller: Caller,
): Errno | null {
  const acl = parseAcl(value);
  if (isErrno(acl)) return acl;
  if (!hasAcls(inode)) return EOPNOTSUPP;
  const isDefault = name === XATTR_NAME_POSIX_ACL_DEFAULT;
  if (isDefault && !inode.isDirectory) return acl === null ? null : EACCES;
  const { identity } = caller;
  const refused = checkOwner(identity, inode);
  if (refused !== null) return refused;
  const ctime = caller.clock.realtime();
  if (isDefault) {
    const failed = inode.setAttributes({ ctime });
    if (failed === null) store(inode, inode.acls?.access ?? null, acl);
    return failed;
  }
  let { mode } = inode;
  if (acl !== null) {
    mode = (mode & ~0o777) | modeOfAcl(acl);
    if (!identity.isInGroup(inode.gid) && !identity.has(CAP_FSETID)) {
      mode &= ~S_ISGID;
    }
  }
  const failed = inode.setAttributes({ mode, ctime });
  if (failed !== null) return failed;
  const kept = acl === null || isMinimal(acl) ? null : acl;
  store(inode, kept, inode.acls?.initial ?? null);
  return null;
}

function store(
  inode: Inode,
  access: PosixAcl | null,
  initial: PosixAcl | null,
): void {
  inode.acls = access === null && initial === null ? null : { access, initial };
}

/** chmod(2) has changed the mode of an inode. */
export function followMode(inode: Inode): void {
  const { acls } = inode;
  if (acls === null || acls.access === null) return;
  inode.acls = { ...acls, access: aclWithMode(acls.access, inode.mode) };
}

/** What a new file gets from its directory. */
export interface Inherited {
  readonly mode: number;
  readonly acls: InodeAcls | null;
}

/** Mode and lists of a new inode: the directory's default list restricts
 * `mode`, or else the umask does. */
export function inheritAcls(
  directory: Inode,
  mode: number,
  caller: Caller,
): Inherited {
  const type = mode & S_IFMT;
  if (type === S_IFLNK) return { mode, acls: null };
  const initial = directory.acls?.initial ?? null;
  if (initial === null) {
    return { mode: mode & ~caller.fsContext.umask, acls: null };
  }
  const bits = mode & modeOfAcl(initial);
  const access = aclWithMode(initial, bits);
  const kept = isMinimal(access) ? null : access;
  const passedOn = type === (directory.mode & S_IFMT) ? initial : null;
  return {
    mode: (mode & ~0o777) | bits,
    acls: kept === null && passedOn === null
      ? null
      : { access: kept, initial: passedOn },
  };
}
