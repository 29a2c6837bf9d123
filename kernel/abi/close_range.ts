/**
 * Flags of close_range(2).
 *
 * Source: uapi linux/close_range.h.
 * @module
 */

export const CLOSE_RANGE_UNSHARE = 2;
export const CLOSE_RANGE_CLOEXEC = 4;
