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
import type { Identity } from "./caller.ts";
import type { Inode } from "./inode.ts";
import type { Mount } from "./mount.ts";
import {
  checkPermission,
  checkWritable,
  MAY_READ,
  MAY_WRITE,
} from "./permission.ts";

/** getxattr(2). ENODATA, EOPNOTSUPP, EACCES. */
export function getXattr(
  inode: Inode,
  name: ByteString,
  identity: Identity,
): Uint8Array | Errno {
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
  identity: Identity,
): Errno | null {
  return mayWrite(mount, inode, name, identity) ?? checkName(name) ??
    inode.setXattr(name, value, flags);
}

/** removexattr(2). ENODATA, EROFS, EPERM, EACCES, EOPNOTSUPP. */
export function removeXattr(
  mount: Mount,
  inode: Inode,
  name: ByteString,
  identity: Identity,
): Errno | null {
  return mayWrite(mount, inode, name, identity) ?? checkName(name) ??
    inode.removeXattr(name);
}

/** listxattr(2): "trusted." names are for CAP_SYS_ADMIN only. */
export function listXattrs(
  inode: Inode,
  identity: Identity,
): readonly ByteString[] | Errno {
  const names = inode.listXattrs();
  if (isErrno(names) || identity.has(CAP_SYS_ADMIN)) return names;
  return names.filter((name) => !name.startsWith(XATTR_TRUSTED_PREFIX));
}

/** EOPNOTSUPP: no such name space (access control lists are not there). */
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
