/*
 * faults.c: CPU exceptions. The host shows them as signals whose siginfo lacks
 * the error code and, often, the vector. Both stand in a signal frame, so the
 * signal is delivered after all: with rsp on the stub's own page run, to a
 * handler in the stub's text that loads them into registers and stops. The
 * guest's registers and FPU state were saved before; it never notices.
 */
#define _GNU_SOURCE
#include <string.h>
#include "host_calls.h"
#include "ptrace_platform.h"

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_BP 3
#define TRAP_UD 6
#define TRAP_PF 14

static void publish_fault(struct rsp_platform *p, uint32_t context,
			  uint32_t trapno, uint32_t error, uint64_t addr)
{
	struct rsp_context *ctx = context_at(p, context);

	ctx->origRax = UINT64_MAX;
	ctx->trapno = trapno;
	ctx->error = error;
	ctx->faultAddr = addr;
	stop_publish(p, context, RSP_STOP_FAULT);
}

/* The vector, if the signal alone tells it and its error code is 0. */
static bool vector_of(int signal, int code, uint32_t *trapno)
{
	if (signal == SIGTRAP)
		*trapno = code == SI_KERNEL ? TRAP_BP : TRAP_DB;
	else if (signal == SIGILL)
		*trapno = TRAP_UD;
	else if (signal == SIGFPE && code == FPE_INTDIV)
		*trapno = TRAP_DE;
	else
		return false;
	return true;
}

/* A call into the vsyscall page, which the stub's filter refused: the host
 * has executed its `ret`, so it looks like a `syscall` that just ran. */
static void vsyscall_stop(struct rsp_platform *p, struct host_thread *t,
			  const siginfo_t *info)
{
	struct rsp_context *ctx = context_at(p, t->context);

	ctx->origRax = (uint32_t)info->si_syscall;
	ctx->abi = RSP_ABI_X64;
	stop_publish(p, t->context, RSP_STOP_SYSCALL);
}

/* Runs the handler of the stub; goes on in fault_reported(). */
static void ask_for_report(struct rsp_platform *p, struct host_thread *t,
			   int signal)
{
	const long rsp = offsetof(struct user_regs_struct, rsp);

	/* Delivery resets the FPU. */
	if (fpu_fetch(p, t, t->context) < 0)
		return;
	t->regs_known = false;
	if (host_ptrace(PTRACE_POKEUSER, t->tid, rsp, (void *)STUB_FRAME_TOP) <
	    0)
		return;
	if (host_ptrace(PTRACE_SYSEMU, t->tid, 0, (void *)(long)signal) < 0)
		return;
	t->mode = MODE_REPORT;
	t->running = true;
	p->running++;
}

void fault_reported(struct rsp_platform *p, struct host_thread *t)
{
	const struct user_regs_struct *report = &p->service_result;
	struct guest *guest = &p->guests[t->context];
	struct rsp_context *ctx = context_at(p, t->context);
	uint32_t trapno = (uint32_t)report->rbx;

	t->mode = MODE_GUEST;
	t->interrupting = false;
	ctx->fpu = RSP_FPU_SAVED;
	guest->fpu_load = true;
	publish_fault(p, t->context, trapno, (uint32_t)report->rax,
		      trapno == TRAP_PF ? report->rcx : 0);
}

void fault_stop(struct rsp_platform *p, struct host_thread *t, int signal)
{
	uint32_t trapno;
	siginfo_t info;

	if (host_ptrace(PTRACE_GETSIGINFO, t->tid, 0, &info) < 0)
		return;
	/* The processor's signals have positive codes. Whatever someone sent
	 * is not for the guest, which gets its signals from our kernel. */
	if (info.si_code <= 0 ||
	    (signal != SIGSEGV && signal != SIGBUS && signal != SIGFPE &&
	     signal != SIGILL && signal != SIGTRAP && signal != SIGSYS)) {
		guest_continue(p, t, 0);
		return;
	}
	if (guest_fetch(p, t) < 0)
		return;
	if (signal == SIGSYS) {
		t->interrupting = false;
		vsyscall_stop(p, t, &info);
	} else if (vector_of(signal, info.si_code, &trapno)) {
		t->interrupting = false;
		publish_fault(p, t->context, trapno, 0, 0);
	} else {
		ask_for_report(p, t, signal);
	}
}
