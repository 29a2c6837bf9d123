/*
 * stops.c: what a stop of a traced thread means. See ptrace(2), "Stopped
 * states": with PTRACE_SEIZE a stop is a system call (SIGTRAP | 0x80), the
 * arrival of a signal, or PTRACE_EVENT_STOP (an interrupt, or a newborn).
 */
#include <errno.h>
#include <linux/audit.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ptrace.h>
#include "host_calls.h"
#include "ptrace_platform.h"

void stop_publish(struct rsp_platform *p, uint32_t context, uint32_t reason)
{
	struct rsp_control *control = p->control;
	struct rsp_context *ctx = context_at(p, context);
	uint32_t word = context / 32;

	ctx->stop = reason;
	__atomic_store_n(&ctx->state,
			 reason == RSP_STOP_DEAD ? RSP_CONTEXT_DEAD
						 : RSP_CONTEXT_KERNEL,
			 __ATOMIC_RELEASE);
	__atomic_fetch_or(&control->stopped[word], 1u << (context % 32),
			  __ATOMIC_RELEASE);
	__atomic_fetch_or(&control->summary[word / 32], 1u << (word % 32),
			  __ATOMIC_RELEASE);
	__atomic_fetch_add(&control->doorbell, 1, __ATOMIC_RELEASE);
}

bool stop_pending(const struct rsp_platform *p)
{
	uint32_t i;

	for (i = 0; i < RSP_SUMMARY_WORDS; i++)
		if (__atomic_load_n(&p->control->summary[i],
				    __ATOMIC_RELAXED) != 0)
			return true;
	return false;
}

static void thread_ended(struct rsp_platform *p, struct host_thread *t,
			 int status)
{
	struct stub *stub = t->stub;
	uint32_t context = t->context;
	struct guest *guest;
	struct rsp_context *ctx;

	if (stub == NULL)
		p->stillborn = t->tid;
	else if (t->mode != MODE_EXITING && !stub->dead) {
		/* Guests cannot end by themselves: somebody killed it. */
		stub->dead = true;
		p->control->broken = 1;
		__atomic_store_n(&p->control->rung, 1, __ATOMIC_SEQ_CST);
	}
	if (context != NO_CONTEXT) {
		guest = &p->guests[context];
		ctx = context_at(p, context);
		guest->thread = NULL;
		guest->fpu_load = true;
		if (ctx->state == RSP_CONTEXT_GUEST) {
			ctx->hostStatus = (uint32_t)status;
			stop_publish(p, context, RSP_STOP_DEAD);
		}
	}
	if (stub != NULL && stub->leader == t)
		stub->leader = NULL;
	thread_remove(p, t);
	if (stub != NULL)
		stub_unref_thread(p, stub);
}

/* A stop without meaning for us: the thread goes on as it was. */
static void run_on(struct rsp_platform *p, struct host_thread *t, long request)
{
	if (host_ptrace(request, t->tid, 0, NULL) < 0)
		return;		/* killed: its end will be reported */
	t->running = true;
	if (t->context != NO_CONTEXT)
		p->running++;
}

static bool is_done(struct rsp_platform *p, struct host_thread *t, int status)
{
	/* A SIGTRAP from outside must not pass for our breakpoint. */
	return status >> 8 == SIGTRAP &&
	       host_getregs(t->tid, &p->service_result) == 0 &&
	       p->service_result.rip == STUB_DONE + 1;
}

/* An `int 0x80` reports i386 numbers and arguments. It looks different from
 * `syscall`, which puts rip and rflags into rcx and r11; a guest that forges
 * these gets what `syscall` with the same registers would have done. */
static uint32_t syscall_abi(pid_t tid, const struct rsp_context *ctx)
{
	struct __ptrace_syscall_info info;
	long rc;

	if (ctx->rcx == ctx->rip && ctx->r11 == ctx->eflags)
		return RSP_ABI_X64;
	rc = host_ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info);
	if (rc < 0 || info.arch == AUDIT_ARCH_X86_64)
		return RSP_ABI_X64;
	return RSP_ABI_I386;
}

static void syscall_stop(struct rsp_platform *p, struct host_thread *t)
{
	struct rsp_context *ctx = context_at(p, t->context);
	const uint64_t trap_flag = 0x100;

	if (guest_fetch(p, t) < 0)
		return;
	ctx->abi = syscall_abi(t->tid, ctx);
	/* The host's single step shows in the flags that `syscall` saved. */
	if (t->stepping && (ctx->eflags & trap_flag) == 0 &&
	    ctx->rcx == ctx->rip)
		ctx->r11 &= ~trap_flag;
	stop_publish(p, t->context, RSP_STOP_SYSCALL);
}

static void interrupt_stop(struct rsp_platform *p, struct host_thread *t)
{
	struct rsp_context *ctx = context_at(p, t->context);

	if (guest_fetch(p, t) < 0)
		return;
	ctx->origRax = UINT64_MAX;
	stop_publish(p, t->context, RSP_STOP_INTERRUPT);
}

static void guest_stop(struct rsp_platform *p, struct host_thread *t,
		       int status)
{
	bool interrupting = t->interrupting;

	placement_stopped(p, t);
	if (status >> 8 == (SIGTRAP | 0x80)) {
		t->interrupting = false;
		syscall_stop(p, t);
	} else if (status >> 16 == PTRACE_EVENT_STOP) {
		t->interrupting = false;
		if (interrupting)
			interrupt_stop(p, t);
		else
			/* The interrupt was overtaken by another stop. */
			guest_continue(p, t, 0);
	} else {
		fault_stop(p, t, status >> 8 & 0xff);
	}
}

void stop_dispatch(struct rsp_platform *p, pid_t tid, int status)
{
	struct host_thread *t = thread_find(p, tid);

	if (t != NULL && t->running) {
		t->running = false;
		if (t->context != NO_CONTEXT)
			p->running--;
	}
	if (!WIFSTOPPED(status)) {
		if (t != NULL)
			thread_ended(p, t, status);
		else
			p->stillborn = tid;
		return;
	}
	if (t == NULL) {
		/* Its maker has not told us its number yet. */
		if (thread_insert(p, tid) == NULL)
			host_kill(tid, SIGKILL);
		return;
	}
	switch (t->mode) {
	case MODE_NEWBORN:
	case MODE_IDLE:
		break;
	case MODE_SERVICE:
		if (!is_done(p, t, status))
			run_on(p, t, PTRACE_CONT);
		break;
	case MODE_EXITING:
		run_on(p, t, PTRACE_CONT);
		break;
	case MODE_ORPHAN:
		thread_release(p, t);
		break;
	case MODE_REPORT:
		if (is_done(p, t, status))
			fault_reported(p, t);
		else
			run_on(p, t, PTRACE_SYSEMU);
		break;
	case MODE_GUEST:
		guest_stop(p, t, status);
		break;
	}
}
