/*
 * fpu.c: the FPU state of a guest thread. It stays in the registers of its host
 * thread, over every kind of stop; the thread stores or loads it when somebody
 * wants to see or change it.
 */
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include "systrap_platform.h"

#define FEATURE_X87 1u
#define FEATURE_SSE 2u
/* AMX: a process must ask for it, so guests do not have it. */
#define FEATURES_REFUSED 0x60000u
#define XSAVE_HEADER 512
#define XSAVE_FIXED 576
#define MXCSR 24
#define MXCSR_MASK 28
#define INITIAL_FCW 0x37f
#define INITIAL_MXCSR 0x1f80
#define SAVE_SPIN_CYCLES 60000
#define SAVE_PATIENCE_NS 10000000000

static bool host_has_fsgsbase(void)
{
	uint32_t a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1) != 0;
}

int fpu_open(struct rsp_platform *p)
{
	uint8_t legacy[512] __attribute__((aligned(64))) = { 0 };
	uint32_t a, b, c, d, low, high, i;
	uint32_t bytes = XSAVE_FIXED;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0 ||
	    !host_has_fsgsbase())
		return -ENODEV;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	low &= ~FEATURES_REFUSED;
	for (i = 2; i < 32; i++) {
		if ((low >> i & 1) == 0)
			continue;
		if (!__get_cpuid_count(0xd, i, &a, &b, &c, &d))
			return -ENODEV;
		if (a + b > bytes)
			bytes = a + b;
	}
	if (bytes > THREAD_XSAVE_BYTES)
		return -ENODEV;
	__asm__ volatile("fxsave64 (%0)" : : "r"(legacy) : "memory");
	memcpy(&p->mxcsr_mask, legacy + MXCSR_MASK, 4);
	if (p->mxcsr_mask == 0)
		p->mxcsr_mask = 0xffbf;
	p->features = low;
	p->xsave_bytes = bytes;
	p->board->features = low;
	return 0;
}

void fpu_write_initial(const struct rsp_platform *p, uint8_t *area)
{
	const uint16_t control_word = INITIAL_FCW;
	const uint32_t mxcsr = INITIAL_MXCSR;

	memset(area, 0, p->xsave_bytes);
	memcpy(area, &control_word, sizeof control_word);
	memcpy(area + MXCSR, &mxcsr, sizeof mxcsr);
}

/* What xrstor would refuse. */
static bool malformed(const struct rsp_platform *p, const uint8_t *area)
{
	uint64_t header[8];
	uint32_t mxcsr, i;

	memcpy(header, area + XSAVE_HEADER, sizeof header);
	memcpy(&mxcsr, area + MXCSR, sizeof mxcsr);
	if ((header[0] & ~p->features) != 0 || (mxcsr & ~p->mxcsr_mask) != 0)
		return true;
	for (i = 1; i < 8; i++)
		if (header[i] != 0)
			return true;
	return false;
}

void fpu_give(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct stub_thread *slot = guest->thread->slot;
	uint8_t *area = context_xsave(p, context);
	uint8_t *to = (uint8_t *)slot + THREAD_XSAVE;
	bool initial = guest->fpu_initial &&
		       context_at(p, context)->fpu != RSP_FPU_DIRTY;

	if (malformed(p, area))
		fpu_write_initial(p, area);
	/* The initial state needs no more than the header to say so. */
	memcpy(to, area, initial ? XSAVE_FIXED : p->xsave_bytes);
	slot->fpu_load = 1;
	guest->fpu_load = false;
	guest->fpu_initial = false;
}

int fpu_fetch(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct rsp_context *ctx = context_at(p, context);
	struct host_thread *t = guest->thread;
	const uint32_t *state;
	struct spin spin = { 0, 0 };
	int64_t deadline;

	if (ctx->fpu != RSP_FPU_IN_GUEST)
		return 0;
	if (t == NULL || t->stub->dead)
		return -ESRCH;
	state = &t->slot->state;
	thread_set_state(t, THREAD_SAVE);
	while (__atomic_load_n(state, __ATOMIC_ACQUIRE) == THREAD_SAVE &&
	       spin_on(p, &spin, SAVE_SPIN_CYCLES))
		;
	deadline = now_ns() + SAVE_PATIENCE_NS;
	for (;;) {
		sleep_going(p);
		reap(p);
		if (t->stub->dead ||
		    __atomic_load_n(state, __ATOMIC_ACQUIRE) != THREAD_SAVE)
			break;
		sleep_on_event(p, SAVE_PATIENCE_NS);
		if (now_ns() > deadline)	/* it does not want to */
			stub_kill(p, t->stub);
	}
	sleep_gone(p);
	if (guest->thread == NULL || t->stub->dead)
		return -ESRCH;
	memcpy(context_xsave(p, context), (uint8_t *)t->slot + THREAD_XSAVE,
	       p->xsave_bytes);
	ctx->fpu = RSP_FPU_SAVED;
	guest->fpu_initial = false;
	return 0;
}

int rsp_fpu_save(struct rsp_platform *p, uint32_t context)
{
	if (context >= p->context_count || !p->guests[context].used ||
	    p->guests[context].running_index != NO_INDEX)
		return -EINVAL;
	return fpu_fetch(p, context);
}
