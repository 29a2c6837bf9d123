/**
 * Limits of names, paths, arguments and transfers.
 *
 * Source: uapi linux/limits.h, linux/binfmts.h; execve(2), read(2).
 * @module
 */

export const NAME_MAX = 255;
export const PATH_MAX = 4096;
export const PIPE_BUF = 4096;
export const ARG_MAX = 131072;
export const NGROUPS_MAX = 65536;
export const LINK_MAX = 127;
export const MAX_CANON = 255;
export const MAX_INPUT = 255;
export const RTSIG_MAX = 32;

// Bounds of execve(2): one string, their count, the `#!` line.
export const MAX_ARG_STRINGS = 2147483647;
export const BINPRM_BUF_SIZE = 256;
export const MAX_ARG_STRLEN = 131072;

/** Most bytes that one read(2) or write(2) moves. */
export const MAX_RW_COUNT = 0x7ffff000;
/** Symbolic links followed in one path walk before ELOOP. */
export const MAXSYMLINKS = 40;
/** Length of a task's name (comm) with its NUL, bytes. */
export const TASK_COMM_LEN = 16;
/** Largest file size: Linux's 2^63 - 1, rounded down to what a double holds. */
export const MAX_LFS_FILESIZE = 2 ** 63 - 1024;
