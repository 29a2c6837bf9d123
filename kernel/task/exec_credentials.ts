/**
 * What execve(2) does to credentials: set-user-ID, set-group-ID, capabilities
 * of root, ambient capabilities. Source: execve(2), capabilities(7).
 * @module
 */
import { MS_NOSUID } from "../abi/mount.ts";
import { SECBIT_KEEP_CAPS, SECBIT_NOROOT } from "../abi/securebits.ts";
import { S_ISGID, S_ISUID, S_IXGRP } from "../abi/stat.ts";
import type { VfsPath } from "../vfs/mount.ts";
import {
  ALL_CAPABILITIES,
  type CapabilitySet,
  Credentials,
  intersect,
  NO_CAPABILITIES,
  union,
} from "./credentials.ts";

export interface ExecCredentials {
  readonly credentials: Credentials;
  /** AT_SECURE: the program has privileges that its caller lacks. */
  readonly isSecure: boolean;
}

/** Credentials of the program at `path`, run by `old`. */
export function execCredentials(
  old: Credentials,
  path: VfsPath,
  noNewPrivileges: boolean,
): ExecCredentials {
  const inode = path.dentry.inode;
  const honoursSetId = inode !== null && !noNewPrivileges &&
    (path.mount.flags & MS_NOSUID) === 0;
  const setsUid = honoursSetId && (inode.mode & S_ISUID) !== 0;
  // Without group execution the bit means mandatory locking.
  const setsGid = honoursSetId &&
    (inode.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
  const euid = setsUid ? inode.uid : old.euid;
  const egid = setsGid ? inode.gid : old.egid;
  const isPrivileged = euid !== old.euid || egid !== old.egid;

  const isRoot = (old.securebits & SECBIT_NOROOT) === 0;
  const filePermitted = isRoot && (euid === 0 || old.uid === 0)
    ? ALL_CAPABILITIES
    : NO_CAPABILITIES;
  const fileEffective = isRoot && euid === 0;
  const ambient = isPrivileged ? NO_CAPABILITIES : old.ambient;
  const gained = union(
    intersect(old.inheritable, filePermitted),
    intersect(filePermitted, old.bounding),
  );
  const permitted: CapabilitySet = union(gained, ambient);
  const credentials = new Credentials({
    ...old,
    euid,
    suid: euid,
    fsuid: euid,
    egid,
    sgid: egid,
    fsgid: egid,
    permitted,
    effective: fileEffective ? permitted : ambient,
    ambient,
    securebits: old.securebits & ~SECBIT_KEEP_CAPS,
  });
  const isSecure = old.uid !== euid || old.gid !== egid;
  return { credentials, isSecure };
}
