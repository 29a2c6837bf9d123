/**
 * Attributes between their three forms: the file server's, the host's fstat,
 * and the fields of an Inode.
 * @module
 */
import type { GoferSetAttr, GoferStat } from "../../../gofer/client.ts";
import { S_IALLUGO } from "../../abi/stat.ts";
import type { HostStat } from "../../host.ts";
import type { AttributeChange, Inode } from "../../vfs/inode.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Copies what can change into the inode; the type of a file can't. */
export function storeStat(inode: Inode, stat: GoferStat | HostStat): void {
  inode.mode = stat.mode;
  inode.uid = stat.uid;
  inode.gid = stat.gid;
  inode.nlink = stat.nlink;
  inode.size = stat.size;
  inode.rdev = stat.rdev;
  inode.blocks = stat.blocks;
  inode.blockSize = stat.blksize;
  inode.atime = { sec: stat.atimeSec, nsec: stat.atimeNsec };
  inode.mtime = { sec: stat.mtimeSec, nsec: stat.mtimeNsec };
  inode.ctime = { sec: stat.ctimeSec, nsec: stat.ctimeNsec };
}

/** The change as the file server takes it; ctime is the host's to set. */
export function toSetAttr(change: AttributeChange): GoferSetAttr {
  const request: Writable<GoferSetAttr> = {};
  if (change.mode !== undefined) request.mode = change.mode & S_IALLUGO;
  if (change.uid !== undefined) request.uid = change.uid;
  if (change.gid !== undefined) request.gid = change.gid;
  if (change.size !== undefined) request.size = change.size;
  if (change.atime !== undefined) request.atime = change.atime;
  // Changing the size stamps mtime; the VFS names it for others' sake.
  if (change.mtime !== undefined && change.size === undefined) {
    request.mtime = change.mtime;
  }
  return request;
}

/** Whether nothing but the size changes (and the times that follow). */
export function isSizeOnly(change: AttributeChange): boolean {
  return change.size !== undefined && change.mode === undefined &&
    change.uid === undefined && change.gid === undefined &&
    change.atime === undefined;
}
