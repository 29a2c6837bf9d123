/*
 * reaper.c: the ends of stubs. A thread sleeps in waitid(2) and only tells that
 * there is something to wait for, so that whatever it means is dealt with by
 * the one thread that owns everything. Stubs are all in the template's process
 * group: no other child of this process is ever touched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include "host_calls.h"
#include "patches.h"

static const uint64_t ONE = 1;

static void *reaper_main(void *arg)
{
	struct reaper *r = arg;
	siginfo_t info;
	long rc;

	for (;;) {
		rc = host_call6(SYS_waitid, P_PGID, r->group, (long)&info,
				WEXITED | WSTOPPED | WNOWAIT | __WALL, 0, 0);
		if (rc == -EINTR)
			continue;
		if (rc < 0)	/* ECHILD: none is left */
			return NULL;
		__atomic_store_n(&r->event, 1, __ATOMIC_SEQ_CST);
		host_call(SYS_write, r->event_fd, (long)&ONE, 8, 0);
		while (__atomic_load_n(&r->event, __ATOMIC_ACQUIRE) != 0)
			host_call(SYS_futex, (long)&r->event, 128, 1, 0);
	}
}

int reaper_start(struct rsp_platform *p, pid_t group)
{
	struct reaper *r = &p->reaper;
	sigset_t blocked, old;
	int rc;

	r->group = group;
	r->event_fd = p->event_fd;
	/* Signals of the process are for its other threads; real-time signals
	 * stay, for whoever changes the credentials of all threads. */
	sigfillset(&blocked);
	for (int s = 32; s <= 64; s++)
		sigdelset(&blocked, s);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	rc = pthread_create(&r->thread, NULL, reaper_main, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	r->started = rc == 0;
	return -rc;
}

static struct stub *stub_by_pid(const struct rsp_platform *p, pid_t pid)
{
	uint32_t i;

	for (i = 0; i < p->stub_count; i++)
		if (p->stubs[i]->pid == pid)
			return p->stubs[i];
	return NULL;
}

static void stub_ended(struct rsp_platform *p, struct stub *stub, int status)
{
	uint32_t i;

	if (!stub->dead) {	/* nobody told it to */
		p->control->broken = 1;
		__atomic_store_n(&p->control->rung, 1, __ATOMIC_SEQ_CST);
	}
	stub->dead = true;
	stub->reaped = true;
	stub->status = status;
	for (i = 0; i < stub->place_count; i++) {
		struct host_thread *t = stub->places[i];
		uint32_t context = t->context;

		if (context == NO_INDEX)
			continue;
		if (p->guests[context].running_index != NO_INDEX) {
			context_stopped(p, context);
			context_at(p, context)->hostStatus = (uint32_t)status;
			publish(p, context, RSP_STOP_DEAD);
		}
		p->guests[context].thread = NULL;
		p->guests[context].fpu_load = true;
	}
	if (stub->space == NO_INDEX && stub != p->template) {
		stub_free(p, stub);
	} else {
		threads_free(p, stub);
		patches_free(p, stub);
	}
}

static void wait_for_children(struct rsp_platform *p, int options)
{
	struct stub *stub;
	int status;
	long pid;

	for (;;) {
		pid = host_call(SYS_wait4, -p->reaper.group, (long)&status,
				__WALL | WUNTRACED | options, 0);
		if (pid == -EINTR)
			continue;
		if (pid <= 0)
			return;
		if (WIFSTOPPED(status)) {
			/* Somebody's SIGSTOP; no stub stops by itself. */
			host_kill((pid_t)pid, SIGCONT);
			continue;
		}
		stub = stub_by_pid(p, (pid_t)pid);
		if (stub != NULL)
			stub_ended(p, stub, status);
	}
}

void reap(struct rsp_platform *p)
{
	struct reaper *r = &p->reaper;

	if (__atomic_load_n(&r->event, __ATOMIC_ACQUIRE) == 0)
		return;
	wait_for_children(p, WNOHANG);
	__atomic_store_n(&r->event, 0, __ATOMIC_RELEASE);
	host_call(SYS_futex, (long)&r->event, 129 /* WAKE_PRIVATE */, 1, 0);
}

void reaper_stop(struct rsp_platform *p)
{
	struct reaper *r = &p->reaper;

	if (r->group == 0)
		return;
	wait_for_children(p, 0);
	if (!r->started)
		return;
	__atomic_store_n(&r->event, 0, __ATOMIC_RELEASE);
	host_call(SYS_futex, (long)&r->event, 129, 1, 0);
	pthread_join(r->thread, NULL);
}
