/**
 * Directory records of getdents64(2) and getdents(2).
 *
 * Source: getdents(2), readdir(3); fs/readdir.c.
 * @module
 */

// d_type.
export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;
export const DT_WHT = 14;

/** Byte offsets of struct linux_dirent64; the name ends with a NUL. */
export const LINUX_DIRENT64 = {
  d_ino: 0,
  d_off: 8,
  d_reclen: 16,
  d_type: 18,
  d_name: 19,
} as const;
/** Records of getdents64(2) are padded to this many bytes. */
export const LINUX_DIRENT64_ALIGN = 8;

/** Byte offsets of struct linux_dirent; d_type is the record's last byte. */
export const LINUX_DIRENT = {
  d_ino: 0,
  d_off: 8,
  d_reclen: 16,
  d_name: 18,
} as const;

/** d_type of a file with this st_mode. */
export function IFTODT(mode: number): number {
  return (mode & 0o170000) >> 12;
}
