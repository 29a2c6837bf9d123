/**
 * Resource limits, usage and priorities.
 *
 * Source: uapi linux/resource.h, asm-generic/resource.h; getrlimit(2),
 * getrusage(2), getpriority(2).
 * @module
 */

// Resources.
export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 10;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIMIT_RTTIME = 15;

// Who of getrusage(2).
export const RUSAGE_SELF = 0;
export const RUSAGE_CHILDREN = -1;
export const RUSAGE_BOTH = -2;
export const RUSAGE_THREAD = 1;

// Which of getpriority(2).
export const PRIO_PROCESS = 0;
export const PRIO_PGRP = 1;
export const PRIO_USER = 2;

// Range of nice values.
export const PRIO_MIN = -20;
export const PRIO_MAX = 20;

/** Size of struct rlimit64 in bytes. */
export const RLIMIT_SIZE = 16;

/** Byte offsets of the fields of struct rlimit64. */
export const RLIMIT = {
  rlim_cur: 0,
  rlim_max: 8,
} as const;

/** Size of struct rusage in bytes. */
export const RUSAGE_SIZE = 144;

/** Byte offsets of the fields of struct rusage. */
export const RUSAGE = {
  ru_utime: 0,
  ru_stime: 16,
  ru_maxrss: 32,
  ru_ixrss: 40,
  ru_idrss: 48,
  ru_isrss: 56,
  ru_minflt: 64,
  ru_majflt: 72,
  ru_nswap: 80,
  ru_inblock: 88,
  ru_oublock: 96,
  ru_msgsnd: 104,
  ru_msgrcv: 112,
  ru_nsignals: 120,
  ru_nvcsw: 128,
  ru_nivcsw: 136,
} as const;

/** Number of resources: the first invalid `resource`. */
export const RLIM_NLIMITS = 16;

/**
 * No limit. Linux's value is 2^64 - 1, which a double can't hold: inside the
 * kernel it is 2^64, so that every real limit compares below it, and the two
 * u32 halves are both 0xffffffff where it is read from or written to a guest.
 */
export const RLIM_INFINITY = 2 ** 64;
