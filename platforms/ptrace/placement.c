/*
 * placement.c: which CPU a guest thread runs on. Waking a thread on another
 * CPU takes several times as long as a whole system call round trip on one
 * (README.md has the numbers), and the host's scheduler, which sees an idle
 * CPU, always chooses the other. So a guest thread that calls often is pinned
 * to the tracer's CPU, where it alternates with the tracer; one that computes
 * for long roams over all CPUs. Nothing depends on this file but speed.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include "host_calls.h"
#include "ptrace_platform.h"

/* Mean time between resume and stop above which a thread roams, and below
 * which it comes back. */
#define ROAM_NS 150000
#define RETURN_NS 60000
/* While pinned guests run, how often someone looks whether one computes. */
#define TICK_NS 2000000
/* Ticks after which the tracer gets a chance to move to a better CPU. */
#define TICKS_AT_HOME 16

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Allows one CPU, or all for -1. Refused: the host does not let us choose. */
static void allow(struct rsp_platform *p, pid_t tid, int cpu)
{
	uint8_t one[sizeof p->cpus] = { 0 };
	const uint8_t *mask = p->cpus;

	if (cpu >= 0) {
		one[cpu / 8] = (uint8_t)(1 << cpu % 8);
		mask = one;
	}
	if (host_call(SYS_sched_setaffinity, tid, (long)p->cpus_bytes,
		      (long)mask, 0) < 0)
		p->placement = false;
}

static void pin(struct rsp_platform *p, struct host_thread *t, int cpu)
{
	if (t->cpu == cpu)
		return;
	allow(p, t->tid, cpu);
	t->cpu = cpu;
}

/* The CPU that the tracer stays on, from now on if it had none. */
static int home(struct rsp_platform *p)
{
	int cpu;

	if (p->home_cpu < 0) {
		cpu = sched_getcpu();
		if (cpu < 0 || (size_t)cpu / 8 >= p->cpus_bytes)
			return -1;
		p->home_cpu = cpu;
		allow(p, p->tid, cpu);
	}
	return p->home_cpu;
}

void placement_open(struct rsp_platform *p)
{
	long bytes;
	size_t i;
	int cpus = 0;

	p->home_cpu = -1;
	bytes = host_call(SYS_sched_getaffinity, p->tid, sizeof p->cpus,
			  (long)p->cpus, 0);
	if (bytes <= 0)
		return;
	p->cpus_bytes = (size_t)bytes;
	for (i = 0; i < p->cpus_bytes; i++)
		cpus += __builtin_popcount(p->cpus[i]);
	p->placement = cpus > 1;
}

void placement_close(struct rsp_platform *p)
{
	if (p->home_cpu >= 0)
		allow(p, p->tid, -1);
	p->home_cpu = -1;
}

void placement_service(struct rsp_platform *p, struct host_thread *t)
{
	if (!p->placement)
		return;
	pin(p, t, home(p));
	if (p->tick_ns == 0)	/* which lets the tracer go again */
		p->tick_ns = now_ns() + TICK_NS;
}

void placement_resume(struct rsp_platform *p, struct host_thread *t)
{
	if (!p->placement)
		return;
	t->resumed_ns = now_ns();
	pin(p, t, t->roams ? -1 : home(p));
	if (p->tick_ns == 0 && !t->roams)
		p->tick_ns = t->resumed_ns + TICK_NS;
}

void placement_stopped(struct rsp_platform *p, struct host_thread *t)
{
	if (!p->placement)
		return;
	t->mean_run_ns += (now_ns() - t->resumed_ns - t->mean_run_ns) / 4;
	if (t->mean_run_ns > ROAM_NS)
		t->roams = true;
	else if (t->mean_run_ns < RETURN_NS)
		t->roams = false;
}

int64_t placement_tick(struct rsp_platform *p, int64_t now)
{
	bool busy = false;
	uint32_t i;

	if (!p->placement)
		return 0;
	for (i = 0; i < p->threads.capacity; i++) {
		struct host_thread *t = p->threads.slots[i];
		if (t == NULL || !t->running || t->mode != MODE_GUEST ||
		    t->roams)
			continue;
		if (now - t->resumed_ns < TICK_NS) {
			busy = true;
			continue;
		}
		t->roams = true;
		pin(p, t, -1);
	}
	if (++p->ticks_at_home >= TICKS_AT_HOME || !busy) {
		p->ticks_at_home = 0;
		if (p->home_cpu >= 0)
			allow(p, p->tid, -1);
		p->home_cpu = -1;
	}
	return busy ? now + TICK_NS : 0;
}
