/*
 * contexts.c: guest threads. A context gets a host thread of the space that it
 * is resumed in and keeps it until it moves to another space or is freed.
 */
#include <errno.h>
#include <string.h>
#include "host_calls.h"
#include "ptrace_platform.h"

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

void fpu_write_initial(uint8_t *area, size_t bytes)
{
	const uint16_t control_word = 0x37f;
	const uint32_t mxcsr = 0x1f80;

	memset(area, 0, bytes);
	memcpy(area, &control_word, sizeof control_word);
	memcpy(area + 24, &mxcsr, sizeof mxcsr);
}

int fpu_fetch(struct rsp_platform *p, struct host_thread *t, uint32_t context)
{
	long rc = host_xstate(PTRACE_GETREGSET, t->tid,
			      context_xsave(p, context), p->xsave_bytes);

	p->guests[context].fpu_initial = false;
	return rc < 0 ? (int)rc : 0;
}

static int fpu_load(struct rsp_platform *p, struct host_thread *t,
		    uint32_t context)
{
	uint8_t *area = context_xsave(p, context);
	long rc = host_xstate(PTRACE_SETREGSET, t->tid, area, p->xsave_bytes);

	if (rc == -ESRCH)
		return -ESRCH;
	if (rc < 0) {	/* malformed */
		fpu_write_initial(area, p->xsave_bytes);
		rc = host_xstate(PTRACE_SETREGSET, t->tid, area,
				 p->xsave_bytes);
	}
	return rc < 0 ? (int)rc : 0;
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
	fpu_write_initial(context_xsave(p, i), p->xsave_bytes);
	p->guests[i] = (struct guest){ .used = true, .fpu_initial = true };
	return (int)i;
}

/* Takes the host thread away from a context. One that runs is stopped first:
 * afterwards its guest executes nothing more. */
static void unbind(struct rsp_platform *p, struct guest *guest)
{
	struct host_thread *t = guest->thread;

	if (t == NULL)
		return;
	guest->thread = NULL;
	guest->fpu_load = true;
	if (!t->running) {
		thread_release(p, t);
		return;
	}
	t->context = NO_CONTEXT;
	t->mode = MODE_ORPHAN;
	p->running--;
	/* Refused only to a thread that is dying. */
	if (host_ptrace(PTRACE_INTERRUPT, t->tid, 0, NULL) == 0)
		service_await(p, t, t->stub);
}

int rsp_context_free(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = guest_at(p, context);
	struct rsp_control *control = p->control;

	if (guest == NULL)
		return -EINVAL;
	unbind(p, guest);
	guest->used = false;
	context_at(p, context)->state = RSP_CONTEXT_DEAD;
	__atomic_fetch_and(&control->stopped[context / 32],
			   ~(1u << (context % 32)), __ATOMIC_RELEASE);
	if (context < p->context_hint)
		p->context_hint = context;
	return 0;
}

/* Gives the context a host thread of the stub. */
static int bind(struct rsp_platform *p, uint32_t context, struct stub *stub)
{
	struct guest *guest = &p->guests[context];
	struct rsp_context *ctx = context_at(p, context);
	struct host_thread *t = guest->thread;
	int rc = 0;

	if (t != NULL && t->stub == stub)
		return 0;
	if (t != NULL) {
		if (ctx->fpu == RSP_FPU_IN_GUEST &&
		    fpu_fetch(p, t, context) == 0)
			ctx->fpu = RSP_FPU_SAVED;
		unbind(p, guest);
	}
	t = thread_take(p, stub, &rc);
	if (t == NULL)
		return rc;
	t->context = context;
	t->mode = MODE_GUEST;
	guest->thread = t;
	guest->fpu_load = t->used || !guest->fpu_initial;
	return 0;
}

/* Selectors as the host will accept and the guest may have them. */
static uint64_t data_selector(uint64_t selector)
{
	const uint64_t user_data = 0x2b;

	return selector == user_data ? selector : 0;
}

int guest_fetch(struct rsp_platform *p, struct host_thread *t)
{
	struct rsp_context *ctx = context_at(p, t->context);
	long rc = host_getregs(t->tid, &ctx->r15);

	t->regs_known = rc == 0;
	memcpy(&t->regs, &ctx->r15, sizeof t->regs);
	return (int)rc;
}

/* Nothing but rax differs from what the host has, and rax is none of the
 * codes by which the host would restart the call whose number it still has. */
static bool only_rax_differs(const struct host_thread *t,
			     const struct rsp_context *ctx)
{
	const struct user_regs_struct *had = &t->regs;
	const int64_t rax = (int64_t)ctx->rax;

	return t->regs_known && (rax > -512 || rax < -516) &&
	       memcmp(&ctx->r15, &had->r15, 10 * 8) == 0 &&
	       memcmp(&ctx->rcx, &had->rcx, 4 * 8) == 0 &&
	       memcmp(&ctx->rip, &had->rip, 11 * 8) == 0;
}

static int load_registers(struct rsp_platform *p, struct host_thread *t,
			  struct rsp_context *ctx)
{
	const struct user_regs_struct *rest = &p->service_regs;
	const uint64_t *words = &ctx->r15;
	size_t i;
	long rc;

	_Static_assert(offsetof(struct user_regs_struct, rax) == 10 * 8 &&
		       offsetof(struct user_regs_struct, rip) == 16 * 8 &&
		       sizeof(struct user_regs_struct) == 27 * 8,
		       "a context has the host's order");

	ctx->cs = rest->cs;
	ctx->ss = rest->ss;
	ctx->ds = data_selector(ctx->ds);
	ctx->es = data_selector(ctx->es);
	ctx->fs = data_selector(ctx->fs);
	ctx->gs = data_selector(ctx->gs);
	/* With a number there the host would look for a call to restart. */
	ctx->origRax = UINT64_MAX;
	/* The usual way back from a system call, at half the price. */
	if (only_rax_differs(t, ctx))
		return (int)host_ptrace(PTRACE_POKEUSER, t->tid, 10 * 8,
					(void *)ctx->rax);
	t->regs_known = false;
	rc = host_setregs(t->tid, words);
	if (rc != -EIO)
		return (int)rc;
	/* A guest may have given itself a base, by wrfsbase, that SETREGS
	 * refuses. Then the thread has it already and keeps it. */
	for (i = 0; i < sizeof *rest / 8; i++) {
		rc = host_ptrace(PTRACE_POKEUSER, t->tid, (long)(8 * i),
				 (void *)words[i]);
		if (rc == -ESRCH)
			return -ESRCH;
	}
	return 0;
}

int guest_continue(struct rsp_platform *p, struct host_thread *t, int signal)
{
	long request = t->stepping ? PTRACE_SYSEMU_SINGLESTEP : PTRACE_SYSEMU;
	long rc = host_ptrace(request, t->tid, 0, (void *)(long)signal);

	if (rc < 0)
		return (int)rc;
	t->running = true;
	t->regs_known = false;
	p->running++;
	return 0;
}

int rsp_resume(struct rsp_platform *p, uint32_t context, uint32_t space)
{
	struct guest *guest = guest_at(p, context);
	struct stub *stub = space_stub(p, space);
	struct rsp_context *ctx;
	int rc;

	if (guest == NULL || stub == NULL)
		return -EINVAL;
	ctx = context_at(p, context);
	if (ctx->state == RSP_CONTEXT_GUEST)
		return -EINVAL;
	if (ctx->state == RSP_CONTEXT_DEAD || stub->dead)
		return -ESRCH;
	rc = bind(p, context, stub);
	if (rc < 0)
		return rc;
	ctx->space = space;
	if (guest->interrupt) {
		guest->interrupt = false;
		ctx->origRax = UINT64_MAX;
		stop_publish(p, context, RSP_STOP_INTERRUPT);
		return 0;
	}
	rc = load_registers(p, guest->thread, ctx);
	if (rc < 0)
		return rc;
	if (guest->fpu_load || ctx->fpu == RSP_FPU_DIRTY) {
		rc = fpu_load(p, guest->thread, context);
		if (rc < 0)
			return rc;
		guest->fpu_load = false;
		guest->fpu_initial = false;
	}
	guest->thread->stepping = ctx->step == RSP_STEP_SINGLE;
	ctx->fpu = RSP_FPU_IN_GUEST;
	ctx->stop = RSP_STOP_NONE;
	ctx->state = RSP_CONTEXT_GUEST;
	placement_resume(p, guest->thread);
	rc = guest_continue(p, guest->thread, 0);
	if (rc < 0)
		ctx->state = RSP_CONTEXT_KERNEL;
	return rc;
}

int rsp_interrupt(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = guest_at(p, context);

	if (guest == NULL)
		return -EINVAL;
	if (context_at(p, context)->state != RSP_CONTEXT_GUEST) {
		guest->interrupt = true;
		return 0;
	}
	if (!guest->thread->interrupting) {
		guest->thread->interrupting = true;
		host_ptrace(PTRACE_INTERRUPT, guest->thread->tid, 0, NULL);
	}
	return 0;
}

int rsp_fpu_save(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = guest_at(p, context);
	struct rsp_context *ctx;
	int rc;

	if (guest == NULL)
		return -EINVAL;
	ctx = context_at(p, context);
	if (ctx->state == RSP_CONTEXT_GUEST)
		return -EINVAL;
	if (ctx->fpu != RSP_FPU_IN_GUEST)
		return 0;
	if (guest->thread == NULL)
		return -ESRCH;
	rc = fpu_fetch(p, guest->thread, context);
	if (rc == 0)
		ctx->fpu = RSP_FPU_SAVED;
	return rc;
}
