/*
 * pace.c: whether to look for the next event or to sleep until it comes.
 * Waking a thread on another CPU takes 25 to 60 us in a virtual machine,
 * handing over between two that look 0.2 us; but looking is only free while a
 * CPU is idle. So we look if the last stops came soon, if there is a CPU left
 * for us beside the guests, and if nobody took ours away lately.
 */
#include "systrap_platform.h"

/* Stops further apart than this are slept for. */
#define LOOK_CYCLES 500000
#define LOOK_MARGIN 50000
/* About 4 ms, and up to 250 ms, of sleeping after a contention. */
#define PENALTY_FIRST (10ull << 20)
#define PENALTY_LAST (640ull << 20)
/* How long a stopped guest thread looks for its next run. */
#define GUEST_LOOK_CYCLES 250000

uint64_t cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* The host keeps its number in what rdtscp reads. */
uint32_t current_cpu(void)
{
	uint32_t aux;

	__builtin_ia32_rdtscp(&aux);
	return aux & 0xfff;
}

static bool is_contended(struct rsp_platform *p, uint64_t now)
{
	if (p->cpus < 2)
		return true;
	if (p->pace.contended == 0)
		return false;
	if ((int64_t)(now - p->pace.contended) < 0)
		return true;
	p->pace.contended = 0;
	p->board->spin = GUEST_LOOK_CYCLES;
	return false;
}

void pace_contended(struct rsp_platform *p)
{
	struct pace *pace = &p->pace;

	pace->penalty = pace->penalty == 0 ? PENALTY_FIRST : 2 * pace->penalty;
	if (pace->penalty > PENALTY_LAST)
		pace->penalty = PENALTY_LAST;
	pace->contended = (cycles() + pace->penalty) | 1;
	p->board->spin = 0;
}

bool spin_on(struct rsp_platform *p, struct spin *spin, uint64_t limit)
{
	uint64_t now = cycles();

	if (spin->start == 0) {
		if (is_contended(p, now))
			return false;
		spin->start = now;
	} else if (now - spin->last > PREEMPTED_CYCLES) {
		pace_contended(p);
		return false;
	} else if (now - spin->start > limit) {
		return false;
	}
	spin->last = now;
	__builtin_ia32_pause();
	return true;
}

uint32_t pace_quick(const struct rsp_platform *p)
{
	if (p->running_count == 0 || p->running_count >= p->cpus ||
	    p->board->spin == 0)
		return 0;
	return QUICK_LOOKS / p->running_count;
}

uint64_t pace_limit(struct rsp_platform *p)
{
	const struct host_thread *t;

	if (p->running_count == 0 || p->running_count >= p->cpus ||
	    p->pace.gap > LOOK_CYCLES)
		return 0;
	/* It cannot run while we look, if it is on our CPU. */
	t = p->guests[p->running[0]].thread;
	if (p->running_count == 1 && t->slot->cpu == current_cpu())
		return 0;
	return 2 * p->pace.gap + LOOK_MARGIN;
}

void pace_stop(struct rsp_platform *p, uint64_t gap)
{
	struct pace *pace = &p->pace;

	if (gap > 4 * LOOK_CYCLES)
		gap = 4 * LOOK_CYCLES;	/* soon forgotten */
	pace->gap += gap / 4 - pace->gap / 4;
	if (pace->contended == 0 && pace->penalty > 0)
		pace->penalty -= pace->penalty / 64 + 1;
}

void pace_rest(struct rsp_platform *p)
{
	struct pace *pace = &p->pace;
	uint32_t i;

	for (i = 0; i < pace->recent_count; i++) {
		const struct guest *guest = &p->guests[pace->recent[i]];

		if (guest->thread != NULL && guest->running_index == NO_INDEX)
			guest->thread->slot->rest = 1;
	}
	pace->recent_count = 0;
}
