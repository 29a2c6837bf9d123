/**
 * Words of personality(2).
 *
 * Source: uapi linux/personality.h.
 * @module
 */

// Flags.
export const UNAME26 = 0x20000;
export const ADDR_NO_RANDOMIZE = 0x40000;
export const FDPIC_FUNCPTRS = 0x80000;
export const MMAP_PAGE_ZERO = 0x100000;
export const ADDR_COMPAT_LAYOUT = 0x200000;
export const READ_IMPLIES_EXEC = 0x400000;
export const ADDR_LIMIT_32BIT = 0x800000;
export const SHORT_INODE = 0x1000000;
export const WHOLE_SECONDS = 0x2000000;
export const STICKY_TIMEOUTS = 0x4000000;
export const ADDR_LIMIT_3GB = 0x8000000;

// Flags that a set-user-ID exec clears, and the mask of the persona.
export const PER_CLEAR_ON_SETID = 0x740000;
export const PER_MASK = 0xff;

// Personas.
export const PER_LINUX = 0;
export const PER_LINUX32 = 8;

/** Argument of personality(2) that only asks. */
export const PERSONALITY_QUERY = 0xffffffff;
