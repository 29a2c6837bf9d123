/*
 * spaces.c: address spaces, one stub process each.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "host_calls.h"
#include "patches.h"

_Static_assert(STUB_TABLE_BYTES == RSP_MEM_OPS_MAX * sizeof(struct rsp_mem_op),
	       "the table holds what control.memOps holds");

struct stub *space_stub(const struct rsp_platform *p, uint32_t space)
{
	return space < p->space_capacity ? p->spaces[space] : NULL;
}

static bool index_take(struct rsp_platform *p, uint32_t *index)
{
	if (p->free_stub_count > 0) {
		*index = p->free_stubs[--p->free_stub_count];
		return true;
	}
	if (p->used_stubs == STUBS_MAX)
		return false;
	*index = p->used_stubs++;
	return true;
}

/* The record of a stub that is to be; its pages are fresh. */
struct stub *stub_new(struct rsp_platform *p, int *error)
{
	uint32_t capacity = 2 * p->stub_capacity + 16;
	struct stub *stub = NULL;
	struct stub **bigger;
	size_t offset;
	uint8_t *pages;

	*error = -ENOMEM;
	if (p->stub_count == p->stub_capacity) {
		bigger = realloc(p->stubs, capacity * sizeof *bigger);
		if (bigger == NULL)
			return NULL;
		p->stubs = bigger;
		bigger = realloc(p->busy, capacity * sizeof *bigger);
		if (bigger == NULL)
			return NULL;
		p->busy = bigger;
		p->stub_capacity = capacity;
	}
	stub = calloc(1, sizeof *stub);
	if (stub == NULL)
		return NULL;
	if (!index_take(p, &stub->index)) {
		free(stub);
		*error = -EAGAIN;
		return NULL;
	}
	offset = ORDERS_FILE_FIRST + (size_t)stub->index * ORDERS_FILE_STRIDE;
	pages = p->orders_file + offset;
	stub->orders = (void *)pages;
	stub->bell = (void *)(pages + ORDERS_FILE_READ_ONLY);
	memset(stub->orders, 0, sizeof *stub->orders);
	memset(stub->bell, 0, sizeof *stub->bell);
	stub->orders->offset = offset;
	stub->space = NO_INDEX;
	p->stubs[p->stub_count++] = stub;
	return stub;
}

void stub_free(struct rsp_platform *p, struct stub *stub)
{
	uint32_t i;

	threads_free(p, stub);
	patches_free(p, stub);
	for (i = 0; p->stubs[i] != stub; i++)
		;
	p->stubs[i] = p->stubs[--p->stub_count];
	p->free_stubs[p->free_stub_count++] = stub->index;
	free(stub);
}

/* A Sentry that has changed its ids may not signal a stub any more; but it can
 * order the stub's service thread to. */
void stub_kill(struct rsp_platform *p, struct stub *stub)
{
	const struct order order = { .op = ORDER_EXIT };

	if (stub->dead || stub->pid == 0)
		return;
	/* Not reaped yet, so the number is still its own. */
	if (p->kill_refused || host_kill(stub->pid, SIGKILL) < 0) {
		p->kill_refused = true;
		service_order(p, stub, &order);
	}
	stub->dead = true;
}

int stub_signal_thread(struct rsp_platform *p, struct host_thread *t)
{
	struct order order = {
		.op = ORDER_SIGNAL,
		.arg0 = (uint64_t)t->stub->pid,
		.arg1 = t->tid,
	};
	long rc;

	if (!p->kill_refused) {
		rc = host_call(SYS_tgkill, t->stub->pid, t->tid, STUB_SIGNAL,
			       0);
		if (rc != -EPERM)
			return (int)rc;
		p->kill_refused = true;
	}
	return service_order(p, t->stub, &order);
}

/* An index for a new space, or -errno. */
static int space_index(struct rsp_platform *p)
{
	uint32_t capacity = p->space_capacity;
	struct stub **bigger;
	uint32_t i;

	for (i = 0; i < capacity; i++)
		if (p->spaces[i] == NULL)
			return (int)i;
	if (capacity >= STUBS_MAX)
		return -EAGAIN;
	bigger = realloc(p->spaces, 2 * (capacity + 8) * sizeof *bigger);
	if (bigger == NULL)
		return -ENOMEM;
	p->space_capacity = 2 * (capacity + 8);
	memset(bigger + capacity, 0,
	       (p->space_capacity - capacity) * sizeof *bigger);
	p->spaces = bigger;
	return (int)capacity;
}

int rsp_space_new(struct rsp_platform *p)
{
	struct order order = { .op = ORDER_FORK };
	struct stub *stub;
	int index, rc;

	reap(p);
	if (p->template->dead)
		return -ESRCH;
	index = space_index(p);
	if (index < 0)
		return index;
	stub = stub_new(p, &rc);
	if (stub == NULL)
		return rc;
	order.arg0 = stub->orders->offset;
	rc = service_order(p, p->template, &order);
	if (rc < 0) {
		stub_free(p, stub);
		return rc;
	}
	/* The template runs no guest: the word is its own. */
	stub->pid = (pid_t)p->template->bell->fork_pid;
	stub->space = (uint32_t)index;
	p->spaces[index] = stub;
	return index;
}

int rsp_space_free(struct rsp_platform *p, uint32_t space)
{
	struct stub *stub = space_stub(p, space);

	if (stub == NULL)
		return -EINVAL;
	p->spaces[space] = NULL;
	stub->space = NO_INDEX;
	/* Contexts may still be bound to its threads: they stopped here and
	 * have not run elsewhere yet. */
	for (uint32_t i = 0; i < stub->place_count; i++) {
		uint32_t context = stub->places[i]->context;

		if (context == NO_INDEX)
			continue;
		if (fpu_fetch(p, context) < 0)
			fpu_write_initial(p, context_xsave(p, context));
		p->guests[context].thread = NULL;
		p->guests[context].fpu_load = true;
		stub->places[i]->context = NO_INDEX;
	}
	if (stub->reaped)
		stub_free(p, stub);
	else
		stub_kill(p, stub);
	return 0;
}

/* The record, checked: what the stub's system calls will be given. */
static bool request_valid(const struct rsp_mem_op *op)
{
	const uint32_t rights = 7 | RSP_MEM_POPULATE;
	const uint64_t max_offset = 1ull << 52;

	if (op->op < RSP_MEM_MAP || op->op > RSP_MEM_PROTECT)
		return false;
	if ((op->prot & ~rights) != 0)
		return false;
	if (((op->addr | op->length | op->offset) & 4095) != 0)
		return false;
	if (op->length == 0 || op->length > STUB_BASE)
		return false;
	if (op->addr < STUB_JUMPS + STUB_JUMPS_BYTES &&
	    op->addr + op->length > STUB_JUMPS)
		return false;
	return op->addr <= STUB_BASE - op->length && op->offset < max_offset;
}

int rsp_space_apply(struct rsp_platform *p, uint32_t space, uint32_t count,
		    uint32_t *failed)
{
	const struct rsp_mem_op *ops = (void *)p->control->memOps;
	struct stub *stub = space_stub(p, space);
	struct order order = { .op = ORDER_APPLY, .count = count };
	struct rsp_mem_op *table;
	uint32_t i;
	int rc;

	*failed = 0;
	if (stub == NULL || count > RSP_MEM_OPS_MAX)
		return -EINVAL;
	if (count == 0)
		return 0;
	table = (void *)((uint8_t *)stub->orders + 4096);
	for (i = 0; i < count; i++) {
		if (!request_valid(&ops[i])) {
			*failed = i;
			return -EINVAL;
		}
	}
	rc = patches_drop(p, stub, ops, count);
	if (rc < 0)
		return rc;
	for (i = 0; i < count; i++) {
		table[i] = ops[i];
		table[i].op |= i << 8;	/* for the answer of one that fails */
	}
	rc = service_order(p, stub, &order);
	if (rc < 0)
		*failed = stub->orders->failed >> 8;
	return rc;
}
