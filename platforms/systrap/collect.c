/*
 * collect.c: which contexts have stopped. A stub's threads leave a bit in its
 * bell and their registers in their slot; both are hostile. A stop counts only
 * for a context that runs, and everything is copied to private memory before
 * anybody looks at it.
 */
#include <string.h>
#include "patches.h"

/* So few running contexts are looked at one by one; more through the bells. */
#define FEW 8
#define TRAP_FLAG 0x100
/* Flags that user mode can have set: CF to DF, NT, AC, ID. */
#define USER_FLAGS 0x244dd5
#define FIXED_FLAGS 0x202
#define USER_CS 0x33
#define USER_SS 0x2b
#define TRAP_UD 6
#define TRAP_GP 13

void publish(struct rsp_platform *p, uint32_t context, uint32_t reason)
{
	struct rsp_control *control = p->control;
	struct rsp_context *ctx = context_at(p, context);
	uint32_t word = context / 32;

	ctx->stop = reason;
	ctx->state = reason == RSP_STOP_DEAD ? RSP_CONTEXT_DEAD
					     : RSP_CONTEXT_KERNEL;
	control->stopped[word] |= 1u << (context % 32);
	control->summary[word / 32] |= 1u << (word % 32);
}

bool stop_pending(const struct rsp_platform *p)
{
	uint32_t i;

	for (i = 0; i < RSP_SUMMARY_WORDS; i++)
		if (p->control->summary[i] != 0)
			return true;
	return false;
}

/* The registers as the guest may have them, whatever the slot says. */
static void take_registers(struct rsp_context *ctx, struct guest *guest)
{
	const struct stub_thread *slot = guest->thread->slot;
	uint64_t *regs = &ctx->r15;

	_Static_assert(offsetof(struct rsp_context, gs) -
				       offsetof(struct rsp_context, r15) ==
			       8 * GS,
		       "a context has the slot's order");
	memcpy(guest->slot_regs, slot->regs, sizeof slot->regs);
	guest->slot_known = true;
	memcpy(regs, guest->slot_regs, sizeof slot->regs);
	regs[EFLAGS] = (regs[EFLAGS] & USER_FLAGS) | FIXED_FLAGS;
	regs[CS] = USER_CS;
	regs[SS] = USER_SS;
	regs[DS] = regs[ES] = regs[FS] = regs[GS] = 0;
	if (regs[GS_BASE] == thread_address(guest->thread))
		regs[GS_BASE] = 0;	/* ours, because the guest has none */
	if (!guest->stepping)
		return;
	/* The step's flag is not the guest's. */
	regs[EFLAGS] &= ~(uint64_t)TRAP_FLAG;
	if (regs[ORIG_RAX] != UINT64_MAX && regs[RCX] == regs[RIP])
		regs[R11] &= ~(uint64_t)TRAP_FLAG;
}

/* A guest with a gs of its own has come through a trampoline: rcx is where it
 * goes on. */
static uint32_t foreign_call(struct rsp_context *ctx)
{
	if (ctx->rip == STUB_ENTRY_CHECK)
		ctx->rax = ctx->r11;	/* waits there */
	ctx->origRax = ctx->rax;
	ctx->rip = ctx->rcx;
	ctx->r11 = ctx->eflags;
	ctx->abi = RSP_ABI_X64;
	return RSP_STOP_SYSCALL;
}

/* What the slot says of the stop, as the guest sees it: STOP_*, or STOP_NONE
 * if it got into a patched site sideways and is to go on in its trampoline. */
static uint32_t take_stop(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct stub_thread *slot = guest->thread->slot;
	const struct stub *stub = guest->thread->stub;
	struct rsp_context *ctx = context_at(p, context);
	uint32_t stop = slot->stop;
	uint64_t inside;

	take_registers(ctx, guest);
	if (stop == RSP_STOP_SYSCALL) {
		ctx->abi = slot->abi == RSP_ABI_I386 ? RSP_ABI_I386
						     : RSP_ABI_X64;
		if (slot->jumped != 0) {
			p->calls_jumped++;
		} else {
			p->calls_signalled++;
			if (ctx->abi == RSP_ABI_X64)
				patches_hit(p, context);
		}
		return stop;
	}
	ctx->origRax = UINT64_MAX;
	if (stop == RSP_STOP_FAULT) {
		if (ctx->rip == STUB_ENTRY_CHECK ||
		    ctx->rip == STUB_ENTRY_FOREIGN)
			return foreign_call(ctx);
		ctx->trapno = slot->trapno & 31;
		ctx->error = slot->error;
		ctx->faultAddr = slot->fault_addr;
		inside = patches_enter(stub, ctx->rip);
		if (inside != ctx->rip &&
		    (ctx->trapno == TRAP_UD || ctx->trapno == TRAP_GP)) {
			slot->regs[RIP] = inside;
			return RSP_STOP_NONE;
		}
	} else {
		stop = RSP_STOP_INTERRUPT;
	}
	ctx->rip = patches_leave(stub, ctx->rip);
	return stop;
}

bool collect_context(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct stub_thread *slot = guest->thread->slot;
	uint32_t stop;

	if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != THREAD_STOPPED)
		return false;
	stop = take_stop(p, context);
	if (stop == RSP_STOP_NONE) {
		thread_set_state(guest->thread, THREAD_RUN);
		return false;
	}
	if (slot->preempted != 0) {
		slot->preempted = 0;
		pace_contended(p);
	}
	context_stopped(p, context);
	if (p->pace.recent_count < 8)
		p->pace.recent[p->pace.recent_count++] = context;
	publish(p, context, stop);
	return true;
}

static bool collect_stub(struct rsp_platform *p, struct stub *stub)
{
	struct stub_bell *bell = stub->bell;
	bool found = false;
	uint32_t s, w, summary, bits, place, context;

	for (s = 0; s < 4; s++) {
		if (__atomic_load_n(&bell->summary[s], __ATOMIC_RELAXED) == 0)
			continue;
		summary = __atomic_exchange_n(&bell->summary[s], 0,
					      __ATOMIC_SEQ_CST);
		for (; summary != 0; summary &= summary - 1) {
			w = 32 * s + (uint32_t)__builtin_ctz(summary);
			bits = __atomic_exchange_n(&bell->words[w], 0,
						   __ATOMIC_SEQ_CST);
			for (; bits != 0; bits &= bits - 1) {
				place = 32 * w + (uint32_t)__builtin_ctz(bits);
				if (place >= stub->place_count)
					continue;
				context = stub->places[place]->context;
				if (context == NO_INDEX ||
				    p->guests[context].running_index ==
					    NO_INDEX)
					continue;
				found |= collect_context(p, context);
			}
		}
	}
	return found;
}

static bool collect_all(struct rsp_platform *p)
{
	bool found = false;
	uint32_t i;

	/* Backwards: whoever is taken is replaced by the last. */
	for (i = p->running_count; i-- > 0;)
		found |= collect_context(p, p->running[i]);
	return found;
}

bool collect(struct rsp_platform *p)
{
	bool many = p->running_count > FEW;
	bool found = false;
	uint32_t i;

	reap(p);
	if (many != (p->board->bells != 0)) {
		__atomic_store_n(&p->board->bells, many, __ATOMIC_SEQ_CST);
		/* Some may have stopped without a bell until now. */
		found = collect_all(p);
	} else if (!many) {
		found = collect_all(p);
	} else {
		for (i = p->busy_count; i-- > 0;)
			found |= collect_stub(p, p->busy[i]);
	}
	return found || stop_pending(p);
}
