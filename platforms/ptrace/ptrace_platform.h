/*
 * ptrace_platform.h: what the files of this plugin know of each other. The
 * thread that called rsp_open is the tracer of everything and the only one
 * that touches these structs, but for rsp_ring.
 *
 *   platform ─ spaces[] ─ stub ─ leader, never runs guest code
 *            │                 └ host threads, lent to guests or idle
 *            ├ guests[]  a context's host side: which host thread it has
 *            └ threads   every traced thread, by tid
 */
#ifndef PTRACE_PLATFORM_H
#define PTRACE_PLATFORM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>
#include <time.h>
#include "../platform.h"
#include "stub/stub_layout.h"

#define NO_CONTEXT UINT32_MAX
/* Stub processes at one time, each with a request table of its own. */
#define STUBS_MAX 16384
/* Idle threads that a stub keeps for its next contexts. */
#define IDLE_MAX 16
/* Raises the tracer out of its sleep; ignored by default, so that one that
 * comes late does no harm. */
#define WAKE_SIGNAL SIGURG

/* What a traced thread does, hence what its next stop means. */
enum thread_mode {
	MODE_NEWBORN,	/* cloned, has not stopped for the first time */
	MODE_SERVICE,	/* runs a routine of the stub for us, who wait for it */
	MODE_IDLE,	/* stopped, lent to nobody */
	MODE_GUEST,	/* runs its context, or is stopped between two runs */
	MODE_REPORT,	/* runs the fault handler of the stub */
	MODE_ORPHAN,	/* its context was freed while it ran: idle after stop */
	MODE_EXITING,
};

struct stub;

struct host_thread {
	pid_t tid;
	uint32_t context;	/* or NO_CONTEXT */
	enum thread_mode mode;
	bool running;		/* not in a stop that we have seen */
	bool interrupting;	/* PTRACE_INTERRUPT sent for the current run */
	bool stepping;		/* how the current run was started */
	bool used;		/* had a context: its FPU state is not initial */
	bool roams;		/* placement.c: may run on every CPU */
	bool regs_known;	/* regs is what the host has for it */
	int cpu;		/* pinned to it, or -1 */
	int64_t resumed_ns;	/* placement.c: start of the current run */
	int64_t mean_run_ns;	/* placement.c: from resume to stop */
	struct user_regs_struct regs;
	struct stub *stub;	/* null until its maker learned its tid */
	struct host_thread *next_idle;
};

/* One process: an address space. */
struct stub {
	pid_t pid;
	uint32_t slot;		/* of the request table */
	uint32_t threads;	/* not reaped yet, the leader included */
	uint32_t idle_count;
	bool dead;		/* killed, by us or from outside */
	bool released;		/* no space refers to it: free with last thread */
	struct host_thread *leader;
	struct host_thread *idle;
};

struct guest {
	struct host_thread *thread;	/* null: none yet, or killed */
	bool used;
	bool interrupt;		/* the next resume stops at once */
	bool fpu_initial;	/* the XSAVE area holds the initial state */
	bool fpu_load;		/* the host thread lost the state */
};

struct thread_map {
	struct host_thread **slots;	/* open addressing; null: free */
	uint32_t capacity;		/* power of two */
	uint32_t count;
};

struct rsp_platform {
	struct rsp_control *control;
	size_t control_bytes;
	pid_t tgid, tid;	/* of the tracer */
	pid_t group;		/* process group of every stub */
	struct stub *template;
	struct user_regs_struct service_regs;	/* of a stub at rest */
	struct user_regs_struct service_result;	/* at the last STUB_DONE */
	uint8_t *tables;	/* window on all request tables */
	uint32_t *free_slots;
	uint32_t free_slot_count;
	uint32_t used_slots;
	struct stub **spaces;
	uint32_t space_capacity;
	struct guest *guests;
	uint32_t context_count;
	uint32_t context_hint;	/* lowest index that may be free */
	struct thread_map threads;
	pid_t stillborn;	/* ended before its maker learned of it */
	uint32_t running;	/* host threads that may stop by themselves */
	size_t xsave_bytes;

	timer_t timer;
	bool has_timer;
	int64_t armed_ns;	/* instant the timer is set to, or 0 */
	struct sigaction old_action;
	bool has_action;

	int home_cpu;		/* placement.c: where the tracer is pinned */
	bool placement;
	int64_t tick_ns;	/* when placement_tick is due, or 0 */
	uint32_t ticks_at_home;
	uint8_t cpus[1024 / 8];	/* affinity the tracer was started with */
	size_t cpus_bytes;
};

/* launch.c */
int template_start(struct rsp_platform *, int memory_fd, int stub_fd,
		   int table_fd);

/* threads.c */
struct host_thread *thread_find(const struct rsp_platform *, pid_t tid);
/* Null: no memory. */
struct host_thread *thread_insert(struct rsp_platform *, pid_t tid);
void thread_remove(struct rsp_platform *, struct host_thread *);
/* A thread of the stub that is ready for a context, or null and -errno. */
struct host_thread *thread_take(struct rsp_platform *, struct stub *,
				int *error);
/* Gives back a stopped thread. */
void thread_release(struct rsp_platform *, struct host_thread *);
/* Sends a stopped thread away by a routine of the stub that does not return. */
void thread_exit(struct rsp_platform *, struct host_thread *, uint64_t rip);

/* spaces.c */
struct stub *space_stub(const struct rsp_platform *, uint32_t space);
void stub_kill(struct rsp_platform *, struct stub *);
void stub_unref_thread(struct rsp_platform *, struct stub *);

/* service.c: the routines of a stub's text */
struct service {
	uint64_t rip, r12, r13;
};
/* Runs a routine in a stopped thread until STUB_DONE; its registers are then
 * in service_result. 0 or -errno (-ESRCH: the stub died). */
int service_run(struct rsp_platform *, struct host_thread *,
		const struct service *);
/* Waits until the thread has stopped. */
int service_await(struct rsp_platform *, struct host_thread *, struct stub *);
/* Creates a thread or process by a routine: its record, stopped; else null. */
struct host_thread *service_clone(struct rsp_platform *, struct host_thread *,
				  struct stub *of, const struct service *,
				  int *error);

/* stops.c */
/* Does what the wait status of a thread asks for. */
void stop_dispatch(struct rsp_platform *, pid_t tid, int status);
void stop_publish(struct rsp_platform *, uint32_t context, uint32_t reason);
bool stop_pending(const struct rsp_platform *);

/* faults.c */
void fault_stop(struct rsp_platform *, struct host_thread *, int signal);
void fault_reported(struct rsp_platform *, struct host_thread *);

/* contexts.c */
struct rsp_context *context_at(const struct rsp_platform *, uint32_t context);
/* Lets a stopped guest thread run on, delivering `signal`; 0 or -errno. */
int guest_continue(struct rsp_platform *, struct host_thread *, int signal);
/* Reads the registers of a stopped guest thread into its context. */
int guest_fetch(struct rsp_platform *, struct host_thread *);
int fpu_fetch(struct rsp_platform *, struct host_thread *, uint32_t context);
uint8_t *context_xsave(const struct rsp_platform *, uint32_t context);
void fpu_write_initial(uint8_t *area, size_t bytes);

/* sleep.c */
int sleep_open(struct rsp_platform *);
void sleep_close(struct rsp_platform *);

/* placement.c */
void placement_open(struct rsp_platform *);
void placement_close(struct rsp_platform *);
/* Before a thread runs a routine for us, who will wait for it. */
void placement_service(struct rsp_platform *, struct host_thread *);
/* Before a guest thread runs, and when it has stopped by itself. */
void placement_resume(struct rsp_platform *, struct host_thread *);
void placement_stopped(struct rsp_platform *, struct host_thread *);
/* Now and then while guests run; returns when to be called next, or 0. */
int64_t placement_tick(struct rsp_platform *, int64_t now_ns);

#endif
