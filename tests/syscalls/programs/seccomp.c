/* seccomp(2): strict mode, filters and what they return. */
#include "guest_test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int install(unsigned nr, unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(code), code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

TEST(strict_mode_kills)
{
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_EQ(IN_CHILD(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
			  syscall(SYS_exit, 3)),
		 3 << 8);
	CHECK_EQ(IN_CHILD(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
			  syscall(SYS_getpid)),
		 SIGKILL);
}

TEST(filters_return_errors)
{
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_ERRNO | 77, 0), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK_ERRNO(syscall(SYS_getppid), 77);
	CHECK(syscall(SYS_getpid) > 0);
	/* A second filter cannot take back what the first said. */
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_ALLOW, 0), 0);
	CHECK_ERRNO(syscall(SYS_getppid), 77);
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_ERRNO | 5000, 0), 0);
	CHECK_ERRNO(syscall(SYS_getppid), 4095);
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_ERRNO | 0, 0), 0);
	CHECK_EQ(syscall(SYS_getppid), 0);
	CHECK_EQ(IN_CHILD(_exit(syscall(SYS_getppid))), 0);
}

TEST(filters_kill)
{
	CHECK_EQ(IN_CHILD(install(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0);
			  syscall(SYS_getppid)) & 0x7f,
		 SIGSYS);
	CHECK_EQ(IN_CHILD(install(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0);
			  syscall(SYS_getppid)) & 0x7f,
		 SIGSYS);
}

static siginfo_t seen;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	seen = *info;
}

TEST(trap_raises_sigsys)
{
	struct sigaction act = { .sa_sigaction = on_sigsys,
				 .sa_flags = SA_SIGINFO };
	sigaction(SIGSYS, &act, NULL);
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_TRAP | 5, 0), 0);
	CHECK_EQ(syscall(SYS_getppid), SYS_getppid);
	CHECK_EQ(seen.si_code, 1);
	CHECK_EQ(seen.si_errno, 5);
	CHECK_EQ(seen.si_syscall, SYS_getppid);
	CHECK_EQ(seen.si_arch, 0xc000003e);
}

TEST(filters_are_checked)
{
	struct sock_filter bad[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
				     BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter open_end[] = { BPF_STMT(BPF_LD | BPF_IMM, 1) };
	struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0),
				     BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter zero[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0),
				      BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { 2, bad };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0, &program), EINVAL);
	program = (struct sock_fprog){ 1, open_end };
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0, &program), EINVAL);
	program = (struct sock_fprog){ 2, far };
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0, &program), EINVAL);
	program = (struct sock_fprog){ 2, zero };
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0, &program), EINVAL);
	program = (struct sock_fprog){ 0, bad };
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0, &program), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_seccomp, 1, 0x1000, &program), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, 77, 0, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, 0, 1, NULL), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, 99, 0, 0, 0), EINVAL);
	unsigned action = SECCOMP_RET_ERRNO;
	CHECK_EQ(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action), 0);
	action = 0x12340000;
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action),
		    EOPNOTSUPP);
}

TEST(a_filter_needs_no_new_privs)
{
	CHECK_EQ(IN_CHILD(
			 struct sock_filter code[] = { BPF_STMT(
				 BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
			 struct sock_fprog program = { 1, code };
			 if (setuid(65534)) _exit(9);
			 if (syscall(SYS_seccomp, 1, 0, &program) != -1 ||
			     errno != EACCES) _exit(1)),
		 0);
}

static volatile int go;

static void *wait_then_call(void *arg)
{
	(void)arg;
	while (!go)
		;
	return (void *)(long)(syscall(SYS_getppid) == -1 && errno == 33);
}

TEST(tsync_reaches_all_threads)
{
	pthread_t thread;
	void *result;
	pthread_create(&thread, NULL, wait_then_call, NULL);
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_ERRNO | 33,
			 SECCOMP_FILTER_FLAG_TSYNC),
		 0);
	go = 1;
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 1);
}

TEST(trace_without_tracer_is_enosys)
{
	CHECK_EQ(install(SYS_getppid, SECCOMP_RET_TRACE | 1, 0), 0);
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
}

TEST(trace_asks_the_tracer)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		install(SYS_getppid, SECCOMP_RET_TRACE | 9, 0);
		_exit(syscall(SYS_getppid) == getppid() ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP), 0);
	unsigned long message;
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status >> 8, SIGTRAP | (PTRACE_EVENT_SECCOMP << 8));
		CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
		CHECK_EQ(message, 9);
	}
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}
