/**
 * struct statfs and its flags. File system magics are in magic.ts.
 *
 * Source: uapi asm-generic/statfs.h; statfs(2).
 * @module
 */

/** Size of struct statfs in bytes. */
export const STATFS_SIZE = 120;

/** Byte offsets of the fields of struct statfs. */
export const STATFS = {
  f_type: 0,
  f_bsize: 8,
  f_blocks: 16,
  f_bfree: 24,
  f_bavail: 32,
  f_files: 40,
  f_ffree: 48,
  f_fsid: 56,
  f_namelen: 64,
  f_frsize: 72,
  f_flags: 80,
  f_spare: 88,
} as const;

// f_flags (statfs(2)); ST_VALID says that the field is filled at all.
export const ST_RDONLY = 0x1;
export const ST_NOSUID = 0x2;
export const ST_NODEV = 0x4;
export const ST_NOEXEC = 0x8;
export const ST_SYNCHRONOUS = 0x10;
export const ST_VALID = 0x20;
export const ST_MANDLOCK = 0x40;
export const ST_NOATIME = 0x400;
export const ST_NODIRATIME = 0x800;
export const ST_RELATIME = 0x1000;
export const ST_NOSYMFOLLOW = 0x2000;
