/*
 * threads.c: guest threads of stubs, and the slots through which they speak
 * with us. A thread never ends before its stub; one without a context waits
 * for the next.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "host_calls.h"
#include "systrap_platform.h"

static bool slot_take(struct rsp_platform *p, uint32_t *slot)
{
	if (p->free_slot_count > 0) {
		*slot = p->free_slots[--p->free_slot_count];
		return true;
	}
	if (p->used_slots == p->slot_count)
		return false;
	*slot = p->used_slots++;
	return true;
}

static bool grow_places(struct stub *stub)
{
	uint32_t capacity = 2 * stub->place_capacity + 4;
	struct host_thread **bigger;

	if (stub->place_count < stub->place_capacity)
		return true;
	bigger = realloc(stub->places, capacity * sizeof *bigger);
	if (bigger == NULL)
		return false;
	stub->places = bigger;
	stub->place_capacity = capacity;
	return true;
}

static struct host_thread *thread_new(struct rsp_platform *p,
				      struct stub *stub, int *error)
{
	struct order order = { .op = ORDER_THREAD };
	struct host_thread *t;
	struct stub_thread *slot;
	uint32_t index;
	uint64_t address;

	*error = -EAGAIN;
	if (stub->place_count == THREAD_PLACES)
		return NULL;
	*error = -ENOMEM;
	t = calloc(1, sizeof *t);
	if (t == NULL || !grow_places(stub))
		goto fail;
	*error = -EAGAIN;
	if (!slot_take(p, &index))
		goto fail;
	address = STUB_THREADS + (uint64_t)stub->place_count * THREAD_BYTES;
	slot = (void *)(p->threads_file + (size_t)index * THREAD_BYTES);
	memset(slot, 0, sizeof *slot);
	slot->state = THREAD_STOPPED;
	slot->place = stub->place_count;
	slot->magic = THREAD_MAGIC_VALUE;
	slot->stack_top = address + THREAD_BYTES;
	slot->alt_stack[0] = address + THREAD_STACK;
	slot->alt_stack[2] = THREAD_STACK_BYTES;
	order.arg0 = address;
	order.arg1 = (uint64_t)index * THREAD_BYTES;
	t->stub = stub;
	t->slot = slot;
	t->slot_index = index;
	t->place = stub->place_count;
	t->context = NO_INDEX;
	stub->places[stub->place_count++] = t;
	*error = service_order(p, stub, &order);
	/* The stub may have mapped the slot before it failed, so it keeps it,
	 * without a thread. */
	if (*error < 0)
		return NULL;
	t->tid = __atomic_load_n(&slot->tid, __ATOMIC_RELAXED);
	return t;
fail:
	free(t);
	return NULL;
}

struct host_thread *thread_take(struct rsp_platform *p, struct stub *stub,
				int *error)
{
	struct host_thread *t = stub->idle;

	if (t == NULL)
		return thread_new(p, stub, error);
	stub->idle = t->next_idle;
	return t;
}

void thread_release(struct host_thread *t)
{
	t->context = NO_INDEX;
	t->next_idle = t->stub->idle;
	t->stub->idle = t;
}

void threads_free(struct rsp_platform *p, struct stub *stub)
{
	uint32_t i;

	for (i = 0; i < stub->place_count; i++) {
		struct host_thread *t = stub->places[i];

		/* Nothing of this guest may be seen by the slot's next. */
		madvise(t->slot, THREAD_BYTES, MADV_REMOVE);
		p->free_slots[p->free_slot_count++] = t->slot_index;
		free(t);
	}
	free(stub->places);
	stub->places = NULL;
	stub->idle = NULL;
	stub->place_count = stub->place_capacity = 0;
}

void thread_set_state(struct host_thread *t, uint32_t state)
{
	struct stub_thread *slot = t->slot;

	/* Either we see that it sleeps, or it sees the state before it does. */
	__atomic_store_n(&slot->state, state, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&slot->asleep, __ATOMIC_SEQ_CST) != 0)
		host_wake(&slot->state);
}
