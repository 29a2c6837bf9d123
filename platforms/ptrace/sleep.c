/*
 * sleep.c: the one place where the tracer sleeps, and what wakes it: a stop
 * ends its wait4(2); a ring from another thread and the timer of a deadline
 * send it WAKE_SIGNAL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "host_calls.h"
#include "ptrace_platform.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* wait_unless.S */
long wait_unless(volatile int *flag, long nr, long a, long b, long c, long d);
extern const char wait_unless_begin[], wait_unless_end[], wait_unless_abort[];

/* A signal handler has no other argument than this. One sleeper at a time, as
 * a process has one tracer thread; a flag left set costs one empty round. */
static volatile int woken;

static void on_wake(int signal, siginfo_t *info, void *context)
{
	greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)signal;
	(void)info;
	woken = 1;
	if (*rip >= (greg_t)wait_unless_begin && *rip < (greg_t)wait_unless_end)
		*rip = (greg_t)wait_unless_abort;
}

int sleep_open(struct rsp_platform *p)
{
	struct sigaction action;
	struct sigevent event;
	sigset_t wake;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = on_wake;
	/* RESTART: other system calls of this thread must not notice; it moves
	 * rip back to the `syscall`, where on_wake catches it. */
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	if (sigaction(WAKE_SIGNAL, &action, &p->old_action) < 0)
		return -errno;
	p->has_action = true;
	sigemptyset(&wake);
	sigaddset(&wake, WAKE_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);

	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = WAKE_SIGNAL;
	event.sigev_notify_thread_id = p->tid;
	if (timer_create(CLOCK_MONOTONIC, &event, &p->timer) < 0)
		return -errno;
	p->has_timer = true;
	return 0;
}

void sleep_close(struct rsp_platform *p)
{
	if (p->has_timer)
		timer_delete(p->timer);
	if (p->has_action)
		sigaction(WAKE_SIGNAL, &p->old_action, NULL);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Makes sure that the timer fires at the instant or before. It may stay set
 * to an earlier one from a sleep that ended otherwise. */
static void arm(struct rsp_platform *p, int64_t at_ns, int64_t now)
{
	struct itimerspec spec;

	if (p->armed_ns > now && p->armed_ns <= at_ns)
		return;
	memset(&spec, 0, sizeof spec);
	spec.it_value.tv_sec = at_ns / 1000000000;
	spec.it_value.tv_nsec = at_ns % 1000000000;
	timer_settime(p->timer, TIMER_ABSTIME, &spec, NULL);
	p->armed_ns = at_ns;
}

/* Takes what has stopped already; false: no tracee is left. */
static void take_stops(struct rsp_platform *p)
{
	int status;
	long pid;

	while (p->running > 0) {
		pid = host_wait(p->group, &status, WNOHANG);
		if (pid <= 0)
			break;
		stop_dispatch(p, (pid_t)pid, status);
	}
}

/* Sleeps until a stop (which it takes), a signal, or woken. */
static long sleep_once(struct rsp_platform *p)
{
	int status;
	long rc;

	rc = wait_unless(&woken, SYS_wait4, -p->group, (long)&status,
			 __WALL | __WNOTHREAD, 0);
	if (rc > 0)
		stop_dispatch(p, (pid_t)rc, status);
	else if (rc == -ECHILD)	/* the template was killed, as all others */
		rc = wait_unless(&woken, SYS_pause, 0, 0, 0, 0);
	return rc;
}

int rsp_wait(struct rsp_platform *p, double deadline_ns)
{
	struct rsp_control *control = p->control;
	int64_t deadline = deadline_ns < 0 || deadline_ns > 9e18
				   ? INT64_MAX
				   : (int64_t)deadline_ns;
	int64_t now, until;
	long rc;

	for (;;) {
		woken = 0;
		/* Sequentially consistent, as in rsp_ring: either we see
		 * `rung`, or it sees that we sleep and sends the signal. */
		__atomic_store_n(&control->sleeping, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&control->rung, __ATOMIC_SEQ_CST) != 0 ||
		    stop_pending(p))
			break;
		until = deadline;
		if (until != INT64_MAX || p->tick_ns != 0) {
			now = now_ns();
			if (now >= deadline)
				break;
			if (p->tick_ns != 0 && now >= p->tick_ns)
				p->tick_ns = placement_tick(p, now);
			if (p->tick_ns != 0 && p->tick_ns < until)
				until = p->tick_ns;
			if (until != INT64_MAX)
				arm(p, until, now);
		}
		rc = sleep_once(p);
		if (rc == -EINTR && woken == 0) {
			__atomic_store_n(&control->sleeping, 0,
					 __ATOMIC_RELAXED);
			return 1;	/* a signal for the host's own code */
		}
	}
	__atomic_store_n(&control->sleeping, 0, __ATOMIC_RELAXED);
	take_stops(p);
	return stop_pending(p) ||
	       __atomic_load_n(&control->rung, __ATOMIC_RELAXED) != 0;
}

void rsp_ring(void *platform)
{
	struct rsp_platform *p = platform;
	struct rsp_control *control = p->control;

	__atomic_fetch_add(&control->doorbell, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&control->rung, 1, __ATOMIC_SEQ_CST);
	if (__atomic_exchange_n(&control->sleeping, 0, __ATOMIC_SEQ_CST) != 0)
		host_call(SYS_tgkill, p->tgid, p->tid, WAKE_SIGNAL, 0);
}
