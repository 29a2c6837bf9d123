/*
 * reactor.c: one thread that waits for host descriptors and signals, and tells
 * the kernel's thread through shared memory.
 *
 * Every watched thing has a slot. The thread or's what happened into the
 * slot's `revents`; only when that was zero before does it put the slot's
 * number on the ring. So a slot stands on the ring at most once, and the ring,
 * which has a place for each slot, cannot overflow. The kernel's thread takes
 * the number off, then exchanges `revents` with zero. Producer: the reactor
 * thread alone; consumer: the kernel's thread alone.
 *
 * Signals arrive through sigaction(2), not signalfd(2): that works whatever
 * threads there are and whatever they block. The handler leaves a bit and
 * wakes the reactor thread, so the ring keeps its single producer.
 */
#define _GNU_SOURCE
#include "host.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define SLOTS 16384u
/* Epoll data of the reactor's own eventfd. */
#define SLOT_WAKE UINT64_MAX

/* Shared with reactor.ts: word offsets are REACTOR in that file. */
struct shared {
	_Atomic uint32_t head; /* taken by the kernel's thread */
	_Atomic uint32_t tail; /* published by the reactor thread */
	_Atomic uint32_t rings; /* futex: counts publications */
	_Atomic uint32_t signals_low; /* bit n-1: signal n came */
	_Atomic uint32_t signals_high;
	uint32_t reserved[11];
	_Atomic uint32_t revents[SLOTS];
	uint32_t ring[SLOTS];
};

struct host_reactor {
	struct shared *shared;
	void (*ring)(void *);
	void *ring_arg;
	pthread_t thread;
	int epoll;
	int wake; /* eventfd: signals, and the end */
	_Atomic int is_ending;
	_Atomic uint32_t signal_slot;
};

/* The one global of this library: a signal handler has no argument. */
static _Atomic(struct host_reactor *) signal_target;

static void *run(void *);

int host_thread_create(unsigned long *thread,
		       const struct host_thread_start *start)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	/* Synchronous faults must stay fatal, and confine.c must get through. */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, HOST_CONFINE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(thread, NULL, start->run, start->arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}

/*
 * `ring`: called with `ring_arg`, on the reactor thread, after each
 * publication; may be NULL. Returns NULL and sets *error on failure.
 */
HOST_EXPORT struct host_reactor *
host_reactor_start(void (*ring)(void *), void *ring_arg, int32_t *error)
{
	struct host_reactor *r = calloc(1, sizeof(*r));
	struct epoll_event event = { .events = EPOLLIN,
				     .data.u64 = SLOT_WAKE };
	struct host_thread_start start = { run, r };
	int result;

	if (r == NULL) {
		*error = -ENOMEM;
		return NULL;
	}
	r->ring = ring;
	r->ring_arg = ring_arg;
	r->wake = -1;
	r->signal_slot = UINT32_MAX;
	r->shared = MAP_FAILED;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0)
		goto fail_errno;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake < 0)
		goto fail_errno;
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &event) < 0)
		goto fail_errno;
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED)
		goto fail_errno;
	result = host_thread_create(&r->thread, &start);
	if (result < 0)
		goto fail;
	*error = 0;
	return r;

fail_errno:
	result = -errno;
fail:
	if (r->shared != MAP_FAILED)
		munmap(r->shared, sizeof(*r->shared));
	if (r->wake >= 0)
		close(r->wake);
	if (r->epoll >= 0)
		close(r->epoll);
	free(r);
	*error = result;
	return NULL;
}

HOST_EXPORT void host_reactor_stop(struct host_reactor *r)
{
	struct host_reactor *me = r;
	uint64_t one = 1;

	/* Signals that were being watched stay caught, and go nowhere. */
	atomic_compare_exchange_strong(&signal_target, &me, NULL);
	atomic_store(&r->is_ending, 1);
	if (write(r->wake, &one, sizeof(one)) < 0)
		abort(); /* an eventfd at its limit: cannot be */
	pthread_join(r->thread, NULL);
	munmap(r->shared, sizeof(*r->shared));
	close(r->wake);
	close(r->epoll);
	free(r);
}

HOST_EXPORT void *host_reactor_shared(struct host_reactor *r)
{
	return r->shared;
}

HOST_EXPORT double host_reactor_shared_bytes(void)
{
	return (double)sizeof(struct shared);
}

/* Reactor thread only. */
static void publish(struct host_reactor *r, uint32_t slot, uint32_t events)
{
	struct shared *s = r->shared;
	uint32_t tail;

	if (slot >= SLOTS || events == 0)
		return;
	if (atomic_fetch_or(&s->revents[slot], events) != 0)
		return; /* stands on the ring already */
	tail = atomic_load_explicit(&s->tail, memory_order_relaxed);
	s->ring[tail % SLOTS] = slot;
	atomic_store_explicit(&s->tail, tail + 1, memory_order_release);
}

static void drain_wake(struct host_reactor *r)
{
	uint64_t count;
	struct shared *s = r->shared;

	if (read(r->wake, &count, sizeof(count)) < 0)
		return;
	if (atomic_load(&s->signals_low) != 0 ||
	    atomic_load(&s->signals_high) != 0)
		publish(r, atomic_load(&r->signal_slot), POLLIN);
}

static void *run(void *arg)
{
	struct host_reactor *r = arg;
	struct epoll_event events[64];

	while (!atomic_load(&r->is_ending)) {
		int n = epoll_wait(r->epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 == SLOT_WAKE)
				drain_wake(r);
			else
				publish(r, (uint32_t)events[i].data.u64,
					events[i].events);
		}
		if (n <= 0)
			continue;
		atomic_fetch_add(&r->shared->rings, 1);
		syscall(SYS_futex, &r->shared->rings, FUTEX_WAKE_PRIVATE, 1);
		if (r->ring != NULL)
			r->ring(r->ring_arg);
	}
	return NULL;
}

/* Sleeps until `rings` differs from `seen`: for programs without a platform,
 * whose wait this is. Returns 0, or -ETIMEDOUT, -EINTR. */
HOST_EXPORT int32_t host_reactor_wait(struct host_reactor *r, uint32_t seen,
				      int32_t timeout_ms)
{
	struct timespec ts = { timeout_ms / 1000,
			       (long)(timeout_ms % 1000) * 1000000 };
	long result = syscall(SYS_futex, &r->shared->rings, FUTEX_WAIT_PRIVATE,
			      seen, timeout_ms < 0 ? NULL : &ts);

	if (result == 0 || errno == EAGAIN)
		return 0;
	return -errno;
}

/*
 * Reports events of `fd` under `slot`, edge-triggered; replaces what the same
 * descriptor reported before. Returns its readiness now. A kind of file that
 * epoll does not know (regular files) is ready always and not watched.
 */
HOST_EXPORT int32_t host_reactor_watch(struct host_reactor *r, int32_t fd,
				       uint32_t events, uint32_t slot)
{
	struct epoll_event event = { .events = events | EPOLLET,
				     .data.u64 = slot };
	struct pollfd p = { .fd = fd, .events = (short)events };

	if (slot >= SLOTS)
		return -EINVAL;
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		if (errno == EPERM)
			return (int32_t)(events & (POLLIN | POLLOUT));
		if (errno != EEXIST ||
		    epoll_ctl(r->epoll, EPOLL_CTL_MOD, fd, &event) < 0)
			return -errno;
	}
	if (HOST_RETRY(poll(&p, 1, 0)) < 0)
		return -errno;
	return p.revents;
}

/* -ENOENT: was not watched (a regular file). */
HOST_EXPORT int32_t host_reactor_unwatch(struct host_reactor *r, int32_t fd)
{
	return host_result(epoll_ctl(r->epoll, EPOLL_CTL_DEL, fd, NULL));
}

static void on_signal(int signal)
{
	int saved = errno;
	uint64_t one = 1;
	struct host_reactor *r = atomic_load(&signal_target);

	if (r != NULL && signal >= 1 && signal <= 64) {
		uint32_t bit = 1u << ((signal - 1) % 32);

		if (signal <= 32)
			atomic_fetch_or(&r->shared->signals_low, bit);
		else
			atomic_fetch_or(&r->shared->signals_high, bit);
		/* Full or not, the thread is awake then. */
		if (write(r->wake, &one, sizeof(one)) < 0)
			errno = saved;
	}
	errno = saved;
}

/* From now on signal n sets its bit in `signals` and publishes `slot`. One
 * reactor of a process can do this: -EBUSY. */
HOST_EXPORT int32_t host_reactor_catch(struct host_reactor *r, int32_t signal,
				       uint32_t slot)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART };
	struct host_reactor *none = NULL;

	if (slot >= SLOTS)
		return -EINVAL;
	if (!atomic_compare_exchange_strong(&signal_target, &none, r) &&
	    none != r)
		return -EBUSY;
	atomic_store(&r->signal_slot, slot);
	sigfillset(&action.sa_mask);
	return host_result(sigaction(signal, &action, NULL));
}
