/*
 * sleep.c: the one place where the Sentry sleeps, in ppoll(2) on an event
 * descriptor, and looking for stops instead of sleeping. Everybody who wants
 * it to wake up reads board.sleeping after what he has to say, and writes the
 * event if it is set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include "host_calls.h"
#include "systrap_platform.h"

/* An interrupt that has no effect after so long is sent again, and after so
 * long the guest is hostile. */
#define RESEND_NS 50000000
#define PATIENCE_NS 10000000000

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void sleep_going(struct rsp_platform *p)
{
	__atomic_store_n(&p->board->sleeping, 1, __ATOMIC_SEQ_CST);
}

void sleep_gone(struct rsp_platform *p)
{
	__atomic_store_n(&p->board->sleeping, 0, __ATOMIC_RELAXED);
}

int sleep_on_event(struct rsp_platform *p, int64_t ns)
{
	struct pollfd event = { .fd = p->event_fd, .events = POLLIN };
	struct timespec limit = { ns / 1000000000, ns % 1000000000 };
	uint64_t count;
	long rc;

	rc = host_call6(SYS_ppoll, (long)&event, 1,
			ns < 0 ? 0 : (long)&limit, 0, 0, 0);
	if (rc > 0)
		host_call(SYS_read, p->event_fd, (long)&count, 8, 0);
	return rc == -EINTR ? -EINTR : 0;
}

int64_t press_interrupts(struct rsp_platform *p)
{
	int64_t now, next = INT64_MAX;
	uint32_t i;

	if (p->interrupts == 0)
		return INT64_MAX;
	now = now_ns();
	for (i = 0; i < p->running_count; i++) {
		struct guest *guest = &p->guests[p->running[i]];

		if (guest->interrupted_ns == 0 || guest->thread == NULL)
			continue;
		if (now - guest->interrupted_ns > PATIENCE_NS) {
			stub_kill(p, guest->thread->stub);
		} else if (now - guest->signalled_ns > RESEND_NS) {
			stub_signal_thread(p, guest->thread);
			guest->signalled_ns = now;
		}
		if (guest->signalled_ns + RESEND_NS < next)
			next = guest->signalled_ns + RESEND_NS;
	}
	return next;
}

static bool has_rung(const struct rsp_platform *p)
{
	return __atomic_load_n(&p->control->rung, __ATOMIC_SEQ_CST) != 0;
}

/* Sleeps once, until something is there or the deadline; 1, 0, or -EAGAIN. */
static int sleep_until(struct rsp_platform *p, int64_t deadline)
{
	int64_t until, left = -1;
	int rc = -EAGAIN;

	sleep_going(p);
	if (collect(p) || has_rung(p)) {
		rc = 1;
		goto out;
	}
	until = press_interrupts(p);
	if (deadline < until)
		until = deadline;
	if (until != INT64_MAX) {
		left = until - now_ns();
		if (left <= 0) {
			rc = until == deadline ? 0 : -EAGAIN;
			goto out;
		}
	}
	/* A signal may be for the host's own code. */
	rc = sleep_on_event(p, left) < 0 ? 1 : -EAGAIN;
out:
	sleep_gone(p);
	return rc;
}

int rsp_wait(struct rsp_platform *p, double deadline_ns)
{
	int64_t deadline = deadline_ns < 0 || deadline_ns > 9e18
				   ? INT64_MAX
				   : (int64_t)deadline_ns;
	struct spin spin = { 0, 0 };
	uint64_t start, limit;
	uint32_t quick;
	int rc;

	for (quick = pace_quick(p);; quick--) {
		if (collect(p) || has_rung(p))
			return 1;
		if (quick == 0)
			break;
	}
	pace_rest(p);
	start = cycles();
	limit = deadline == 0 ? 0 : pace_limit(p);
	while (limit != 0 && spin_on(p, &spin, limit)) {
		if (collect(p)) {
			pace_stop(p, cycles() - start);
			return 1;
		}
		if (has_rung(p))
			return 1;
	}
	for (;;) {
		rc = sleep_until(p, deadline);
		if (rc >= 0)
			return rc;
		if (collect(p)) {
			pace_stop(p, cycles() - start);
			return 1;
		}
		if (has_rung(p))
			return 1;
	}
}

void rsp_ring(void *platform)
{
	static const uint64_t one = 1;
	struct rsp_platform *p = platform;

	__atomic_fetch_add(&p->control->doorbell, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&p->control->rung, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&p->board->sleeping, __ATOMIC_SEQ_CST) != 0)
		host_call(SYS_write, p->event_fd, (long)&one, 8, 0);
}
