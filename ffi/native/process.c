/*
 * process.c: what a process sets for itself: name, signals, limits, parents.
 */
#define _GNU_SOURCE
#include "host.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* The name in ps and top, cut to 15 bytes. */
HOST_EXPORT int32_t host_process_set_name(const char *name)
{
	return host_result(prctl(PR_SET_NAME, name));
}

/* Orphans below us become our children. */
HOST_EXPORT int32_t host_process_set_subreaper(int32_t on)
{
	return host_result(prctl(PR_SET_CHILD_SUBREAPER, on));
}

/* The signal we get when the thread that made us ends; 0: none. */
HOST_EXPORT int32_t host_process_set_death_signal(int32_t signal)
{
	return host_result(prctl(PR_SET_PDEATHSIG, signal));
}

/* 0: no core dumps, and nobody but root may trace us or read our memory. */
HOST_EXPORT int32_t host_process_set_dumpable(int32_t on)
{
	return host_result(prctl(PR_SET_DUMPABLE, on));
}

/* ignore 0: the default action again. */
HOST_EXPORT int32_t host_process_ignore_signal(int32_t signal, int32_t ignore)
{
	struct sigaction action = { .sa_handler = ignore ? SIG_IGN : SIG_DFL };

	return host_result(sigaction(signal, &action, NULL));
}

/* setrlimit(2); negative: no limit. Not for RLIMIT_AS, which V8 dies of. */
HOST_EXPORT int32_t host_process_set_limit(int32_t resource, double soft,
					   double hard)
{
	struct rlimit limit = {
		.rlim_cur = soft < 0 ? RLIM_INFINITY : (rlim_t)soft,
		.rlim_max = hard < 0 ? RLIM_INFINITY : (rlim_t)hard,
	};

	return host_result(setrlimit((__rlimit_resource_t)resource, &limit));
}

/* out: soft, hard; -1: no limit. */
HOST_EXPORT int32_t host_process_get_limit(int32_t resource, double out[2])
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -errno;
	out[0] = limit.rlim_cur == RLIM_INFINITY ? -1 : (double)limit.rlim_cur;
	out[1] = limit.rlim_max == RLIM_INFINITY ? -1 : (double)limit.rlim_max;
	return 0;
}

static int compare_fds(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

/* Closes every descriptor that is not in the list, which gets sorted. */
HOST_EXPORT int32_t host_process_close_others(int32_t *keep, int32_t count)
{
	unsigned int from = 0;

	qsort(keep, (size_t)count, sizeof(*keep), compare_fds);
	for (int32_t i = 0; i < count; i++) {
		unsigned int fd = (unsigned int)keep[i];

		if (keep[i] < 0)
			return -EINVAL;
		if (fd > from && close_range(from, fd - 1, 0) < 0)
			return -errno;
		if (fd >= from)
			from = fd + 1;
	}
	return host_result(close_range(from, ~0u, 0));
}
