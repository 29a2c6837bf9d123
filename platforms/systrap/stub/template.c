/*
 * template.c: the stub template, a static program without libc that maps a
 * stub's pages, sets up what all stubs inherit, locks itself down and jumps to
 * service.S, which unmaps everything else. It runs before the first guest and
 * parses nothing. A failing step ends it with the step's number as exit status.
 */
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <stddef.h>
#include <stdint.h>
#include "filters.h"
#include "stub_layout.h"

extern const char __start_image[], __stop_image[];
extern const char service_start[], signal_entry[], syscall_entry[];
void template_main(void) __attribute__((noreturn));

/* Where a label of the image is in a stub. */
#define IN_STUB(label) ((uint64_t)((label) - __start_image) + STUB_TEXT)

/* What the stub's code reads: it has no data of its own. */
struct stub_consts {
	uint64_t one;
	uint64_t mask;		/* signals that guest threads block */
	struct {
		uint16_t length;
		uint16_t unused[3];
		uint64_t filter;
	} program;		/* struct sock_fprog: the guests' filter */
	uint64_t unused[4];
	uint32_t errnos[CONSTS_ERRNO_COUNT];
	struct sock_filter filter[64];
};
AT_OFFSET(stub_consts, one, CONSTS_ONE);
AT_OFFSET(stub_consts, mask, CONSTS_MASK);
AT_OFFSET(stub_consts, program, CONSTS_PROGRAM);
AT_OFFSET(stub_consts, errnos, CONSTS_ERRNOS);
_Static_assert(sizeof(struct stub_consts) <= 4096, "one page");

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static void must(int step, int ok)
{
	if (!ok)
		call6(__NR_exit_group, step, 0, 0, 0, 0, 0);
}

static void map(int step, uint64_t addr, long length, long prot, int fd,
		long offset)
{
	long flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS
					 : MAP_SHARED);
	long got = call6(__NR_mmap, (long)addr, length, prot, flags, fd,
			 offset);
	must(step, got == (long)addr);
}

/* The kernel's struct, which differs from what libc shows. */
struct kernel_action {
	uint64_t handler;
	unsigned long flags;
	uint64_t restorer;
	unsigned long mask;
};

/* What the processor raises, what the filter raises, and the Sentry's. */
static const int SIGNALS[] = { SIGSEGV, SIGBUS, SIGFPE,	    SIGILL,
			       SIGTRAP, SIGSYS, STUB_SIGNAL };

/* NODEFER: a handler leaves without rt_sigreturn(2), which guests may not
 * make, so nothing would unblock the signal. */
static void catch_signals(struct stub_consts *consts)
{
	const uint64_t all = ~0ull;
	size_t i;

	consts->mask = all;
	must(10, call6(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0,
		       0) == 0);
	for (i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
		struct kernel_action action = {
			.handler = IN_STUB(signal_entry),
			.flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK |
				 0x04000000 /* SA_RESTORER */,
			.restorer = IN_STUB(signal_entry),
		};
		must(11, call6(__NR_rt_sigaction, SIGNALS[i], (long)&action, 0,
			       8, 0, 0) == 0);
		consts->mask &= ~(1ull << (SIGNALS[i] - 1));
	}
}

static void copy(void *to, const void *from, size_t bytes)
{
	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(bytes)
			 :
			 : "memory");
}

static void write_consts(struct stub_consts *consts)
{
	uint32_t i;

	consts->one = 1;
	for (i = 0; i < CONSTS_ERRNO_COUNT; i++)
		consts->errnos[i] = i;
	must(12, guest_filter_length <= 64);
	consts->program.length = guest_filter_length;
	consts->program.filter =
		STUB_CONSTS + offsetof(struct stub_consts, filter);
	copy(consts->filter, guest_filter,
	     guest_filter_length * sizeof guest_filter[0]);
}

static void lock_down(void)
{
	struct __user_cap_header_struct self = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 } };
	struct sock_fprog program = {
		.len = stub_filter_length,
		.filter = (struct sock_filter *)stub_filter,
	};

	must(20, call6(__NR_prctl, PR_SET_NAME, (long)"runsc-stub", 0, 0, 0,
		       0) == 0);
	/* No stub outlives the Sentry; forked ones say it again. */
	must(21, call6(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0) == 0);
	must(22, call6(__NR_getppid, 0, 0, 0, 0, 0, 0) ==
			 ((struct stub_board *)STUB_BOARD)->sentry);
	must(23, call6(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0) == 0);
	must(24, call6(__NR_capset, (long)&self, (long)none, 0, 0, 0, 0) == 0);
	must(25, call6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) == 0);
	/* SPEC_ALLOW: the filter protects no secret of the stub's own. */
	must(26, call6(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_SPEC_ALLOW, (long)&program, 0, 0,
		       0) == 0);
}

void template_main(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct stub_consts *consts = (void *)STUB_CONSTS;
	size_t bytes = (size_t)(__stop_image - __start_image);

	map(1, STUB_BOARD, 4096, PROT_READ, STUB_ORDERS_FD, 0);
	map(2, STUB_ORDERS, ORDERS_FILE_READ_ONLY, PROT_READ, STUB_ORDERS_FD,
	    ORDERS_FILE_FIRST);
	map(3, STUB_BELL, 4096, rw, STUB_ORDERS_FD,
	    ORDERS_FILE_FIRST + ORDERS_FILE_READ_ONLY);
	map(4, STUB_CONSTS, 4096, rw, -1, 0);
	map(5, STUB_TEXT, STUB_TEXT_BYTES, rw, -1, 0);
	must(6, bytes <= STUB_TEXT_BYTES && IN_STUB(syscall_entry) == STUB_TEXT);
	copy((void *)STUB_TEXT, __start_image, bytes);
	must(7, call6(__NR_mprotect, STUB_TEXT, STUB_TEXT_BYTES,
		      PROT_READ | PROT_EXEC, 0, 0, 0) == 0);
	write_consts(consts);
	catch_signals(consts);
	must(8, call6(__NR_mprotect, STUB_CONSTS, 4096, PROT_READ, 0, 0, 0) ==
			0);
	lock_down();
	__asm__ volatile("jmp *%0" : : "r"(IN_STUB(service_start)));
	__builtin_unreachable();
}
