/**
 * Flags and requests of timerfd.
 *
 * Source: uapi linux/timerfd.h; timerfd_create(2).
 * @module
 */

export const TFD_CLOEXEC = 0o2000000;
export const TFD_NONBLOCK = 0o4000;

// Flags of timerfd_settime(2).
export const TFD_TIMER_ABSTIME = 1;
export const TFD_TIMER_CANCEL_ON_SET = 2;

export const TFD_IOC_SET_TICKS = 0x40085400;
