/*
 * guest.c: a guest thread inside its stub: it leaves its registers in its slot,
 * tells the Sentry, and waits. Runs in the image, so: no data, no calls out of
 * it, no FPU registers, which hold the guest's state.
 */
#pragma GCC target("general-regs-only")
#pragma GCC optimize("no-tree-loop-distribute-patterns,no-jump-tables")

#include <asm/unistd.h>
#include <linux/audit.h>
#include <stdint.h>
#include "../../layout.h"
#include "stub_layout.h"

#define IMAGE __attribute__((section("image")))
#define INLINE static inline __attribute__((always_inline))
#define SIGSYS 31
/* Results that user mode never sees; linux/errno.h of the kernel. */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516
#define TRAP_PAGE_FAULT 14
#define RESUME_FLAG 0x10000

/* What the host puts on the signal stack; asm/sigcontext.h, asm/siginfo.h. */
struct frame_info {
	int32_t signo, error, code, unused;
	uint64_t call_addr;
	int32_t syscall;
	uint32_t arch;
};
struct frame_context {
	uint64_t flags, link, stack[3];
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx,
		rax, rcx, rsp, rip, eflags, selectors, err, trapno, oldmask,
		cr2;
};

void stub_park(struct stub_thread *);
void stub_interrupted(struct stub_thread *);
void stub_syscall(struct stub_thread *);
int stub_signal(struct stub_thread *, int, const struct frame_info *,
		const struct frame_context *);

INLINE long host_call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

INLINE uint64_t cycles(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* The host keeps its number in what rdtscp reads. */
INLINE uint32_t current_cpu(void)
{
	uint32_t low, high, aux;
	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
	return aux & 0xfff;
}

/* The address of a label of guest.S, wherever the image is. */
#define LABEL(name)                                                     \
	({                                                              \
		uint64_t address;                                       \
		__asm__("lea " #name "(%%rip), %0" : "=r"(address));    \
		address;                                                \
	})

/* Leaves the slot to the Sentry. */
INLINE void publish(struct stub_thread *t)
{
	struct stub_bell *bell = (void *)STUB_BELL;
	const struct stub_board *board = (void *)STUB_BOARD;
	uint32_t place = t->place & 4095;

	/* Either we see that it looks at bells, or it sees the state before it
	 * does; either we see that it sleeps, or it sees both before. */
	__atomic_store_n(&t->state, THREAD_STOPPED, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&board->bells, __ATOMIC_SEQ_CST) != 0) {
		__atomic_fetch_or(&bell->words[place / 32], 1u << place % 32,
				  __ATOMIC_SEQ_CST);
		__atomic_fetch_or(&bell->summary[place / 1024],
				  1u << place / 32 % 32, __ATOMIC_SEQ_CST);
	}
	if (__atomic_load_n(&board->sleeping, __ATOMIC_SEQ_CST) != 0)
		host_call(__NR_write, STUB_EVENT_FD, STUB_CONSTS + CONSTS_ONE,
			  8, 0);
}

/* Waits until the state is no longer STOPPED. */
INLINE uint32_t await(struct stub_thread *t)
{
	const struct stub_board *board = (void *)STUB_BOARD;
	uint64_t limit = board->spin;
	uint64_t start, last, now;
	uint32_t state, i;

	if (limit != 0) {
		for (i = 0; i < QUICK_LOOKS; i++) {
			state = __atomic_load_n(&t->state, __ATOMIC_ACQUIRE);
			if (state != THREAD_STOPPED)
				return state;
		}
		t->cpu = current_cpu();
		start = last = cycles();
		do {
			state = __atomic_load_n(&t->state, __ATOMIC_ACQUIRE);
			if (state != THREAD_STOPPED)
				return state;
			if (__atomic_load_n(&t->rest, __ATOMIC_RELAXED) != 0)
				break;
			__builtin_ia32_pause();
			now = cycles();
			if (now - last > PREEMPTED_CYCLES) {
				t->preempted = 1;
				break;
			}
			last = now;
		} while (now - start < limit);
	}
	t->cpu = current_cpu();
	__atomic_store_n(&t->asleep, 1, __ATOMIC_SEQ_CST);
	while ((state = __atomic_load_n(&t->state, __ATOMIC_SEQ_CST)) ==
	       THREAD_STOPPED)
		host_call(__NR_futex, (long)&t->state, 0, THREAD_STOPPED, 0);
	__atomic_store_n(&t->asleep, 0, __ATOMIC_RELAXED);
	return state;
}

/* Until the Sentry lets it run. */
IMAGE void stub_park(struct stub_thread *t)
{
	const struct stub_board *board = (void *)STUB_BOARD;

	while (await(t) == THREAD_SAVE) {
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"((uint8_t *)t + THREAD_XSAVE),
				   "a"(board->features), "d"(0)
				 : "memory");
		publish(t);
	}
}

/* The registers in the slot are the guest's; it goes no further. */
IMAGE void stub_interrupted(struct stub_thread *t)
{
	t->regs[ORIG_RAX] = ~0ull;
	t->stop = RSP_STOP_INTERRUPT;
	publish(t);
	stub_park(t);
}

/* From a patched site; the registers are in the slot. */
IMAGE void stub_syscall(struct stub_thread *t)
{
	t->stop = RSP_STOP_SYSCALL;
	t->abi = RSP_ABI_X64;
	t->jumped = 1;
	publish(t);
	stub_park(t);
}

INLINE void take_registers(struct stub_thread *t,
			   const struct frame_context *c)
{
	uint64_t base;

	t->regs[R15] = c->r15;
	t->regs[R14] = c->r14;
	t->regs[R13] = c->r13;
	t->regs[R12] = c->r12;
	t->regs[RBP] = c->rbp;
	t->regs[RBX] = c->rbx;
	t->regs[R11] = c->r11;
	t->regs[R10] = c->r10;
	t->regs[R9] = c->r9;
	t->regs[R8] = c->r8;
	t->regs[RAX] = c->rax;
	t->regs[RCX] = c->rcx;
	t->regs[RDX] = c->rdx;
	t->regs[RSI] = c->rsi;
	t->regs[RDI] = c->rdi;
	t->regs[RIP] = c->rip;
	t->regs[EFLAGS] = c->eflags & ~(uint64_t)RESUME_FLAG;
	t->regs[RSP] = c->rsp;
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	t->regs[FS_BASE] = base;
	__asm__ volatile("rdgsbase %0" : "=r"(base));
	t->regs[GS_BASE] = base;
}

INLINE void take_syscall(struct stub_thread *t, const struct frame_info *info)
{
	t->stop = RSP_STOP_SYSCALL;
	t->jumped = 0;
	if (info->arch == AUDIT_ARCH_X86_64) {
		t->abi = RSP_ABI_X64;
		/* Where rax looks like a result of the host's own that asks
		 * for a restart, the host has acted on it. */
		if (info->syscall <= -ERESTARTSYS &&
		    info->syscall >= -ERESTART_RESTARTBLOCK) {
			t->regs[RAX] = (uint64_t)(int64_t)info->syscall;
			t->regs[RIP] = info->call_addr;
		}
		t->regs[ORIG_RAX] = t->regs[RAX];
	} else {
		t->abi = RSP_ABI_I386;
		t->regs[ORIG_RAX] = (uint32_t)info->syscall;
	}
}

/* 0: back to where the signal came; 1: to the guest, by its slot. */
IMAGE int stub_signal(struct stub_thread *t, int signal,
		      const struct frame_info *info,
		      const struct frame_context *c)
{
	uint64_t begin = LABEL(exit_section_begin);
	/* Where the way to a stop leads: the text and what jumps to it. */
	int in_text = c->rip - STUB_TEXT < STUB_RESTS - STUB_TEXT;
	int in_exit = c->rip - begin < LABEL(exit_section_end) - begin;

	if (signal == STUB_SIGNAL || info->code <= 0) {
		/* Sent by someone, not by the processor. In our own text the
		 * thread is about to stop, unless it is on its way out. */
		if (t->interrupt == 0 || t->state != THREAD_RUN)
			return 0;
		if (in_text && !in_exit)
			return 0;
		if (!in_exit)
			take_registers(t, c);
		stub_interrupted(t);
		return 1;
	}
	/* On the way out the registers are in the slot already. */
	if (!in_exit)
		take_registers(t, c);
	if (signal == SIGSYS) {
		take_syscall(t, info);
	} else {
		t->regs[ORIG_RAX] = ~0ull;
		t->stop = RSP_STOP_FAULT;
		t->trapno = (uint32_t)c->trapno;
		t->error = (uint32_t)c->err;
		t->fault_addr = c->trapno == TRAP_PAGE_FAULT ? c->cr2 : 0;
	}
	publish(t);
	stub_park(t);
	return 1;
}
