/*
 * proxy.c: the host process that stands for a container, or for a process that
 * `exec` added, where the host counts in processes: it is what a pid file
 * names, it holds cgroup and namespaces, and it ends as the other did.
 *
 *   descriptor 3   SEQPACKET connection with the Sentry. To us: a wait status
 *                  in four bytes, once. From us: signal numbers, a byte each.
 *   descriptor 4   a file that gets the status in four bytes, when we end
 *   descriptor 5   perhaps a terminal that controls us, which we close
 *   children       a container's are the Sentry and the file server, which die
 *                  with us; an exec's proxy has none
 *   signals        all that can be caught are passed on
 *   end            with children: when they are gone; without: when the
 *                  connection is. No status came: the sandbox broke down, and
 *                  we end as if killed.
 *
 * Freestanding: a few pages of memory for a process that mostly sleeps.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/wait.h>
#include <stdint.h>

#define CONNECTION 3
#define STATUS_FILE 4
#define TERMINAL 5
#define ALL_SIGNALS (~(uint64_t)0)

static long call(long nr, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#else
#error "unknown machine"
#endif
}

/* Ends as the wait status says. */
static _Noreturn void end(int32_t status)
{
	long signal = status & 0x7f;

	if (signal != 0) {
		uint64_t mask = 0;

		/* The other's core is not ours to write. */
		call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
		call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, 8, 0);
		call(__NR_kill, call(__NR_getpid, 0, 0, 0, 0, 0), signal, 0, 0,
		     0);
	}
	for (;;)
		call(__NR_exit_group,
		     signal != 0 ? 128 + signal : status >> 8 & 0xff, 0, 0, 0,
		     0);
}

/* Reaps whoever has ended; 0 when there is no child any more. */
static int has_children(void)
{
	for (;;) {
		long pid = call(__NR_wait4, -1, 0, WNOHANG | __WALL, 0, 0);

		if (pid <= 0)
			return pid != -ECHILD;
	}
}

/* Takes a status out of the connection; 0 when nobody can send one. */
static int take_status(int32_t *status)
{
	int32_t word;
	long got = call(__NR_read, CONNECTION, (long)&word, sizeof(word), 0, 0);

	if (got == sizeof(word))
		*status = word;
	return got > 0 || got == -EAGAIN || got == -EINTR;
}

static void pass_on(uint32_t signal)
{
	uint8_t number = (uint8_t)signal;

	call(__NR_write, CONNECTION, (long)&number, 1, 0, 0);
}

__attribute__((used)) _Noreturn void proxy_main(void)
{
	uint64_t all = ALL_SIGNALS;
	int32_t status = SIGKILL;
	int is_parent, is_open = 1;
	long signals;

	call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0);
	call(__NR_close, TERMINAL, 0, 0, 0, 0);
	signals = call(__NR_signalfd4, -1, (long)&all, 8, O_CLOEXEC, 0);
	if (signals < 0)
		end(SIGKILL);
	is_parent = has_children();
	for (;;) {
		struct pollfd set[2] = {
			{ .fd = (int)signals, .events = POLLIN },
			{ .fd = is_open ? CONNECTION : -1, .events = POLLIN },
		};

		if (call(__NR_ppoll, (long)set, 2, 0, 0, 8) < 0)
			continue;
		if (set[1].revents != 0)
			is_open = take_status(&status);
		if (set[0].revents != 0) {
			struct signalfd_siginfo info;

			if (call(__NR_read, signals, (long)&info, sizeof(info),
				 0, 0) == sizeof(info) &&
			    info.ssi_signo != SIGCHLD &&
			    /* Of a connection that broke, mostly. */
			    info.ssi_signo != SIGPIPE)
				pass_on(info.ssi_signo);
		}
		if (is_parent ? !has_children() : !is_open)
			break;
	}
	/* What the Sentry said last. */
	while (is_open) {
		struct pollfd last = { .fd = CONNECTION, .events = POLLIN };
		struct {
			long seconds, nanoseconds;
		} at_once = { 0, 0 };

		if (call(__NR_ppoll, (long)&last, 1, (long)&at_once, 0, 8) <= 0)
			break;
		is_open = take_status(&status);
	}
	call(__NR_write, STATUS_FILE, (long)&status, sizeof(status), 0, 0);
	end(status);
}

__asm__(".globl _start\n"
	"_start:\n"
#if defined(__x86_64__)
	"	xor %ebp, %ebp\n"
	"	and $-16, %rsp\n"
	"	call proxy_main\n"
#elif defined(__aarch64__)
	"	mov x29, #0\n"
	"	bl proxy_main\n"
#endif
);
