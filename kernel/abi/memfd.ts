/**
 * Flags of memfd_create(2).
 *
 * Source: uapi linux/memfd.h.
 * @module
 */

export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const MFD_HUGETLB = 4;
export const MFD_HUGE_SHIFT = 0x1a;
export const MFD_HUGE_MASK = 0x3f;
export const MFD_NOEXEC_SEAL = 8;
export const MFD_EXEC = 0x10;

/** Longest name, bytes without NUL: NAME_MAX less the `memfd:` prefix. */
export const MFD_NAME_MAX = 249;
