/* fork, exec, exit, wait, process groups and sessions, vfork, clone. */
#include "guest_test.h"
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

TEST(fork_gives_the_child_its_own_memory)
{
	volatile int value = 1;
	int status = IN_CHILD(value = 2);
	CHECK_EQ(status, 0);
	CHECK_EQ(value, 1);
}

TEST(wait_reports_the_exit_code)
{
	CHECK_EQ(WEXITSTATUS(IN_CHILD(_exit(42))), 42);
	CHECK_EQ(WEXITSTATUS(IN_CHILD(_exit(0x1ff))), 0xff);
}

TEST(wait_reports_the_fatal_signal)
{
	int status = IN_CHILD(raise(SIGTERM));
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGTERM);
	status = IN_CHILD(*(volatile int *)8 = 1);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

TEST(wait_without_children_is_echild)
{
	CHECK_ERRNO(wait(NULL), ECHILD);
	CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
	CHECK_ERRNO(waitpid(getpid(), NULL, 0), ECHILD);
}

TEST(wait_checks_its_options)
{
	CHECK_ERRNO(waitpid(-1, NULL, 0x1000), EINVAL);
	siginfo_t info;
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
}

TEST(waitpid_with_wnohang_returns_0_while_the_child_runs)
{
	int ends[2];
	char byte;
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1));
	}
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	close(ends[0]);
	close(ends[1]);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(waitid_fills_siginfo_and_wnowait_keeps_the_zombie)
{
	siginfo_t info;
	pid_t pid = fork();
	if (pid == 0)
		_exit(9);
	memset(&info, 0xff, sizeof info);
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 9);
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
	CHECK_ERRNO(waitid(P_PID, pid, &info, WEXITED), ECHILD);
}

TEST(stop_and_continue_are_reported)
{
	int status;
	int ends[2];
	char byte;
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		raise(SIGSTOP);
		/* Goes on, but not away before that was seen. */
		if (read(ends[0], &byte, 1) != 0)
			_exit(4);
		_exit(3);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	close(ends[1]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 3);
}

TEST(orphans_go_to_the_subreaper)
{
	int status;
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	int ends[2];
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			char byte;
			close(ends[1]);
			if (read(ends[0], &byte, 1) < 0)
				_exit(1);
			_exit(getppid() == *(volatile pid_t *)&pid ? 1 : 77);
		}
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(ends[0]);
	close(ends[1]);
	pid_t orphan = wait(&status);
	CHECK(orphan > 0 && orphan != pid);
	CHECK_EQ(WEXITSTATUS(status), 77);
}

TEST(execve_passes_arguments_and_environment)
{
	int ends[2];
	char text[64] = "";
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		char *argv[] = { "sh", "-c", "echo $0 $1 $NAME", "zero", "one", NULL };
		char *envp[] = { "NAME=value", NULL };
		execve("/bin/sh", argv, envp);
		_exit(1);
	}
	close(ends[1]);
	CHECK(read(ends[0], text, sizeof text - 1) > 0);
	CHECK(strcmp(text, "zero one value\n") == 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(execve_errors)
{
	char *argv[] = { "x", NULL };
	CHECK_ERRNO(execve("/nonexistent", argv, NULL), ENOENT);
	CHECK_ERRNO(execve("", argv, NULL), ENOENT);
	CHECK_ERRNO(execve("/tmp", argv, NULL), EACCES);
	CHECK_ERRNO(execve("/dev/null", argv, NULL), EACCES);
	CHECK_ERRNO(execve("/bin/sh/x", argv, NULL), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_execve, 8, argv, NULL), EFAULT);
	int fd = open("/tmp/guest_not_elf", O_CREAT | O_TRUNC | O_WRONLY, 0755);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "\177ELFgarbage", 11), 11);
	close(fd);
	CHECK_ERRNO(execve("/tmp/guest_not_elf", argv, NULL), ENOEXEC);
	CHECK_EQ(unlink("/tmp/guest_not_elf"), 0);
}

TEST(execve_closes_cloexec_descriptors)
{
	int kept = open("/dev/null", O_RDONLY);
	int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char command[128];
	snprintf(command, sizeof command,
		 "test -e /proc/self/fd/%d && ! test -e /proc/self/fd/%d", kept,
		 closed);
	char *argv[] = { "sh", "-c", command, NULL };
	int status = IN_CHILD(execv("/bin/sh", argv));
	CHECK_EQ(status, 0);
}

TEST(without_randomization_programs_look_alike)
{
	CHECK_EQ(personality(0xffffffff), 0);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	char *argv[] = { "bash", "-c",
			 /* The end only: stacks grow as they please. */
			 "ends=$(for i in 1 2; do sed -n 's/^[^-]*-\\([^ ]*\\)"
			 ".*.stack.$/\\1/p' /proc/self/maps; done | sort -u);"
			 "test -n \"$ends\" && test $(echo $ends | wc -w) = 1",
			 NULL };
	CHECK_EQ(IN_CHILD(execv("/bin/bash", argv)), 0);
}

TEST(vfork_waits_and_shares_memory)
{
	volatile int value = 1;
	pid_t pid = vfork();
	if (pid == 0) {
		value = 2;
		_exit(5);
	}
	CHECK_EQ(value, 2);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 5);
}

static int clone_child(void *arg)
{
	*(volatile int *)arg = 11;
	return 4;
}

TEST(clone_with_clone_vm_shares_memory)
{
	static char stack[65536];
	volatile int value = 0;
	int status;
	pid_t pid = clone(clone_child, stack + sizeof stack,
			  CLONE_VM | SIGCHLD, (void *)&value);
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 4);
	CHECK_EQ(value, 11);
}

TEST(clone_checks_its_flags)
{
	CHECK_ERRNO(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, NULL, 8), EINVAL);
}

TEST(process_groups_and_sessions)
{
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_EQ(setpgid(0, 0), 0);
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(setsid(), EPERM);
		_exit(0);
	}
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_ERRNO(setpgid(0, -1), EINVAL);
	CHECK_ERRNO(setpgid(999999, 0), ESRCH);
	status = IN_CHILD({
		CHECK_EQ(setsid(), getpid());
		CHECK_EQ(getsid(0), getpid());
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(setpgid(0, 0), EPERM);
	});
	CHECK_EQ(status, 0);
}

TEST(pdeathsig_arrives_when_the_parent_ends)
{
	int ends[2], status;
	char byte = 0;
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int ready[2];
		if (pipe(ready) != 0)
			_exit(1);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(ready[1], "r", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(ends[1]);
	/* Ends when the last writer, the grandchild, is gone. */
	CHECK_EQ(read(ends[0], &byte, 1), 0);
}

TEST(getrusage_counts_children)
{
	struct rusage usage;
	IN_CHILD({
		volatile unsigned long n = 0;
		while (n < 80000000)
			n++;
	});
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	CHECK(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec > 1000);
	CHECK_ERRNO(getrusage(77, &usage), EINVAL);
}

TEST(prctl_name_is_cut_to_15_bytes)
{
	char name[16];
	CHECK_EQ(prctl(PR_SET_NAME, "a-very-long-thread-name"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK(strcmp(name, "a-very-long-thr") == 0);
}
