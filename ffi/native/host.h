/*
 * host.h: what every file of libhost.so shares.
 *
 *   result   >= 0 on success, -errno on failure; errno never crosses
 *   numbers  64-bit quantities arrive as double, exact below 2^53, because
 *            that is what Deno's FFI passes without allocating
 *   memory   nothing passed in is kept after return unless said
 *   globals  none, except the one target of signal handlers in reactor.c
 */
#ifndef HOST_H
#define HOST_H

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#define HOST_EXPORT __attribute__((visibility("default")))

/* Repeats a call that a signal interrupted. */
#define HOST_RETRY(expression)                                      \
	__extension__({                                             \
		long result_;                                       \
		do                                                  \
			result_ = (long)(expression);               \
		while (result_ < 0 && errno == EINTR);              \
		result_;                                            \
	})

/* -errno if the value is negative, else the value. */
static inline int32_t host_result(long value)
{
	return value < 0 ? -errno : (int32_t)value;
}

/* A range of [0, limit), both ends whole numbers? Everything from JavaScript
 * is a double, NaN included, so the test is written to fail for NaN. */
static inline int host_range_ok(double offset, double length, uint64_t limit)
{
	return offset >= 0 && length >= 0 && offset <= (double)limit &&
	       length <= (double)limit && offset + length <= (double)limit;
}

/* The memory file and its one mapping (memory.c). */
struct host_memory {
	int fd;
	uint8_t *base;
	uint64_t size;
};

/* confine.c sends this to every thread to change its credentials. glibc keeps
 * 32 and 33 for itself; Deno and V8 use no real-time signal. */
#define HOST_CONFINE_SIGNAL 62

/* Starts a thread that takes no signal but HOST_CONFINE_SIGNAL (reactor.c).
 * Returns 0 or -errno. */
struct host_thread_start {
	void *(*run)(void *);
	void *arg;
};
int host_thread_create(unsigned long *thread, const struct host_thread_start *);

#endif
