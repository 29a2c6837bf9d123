/*
 * spaces.c: address spaces, one stub process each. Its leader thread is parked
 * for good; it carries out what is asked through the request table, a page run
 * of its own that the stub can read and only the plugin can write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "host_calls.h"
#include "ptrace_platform.h"

_Static_assert(STUB_TABLE_BYTES == RSP_MEM_OPS_MAX * sizeof(struct rsp_mem_op),
	       "the request table holds what control.memOps holds");

struct stub *space_stub(const struct rsp_platform *p, uint32_t space)
{
	return space < p->space_capacity ? p->spaces[space] : NULL;
}

static bool slot_take(struct rsp_platform *p, uint32_t *slot)
{
	if (p->free_slot_count > 0) {
		*slot = p->free_slots[--p->free_slot_count];
		return true;
	}
	if (p->used_slots == STUBS_MAX)
		return false;
	*slot = p->used_slots++;
	return true;
}

static void stub_free(struct rsp_platform *p, struct stub *stub)
{
	p->free_slots[p->free_slot_count++] = stub->slot;
	free(stub);
}

void stub_kill(struct rsp_platform *p, struct stub *stub)
{
	if (stub->dead || stub->pid == 0)
		return;
	stub->dead = true;
	/* Not reaped yet, so the number is still its own. A tracer that has
	 * changed its ids since may not signal it, but can make it exit. */
	if (host_kill(stub->pid, SIGKILL) < 0 && stub->leader != NULL)
		thread_exit(p, stub->leader, STUB_EXIT_GROUP);
}

void stub_unref_thread(struct rsp_platform *p, struct stub *stub)
{
	stub->threads--;
	if (stub->threads == 0 && stub->released)
		stub_free(p, stub);
}

static void stub_release(struct rsp_platform *p, struct stub *stub)
{
	stub_kill(p, stub);
	stub->released = true;
	if (stub->threads == 0)
		stub_free(p, stub);
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
	if (capacity == STUBS_MAX)
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
	struct service fork = { .rip = STUB_FORK };
	struct stub *stub;
	int index, rc;

	if (p->template->dead)
		return -ESRCH;
	index = space_index(p);
	if (index < 0)
		return index;
	stub = calloc(1, sizeof *stub);
	if (stub == NULL)
		return -ENOMEM;
	if (!slot_take(p, &stub->slot)) {
		free(stub);
		return -EAGAIN;
	}
	fork.r12 = (uint64_t)stub->slot * STUB_TABLE_BYTES;
	stub->leader = service_clone(p, p->template->leader, stub, &fork, &rc);
	if (stub->leader == NULL)
		goto fail;

	/* It stands behind clone(2) and goes on to map its table. */
	stub->leader->mode = MODE_SERVICE;
	stub->leader->running = true;
	rc = (int)host_ptrace(PTRACE_CONT, stub->pid, 0, NULL);
	if (rc == 0)
		rc = service_await(p, stub->leader, stub);
	if (rc < 0)
		goto fail;
	if (p->service_result.rax != STUB_TABLE) {
		rc = -ENOMEM;
		goto fail;
	}
	p->spaces[index] = stub;
	return index;
fail:
	stub_release(p, stub);
	return rc;
}

int rsp_space_free(struct rsp_platform *p, uint32_t space)
{
	struct stub *stub = space_stub(p, space);

	if (stub == NULL)
		return -EINVAL;
	p->spaces[space] = NULL;
	stub_release(p, stub);
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
	if (op->length == 0 || op->length > STUB_FRAME)
		return false;
	return op->addr <= STUB_FRAME - op->length && op->offset < max_offset;
}

int rsp_space_apply(struct rsp_platform *p, uint32_t space, uint32_t count,
		    uint32_t *failed)
{
	struct stub *stub = space_stub(p, space);
	const struct rsp_mem_op *ops = (void *)p->control->memOps;
	struct service apply = { .rip = STUB_APPLY, .r12 = STUB_TABLE };
	struct rsp_mem_op *table;
	uint32_t i;
	int rc;

	*failed = 0;
	if (stub == NULL || count > RSP_MEM_OPS_MAX)
		return -EINVAL;
	if (stub->dead)
		return -ESRCH;
	table = (void *)(p->tables + (size_t)stub->slot * STUB_TABLE_BYTES);
	for (i = 0; i < count; i++) {
		table[i] = ops[i];
		if (!request_valid(&table[i])) {
			*failed = i;
			return -EINVAL;
		}
	}
	if (count == 0)
		return 0;
	apply.r13 = STUB_TABLE + count * sizeof *table;
	rc = service_run(p, stub->leader, &apply);
	if (rc < 0)
		return rc;
	if ((long)p->service_result.rax < 0)
		*failed = (uint32_t)((p->service_result.r12 - STUB_TABLE) /
				     sizeof *table);
	return (int)p->service_result.rax;
}
