/**
 * Events of poll(2) and the layout of struct pollfd.
 *
 * Source: uapi asm-generic/poll.h; poll(2), select(2).
 * @module
 */

// Events.
export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;
export const POLLRDBAND = 0x80;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLMSG = 0x400;
export const POLLREMOVE = 0x1000;
export const POLLRDHUP = 0x2000;

/** Size of struct pollfd in bytes. */
export const POLLFD_SIZE = 8;

/** Byte offsets of the fields of struct pollfd. */
export const POLLFD = {
  fd: 0,
  events: 4,
  revents: 6,
} as const;

/** Most descriptors in a select(2) set. */
export const FD_SETSIZE = 1024;
