/*
 * launch.c: starts the stub template. The child shares our memory until it
 * executes the stub (the kernel's whole window would be slow to fork), so it
 * makes raw system calls only and touches nothing but its arguments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "host_calls.h"
#include "systrap_platform.h"

enum { CHILD_STACK_BYTES = 64 * 1024, FD_COUNT = 6 };

struct launch {
	int fds[FD_COUNT];	/* by the stub's numbers; the last: its file */
	volatile int error;	/* of the child's step that failed */
};

static int launch_child(void *arg)
{
	struct launch *l = arg;
	/* The kernel's struct: handler, flags, restorer, mask. */
	unsigned long deflt[4] = { 0 };
	struct rlimit none = { 0, 0 };
	const char *const argv[] = { "runsc-stub", NULL };
	const char *const envp[] = { NULL };
	long fds[FD_COUNT];
	long rc = 0;
	int i;

	for (i = 1; i <= 64; i++)	/* ignored ones would outlive exec */
		host_call(SYS_rt_sigaction, i, (long)deflt, 0, 8);
	host_call(SYS_setsid, 0, 0, 0, 0);
	host_call(SYS_prlimit64, 0, RLIMIT_CORE, (long)&none, 0);
	/* Above every number that is given away below. */
	for (i = 0; i < FD_COUNT; i++) {
		fds[i] = rc = host_call(SYS_fcntl, l->fds[i], F_DUPFD_CLOEXEC,
					16, 0);
		if (rc < 0)
			goto out;
	}
	for (i = 0; i < FD_COUNT; i++) {
		rc = host_call(SYS_dup3, fds[i], i,
			       i == FD_COUNT - 1 ? O_CLOEXEC : 0, 0);
		if (rc < 0)
			goto out;
	}
	rc = host_call(SYS_close_range, FD_COUNT, ~0U, 0, 0);
	if (rc < 0)
		goto out;
	rc = host_call6(SYS_execveat, FD_COUNT - 1, (long)"", (long)argv,
			(long)envp, AT_EMPTY_PATH, 0);
out:
	l->error = (int)-rc;
	host_call(SYS_exit_group, 127, 0, 0, 0);
	return 0;
}

int template_start(struct rsp_platform *p, int memory_fd, int stub_fd,
		   const struct shared_fds *fds)
{
	const struct order hello = { .op = ORDER_NONE };
	struct launch l = {
		{ memory_fd, fds->orders, fds->threads, p->event_fd,
		  fds->patches, stub_fd },
		0
	};
	sigset_t all, old;
	void *stack;
	pid_t pid;
	int rc;

	p->template = stub_new(p, &rc);
	if (p->template == NULL)
		return rc;
	stack = mmap(NULL, CHILD_STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED)
		return -ENOMEM;
	/* Our handlers must not run in the child, on our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone(launch_child, (char *)stack + CHILD_STACK_BYTES,
		    CLONE_VM | CLONE_VFORK | SIGCHLD, &l);
	rc = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	munmap(stack, CHILD_STACK_BYTES);
	if (pid < 0)
		return rc;
	p->template->pid = pid;
	rc = reaper_start(p, pid);
	if (rc < 0 || l.error != 0)
		return rc < 0 ? rc : -l.error;
	/* Its answer says that every step of it went well. */
	rc = service_order(p, p->template, &hello);
	return rc == -ESRCH ? -ENOSYS : rc;
}
