/*
 * filters.h: the two seccomp filters of a stub.
 */
#ifndef STUB_FILTERS_H
#define STUB_FILTERS_H

#include <linux/filter.h>

/* Of every thread: what service.S does and what guest threads do. */
extern const struct sock_filter stub_filter[];
extern const unsigned short stub_filter_length;
/* Of guest threads, on top: to sleep and to ring. */
extern const struct sock_filter guest_filter[];
extern const unsigned short guest_filter_length;

#endif
