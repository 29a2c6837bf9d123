/**
 * ioctl(2) request encoding, and requests that any file may get.
 *
 * Source: uapi asm-generic/ioctl.h, linux/fs.h. Terminal requests are in
 * termios.ts, sockets' in socket.ts and if.ts.
 * @module
 */

// Direction bits.
export const _IOC_NONE = 0;
export const _IOC_WRITE = 1;
export const _IOC_READ = 2;

// For every file.
export const FIONREAD = 0x541b;
export const FIOCLEX = 0x5451;
export const FIONCLEX = 0x5450;
export const FIOASYNC = 0x5452;
export const FIONBIO = 0x5421;
export const FIOQSIZE = 0x5460;

// For files of a file system.
export const FIBMAP = 1;
export const FIGETBSZ = 2;
export const FICLONE = 0x40049409;
export const FICLONERANGE = 0x4020940d;
export const FIDEDUPERANGE = 0xc0189436;
export const FIFREEZE = 0xc0045877;
export const FITHAW = 0xc0045878;
export const FITRIM = 0xc0185879;
export const FS_IOC_GETFLAGS = 0x80086601;
export const FS_IOC_SETFLAGS = 0x40086602;
export const FS_IOC_GETVERSION = 0x80087601;
export const FS_IOC_FSGETXATTR = 0x801c581f;
export const FS_IOC_FSSETXATTR = 0x401c5820;
export const FS_IOC_FIEMAP = 0xc020660b;

// For block devices.
export const BLKGETSIZE = 0x1260;
export const BLKGETSIZE64 = 0x80081272;
export const BLKSSZGET = 0x1268;
export const BLKBSZGET = 0x80081270;
export const BLKROGET = 0x125e;

/** The direction bits of a request. */
export function _IOC_DIR(request: number): number {
  return request >>> 30;
}
/** The type letter of a request, as its code. */
export function _IOC_TYPE(request: number): number {
  return (request >>> 8) & 0xff;
}
/** The number of a request within its type. */
export function _IOC_NR(request: number): number {
  return request & 0xff;
}
/** The size of a request's argument, bytes. */
export function _IOC_SIZE(request: number): number {
  return (request >>> 16) & 0x3fff;
}
