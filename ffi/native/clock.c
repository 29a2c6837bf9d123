/*
 * clock.c: reading the host's clocks and its time stamp counter.
 */
#define _GNU_SOURCE
#include "host.h"

#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* CLOCK_MONOTONIC in nanoseconds. */
HOST_EXPORT double host_clock_monotonic(void)
{
	return (double)now_ns(CLOCK_MONOTONIC);
}

/*
 * The distance in ns of `clock` from CLOCK_MONOTONIC: the middle of the
 * tightest of a few samples, since the two cannot be read at once. The value
 * is written as whole seconds and nanoseconds because a realtime offset in ns
 * needs more than 53 bits.
 */
static void offset_from_monotonic(clockid_t clock, double out[2])
{
	int64_t best_width = INT64_MAX, best = 0;

	for (int i = 0; i < 5; i++) {
		int64_t before = now_ns(CLOCK_MONOTONIC);
		int64_t there = now_ns(clock);
		int64_t after = now_ns(CLOCK_MONOTONIC);

		if (after - before < best_width) {
			best_width = after - before;
			best = there - (before + (after - before) / 2);
		}
	}
	int64_t sec = best / 1000000000, nsec = best % 1000000000;

	if (nsec < 0) {
		sec--;
		nsec += 1000000000;
	}
	out[0] = (double)sec;
	out[1] = (double)nsec;
}

HOST_EXPORT void host_clock_realtime_offset(double out[2])
{
	offset_from_monotonic(CLOCK_REALTIME, out);
}

HOST_EXPORT void host_clock_boottime_offset(double out[2])
{
	offset_from_monotonic(CLOCK_BOOTTIME, out);
}

/* The time stamp counter, or 0 on a machine that has none for us. */
static uint64_t read_tsc(void)
{
#if defined(__x86_64__)
	uint32_t low, high;

	/* lfence: not before the clock reading in front of it is done. */
	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)
			 :: "memory");
	return (uint64_t)high << 32 | low;
#else
	return 0;
#endif
}

/*
 * out[0..1]: TSC, low and high 32 bits; out[2]: CLOCK_MONOTONIC ns of the same
 * moment; out[3]: half the width of the window they were read in, ns.
 */
HOST_EXPORT void host_clock_sample_tsc(double out[4])
{
	int64_t best_width = INT64_MAX, best_time = 0;
	uint64_t best_tsc = 0;

	for (int i = 0; i < 8; i++) {
		int64_t before = now_ns(CLOCK_MONOTONIC);
		uint64_t tsc = read_tsc();
		int64_t after = now_ns(CLOCK_MONOTONIC);

		if (after - before < best_width) {
			best_width = after - before;
			best_time = before + (after - before) / 2;
			best_tsc = tsc;
		}
	}
	out[0] = (double)(uint32_t)best_tsc;
	out[1] = (double)(uint32_t)(best_tsc >> 32);
	out[2] = (double)best_time;
	out[3] = (double)best_width / 2;
}

/* User and system time in ns of children that were waited for. */
HOST_EXPORT double host_clock_children_cpu(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
		return 0;
	return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) *
		       1e9 +
	       ((double)usage.ru_utime.tv_usec +
		(double)usage.ru_stime.tv_usec) * 1e3;
}

/* CPU time in ns of a process, living or not yet waited for; -errno. */
HOST_EXPORT double host_clock_process_cpu(int32_t pid)
{
	struct timespec ts;
	clockid_t clock;
	int error = clock_getcpuclockid(pid, &clock);

	if (error != 0)
		return -error;
	if (clock_gettime(clock, &ts) < 0)
		return -errno;
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Fills the array with random bytes. Waits only before the pool is ready,
 * once after boot. */
HOST_EXPORT int32_t host_random(uint8_t *into, double length)
{
	size_t done = 0, want = (size_t)length;

	while (done < want) {
		long n = HOST_RETRY(getrandom(into + done, want - done, 0));

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}
