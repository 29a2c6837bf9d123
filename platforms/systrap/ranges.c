/*
 * ranges.c: which addresses of a stub are executable, not writable, and where
 * their bytes are in the memory file: a sorted array, kept up from the memory
 * requests.
 */
#include <stdlib.h>
#include <string.h>
#include "patches.h"

#define PROT_WRITE 2
#define PROT_EXEC 4
/* A guest with more is not worth it. */
#define RANGES_MAX 4096

/* The first range that ends behind the address. */
static uint32_t range_at(const struct ranges *r, uint64_t address)
{
	uint32_t low = 0, high = r->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (r->items[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct range *range_find(const struct ranges *r, uint64_t address)
{
	uint32_t i = range_at(r, address);

	if (i == r->count || r->items[i].start > address)
		return NULL;
	return &r->items[i];
}

/* Room for one more at the index; false: no memory. */
static bool make_room(struct ranges *r, uint32_t at)
{
	uint32_t capacity = 2 * r->capacity + 16;
	struct range *bigger;

	if (r->count == r->capacity) {
		if (r->count >= RANGES_MAX)
			return false;
		bigger = realloc(r->items, capacity * sizeof *bigger);
		if (bigger == NULL)
			return false;
		r->items = bigger;
		r->capacity = capacity;
	}
	memmove(&r->items[at + 1], &r->items[at],
		(r->count - at) * sizeof *r->items);
	r->count++;
	return true;
}

static void cut(struct ranges *r, uint64_t start, uint64_t end)
{
	uint32_t i = range_at(r, start), last;

	if (i < r->count && r->items[i].start < start) {
		struct range *left = &r->items[i];

		if (left->end > end) {	/* a hole in the middle */
			if (!make_room(r, i)) {
				left->end = start;
				return;
			}
			left = &r->items[i];
			r->items[i + 1].offset += end - left->start;
			r->items[i + 1].start = end;
			left->end = start;
			return;
		}
		left->end = start;
		i++;
	}
	for (last = i; last < r->count && r->items[last].end <= end;)
		last++;
	memmove(&r->items[i], &r->items[last],
		(r->count - last) * sizeof *r->items);
	r->count -= last - i;
	if (i < r->count && r->items[i].start < end) {
		r->items[i].offset += end - r->items[i].start;
		r->items[i].start = end;
	}
}

static void add(struct ranges *r, const struct rsp_mem_op *op, uint32_t prot)
{
	uint32_t i = range_at(r, op->addr);
	struct range *before = i > 0 ? &r->items[i - 1] : NULL;

	if (before != NULL && before->end == op->addr && before->prot == prot &&
	    before->offset + (before->end - before->start) == op->offset) {
		before->end += op->length;
		return;
	}
	if (make_room(r, i))
		r->items[i] = (struct range){ op->addr, op->addr + op->length,
					      op->offset, prot };
}

/* The ranges that a request concerns have these rights already. */
static bool has_rights(const struct ranges *r, const struct rsp_mem_op *op,
		       uint32_t prot)
{
	uint32_t i;

	for (i = range_at(r, op->addr);
	     i < r->count && r->items[i].start < op->addr + op->length; i++)
		if (r->items[i].prot != prot)
			return false;
	return true;
}

void ranges_apply(struct ranges *r, const struct rsp_mem_op *op)
{
	uint32_t prot = op->prot & 7;
	bool is_text = (prot & (PROT_WRITE | PROT_EXEC)) == PROT_EXEC;

	/* What becomes executable later has been written by the guest. */
	if (op->op == RSP_MEM_PROTECT && is_text && has_rights(r, op, prot))
		return;
	if (r->count > 0)
		cut(r, op->addr, op->addr + op->length);
	if (op->op == RSP_MEM_MAP && is_text)
		add(r, op, prot);
}
