/*
 * systrap_platform.h: what the files of this plugin know of each other. One
 * thread calls everything but rsp_ring; reaper.c has a thread of its own, which
 * touches nothing but the words of struct reaper.
 *
 *   platform ─ spaces[] ─ stub ─ orders, bell: pages shared with it
 *            │                 └ places[]: its guest threads, lent or idle
 *            ├ guests[]  a context's host side: which thread it has
 *            └ running[] contexts that run
 *
 * Trust: a stub's bell and thread slots are written by hostile code. Each word
 * is read once; what is decided here is decided by private memory.
 */
#ifndef SYSTRAP_PLATFORM_H
#define SYSTRAP_PLATFORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "../platform.h"
#include "stub/stub_layout.h"

#define NO_INDEX UINT32_MAX
/* Stub processes at one time. */
#define STUBS_MAX 16384
/* Thread slots beyond one for each context: idle threads of stubs. */
#define SPARE_SLOTS 2048

struct stub;
struct patches;

/* [start, end) of executable, not writable memory, from an offset on. */
struct range {
	uint64_t start, end, offset;
	uint32_t prot;
};
struct ranges {
	struct range *items;
	uint32_t count, capacity;
};

/* A guest thread of a stub. It lives as long as the stub. */
struct host_thread {
	struct stub *stub;
	struct stub_thread *slot;	/* shared: never believed */
	uint32_t slot_index;
	uint32_t place;		/* in the stub */
	uint32_t tid;
	uint32_t context;	/* or NO_INDEX: idle */
	struct host_thread *next_idle;
};

/* One process: an address space. */
struct stub {
	pid_t pid;
	uint32_t index;		/* of its pages in the orders file */
	uint32_t space;		/* or NO_INDEX */
	bool dead;		/* killed, by us or from outside */
	bool reaped;
	int status;		/* of wait4(2), once reaped */
	uint32_t running;	/* contexts that run here */
	uint32_t busy_index;	/* in platform.busy, while running > 0 */
	struct stub_orders *orders;
	struct stub_bell *bell;	/* shared: never believed */
	struct host_thread **places;
	uint32_t place_count, place_capacity;
	struct host_thread *idle;
	struct ranges ranges;
	struct patches *patches;	/* null: none yet */
};

struct guest {
	struct host_thread *thread;	/* null: none yet, or its stub died */
	bool used;
	bool interrupt;		/* the next resume stops at once */
	bool stepping;
	bool slot_known;	/* slot_regs is what the slot holds */
	bool fpu_load;		/* no thread has the state: load the area */
	bool fpu_initial;	/* the area holds the initial state */
	uint32_t running_index;	/* in platform.running, or NO_INDEX */
	int64_t interrupted_ns;	/* since when the current run should stop */
	int64_t signalled_ns;
	uint64_t patch_site;	/* patch it at the next resume; 0: nothing */
	uint64_t patch_rax;	/* the number that came from it */
	uint64_t slot_regs[REGISTER_COUNT];
};

struct pace {
	uint64_t gap;		/* mean cycles from a wait to the next stop */
	uint64_t contended;	/* until then nobody looks, all sleep */
	uint64_t penalty;	/* cycles that the next contention costs */
	uint32_t recent[8];	/* contexts that stopped since the last wait */
	uint32_t recent_count;
};

struct reaper {
	pthread_t thread;
	bool started;
	pid_t group;
	int event_fd;
	uint32_t event;		/* futex: children to wait for */
	uint32_t closing;
};

struct rsp_platform {
	struct rsp_control *control;
	size_t control_bytes;
	uint32_t context_count;
	uint32_t context_hint;	/* lowest index that may be free */
	uint32_t xsave_bytes;
	uint64_t features;	/* XSAVE components of guests */
	uint32_t mxcsr_mask;
	uint32_t cpus;		/* that we may run on */
	struct pace pace;

	int memory_fd;
	int event_fd;
	uint8_t *patch_file;	/* window */
	uint32_t *free_blocks;	/* a stack of block indexes */
	uint32_t free_block_count, used_blocks;
	bool patching;		/* sites are patched, gs points to slots */
	uint64_t calls_jumped, calls_signalled, sites_patched;
	uint8_t *orders_file;	/* window; begins with the board */
	struct stub_board *board;
	uint8_t *threads_file;	/* window */
	uint32_t slot_count;
	uint32_t *free_slots;	/* a stack of slot indexes */
	uint32_t free_slot_count, used_slots;
	uint32_t *free_stubs;	/* a stack of indexes in the orders file */
	uint32_t free_stub_count, used_stubs;

	struct stub *template;
	struct stub **spaces;
	uint32_t space_capacity;
	struct stub **stubs;	/* all that are not reaped */
	uint32_t stub_count, stub_capacity;
	struct guest *guests;
	uint32_t *running;
	uint32_t running_count;
	struct stub **busy;	/* stubs with running contexts */
	uint32_t busy_count;
	uint32_t interrupts;	/* running contexts that should have stopped */
	bool kill_refused;	/* our ids changed: stubs signal themselves */
	struct reaper reaper;
};

/* launch.c */
struct shared_fds {
	int orders, threads, patches;
};
int template_start(struct rsp_platform *, int memory_fd, int stub_fd,
		   const struct shared_fds *);

/* service.c: orders to the service thread of a stub */
struct order {
	uint32_t op, count;
	uint64_t arg0, arg1;
};
/* 0, -errno of the order, or -ESRCH: the stub died. */
int service_order(struct rsp_platform *, struct stub *, const struct order *);

/* spaces.c */
struct stub *space_stub(const struct rsp_platform *, uint32_t space);
struct stub *stub_new(struct rsp_platform *, int *error);
/* Ends the process; its record stays until it is reaped. */
void stub_kill(struct rsp_platform *, struct stub *);
void stub_free(struct rsp_platform *, struct stub *);
int stub_signal_thread(struct rsp_platform *, struct host_thread *);

/* threads.c */
struct host_thread *thread_take(struct rsp_platform *, struct stub *,
				int *error);
void thread_release(struct host_thread *);
/* Gives back every slot of a stub that was reaped. */
void threads_free(struct rsp_platform *, struct stub *);
/* Of its slot, in the stub. */
static inline uint64_t thread_address(const struct host_thread *t)
{
	return STUB_THREADS + (uint64_t)t->place * THREAD_BYTES;
}
/* Changes the state and wakes the thread. */
void thread_set_state(struct host_thread *, uint32_t state);

/* contexts.c */
struct rsp_context *context_at(const struct rsp_platform *, uint32_t context);
uint8_t *context_xsave(const struct rsp_platform *, uint32_t context);
/* The context runs no longer; its thread, if any, stays with it. */
void context_stopped(struct rsp_platform *, uint32_t context);

/* fpu.c */
int fpu_open(struct rsp_platform *);
void fpu_write_initial(const struct rsp_platform *, uint8_t *area);
/* Brings the state from the thread into the context's area. */
int fpu_fetch(struct rsp_platform *, uint32_t context);
/* Copies the context's area for its thread to load. */
void fpu_give(struct rsp_platform *, uint32_t context);

/* collect.c */
/* Takes what has stopped; true: the stopped bitmap is not empty. */
bool collect(struct rsp_platform *);
/* Takes this context if it has stopped. */
bool collect_context(struct rsp_platform *, uint32_t context);
void publish(struct rsp_platform *, uint32_t context, uint32_t reason);
bool stop_pending(const struct rsp_platform *);

/* reaper.c */
int reaper_start(struct rsp_platform *, pid_t group);
void reaper_stop(struct rsp_platform *);
/* Waits for children that have ended or stopped, if there are any. */
void reap(struct rsp_platform *);

/* pace.c: whether to look for an event or to sleep until it comes */
struct spin {
	uint64_t start, last;
};
/* True as long as it pays to look again; starts with a zeroed struct. */
bool spin_on(struct rsp_platform *, struct spin *, uint64_t limit);
/* How many times to look at once, without a pause. */
uint32_t pace_quick(const struct rsp_platform *);
/* How long it pays to look for the next stop, in cycles; maybe 0. */
uint64_t pace_limit(struct rsp_platform *);
/* A stop came so many cycles after we began to wait. */
void pace_stop(struct rsp_platform *, uint64_t gap);
/* Somebody else wants our CPUs. */
void pace_contended(struct rsp_platform *);
/* Contexts that stopped and were not resumed have long to wait. */
void pace_rest(struct rsp_platform *);
uint32_t current_cpu(void);
uint64_t cycles(void);

/* sleep.c */
int64_t now_ns(void);
/* Between `going` and `gone`: conditions are looked at, then slept on. */
void sleep_going(struct rsp_platform *);
/* 0, or -EINTR. ns: at most this long; negative: for ever. */
int sleep_on_event(struct rsp_platform *, int64_t ns);
void sleep_gone(struct rsp_platform *);
/* Deals with interrupts that guests do not honour; when to look again. */
int64_t press_interrupts(struct rsp_platform *);

#endif
