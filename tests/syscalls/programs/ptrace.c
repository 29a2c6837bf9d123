/* ptrace(2) as debuggers and strace(1) use it. */
#include "guest_test.h"

#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define STOPPED(status, code) ((status) == (((code) << 8) | 0x7f))

static pid_t traced(void (*body)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(99);
		raise(SIGSTOP);
		body();
		_exit(7);
	}
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGSTOP));
	return pid;
}

static volatile long value = 42;

static void nothing(void)
{
}

static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static void raise_usr1(void)
{
	raise(SIGUSR1);
}

TEST(traceme_stops_at_signals)
{
	int status;
	pid_t pid = traced(raise_usr1);
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGUSR1));
	siginfo_t info;
	CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_signo, SIGUSR1);
	CHECK_EQ(info.si_code, SI_TKILL);
	/* Suppressed, it does not kill. */
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 7 << 8);
}

TEST(an_injected_signal_kills)
{
	int status;
	pid_t pid = traced(nothing);
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGTERM), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGTERM);
}

TEST(memory_and_registers_can_be_changed)
{
	pid_t pid = traced(nothing);
	int status;
	errno = 0;
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &value, 0), 42);
	CHECK_EQ(ptrace(PTRACE_POKEDATA, pid, &value, -43L), 0);
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &value, 0), -43);
	CHECK_EQ(value, 42);
	/* Text is written in spite of its protection. */
	long word = ptrace(PTRACE_PEEKTEXT, pid, nothing, 0);
	CHECK_EQ(ptrace(PTRACE_POKETEXT, pid, nothing, word), 0);
	CHECK_ERRNO(ptrace(PTRACE_PEEKDATA, pid, 8L, 0), EIO);
	struct user_regs_struct regs;
	CHECK_EQ(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	CHECK_EQ(regs.cs, 0x33);
	CHECK_EQ(ptrace(PTRACE_PEEKUSER, pid,
			offsetof(struct user, regs.rip), 0),
		 (long)regs.rip);
	struct iovec io = { &regs, sizeof regs };
	CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io), 0);
	CHECK_EQ(io.iov_len, sizeof regs);
	CHECK_EQ(ptrace(PTRACE_SETREGS, pid, 0, &regs), 0);
	struct user_fpregs_struct fpregs;
	CHECK_EQ(ptrace(PTRACE_GETFPREGS, pid, 0, &fpregs), 0);
	CHECK_EQ(ptrace(PTRACE_SETFPREGS, pid, 0, &fpregs), 0);
	CHECK_ERRNO(ptrace(PTRACE_PEEKUSER, pid, 3L, 0), EIO);
	CHECK_ERRNO(ptrace(PTRACE_SETOPTIONS, pid, 0, 0x40000000L), EINVAL);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, 65L), EIO);
	CHECK_EQ(ptrace(PTRACE_KILL, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
}

TEST(syscalls_stop_at_entry_and_exit)
{
	pid_t pid = traced(call_getppid);
	int status;
	struct user_regs_struct regs;
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	for (;;) {
		CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(STOPPED(status, SIGTRAP | 0x80));
		CHECK_EQ(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
		if (regs.orig_rax == SYS_getppid)
			break;
	}
	CHECK_EQ(regs.rax, -ENOSYS);
	struct __ptrace_syscall_info info;
	CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	CHECK_EQ(info.entry.nr, SYS_getppid);
	CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	CHECK_EQ(regs.rax, getpid());
	CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
	CHECK_EQ(info.exit.rval, getpid());
	CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 7 << 8);
}

TEST(a_step_is_one_instruction)
{
	pid_t pid = traced(nothing);
	int status;
	unsigned long before, after;
	before = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip),
			0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(STOPPED(status, SIGTRAP));
		after = ptrace(PTRACE_PEEKUSER, pid,
			       offsetof(struct user, regs.rip), 0);
		CHECK(after != before);
		before = after;
	}
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 7 << 8);
}

static void fork_once(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(3);
	waitpid(pid, NULL, 0);
}

TEST(forks_are_told_and_children_traced)
{
	pid_t pid = traced(fork_once);
	int status;
	unsigned long message;
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0,
			PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT),
		 0);
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGTRAP | (PTRACE_EVENT_FORK << 8)));
	CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	pid_t child = message;
	CHECK_EQ(waitpid(child, &status, __WALL), child);
	CHECK(STOPPED(status, SIGSTOP));
	CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
	CHECK_EQ(waitpid(child, &status, __WALL), child);
	CHECK(STOPPED(status, SIGTRAP | (PTRACE_EVENT_EXIT << 8)));
	CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, child, 0, &message), 0);
	CHECK_EQ(message, 3 << 8);
	CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
	CHECK_EQ(waitpid(child, &status, __WALL), child);
	CHECK_EQ(status, 3 << 8);
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGCHLD));
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGCHLD), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGTRAP | (PTRACE_EVENT_EXIT << 8)));
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 7 << 8);
}

static void exec_self(void)
{
	execl("/proc/self/exe", "x", "no_such_case", (char *)0);
}

TEST(exec_is_told)
{
	pid_t pid = traced(exec_self);
	int status;
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGTRAP));
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	pid = traced(exec_self);
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC), 0);
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGTRAP | (PTRACE_EVENT_EXEC << 8)));
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(attach_and_seize)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	CHECK_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGSTOP));
	CHECK_ERRNO(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
	CHECK_ERRNO(ptrace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
	CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_ERRNO(ptrace(PTRACE_SEIZE, pid, 1L, 0), EIO);
	CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	CHECK_ERRNO(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(STOPPED(status, SIGTRAP | (PTRACE_EVENT_STOP << 8)));
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
	CHECK_ERRNO(ptrace(PTRACE_ATTACH, 0x3fffff, 0, 0), ESRCH);
	CHECK_ERRNO(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
}
