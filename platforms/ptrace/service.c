/*
 * service.c: runs the routines of a stub's own text in a stopped thread, and
 * waits for it. Stops of other threads that come meanwhile are taken as usual.
 */
#include <errno.h>
#include "host_calls.h"
#include "ptrace_platform.h"

int service_await(struct rsp_platform *p, struct host_thread *t,
		  struct stub *stub)
{
	int status;
	long rc;

	/* Not wait4(tid): a killed group leader is not reported before its
	 * other threads were reaped, so one must take whatever comes. */
	while (!stub->dead && t->running) {
		rc = host_wait(p->group, &status, 0);
		if (rc == -EINTR)
			continue;
		if (rc < 0)
			return (int)rc;
		stop_dispatch(p, (pid_t)rc, status);
	}
	return stub->dead ? -ESRCH : 0;
}

int service_run(struct rsp_platform *p, struct host_thread *t,
		const struct service *s)
{
	struct user_regs_struct regs = p->service_regs;
	long rc;

	regs.rip = s->rip;
	regs.r12 = s->r12;
	regs.r13 = s->r13;
	regs.orig_rax = (unsigned long)-1;	/* no call to restart */
	if (t->stub->dead)
		return -ESRCH;
	rc = host_setregs(t->tid, &regs);
	if (rc < 0)
		return (int)rc;
	t->mode = MODE_SERVICE;
	t->running = true;
	placement_service(p, t);
	rc = host_ptrace(PTRACE_CONT, t->tid, 0, NULL);
	if (rc < 0) {
		t->running = false;
		return (int)rc;
	}
	return service_await(p, t, t->stub);
}

struct host_thread *service_clone(struct rsp_platform *p,
				  struct host_thread *leader, struct stub *of,
				  const struct service *s, int *error)
{
	struct host_thread *t;
	long tid;
	int rc;

	p->stillborn = 0;
	rc = service_run(p, leader, s);
	if (rc < 0)
		goto fail;
	tid = (long)p->service_result.rax;
	rc = (int)tid;
	if (tid < 0)
		goto fail;
	rc = -EAGAIN;
	if (p->stillborn == (pid_t)tid)
		goto fail;
	/* The child may have reported its first stop already. */
	t = thread_find(p, (pid_t)tid);
	if (t == NULL) {
		rc = -ENOMEM;
		t = thread_insert(p, (pid_t)tid);
		if (t == NULL) {
			/* Untracked it would stay for ever: give up all of it. */
			host_kill((pid_t)tid, SIGKILL);
			goto fail;
		}
		t->running = true;
	}
	t->stub = of;
	if (of->pid == 0)
		of->pid = t->tid;
	t->cpu = leader->cpu;	/* inherited, like the whole affinity */
	of->threads++;
	rc = service_await(p, t, of);
	if (rc < 0)
		goto fail;
	return t;
fail:
	*error = rc;
	return NULL;
}
