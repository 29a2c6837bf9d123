/* Handlers, masks, queues, restarts, alternate stacks, faults, FPU state. */
#include "guest_test.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t count;
static volatile siginfo_t seen;

static void on_signal(int signo)
{
	(void)signo;
	count++;
}

static void on_info(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	count++;
	memcpy((void *)&seen, info, sizeof seen);
}

static void handle(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	CHECK_EQ(sigaction(signo, &action, NULL), 0);
}

static void handle_info(int signo, int flags)
{
	struct sigaction action = { .sa_sigaction = on_info,
				    .sa_flags = SA_SIGINFO | flags };
	CHECK_EQ(sigaction(signo, &action, NULL), 0);
}

TEST(handler_runs_on_raise)
{
	handle(SIGUSR1, on_signal, 0);
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(count, 1);
}

TEST(kill_tells_who_sent_it)
{
	handle_info(SIGUSR1, 0);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(seen.si_signo, SIGUSR1);
	CHECK_EQ(seen.si_code, SI_USER);
	CHECK_EQ(seen.si_pid, getpid());
	CHECK_EQ(seen.si_uid, getuid());
}

TEST(blocked_signals_wait)
{
	sigset_t set, old;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	handle(SIGUSR1, on_signal, 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(count, 0);
	sigset_t pending;
	CHECK_EQ(sigpending(&pending), 0);
	CHECK(sigismember(&pending, SIGUSR1));
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	CHECK_EQ(count, 1);
}

static int order[8];
static volatile int order_count;
static void on_rt(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	order[order_count++] = info->si_value.sival_int;
}

TEST(real_time_signals_queue_in_order)
{
	sigset_t set;
	struct sigaction action = { .sa_sigaction = on_rt,
				    .sa_flags = SA_SIGINFO };
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK_EQ(sigaction(SIGRTMIN, &action, NULL), 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (int i = 0; i < 5; i++) {
		union sigval value = { .sival_int = i };
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN, value), 0);
	}
	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_EQ(order_count, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(order[i], i);
}

TEST(handler_blocks_its_own_signal_and_restores_the_mask)
{
	sigset_t now;
	handle(SIGUSR1, on_signal, 0);
	raise(SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	CHECK(!sigismember(&now, SIGUSR1));
}

TEST(resethand_runs_once)
{
	handle(SIGUSR1, on_signal, SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction now;
	CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
	CHECK(now.sa_handler == SIG_DFL);
}

TEST(sigkill_and_sigstop_cannot_be_handled)
{
	struct sigaction action = { .sa_handler = on_signal };
	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(65, &action, NULL), EINVAL);
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(0x7ffffff, 0), ESRCH);
}

/* A child sends the signal once we block in read(2). */
static ssize_t interrupted_read(int flags)
{
	int ends[2];
	char byte;
	CHECK_EQ(pipe(ends), 0);
	handle(SIGUSR1, on_signal, flags);
	pid_t pid = fork();
	if (pid == 0) {
		struct timespec pause = { 0, 50000000 };
		nanosleep(&pause, NULL);
		kill(getppid(), SIGUSR1);
		nanosleep(&pause, NULL);
		_exit(write(ends[1], "x", 1) != 1);
	}
	ssize_t got = read(ends[0], &byte, 1);
	int error = errno;
	waitpid(pid, NULL, 0);
	errno = error;
	return got;
}

TEST(read_is_interrupted_without_sa_restart)
{
	CHECK_ERRNO(interrupted_read(0), EINTR);
	CHECK_EQ(count, 1);
}

TEST(read_restarts_with_sa_restart)
{
	CHECK_EQ(interrupted_read(SA_RESTART), 1);
	CHECK_EQ(count, 1);
}

TEST(poll_never_restarts)
{
	handle(SIGALRM, on_signal, SA_RESTART);
	struct itimerval timer = { .it_value = { 0, 20000 } };
	CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	CHECK_ERRNO(poll(NULL, 0, 5000), EINTR);
}

TEST(nanosleep_reports_what_is_left)
{
	handle(SIGALRM, on_signal, SA_RESTART);
	struct itimerval timer = { .it_value = { 0, 20000 } };
	struct timespec want = { 10, 0 }, left = { 0, 0 };
	CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	CHECK_ERRNO(nanosleep(&want, &left), EINTR);
	CHECK(left.tv_sec == 9 && left.tv_nsec > 0);
}

TEST(sigsuspend_swaps_the_mask)
{
	sigset_t blocked, none, now;
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	handle(SIGUSR1, on_signal, 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	raise(SIGUSR1);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(count, 1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	CHECK(sigismember(&now, SIGUSR1));
}

TEST(sigtimedwait_takes_and_times_out)
{
	sigset_t set;
	siginfo_t info;
	struct timespec soon = { 0, 10000000 };
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_ERRNO(sigtimedwait(&set, &info, &soon), EAGAIN);
	raise(SIGUSR2);
	CHECK_EQ(sigtimedwait(&set, &info, &soon), SIGUSR2);
	CHECK_EQ(info.si_signo, SIGUSR2);
	pid_t pid = fork();
	if (pid == 0) {
		struct timespec pause = { 0, 30000000 };
		nanosleep(&pause, NULL);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR2);
	CHECK_EQ(info.si_pid, pid);
	waitpid(pid, NULL, 0);
}

static volatile uintptr_t handler_stack;
static void on_stack(int signo)
{
	int local;
	(void)signo;
	handler_stack = (uintptr_t)&local;
}

TEST(sigaltstack_is_used_and_reported)
{
	static char stack[65536];
	stack_t want = { .ss_sp = stack, .ss_size = sizeof stack };
	stack_t now;
	CHECK_EQ(sigaltstack(&want, NULL), 0);
	handle(SIGUSR1, on_stack, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(handler_stack >= (uintptr_t)stack &&
	      handler_stack < (uintptr_t)stack + sizeof stack);
	CHECK_EQ(sigaltstack(NULL, &now), 0);
	CHECK_EQ(now.ss_flags, 0);
	CHECK(now.ss_sp == (void *)stack);
	want.ss_size = 64;
	CHECK_ERRNO(sigaltstack(&want, NULL), ENOMEM);
	want.ss_flags = 0x40;
	CHECK_ERRNO(sigaltstack(&want, NULL), EINVAL);
}

static void expect_fault(int signo, int code, void *addr)
{
	CHECK_EQ(seen.si_signo, signo);
	CHECK_EQ(seen.si_code, code);
	CHECK(seen.si_addr == addr);
}

static void *fixup;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	on_info(signo, info, context);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)fixup;
}

static void handle_fault(int signo)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	CHECK_EQ(sigaction(signo, &action, NULL), 0);
}

/* Runs one instruction; the handler resumes behind it. */
#define FAULTING(instruction, ...)                                        \
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"                      \
			 "movq %%rax, %0\n\t" instruction "\n1:"          \
			 : "=m"(fixup)                                    \
			 : __VA_ARGS__                                    \
			 : "rax", "rdx", "memory")

TEST(faults_carry_code_and_address)
{
	handle_fault(SIGSEGV);
	handle_fault(SIGILL);
	handle_fault(SIGFPE);
	handle_fault(SIGTRAP);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	FAULTING("movl $1, (%1)", "r"(page));
	expect_fault(SIGSEGV, SEGV_ACCERR, page);
	CHECK_EQ(munmap(page, 4096), 0);
	FAULTING("movl (%1), %%edx", "r"(page));
	expect_fault(SIGSEGV, SEGV_MAPERR, page);
	FAULTING("movl (%1), %%edx", "r"(0x8000000000000000ul));
	expect_fault(SIGSEGV, SI_KERNEL, NULL);
	FAULTING("ud2", "r"(0));
	CHECK_EQ(seen.si_signo, SIGILL);
	CHECK_EQ(seen.si_code, ILL_ILLOPN);
	FAULTING("xorl %%edx, %%edx\n\tmovl $1, %%eax\n\tdivl %%edx", "r"(0));
	CHECK_EQ(seen.si_signo, SIGFPE);
	CHECK_EQ(seen.si_code, FPE_INTDIV);
	FAULTING("int3", "r"(0));
	CHECK_EQ(seen.si_signo, SIGTRAP);
	FAULTING("hlt", "r"(0));
	expect_fault(SIGSEGV, SI_KERNEL, NULL);
}

static void on_write_fault(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signo;
	count++;
	seen.si_code = regs[REG_ERR] & 2;
	mprotect((void *)((uintptr_t)info->si_addr & ~4095ul), 4096,
		 PROT_READ | PROT_WRITE);
}

TEST(a_handler_can_repair_the_page_and_retry)
{
	struct sigaction action = { .sa_sigaction = on_write_fault,
				    .sa_flags = SA_SIGINFO };
	CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
	volatile int *page = mmap(NULL, 4096, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page[3] = 7;
	CHECK_EQ(page[3], 7);
	CHECK_EQ(count, 1);
	CHECK_EQ(seen.si_code, 2);
}

static void on_fpu(int signo)
{
	(void)signo;
	/* Changes every vector and x87 register it can. */
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm7, %%xmm7\n\t"
			 "pxor %%xmm15, %%xmm15\n\tfninit\n\tfldpi" ::
				 : "xmm0", "xmm7", "xmm15", "st");
	count++;
}

TEST(fpu_state_survives_a_handler)
{
	handle(SIGUSR1, on_fpu, 0);
	uint64_t before[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	uint64_t after[2] = { 0, 0 };
	pid_t self = getpid();
	long result;
	__asm__ volatile("movdqu %2, %%xmm7\n\tsyscall\n\tmovdqu %%xmm7, %1"
			 : "=a"(result), "=m"(after)
			 : "m"(before), "a"(SYS_kill), "D"(self),
			   "S"(SIGUSR1)
			 : "rcx", "r11", "xmm7", "memory");
	CHECK_EQ(result, 0);
	CHECK_EQ(count, 1);
	CHECK(memcmp(before, after, sizeof before) == 0);
}

TEST(nested_handlers_return_in_order)
{
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_signal, 0);
	sigset_t both, old;
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &both, &old), 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	CHECK_EQ(count, 2);
}

TEST(ignored_signals_vanish)
{
	handle(SIGUSR1, SIG_IGN, 0);
	raise(SIGUSR1);
	handle(SIGUSR1, on_signal, 0);
	CHECK_EQ(count, 0);
}

TEST(sigchld_ignored_reaps_children)
{
	handle(SIGCHLD, SIG_IGN, 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
}

TEST(posix_timer_signals_and_counts_overruns)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	event.sigev_value.sival_int = 99;
	handle_info(SIGUSR1, 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	struct itimerspec when = { .it_value = { 0, 5000000 } };
	CHECK_EQ(timer_settime(timer, 0, &when, NULL), 0);
	while (count == 0)
		pause();
	CHECK_EQ(seen.si_code, SI_TIMER);
	CHECK_EQ(seen.si_value.sival_int, 99);
	CHECK_EQ(timer_delete(timer), 0);
	CHECK_ERRNO(timer_delete(timer), EINVAL);
}

TEST(a_spinning_program_gets_its_signal)
{
	handle(SIGALRM, on_signal, 0);
	struct itimerval timer = { .it_value = { 0, 20000 } };
	CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	while (count == 0)
		;
}

TEST(real_time_signals_queue_up_to_the_limit)
{
	struct rlimit limit = { 0, 0 };
	union sigval value = { 7 };
	struct timespec none = { 0, 0 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	/* Others of this user may have signals pending, too: none is left. */
	CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN + 3, value), EAGAIN);
	CHECK_EQ(kill(getpid(), SIGRTMIN + 3), 0);
	CHECK_EQ(kill(getpid(), SIGRTMIN + 3), 0);
	CHECK_EQ(sigtimedwait(&set, NULL, &none), SIGRTMIN + 3);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &none), EAGAIN);
}

TEST(pidfd_send_signal_takes_an_open_proc_directory)
{
	siginfo_t info = { 0 };
	struct timespec none = { 0, 0 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	char path[32];
	snprintf(path, sizeof path, "/proc/%d", getpid());
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), 0);
	CHECK_EQ(sigtimedwait(&set, NULL, &none), SIGUSR1);
	info.si_signo = SIGUSR2;
	info.si_code = SI_QUEUE;
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0),
		    EINVAL);
	int below = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	CHECK(below >= 0);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, below, SIGUSR1, NULL, 0),
		    EBADF);
}
