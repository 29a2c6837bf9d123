/**
 * File modes, struct stat and struct statx.
 *
 * Source: uapi linux/stat.h, asm/stat.h; stat(2), statx(2), inode(7).
 * @module
 */

// File types.
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o60000;
export const S_IFDIR = 0o40000;
export const S_IFCHR = 0o20000;
export const S_IFIFO = 0o10000;

// Permission bits.
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const S_IRWXU = 0o700;
export const S_IRUSR = 0o400;
export const S_IWUSR = 0o200;
export const S_IXUSR = 0o100;
export const S_IRWXG = 0o70;
export const S_IRGRP = 0o40;
export const S_IWGRP = 0o20;
export const S_IXGRP = 0o10;
export const S_IRWXO = 7;
export const S_IROTH = 4;
export const S_IWOTH = 2;
export const S_IXOTH = 1;

// Mask of statx(2).
export const STATX_TYPE = 1;
export const STATX_MODE = 2;
export const STATX_NLINK = 4;
export const STATX_UID = 8;
export const STATX_GID = 0x10;
export const STATX_ATIME = 0x20;
export const STATX_MTIME = 0x40;
export const STATX_CTIME = 0x80;
export const STATX_INO = 0x100;
export const STATX_SIZE = 0x200;
export const STATX_BLOCKS = 0x400;
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;
export const STATX_DIOALIGN = 0x2000;
export const STATX_ALL = 0xfff;
export const STATX__RESERVED = 0x80000000;
export const STATX_MNT_ID_UNIQUE = 0x4000;
export const STATX_SUBVOL = 0x8000;

// stx_attributes.
export const STATX_ATTR_COMPRESSED = 4;
export const STATX_ATTR_IMMUTABLE = 0x10;
export const STATX_ATTR_APPEND = 0x20;
export const STATX_ATTR_NODUMP = 0x40;
export const STATX_ATTR_ENCRYPTED = 0x800;
export const STATX_ATTR_AUTOMOUNT = 0x1000;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;
export const STATX_ATTR_VERITY = 0x100000;
export const STATX_ATTR_DAX = 0x200000;

/** Size of struct stat in bytes. */
export const STAT_SIZE = 144;

/** Byte offsets of the fields of struct stat. */
export const STAT = {
  st_dev: 0,
  st_ino: 8,
  st_nlink: 16,
  st_mode: 24,
  st_uid: 28,
  st_gid: 32,
  st_rdev: 40,
  st_size: 48,
  st_blksize: 56,
  st_blocks: 64,
  st_atime: 72,
  st_atime_nsec: 80,
  st_mtime: 88,
  st_mtime_nsec: 96,
  st_ctime: 104,
  st_ctime_nsec: 112,
} as const;

/** Size of struct statx in bytes. */
export const STRUCT_STATX_SIZE = 256;

/** Byte offsets of the fields of struct statx. */
export const STRUCT_STATX = {
  stx_mask: 0,
  stx_blksize: 4,
  stx_attributes: 8,
  stx_nlink: 16,
  stx_uid: 20,
  stx_gid: 24,
  stx_mode: 28,
  stx_ino: 32,
  stx_size: 40,
  stx_blocks: 48,
  stx_attributes_mask: 56,
  stx_atime: 64,
  stx_btime: 80,
  stx_ctime: 96,
  stx_mtime: 112,
  stx_rdev_major: 128,
  stx_rdev_minor: 132,
  stx_dev_major: 136,
  stx_dev_minor: 140,
  stx_mnt_id: 144,
  stx_dio_mem_align: 152,
  stx_dio_offset_align: 156,
} as const;

/** Size of struct statx_timestamp in bytes. */
export const STATX_TIMESTAMP_SIZE = 16;

/** Byte offsets of the fields of struct statx_timestamp. */
export const STATX_TIMESTAMP = {
  tv_sec: 0,
  tv_nsec: 8,
} as const;

/** Every bit that chmod(2) may change. */
export const S_IALLUGO = 0o7777;
/** The nine permission bits. */
export const S_IRWXUGO = 0o777;

/** Whether `mode` is a directory's. */
export function S_ISDIR(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}
/** Whether `mode` is a regular file's. */
export function S_ISREG(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}
/** Whether `mode` is a symbolic link's. */
export function S_ISLNK(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}
/** Whether `mode` is a character device's. */
export function S_ISCHR(mode: number): boolean {
  return (mode & S_IFMT) === S_IFCHR;
}
/** Whether `mode` is a block device's. */
export function S_ISBLK(mode: number): boolean {
  return (mode & S_IFMT) === S_IFBLK;
}
/** Whether `mode` is a FIFO's or pipe's. */
export function S_ISFIFO(mode: number): boolean {
  return (mode & S_IFMT) === S_IFIFO;
}
/** Whether `mode` is a socket's. */
export function S_ISSOCK(mode: number): boolean {
  return (mode & S_IFMT) === S_IFSOCK;
}
