/**
 * Words of epoll_ctl(2) and epoll_wait(2).
 *
 * Source: uapi linux/eventpoll.h.
 * @module
 */

// Flags of epoll_create1(2).
export const EPOLL_CLOEXEC = 0o2000000;

// Operations.
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

// Events.
export const EPOLLIN = 1;
export const EPOLLPRI = 2;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 0x10;
export const EPOLLNVAL = 0x20;
export const EPOLLRDNORM = 0x40;
export const EPOLLRDBAND = 0x80;
export const EPOLLWRNORM = 0x100;
export const EPOLLWRBAND = 0x200;
export const EPOLLMSG = 0x400;
export const EPOLLRDHUP = 0x2000;
export const EPOLLEXCLUSIVE = 0x10000000;
export const EPOLLWAKEUP = 0x20000000;
export const EPOLLONESHOT = 0x40000000;
export const EPOLLET = 0x80000000;

/** Size of struct epoll_event in bytes. */
export const EPOLL_EVENT_SIZE = 12;

/** Byte offsets of struct epoll_event, which is packed on x86-64. */
export const EPOLL_EVENT = {
  events: 0,
  data: 4,
} as const;
