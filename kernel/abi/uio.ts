/**
 * Scatter and gather: readv(2), preadv2(2), process_vm_readv(2).
 *
 * Source: uapi linux/uio.h, linux/fs.h.
 * @module
 */

// Flags of preadv2(2).
export const RWF_HIPRI = 1;
export const RWF_DSYNC = 2;
export const RWF_SYNC = 4;
export const RWF_NOWAIT = 8;
export const RWF_APPEND = 0x10;
export const RWF_SUPPORTED = 0x1f;
export const RWF_NOAPPEND = 0x20;
export const RWF_ATOMIC = 0x40;

/** Size of struct iovec in bytes. */
export const IOVEC_SIZE = 16;

/** Byte offsets of the fields of struct iovec. */
export const IOVEC = {
  iov_base: 0,
  iov_len: 8,
} as const;

/** Most elements of an iovec array. */
export const IOV_MAX = 1024;

// Flags of splice(2), tee(2), vmsplice(2).
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const SPLICE_F_MORE = 4;
export const SPLICE_F_GIFT = 8;
