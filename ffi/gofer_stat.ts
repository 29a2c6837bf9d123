/**
 * Layout of the attributes that gofer_files.c fills in, and that the file
 * server's replies carry as they are: little endian, 104 bytes. Wide numbers
 * are doubles; the inode number is two u32 halves, because host file systems
 * use all of its 64 bits.
 * @module
 */

/** Size of the struct in bytes. */
export const GOFER_STAT_SIZE = 104;

/** Byte offsets of its fields. */
export const GOFER_STAT = {
  ino_low: 0,
  ino_high: 4,
  size: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  btime: 48,
  atime_nsec: 56,
  mtime_nsec: 60,
  ctime_nsec: 64,
  btime_nsec: 68,
  mode: 72,
  nlink: 76,
  uid: 80,
  gid: 84,
  rdev: 88,
  dev: 92,
  blksize: 96,
} as const;
