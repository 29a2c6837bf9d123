/*
 * contexts.c: guest threads. A context gets a host thread of the space that it
 * is resumed in and keeps it until it moves to another space or is freed.
 */
#include <errno.h>
#include <string.h>
#include "patches.h"

#define TRAP_FLAG 0x100
#define STOP_SPIN_CYCLES 60000

struct rsp_context *context_at(const struct rsp_platform *p, uint32_t context)
{
	const struct rsp_control *control = p->control;

	return (void *)((uint8_t *)p->control + control->contextsOffset +
			(size_t)context * control->contextStride);
}

uint8_t *context_xsave(const struct rsp_platform *p, uint32_t context)
{
	return (uint8_t *)context_at(p, context) + RSP_CONTEXT_XSAVE;
}

static struct guest *guest_at(const struct rsp_platform *p, uint32_t context)
{
	if (context >= p->context_count || !p->guests[context].used)
		return NULL;
	return &p->guests[context];
}

int rsp_context_new(struct rsp_platform *p)
{
	struct rsp_context *ctx;
	uint32_t i;

	for (i = p->context_hint; i < p->context_count; i++)
		if (!p->guests[i].used)
			break;
	if (i == p->context_count)
		return -EAGAIN;
	p->context_hint = i + 1;
	ctx = context_at(p, i);
	memset(ctx, 0, sizeof *ctx);
	ctx->fpu = RSP_FPU_SAVED;
	ctx->origRax = UINT64_MAX;
	fpu_write_initial(p, context_xsave(p, i));
	p->guests[i] = (struct guest){
		.used = true,
		.fpu_initial = true,
		.fpu_load = true,
		.running_index = NO_INDEX,
	};
	return (int)i;
}

static void context_runs(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct stub *stub = guest->thread->stub;

	guest->running_index = p->running_count;
	p->running[p->running_count++] = context;
	if (stub->running++ == 0) {
		stub->busy_index = p->busy_count;
		p->busy[p->busy_count++] = stub;
	}
}

void context_stopped(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct stub *stub = guest->thread->stub;
	uint32_t last = p->running[--p->running_count];

	p->running[guest->running_index] = last;
	p->guests[last].running_index = guest->running_index;
	guest->running_index = NO_INDEX;
	if (guest->interrupted_ns != 0) {
		guest->interrupted_ns = 0;
		p->interrupts--;
	}
	if (--stub->running == 0) {
		p->busy[stub->busy_index] = p->busy[--p->busy_count];
		p->busy[stub->busy_index]->busy_index = stub->busy_index;
	}
}

/* Asks the running thread to stop. */
static void press(struct rsp_platform *p, struct guest *guest)
{
	if (guest->interrupted_ns != 0)
		return;
	guest->interrupted_ns = guest->signalled_ns = now_ns();
	p->interrupts++;
	__atomic_store_n(&guest->thread->slot->interrupt, 1, __ATOMIC_SEQ_CST);
	stub_signal_thread(p, guest->thread);
}

/* Afterwards the guest executes nothing more; or it is dead. */
static void stop(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct spin spin = { 0, 0 };
	int64_t next;

	press(p, guest);
	while (guest->running_index != NO_INDEX &&
	       spin_on(p, &spin, STOP_SPIN_CYCLES))
		collect_context(p, context);
	while (guest->running_index != NO_INDEX) {
		sleep_going(p);
		reap(p);
		if (guest->running_index == NO_INDEX ||
		    collect_context(p, context))
			break;
		next = press_interrupts(p);
		next = next == INT64_MAX ? -1 : next - now_ns();
		if (next == -1 || next > 0)
			sleep_on_event(p, next);
	}
	sleep_gone(p);
}

/* Takes the host thread away from a stopped context. */
static void unbind(struct guest *guest)
{
	if (guest->thread == NULL)
		return;
	thread_release(guest->thread);
	guest->thread = NULL;
	guest->fpu_load = true;
	guest->patch_site = 0;
}

int rsp_context_free(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = guest_at(p, context);
	struct rsp_control *control = p->control;

	if (guest == NULL)
		return -EINVAL;
	if (guest->running_index != NO_INDEX)
		stop(p, context);
	unbind(guest);
	guest->used = false;
	context_at(p, context)->state = RSP_CONTEXT_DEAD;
	control->stopped[context / 32] &= ~(1u << (context % 32));
	if (context < p->context_hint)
		p->context_hint = context;
	return 0;
}

/* Gives the context a host thread of the stub. */
static int bind(struct rsp_platform *p, uint32_t context, struct stub *stub)
{
	struct guest *guest = &p->guests[context];
	struct host_thread *t = guest->thread;
	int rc = 0;

	if (t != NULL && t->stub == stub)
		return 0;
	if (t != NULL) {
		if (fpu_fetch(p, context) < 0)
			fpu_write_initial(p, context_xsave(p, context));
		unbind(guest);
	}
	t = thread_take(p, stub, &rc);
	if (t == NULL)
		return rc;
	t->context = context;
	guest->thread = t;
	guest->slot_known = false;
	guest->fpu_load = true;
	return 0;
}

/* The guest is to step over the `syscall` of a patched site: its stop is made
 * here. */
static bool step_call(struct rsp_platform *p, uint32_t context,
		      const struct stub *stub)
{
	const struct guest *guest = &p->guests[context];
	struct rsp_context *ctx = context_at(p, context);
	const struct patch *patch;

	if (!guest->stepping && (ctx->eflags & TRAP_FLAG) == 0)
		return false;
	patch = patches_find(stub, ctx->rip);
	if (patch == NULL || ctx->rip != patch->site)
		return false;
	ctx->rip += 2;
	ctx->rcx = ctx->rip;
	ctx->r11 = ctx->eflags;
	ctx->origRax = ctx->rax;
	ctx->abi = RSP_ABI_X64;
	publish(p, context, RSP_STOP_SYSCALL);
	return true;
}

static void give_registers(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	const struct rsp_context *ctx = context_at(p, context);
	const struct stub *stub = guest->thread->stub;
	uint64_t *to = guest->thread->slot->regs;
	uint64_t regs[REGISTER_COUNT];
	uint32_t i;

	memcpy(regs, &ctx->r15, sizeof regs);
	regs[CS] = 0x33;
	regs[SS] = 0x2b;
	if (guest->stepping)
		regs[EFLAGS] |= TRAP_FLAG;
	if (p->patching && regs[GS_BASE] == 0)
		regs[GS_BASE] = thread_address(guest->thread);
	regs[RIP] = (regs[EFLAGS] & TRAP_FLAG) == 0
			    ? patches_enter(stub, ctx->rip)
			    : patches_step(stub, ctx->rip);
	/* What the slot has already stays in the other CPU's cache. */
	for (i = 0; i < REGISTER_COUNT; i++)
		if (!guest->slot_known || regs[i] != guest->slot_regs[i])
			to[i] = regs[i];
	guest->slot_known = false;
}

int rsp_resume(struct rsp_platform *p, uint32_t context, uint32_t space)
{
	struct guest *guest = guest_at(p, context);
	struct stub *stub = space_stub(p, space);
	struct rsp_context *ctx;
	struct stub_thread *slot;
	int rc;

	if (guest == NULL || stub == NULL || guest->running_index != NO_INDEX)
		return -EINVAL;
	ctx = context_at(p, context);
	if (ctx->state == RSP_CONTEXT_DEAD || stub->dead)
		return -ESRCH;
	rc = bind(p, context, stub);
	if (rc < 0)
		return rc;
	ctx->space = space;
	if (guest->interrupt) {
		guest->interrupt = false;
		ctx->origRax = UINT64_MAX;
		publish(p, context, RSP_STOP_INTERRUPT);
		return 0;
	}
	if (guest->patch_site != 0) {
		patches_make(p, context);
		if (stub->dead)
			return -ESRCH;
	}
	guest->stepping = ctx->step == RSP_STEP_SINGLE;
	if (step_call(p, context, stub))
		return 0;
	give_registers(p, context);
	slot = guest->thread->slot;
	if (guest->fpu_load || ctx->fpu == RSP_FPU_DIRTY)
		fpu_give(p, context);
	if ((slot->interrupt | slot->rest) != 0)
		slot->interrupt = slot->rest = 0;
	ctx->fpu = RSP_FPU_IN_GUEST;
	ctx->stop = RSP_STOP_NONE;
	ctx->state = RSP_CONTEXT_GUEST;
	context_runs(p, context);
	thread_set_state(guest->thread, THREAD_RUN);
	return 0;
}

int rsp_interrupt(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = guest_at(p, context);

	if (guest == NULL)
		return -EINVAL;
	if (guest->running_index == NO_INDEX)
		guest->interrupt = true;
	else
		press(p, guest);
	return 0;
}
