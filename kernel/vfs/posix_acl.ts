/**
 * POSIX access control lists: their extended attribute form, the permission
 * check, and how they and mode bits follow each other. Pure; where lists hang
 * is acl_inode.ts. Source: acl(5), uapi linux/posix_acl.h, posix_acl_xattr.h.
 * @module
 */
import { EINVAL, EOPNOTSUPP, type Errno } from "../abi/errno.ts";
import {
  ACL_GROUP,
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_UNDEFINED_ID,
  ACL_USER,
  ACL_USER_OBJ,
  POSIX_ACL_XATTR_ENTRY,
  POSIX_ACL_XATTR_ENTRY_SIZE,
  POSIX_ACL_XATTR_HEADER,
  POSIX_ACL_XATTR_HEADER_SIZE,
  POSIX_ACL_XATTR_VERSION,
} from "../abi/xattr.ts";
import type { Identity } from "./caller.ts";

export interface AclEntry {
  /** ACL_*. */
  readonly tag: number;
  /** Bits of one mode digit. */
  readonly perm: number;
  /** Of ACL_USER and ACL_GROUP; ACL_UNDEFINED_ID otherwise. */
  readonly id: number;
}

/** A valid list, in the order of its tags. */
export type PosixAcl = readonly AclEntry[];

/** Reads the value of an attribute; null: an empty list, which is none.
 * EOPNOTSUPP: another version; EINVAL. */
export function parseAcl(value: Uint8Array): PosixAcl | null | Errno {
  if (value.length === 0) return null;
  const body = value.length - POSIX_ACL_XATTR_HEADER_SIZE;
  if (body < 0) return EINVAL;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (
    view.getUint32(POSIX_ACL_XATTR_HEADER.a_version, true) !==
      POSIX_ACL_XATTR_VERSION
  ) return EOPNOTSUPP;
  if (body % POSIX_ACL_XATTR_ENTRY_SIZE !== 0) return EINVAL;
  if (body === 0) return null;
  const acl: AclEntry[] = [];
  for (
    let at = POSIX_ACL_XATTR_HEADER_SIZE;
    at < value.length;
    at += POSIX_ACL_XATTR_ENTRY_SIZE
  ) {
    const tag = view.getUint16(at + POSIX_ACL_XATTR_ENTRY.e_tag, true);
    const isNamed = tag === ACL_USER || tag === ACL_GROUP;
    acl.push({
      tag,
      perm: view.getUint16(at + POSIX_ACL_XATTR_ENTRY.e_perm, true),
      id: isNamed
        ? view.getUint32(at + POSIX_ACL_XATTR_ENTRY.e_id, true)
        : ACL_UNDEFINED_ID,
    });
  }
  return isValid(acl) ? acl : EINVAL;
}

/** One of each of the three classes, ordered, and a mask if anybody is named. */
function isValid(acl: PosixAcl): boolean {
  let last = 0;
  const counts = new Map<number, number>();
  const seen = new Set<string>();
  for (const { tag, perm, id } of acl) {
    if (tag < last || (perm & ~7) !== 0) return false;
    last = tag;
    counts.set(tag, (counts.get(tag) ?? 0) + 1);
    if (tag === ACL_USER || tag === ACL_GROUP) {
      if (id === ACL_UNDEFINED_ID || seen.has(`${tag}:${id}`)) return false;
      seen.add(`${tag}:${id}`);
    }
  }
  const count = (tag: number) => counts.get(tag) ?? 0;
  for (const tag of [ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_OTHER]) {
    if (count(tag) !== 1) return false;
    counts.delete(tag);
  }
  const masks = count(ACL_MASK);
  const isNamed = count(ACL_USER) + count(ACL_GROUP) > 0;
  for (const tag of [ACL_MASK, ACL_USER, ACL_GROUP]) counts.delete(tag);
  return counts.size === 0 && masks <= 1 && (!isNamed || masks === 1);
}

/** The value of the attribute. */
export function formatAcl(acl: PosixAcl): Uint8Array {
  const size = POSIX_ACL_XATTR_HEADER_SIZE +
    acl.length * POSIX_ACL_XATTR_ENTRY_SIZE;
  const value = new Uint8Array(size);
  const view = new DataView(value.buffer);
  view.setUint32(
    POSIX_ACL_XATTR_HEADER.a_version,
    POSIX_ACL_XATTR_VERSION,
    true,
  );
  for (const [i, { tag, perm, id }] of acl.entries()) {
    const at = POSIX_ACL_XATTR_HEADER_SIZE + i * POSIX_ACL_XATTR_ENTRY_SIZE;
    view.setUint16(at + POSIX_ACL_XATTR_ENTRY.e_tag, tag, true);
    view.setUint16(at + POSIX_ACL_XATTR_ENTRY.e_perm, perm, true);
    view.setUint32(at + POSIX_ACL_XATTR_ENTRY.e_id, id, true);
  }
  return value;
}

/** Whether the list grants `want` (bits of one mode digit) to somebody who is
 * not the owner of the file; `gid`: its group. */
export function aclGrants(
  acl: PosixAcl,
  gid: number,
  identity: Identity,
  want: number,
): boolean {
  const mask = acl.find(({ tag }) => tag === ACL_MASK)?.perm ?? 7;
  const has = (perm: number) => (want & ~perm) === 0;
  let isMember = false;
  for (const { tag, perm, id } of acl) {
    switch (tag) {
      case ACL_USER:
        if (id === identity.fsuid) return has(perm & mask);
        break;
      case ACL_GROUP_OBJ:
      case ACL_GROUP:
        if (!identity.isInGroup(tag === ACL_GROUP ? id : gid)) break;
        isMember = true;
        if (has(perm)) return has(perm & mask);
        break;
      case ACL_OTHER:
        return !isMember && has(perm);
    }
  }
  return false;
}

/** The permission bits that say the same of owner, group class and others. */
export function modeOfAcl(acl: PosixAcl): number {
  return (permOf(acl, ACL_USER_OBJ) << 6) | (groupClass(acl) << 3) |
    permOf(acl, ACL_OTHER);
}

/** Whether mode bits say all that the list says. */
export function isMinimal(acl: PosixAcl): boolean {
  return acl.length === 3;
}

function permOf(acl: PosixAcl, wanted: number): number {
  return acl.find(({ tag }) => tag === wanted)?.perm ?? 0;
}

/** The mask stands for the whole group class, if there is one. */
function groupClass(acl: PosixAcl): number {
  const mask = acl.find(({ tag }) => tag === ACL_MASK);
  return mask?.perm ?? permOf(acl, ACL_GROUP_OBJ);
}

/** The list after chmod(2) to these permission bits. */
export function aclWithMode(acl: PosixAcl, mode: number): PosixAcl {
  const group = acl.some(({ tag }) => tag === ACL_MASK)
    ? ACL_MASK
    : ACL_GROUP_OBJ;
  return acl.map((entry) => {
    switch (entry.tag) {
      case ACL_USER_OBJ:
        return { ...entry, perm: (mode >> 6) & 7 };
      case group:
        return { ...entry, perm: (mode >> 3) & 7 };
      case ACL_OTHER:
        return { ...entry, perm: mode & 7 };
      default:
        return entry;
    }
  });
}
