/*
 * The stub template: a static program without libc that maps the stub's pages,
 * locks itself down and jumps into image.S, which unmaps everything else. It
 * runs before the first guest and parses nothing. A failing step ends it with
 * the step's number as exit status.
 */
#include <asm/prctl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <stddef.h>
#include <stdint.h>
#include <asm/unistd.h>
#include "stub_layout.h"

extern const char image_begin[], image_end[];
void template_main(void) __attribute__((noreturn));

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

static void map_private(int step, long addr, long length)
{
	long got = call6(__NR_mmap, addr, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	must(step, got == addr);
}

/* The kernel's struct, which differs from what libc shows. */
struct kernel_action {
	long handler;
	unsigned long flags;
	long restorer;
	unsigned long mask;
};

/* NODEFER: the handler never returns, so nothing would unblock the signal. */
static void report_signal(int step, int signal)
{
	struct kernel_action action = {
		.handler = STUB_REPORT,
		.flags = SA_SIGINFO | SA_NODEFER | 0x04000000 /* RESTORER */,
		.restorer = STUB_DONE,
	};
	must(step, call6(__NR_rt_sigaction, signal, (long)&action, 0, 8, 0,
			 0) == 0);
}

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOW(nr) UNLESS(nr, 1), RETURN(SECCOMP_RET_ALLOW)
#define TRAP(nr) UNLESS(nr, 1), RETURN(SECCOMP_RET_TRAP)

/*
 * Only what the routines do. Guest code never gets here: under PTRACE_SYSEMU
 * a call is reported before filters are asked. What does get here is a call
 * into the vsyscall page, which the host would answer by itself: TRAP makes it
 * a signal, that is, a stop.
 */
static void lock_down(void)
{
	static const struct sock_filter filter[] = {
		LOAD(arch),
		UNLESS(AUDIT_ARCH_X86_64, 1),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW(__NR_munmap),
		ALLOW(__NR_mprotect),
		ALLOW(__NR_exit),
		ALLOW(__NR_exit_group),
		TRAP(__NR_gettimeofday),
		TRAP(__NR_time),
		TRAP(__NR_getcpu),
		UNLESS(__NR_clone, 6),
		LOAD(args[0]),
		ALLOW(STUB_FORK_FLAGS),
		ALLOW(STUB_THREAD_FLAGS),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		UNLESS(__NR_mmap, 14),
		LOAD(args[4]),
		UNLESS(STUB_MEMORY_FD, 6),
		LOAD(args[3]),
		ALLOW(STUB_MAP_MEMORY),
		ALLOW(STUB_MAP_POPULATE),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		UNLESS(STUB_TABLE_FD, 5),
		LOAD(args[2]),
		UNLESS(PROT_READ, 3),
		LOAD(args[3]),
		ALLOW(STUB_MAP_MEMORY),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	struct __user_cap_header_struct self = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 } };
	struct sock_fprog program = {
		.len = sizeof filter / sizeof filter[0],
		.filter = (struct sock_filter *)filter,
	};

	must(19, call6(__NR_prctl, PR_SET_NAME, (long)"runsc-stub", 0, 0, 0,
		       0) == 0);
	/* Nobody but the tracer looks into a stub. */
	must(20, call6(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0) == 0);
	must(21, call6(__NR_capset, (long)&self, (long)none, 0, 0, 0, 0) == 0);
	must(22, call6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) == 0);
	/* SPEC_ALLOW: the filter protects no secret of the stub's own. */
	must(23, call6(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_SPEC_ALLOW, (long)&program, 0, 0,
		       0) == 0);
}

void template_main(void)
{
	uint64_t no_signals = 0;
	char byte;

	/* Returns when the plugin traces us, or is gone: then the breakpoint
	 * at the end kills. */
	call6(__NR_read, STUB_GATE_FD, (long)&byte, 1, 0, 0, 0);
	call6(__NR_close, STUB_GATE_FD, 0, 0, 0, 0, 0);

	map_private(1, STUB_FRAME, STUB_FRAME_TOP - STUB_FRAME);
	map_private(2, STUB_TEXT, STUB_TEXT_BYTES);
	{
		void *to = (void *)STUB_TEXT;
		const char *from = image_begin;
		size_t bytes = (size_t)(image_end - image_begin);
		must(3, bytes <= STUB_TEXT_BYTES);
		__asm__ volatile("rep movsb"
				 : "+D"(to), "+S"(from), "+c"(bytes)
				 :
				 : "memory");
	}
	must(4, call6(__NR_mprotect, STUB_TEXT, STUB_TEXT_BYTES,
		      PROT_READ | PROT_EXEC, 0, 0, 0) == 0);

	/* The faults whose error code only a signal frame tells. */
	report_signal(5, SIGSEGV);
	report_signal(6, SIGBUS);
	report_signal(7, SIGFPE);
	must(8, call6(__NR_rt_sigprocmask, SIG_SETMASK, (long)&no_signals, 0, 8,
		      0, 0) == 0);
	lock_down();
	__asm__ volatile("jmp *%0" : : "r"((long)STUB_SETTLE));
	__builtin_unreachable();
}
