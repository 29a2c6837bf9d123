/**
 * Clocks, timers and the layouts of struct timespec, timeval, itimerspec,
 * itimerval.
 *
 * Source: uapi linux/time.h, linux/time_types.h, linux/timex.h;
 * clock_gettime(2), timer_create(2), adjtimex(2).
 * @module
 */

// Clocks.
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
export const CLOCK_MONOTONIC_RAW = 4;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_MONOTONIC_COARSE = 6;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const CLOCK_SGI_CYCLE = 10;
export const CLOCK_TAI = 11;

// Flag of clock_nanosleep(2) and timer_settime(2).
export const TIMER_ABSTIME = 1;

// Interval timers.
export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;

// Modes of adjtimex(2).
export const ADJ_OFFSET = 1;
export const ADJ_FREQUENCY = 2;
export const ADJ_MAXERROR = 4;
export const ADJ_ESTERROR = 8;
export const ADJ_STATUS = 0x10;
export const ADJ_TIMECONST = 0x20;
export const ADJ_TAI = 0x80;
export const ADJ_SETOFFSET = 0x100;
export const ADJ_MICRO = 0x1000;
export const ADJ_NANO = 0x2000;
export const ADJ_TICK = 0x4000;
export const ADJ_OFFSET_SINGLESHOT = 0x8001;
export const ADJ_OFFSET_SS_READ = 0xa001;

// Status of adjtimex(2).
export const STA_UNSYNC = 0x40;
export const STA_NANO = 0x2000;
export const STA_RONLY = 0xff00;

// Clock states that adjtimex(2) returns.
export const TIME_OK = 0;
export const TIME_INS = 1;
export const TIME_DEL = 2;
export const TIME_OOP = 3;
export const TIME_WAIT = 4;
export const TIME_ERROR = 5;

/** Size of struct timespec in bytes. */
export const TIMESPEC_SIZE = 16;

/** Byte offsets of the fields of struct timespec. */
export const TIMESPEC = {
  tv_sec: 0,
  tv_nsec: 8,
} as const;

/** Size of struct timeval in bytes. */
export const TIMEVAL_SIZE = 16;

/** Byte offsets of the fields of struct timeval. */
export const TIMEVAL = {
  tv_sec: 0,
  tv_usec: 8,
} as const;

/** Size of struct itimerspec in bytes. */
export const ITIMERSPEC_SIZE = 32;

/** Byte offsets of the fields of struct itimerspec. */
export const ITIMERSPEC = {
  it_interval: 0,
  it_value: 16,
} as const;

/** Size of struct itimerval in bytes. */
export const ITIMERVAL_SIZE = 32;

/** Byte offsets of the fields of struct itimerval. */
export const ITIMERVAL = {
  it_interval: 0,
  it_value: 16,
} as const;

/** Size of struct timezone in bytes. */
export const TIMEZONE_SIZE = 8;

/** Byte offsets of the fields of struct timezone. */
export const TIMEZONE = {
  tz_minuteswest: 0,
  tz_dsttime: 4,
} as const;

/** Size of struct tms in bytes. */
export const TMS_SIZE = 32;

/** Byte offsets of the fields of struct tms. */
export const TMS = {
  tms_utime: 0,
  tms_stime: 8,
  tms_cutime: 16,
  tms_cstime: 24,
} as const;

/** Size of struct utimbuf in bytes. */
export const UTIMBUF_SIZE = 16;

/** Byte offsets of the fields of struct utimbuf. */
export const UTIMBUF = {
  actime: 0,
  modtime: 8,
} as const;

/** Size of struct timex in bytes. */
export const TIMEX_SIZE = 208;

/** Byte offsets of the fields of struct timex. */
export const TIMEX = {
  modes: 0,
  offset: 8,
  freq: 16,
  maxerror: 24,
  esterror: 32,
  status: 40,
  constant: 48,
  precision: 56,
  tolerance: 64,
  time: 72,
  tick: 88,
  ppsfreq: 96,
  jitter: 104,
  shift: 112,
  stabil: 120,
  jitcnt: 128,
  calcnt: 136,
  errcnt: 144,
  stbcnt: 152,
  tai: 160,
} as const;

/** tv_nsec of utimensat(2): set to the current time. */
export const UTIME_NOW = 0x3fffffff;
/** tv_nsec of utimensat(2): leave unchanged. */
export const UTIME_OMIT = 0x3ffffffe;
/** Clock ticks a second that times(2) and /proc count in. */
export const USER_HZ = 100;
