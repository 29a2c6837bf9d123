/**
 * Inode attributes as guests read them: struct stat, struct statx, struct
 * statfs. Source: stat(2), statx(2), statfs(2).
 * @module
 */
import { major, minor } from "../abi/dev.ts";
import {
  STAT,
  STAT_SIZE,
  STATX_ATTR_MOUNT_ROOT,
  STATX_BASIC_STATS,
  STATX_BTIME,
  STATX_MNT_ID,
  STATX_TIMESTAMP,
  STRUCT_STATX,
  STRUCT_STATX_SIZE,
} from "../abi/stat.ts";
import { ST_VALID, STATFS, STATFS_SIZE } from "../abi/statfs.ts";
import {
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
} from "../abi/mount.ts";
import {
  ST_NOATIME,
  ST_NODEV,
  ST_NODIRATIME,
  ST_NOEXEC,
  ST_NOSUID,
  ST_NOSYMFOLLOW,
  ST_RDONLY,
  ST_RELATIME,
} from "../abi/statfs.ts";
import type { Timespec } from "../time/clock.ts";
import type { FileSystemStatus } from "../vfs/file_system.ts";
import type { Inode } from "../vfs/inode.ts";

// Filled and copied out within one call, so that stat allocates nothing.
const statBytes = new Uint8Array(STAT_SIZE);
const statView = new DataView(statBytes.buffer);
const statxBytes = new Uint8Array(STRUCT_STATX_SIZE);
const statxView = new DataView(statxBytes.buffer);

/** Stores a 64-bit field; exact for integers below 2^53, signs included. */
function put64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  view.setUint32(at, value - high * 4294967296, true);
  view.setInt32(at + 4, high, true);
}

/** struct stat of an inode whose attributes are fresh. Good until the next
 * call. */
export function encodeStat(inode: Inode): Uint8Array {
  const view = statView;
  put64(view, STAT.st_dev, inode.fs.device);
  put64(view, STAT.st_ino, inode.ino);
  put64(view, STAT.st_nlink, inode.nlink);
  view.setUint32(STAT.st_mode, inode.mode, true);
  view.setUint32(STAT.st_uid, inode.uid, true);
  view.setUint32(STAT.st_gid, inode.gid, true);
  put64(view, STAT.st_rdev, inode.rdev);
  put64(view, STAT.st_size, inode.size);
  put64(view, STAT.st_blksize, inode.blockSize);
  put64(view, STAT.st_blocks, inode.blocks);
  put64(view, STAT.st_atime, inode.atime.sec);
  put64(view, STAT.st_atime_nsec, inode.atime.nsec);
  put64(view, STAT.st_mtime, inode.mtime.sec);
  put64(view, STAT.st_mtime_nsec, inode.mtime.nsec);
  put64(view, STAT.st_ctime, inode.ctime.sec);
  put64(view, STAT.st_ctime_nsec, inode.ctime.nsec);
  return statBytes;
}

function putTime(at: number, time: Timespec): void {
  put64(statxView, at + STATX_TIMESTAMP.tv_sec, time.sec);
  statxView.setUint32(at + STATX_TIMESTAMP.tv_nsec, time.nsec, true);
}

/** struct statx of an inode whose attributes are fresh. Good until the next
 * call. */
export function encodeStatx(
  inode: Inode,
  mountId: number,
  options: { readonly isMountRoot: boolean },
): Uint8Array {
  const view = statxView;
  const at = STRUCT_STATX;
  const mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
  view.setUint32(at.stx_mask, mask, true);
  view.setUint32(at.stx_blksize, inode.blockSize, true);
  put64(
    view,
    at.stx_attributes,
    options.isMountRoot ? STATX_ATTR_MOUNT_ROOT : 0,
  );
  view.setUint32(at.stx_nlink, inode.nlink, true);
  view.setUint32(at.stx_uid, inode.uid, true);
  view.setUint32(at.stx_gid, inode.gid, true);
  view.setUint16(at.stx_mode, inode.mode, true);
  put64(view, at.stx_ino, inode.ino);
  put64(view, at.stx_size, inode.size);
  put64(view, at.stx_blocks, inode.blocks);
  put64(view, at.stx_attributes_mask, STATX_ATTR_MOUNT_ROOT);
  putTime(at.stx_atime, inode.atime);
  putTime(at.stx_btime, inode.btime);
  putTime(at.stx_ctime, inode.ctime);
  putTime(at.stx_mtime, inode.mtime);
  view.setUint32(at.stx_rdev_major, major(inode.rdev), true);
  view.setUint32(at.stx_rdev_minor, minor(inode.rdev), true);
  view.setUint32(at.stx_dev_major, major(inode.fs.device), true);
  view.setUint32(at.stx_dev_minor, minor(inode.fs.device), true);
  put64(view, at.stx_mnt_id, mountId);
  return statxBytes;
}

const MOUNT_TO_ST: readonly (readonly [number, number])[] = [
  [MS_RDONLY, ST_RDONLY],
  [MS_NOSUID, ST_NOSUID],
  [MS_NODEV, ST_NODEV],
  [MS_NOEXEC, ST_NOEXEC],
  [MS_NOATIME, ST_NOATIME],
  [MS_NODIRATIME, ST_NODIRATIME],
  [MS_RELATIME, ST_RELATIME],
  [MS_NOSYMFOLLOW, ST_NOSYMFOLLOW],
];

/** struct statfs; `mountFlags`: MS_* of the Mount. */
export function encodeStatfs(
  status: FileSystemStatus,
  device: number,
  mountFlags: number,
): Uint8Array {
  const bytes = new Uint8Array(STATFS_SIZE);
  const view = new DataView(bytes.buffer);
  let flags = ST_VALID;
  for (const [mountFlag, flag] of MOUNT_TO_ST) {
    if ((mountFlags & mountFlag) !== 0) flags |= flag;
  }
  put64(view, STATFS.f_type, status.type);
  put64(view, STATFS.f_bsize, status.blockSize);
  put64(view, STATFS.f_blocks, status.blocks);
  put64(view, STATFS.f_bfree, status.blocksFree);
  put64(view, STATFS.f_bavail, status.blocksAvailable);
  put64(view, STATFS.f_files, status.files);
  put64(view, STATFS.f_ffree, status.filesFree);
  put64(view, STATFS.f_fsid, device);
  put64(view, STATFS.f_namelen, status.nameLength);
  put64(view, STATFS.f_frsize, status.blockSize);
  put64(view, STATFS.f_flags, flags);
  return bytes;
}
