/**
 * Extended attributes: who may touch which name space. Source: xattr(7),
 * getxattr(2), setxattr(2), listxattr(2), capabilities(7).
 * @module
 */
import { CAP_FOWNER, CAP_SETFCAP, CAP_SYS_ADMIN } from "../abi/capability.ts";
import {
  EINVAL,
  ENODATA,
  EOPNOTSUPP,
  EPERM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { S_ISVTX } from "../abi/stat.ts";
import {
  XATTR_NAME_CAPS,
  XATTR_SECURITY_PREFIX,
  XATTR_SYSTEM_PREFIX,
  XATTR_TRUSTED_PREFIX,
  XATTR_USER_PREFIX,
} from "../abi/xattr.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { aclNames, getAcl, isAclName, setAcl } from "./acl_inode.ts";
import type { Caller, Identity } from "./caller.ts";
import type { Inode } from "./inode.ts";
import type { Mount } from "./mount.ts";
import {
  checkPermission,
  checkWritable,
  MAY_READ,
  MAY_WRITE,
} from "./permission.ts";

/** The value that removes an access control list. */
const NOTHING = new Uint8Array(0);

/** getxattr(2). ENODATA, EOPNOTSUPP, EACCES. */
export function getXattr(
  inode: Inode,
  name: ByteString,
  identity: Identity,
): Uint8Array | Errno {
  if (isAclName(name)) return getAcl(inode, name);
  const denied = mayRead(inode, name, identity) ?? checkName(name);
  return denied ?? inode.getXattr(name);
}

/** setxattr(2). `flags` were checked. EROFS, EPERM, EACCES, EOPNOTSUPP. */
export function setXattr(
  mount: Mount,
  inode: Inode,
  name: ByteString,
  value: Uint8Array,
  flags: number,
  caller: Caller,
): Errno | null {
  if (isAclName(name)) {
    return checkWritable(mount) ?? setAcl(inode, name, value, caller);
  }
  return mayWrite(mount, inode, name, caller.identity) ?? checkName(name) ??
    inode.setXattr(name, value, flags);
}

/** removexattr(2). ENODATA, EROFS, EPERM, EACCES, EOPNOTSUPP. */
export function removeXattr(
  mount: Mount,
  inode: Inode,
  name: ByteString,
  caller: Caller,
): Errno | null {
  if (isAclName(name)) {
    return checkWritable(mount) ?? setAcl(inode, name, NOTHING, caller);
  }
  return mayWrite(mount, inode, name, caller.identity) ?? checkName(name) ??
    inode.removeXattr(name);
}

/** listxattr(2): "trusted." names are for CAP_SYS_ADMIN only. */
export function listXattrs(
  inode: Inode,
  identity: Identity,
): readonly ByteString[] | Errno {
  const stored = inode.listXattrs();
  if (isErrno(stored)) return stored;
  const names = inode.acls === null ? stored : [...aclNames(inode), ...stored];
  if (identity.has(CAP_SYS_ADMIN)) return names;
  return names.filter((name) => !name.startsWith(XATTR_TRUSTED_PREFIX));
}

/** EOPNOTSUPP: no such name space. */
function checkName(name: ByteString): Errno | null {
  for (
    const prefix of [
      XATTR_USER_PREFIX,
      XATTR_TRUSTED_PREFIX,
      XATTR_SECURITY_PREFIX,
    ]
  ) {
    if (name.startsWith(prefix)) {
      return name.length === prefix.length ? EINVAL : null;
    }
  }
  return EOPNOTSUPP;
}

function mayRead(
  inode: Inode,
  name: ByteString,
  identity: Identity,
): Errno | null {
  if (isUnchecked(name)) return null;
  if (name.startsWith(XATTR_TRUSTED_PREFIX)) {
    return identity.has(CAP_SYS_ADMIN) ? null : ENODATA;
  }
  if (name.startsWith(XATTR_USER_PREFIX)) {
    if (!inode.isRegular && !inode.isDirectory) return ENODATA;
  }
  return checkPermission(identity, inode, MAY_READ);
}

function mayWrite(
  mount: Mount,
  inode: Inode,
  name: ByteString,
  identity: Identity,
): Errno | null {
  const refused = checkWritable(mount);
  if (refused !== null) return refused;
  if (isUnchecked(name)) return maySetSecurity(name, identity);
  if (name.startsWith(XATTR_TRUSTED_PREFIX)) {
    return identity.has(CAP_SYS_ADMIN) ? null : EPERM;
  }
  if (name.startsWith(XATTR_USER_PREFIX)) {
    if (!inode.isRegular && !inode.isDirectory) return EPERM;
    const isSticky = inode.isDirectory && (inode.mode & S_ISVTX) !== 0;
    if (
      isSticky && identity.fsuid !== inode.uid && !identity.has(CAP_FOWNER)
    ) return EPERM;
  }
  return checkPermission(identity, inode, MAY_WRITE);
}

/** Names that mode bits do not guard. */
function isUnchecked(name: ByteString): boolean {
  return name.startsWith(XATTR_SECURITY_PREFIX) ||
    name.startsWith(XATTR_SYSTEM_PREFIX);
}

function maySetSecurity(name: ByteString, identity: Identity): Errno | null {
  if (name === XATTR_NAME_CAPS) {
    return identity.has(CAP_SETFCAP) ? null : EPERM;
  }
  if (name.startsWith(XATTR_SECURITY_PREFIX)) {
    return identity.has(CAP_SYS_ADMIN) ? null : EPERM;
  }
  return null;
}
