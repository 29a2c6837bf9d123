/*
 * threads.c: the table of traced threads by tid, and the threads of a stub
 * that wait to be lent to a context.
 */
#include <errno.h>
#include <stdlib.h>
#include "host_calls.h"
#include "ptrace_platform.h"

static uint32_t home_slot(const struct thread_map *map, pid_t tid)
{
	return ((uint32_t)tid * 2654435761u) & (map->capacity - 1);
}

struct host_thread *thread_find(const struct rsp_platform *p, pid_t tid)
{
	const struct thread_map *map = &p->threads;
	struct host_thread *t;
	uint32_t i;

	if (map->capacity == 0)
		return NULL;
	for (i = home_slot(map, tid); (t = map->slots[i]) != NULL;
	     i = (i + 1) & (map->capacity - 1))
		if (t->tid == tid)
			return t;
	return NULL;
}

static void place(struct thread_map *map, struct host_thread *t)
{
	uint32_t i = home_slot(map, t->tid);

	while (map->slots[i] != NULL)
		i = (i + 1) & (map->capacity - 1);
	map->slots[i] = t;
}

static bool grow(struct thread_map *map)
{
	struct thread_map bigger = {
		.capacity = map->capacity == 0 ? 64 : 2 * map->capacity,
		.count = map->count,
	};
	uint32_t i;

	bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
	if (bigger.slots == NULL)
		return false;
	for (i = 0; i < map->capacity; i++)
		if (map->slots[i] != NULL)
			place(&bigger, map->slots[i]);
	free(map->slots);
	*map = bigger;
	return true;
}

struct host_thread *thread_insert(struct rsp_platform *p, pid_t tid)
{
	struct thread_map *map = &p->threads;
	struct host_thread *t;

	if (2 * (map->count + 1) > map->capacity && !grow(map))
		return NULL;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->tid = tid;
	t->context = NO_CONTEXT;
	t->mode = MODE_NEWBORN;
	t->cpu = -1;
	place(map, t);
	map->count++;
	return t;
}

void thread_remove(struct rsp_platform *p, struct host_thread *t)
{
	struct thread_map *map = &p->threads;
	uint32_t mask = map->capacity - 1;
	uint32_t hole, i, home;

	for (hole = home_slot(map, t->tid); map->slots[hole] != t;
	     hole = (hole + 1) & mask)
		;
	/* Moves up whoever was pushed past the hole, so that no probe stops
	 * short of it. */
	for (i = (hole + 1) & mask; map->slots[i] != NULL; i = (i + 1) & mask) {
		home = home_slot(map, map->slots[i]->tid);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole] = NULL;
	map->count--;
	free(t);
}

struct host_thread *thread_take(struct rsp_platform *p, struct stub *stub,
				int *error)
{
	const struct service clone = { .rip = STUB_THREAD };
	struct host_thread *t = stub->idle;

	if (t != NULL) {
		stub->idle = t->next_idle;
		stub->idle_count--;
		return t;
	}
	return service_clone(p, stub->leader, stub, &clone, error);
}

void thread_release(struct rsp_platform *p, struct host_thread *t)
{
	struct stub *stub = t->stub;

	t->context = NO_CONTEXT;
	t->mode = MODE_IDLE;
	t->interrupting = false;
	t->regs_known = false;
	t->used = true;
	if (stub->dead)
		return;
	if (stub->idle_count < IDLE_MAX) {
		t->next_idle = stub->idle;
		stub->idle = t;
		stub->idle_count++;
		return;
	}
	thread_exit(p, t, STUB_EXIT);
}

void thread_exit(struct rsp_platform *p, struct host_thread *t, uint64_t rip)
{
	struct user_regs_struct regs = p->service_regs;

	regs.rip = rip;
	regs.orig_rax = (unsigned long)-1;
	t->mode = MODE_EXITING;
	if (host_setregs(t->tid, &regs) == 0)
		host_ptrace(PTRACE_CONT, t->tid, 0, NULL);
}
