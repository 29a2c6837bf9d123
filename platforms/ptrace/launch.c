/*
 * launch.c: starts the stub template. The child shares our memory until it
 * executes the stub (the kernel's whole window would be slow to fork), so it
 * makes raw system calls only and touches nothing but its arguments.
 *
 * It is attached after the exec, not before: then it may be traced whatever
 * the dumpable flag of this process is. A pipe holds it until that is done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "host_calls.h"
#include "ptrace_platform.h"

enum { CHILD_STACK_BYTES = 64 * 1024 };

struct launch {
	int memory_fd, table_fd, gate_fd, stub_fd;
	volatile int error;	/* of the child's step that failed */
};

/* Dup'ed above every number that is given away below. */
static long move_up(int fd)
{
	return host_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 16, 0);
}

static int launch_child(void *arg)
{
	struct launch *l = arg;
	/* The kernel's struct: handler, flags, restorer, mask. */
	unsigned long deflt[4] = { 0 };
	struct rlimit none = { 0, 0 };
	const char *const argv[] = { "runsc-stub", NULL };
	const char *const envp[] = { NULL };
	long fds[4];
	long rc;
	int i;

	for (i = 1; i <= 64; i++)	/* ignored ones would outlive exec */
		host_call(SYS_rt_sigaction, i, (long)deflt, 0, 8);
	host_call(SYS_setsid, 0, 0, 0, 0);
	host_call(SYS_prlimit64, 0, RLIMIT_CORE, (long)&none, 0);

	fds[STUB_MEMORY_FD] = move_up(l->memory_fd);
	fds[STUB_TABLE_FD] = move_up(l->table_fd);
	fds[STUB_GATE_FD] = move_up(l->gate_fd);
	fds[3] = move_up(l->stub_fd);
	for (i = 0; i < 4; i++) {
		rc = fds[i];
		if (rc < 0)
			goto out;
		rc = host_call(SYS_dup3, rc, i, i == 3 ? O_CLOEXEC : 0, 0);
		if (rc < 0)
			goto out;
	}
	rc = host_call(SYS_close_range, 4, ~0U, 0, 0);
	if (rc < 0)
		goto out;
	rc = host_call5(SYS_execveat, 3, (long)"", (long)argv, (long)envp,
			AT_EMPTY_PATH);
out:
	l->error = (int)-rc;
	host_call(SYS_exit_group, 127, 0, 0, 0);
	return 0;
}

/* Seizes the child, lets it settle, and reads its registers at rest. */
static int attach(struct rsp_platform *p, int gate_write)
{
	/* EXITKILL: no stub outlives us, however we end. */
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	struct stub *stub = p->template;
	struct host_thread *leader = stub->leader;
	uint8_t *area;
	long rc;

	rc = host_call(SYS_ptrace, PTRACE_SEIZE, stub->pid, 0, options);
	if (rc < 0)
		return (int)rc;
	leader->mode = MODE_SERVICE;
	leader->running = true;
	close(gate_write);
	rc = service_await(p, leader, stub);
	if (rc < 0)	/* a step of the template failed */
		return rc == -ESRCH ? -ENOSYS : (int)rc;
	p->service_regs = p->service_result;
	if (p->service_regs.rax != STUB_TABLE)
		return -ENOSYS;

	area = malloc(65536);
	if (area == NULL)
		return -ENOMEM;
	rc = host_xstate(PTRACE_GETREGSET, stub->pid, area, 65536);
	free(area);
	if (rc < 0)
		return -ENODEV;	/* a processor without XSAVE */
	p->xsave_bytes = (size_t)rc;
	return 0;
}

int template_start(struct rsp_platform *p, int memory_fd, int stub_fd,
		   int table_fd)
{
	struct launch l = { memory_fd, table_fd, -1, stub_fd, 0 };
	struct stub *stub = NULL;
	sigset_t all, old;
	int gate[2] = { -1, -1 };
	void *stack = MAP_FAILED;
	pid_t pid;
	int rc = -ENOMEM;

	stub = calloc(1, sizeof *stub);
	if (stub == NULL)
		goto out;
	stack = mmap(NULL, CHILD_STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED)
		goto out;
	if (pipe2(gate, O_CLOEXEC) < 0) {
		rc = -errno;
		goto out;
	}
	l.gate_fd = gate[0];

	/* Our handlers must not run in the child, on our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone(launch_child, (char *)stack + CHILD_STACK_BYTES,
		    CLONE_VM | CLONE_VFORK, &l);
	rc = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		goto out;
	p->group = pid;
	stub->pid = pid;
	stub->leader = thread_insert(p, pid);
	if (stub->leader == NULL) {
		rc = -ENOMEM;
		host_kill(pid, SIGKILL);
		host_call(SYS_wait4, pid, 0, __WALL, 0);
		goto out;
	}
	stub->leader->stub = stub;
	stub->threads = 1;
	p->template = stub;
	stub = NULL;
	if (l.error != 0) {
		rc = -l.error;
		goto out;
	}
	rc = attach(p, gate[1]);
	gate[1] = -1;
	/* On failure rsp_close kills and reaps the template. */
out:
	if (gate[0] >= 0)
		close(gate[0]);
	if (gate[1] >= 0)
		close(gate[1]);
	if (stack != MAP_FAILED)
		munmap(stack, CHILD_STACK_BYTES);
	free(stub);
	return rc;
}
