/**
 * Device numbers. In stat they travel in the encoding of new_encode_dev;
 * inside the kernel `dev` is that same u32.
 *
 * Source: linux/kdev_t.h, uapi linux/major.h; makedev(3),
 * Documentation/admin-guide/devices.txt.
 * @module
 */

// Major numbers.
export const UNNAMED_MAJOR = 0;
export const MEM_MAJOR = 1;
export const LOOP_MAJOR = 7;
export const TTY_MAJOR = 4;
export const TTYAUX_MAJOR = 5;
export const MISC_MAJOR = 10;
export const UNIX98_PTY_MASTER_MAJOR = 128;
export const UNIX98_PTY_SLAVE_MAJOR = 136;

/** Packs a device number as new_encode_dev does: 12 bits major, 20 minor. */
export function makedev(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) |
    ((minor & 0xfff00) << 12)) >>> 0;
}
/** The major number within `dev`. */
export function major(dev: number): number {
  return (dev >>> 8) & 0xfff;
}
/** The minor number within `dev`. */
export function minor(dev: number): number {
  return (dev & 0xff) | ((dev >>> 12) & 0xfff00);
}
