/*
 * patches.c: the patched sites of each stub, and what becomes of them when the
 * guest changes its mappings.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "host_calls.h"
#include "patches.h"

/* A site that was used so often is patched: by then patching, about ten times
 * as dear as a call through a signal, begins to pay. */
#define PATCH_AFTER 8
/* Too many pages of the guest with patches; a bit per page of a block. */
#define SHADOW_PAGES (PATCH_BLOCK_PAGES - PATCH_SHADOW_PAGE)
#define PAGE ((uint64_t)4096)

_Static_assert(SHADOW_PAGES <= 128, "used_pages");

static uint8_t *block_at(const struct rsp_platform *p, const struct patches *s,
			 uint32_t page)
{
	return p->patch_file +
	       ((size_t)s->block * PATCH_BLOCK_PAGES + page) * PAGE;
}

static uint64_t file_offset(const struct patches *s, uint32_t page)
{
	return ((uint64_t)s->block * PATCH_BLOCK_PAGES + page) * PAGE;
}

static uint32_t bloom_bit(uint64_t address)
{
	return (uint32_t)(address * 0x9e3779b97f4a7c15u >> 52);
}

static bool maybe_inside(const struct patches *s, uint64_t address)
{
	uint32_t bit = bloom_bit(address);

	return (s->bloom[bit / 64] >> bit % 64 & 1) != 0;
}

const struct patch *patches_find(const struct stub *stub, uint64_t rip)
{
	const struct patches *s = stub->patches;
	uint32_t i;

	if (s == NULL || !maybe_inside(s, rip))
		return NULL;
	for (i = 0; i < s->count; i++)
		if (s->items[i].live && rip >= s->items[i].start &&
		    rip < s->items[i].end)
			return &s->items[i];
	return NULL;
}

static uint64_t entry_of(const struct patch *patch)
{
	return STUB_SITES + (uint64_t)patch->slot * PATCH_ENTRY_BYTES;
}

static uint64_t rest_of(const struct patch *patch)
{
	return STUB_RESTS + (uint64_t)patch->slot * PATCH_REST_BYTES;
}

uint64_t patches_enter(const struct stub *stub, uint64_t rip)
{
	const struct patch *patch = patches_find(stub, rip);

	if (patch == NULL || rip == patch->start)
		return rip;
	if (rip <= patch->site)
		return entry_of(patch) + (rip - patch->start);
	return rest_of(patch) + (rip - patch->site - 2);
}

uint64_t patches_step(const struct stub *stub, uint64_t rip)
{
	const struct patch *patch = patches_find(stub, rip);

	if (patch != NULL && rip == patch->start)
		return entry_of(patch);
	return patches_enter(stub, rip);
}

uint64_t patches_leave(const struct stub *stub, uint64_t rip)
{
	const struct patches *s = stub->patches;
	const struct patch *patch;
	uint64_t slot, offset, moved;
	bool is_entry = rip - STUB_SITES <
			(uint64_t)PATCH_SLOTS * PATCH_ENTRY_BYTES;
	bool is_rest = rip - STUB_RESTS <
		       (uint64_t)PATCH_SLOTS * PATCH_REST_BYTES;

	if (s == NULL || (!is_entry && !is_rest))
		return rip;
	slot = is_entry ? (rip - STUB_SITES) / PATCH_ENTRY_BYTES
			: (rip - STUB_RESTS) / PATCH_REST_BYTES;
	offset = is_entry ? (rip - STUB_SITES) % PATCH_ENTRY_BYTES
			  : (rip - STUB_RESTS) % PATCH_REST_BYTES;
	if (slot >= s->count)
		return rip;
	patch = &s->items[slot];
	moved = is_entry ? patch->site - patch->start
			 : patch->end - patch->site - 2;
	if (offset > moved)
		offset = moved;
	return (is_entry ? patch->start : patch->site + 2) + offset;
}

static struct patches *patches_of(struct stub *stub)
{
	if (stub->patches == NULL) {
		stub->patches = calloc(1, sizeof *stub->patches);
		if (stub->patches != NULL)
			stub->patches->block = NO_INDEX;
	}
	return stub->patches;
}

void patches_hit(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	const struct rsp_context *ctx = context_at(p, context);
	uint64_t site = ctx->rip - 2;
	struct patches *s;
	struct hit *hit;

	if (!p->patching)
		return;
	s = patches_of(guest->thread->stub);
	if (s == NULL)
		return;
	hit = &s->hits[(site >> 1 ^ site >> 12) % HITS];
	if (hit->site != site) {
		hit->site = site;
		hit->count = 0;
	}
	if (hit->count == NO_INDEX || ++hit->count < PATCH_AFTER)
		return;
	hit->count = NO_INDEX;	/* one attempt */
	guest->patch_site = site;
	guest->patch_rax = ctx->origRax;
}

/* Runs records that are our own: the table is the kernel's otherwise. */
static int apply(struct rsp_platform *p, struct stub *stub,
		 const struct rsp_mem_op *ops, uint32_t count)
{
	struct order order = { .op = ORDER_APPLY, .count = count };

	memcpy((uint8_t *)stub->orders + PAGE, ops, count * sizeof *ops);
	return service_order(p, stub, &order);
}

/* The first patch of a stub: its block, its table and trampolines mapped. */
static int block_new(struct rsp_platform *p, struct stub *stub)
{
	struct patches *s = stub->patches;
	struct rsp_mem_op ops[3];
	int rc;

	if (p->free_block_count > 0)
		s->block = p->free_blocks[--p->free_block_count];
	else if (p->used_blocks < PATCH_BLOCKS)
		s->block = p->used_blocks++;
	else
		return -EAGAIN;
	ops[0] = (struct rsp_mem_op){ STUB_OP_PATCH, PROT_READ, STUB_JUMPS,
				      STUB_JUMPS_BYTES, file_offset(s, 0) };
	ops[1] = (struct rsp_mem_op){
		STUB_OP_PATCH, PROT_READ | PROT_EXEC, STUB_SITES,
		PATCH_ENTRY_PAGES * PAGE, file_offset(s, PATCH_ENTRY_PAGE)
	};
	ops[2] = (struct rsp_mem_op){
		STUB_OP_PATCH, PROT_READ | PROT_EXEC, STUB_RESTS,
		PATCH_REST_PAGES * PAGE, file_offset(s, PATCH_REST_PAGE)
	};
	rc = apply(p, stub, ops, 3);
	s->broken = rc < 0;
	return rc;
}

static bool grow(void **items, uint32_t count, uint32_t *capacity, size_t size)
{
	void *bigger;

	if (count < *capacity)
		return true;
	bigger = realloc(*items, (2 * *capacity + 8) * size);
	if (bigger == NULL)
		return false;
	*items = bigger;
	*capacity = 2 * *capacity + 8;
	return true;
}

static struct shadow *shadow_find(struct patches *s, uint64_t page)
{
	uint32_t i;

	for (i = 0; i < s->shadow_count; i++)
		if (s->shadows[i].page == page)
			return &s->shadows[i];
	return NULL;
}

static bool page_take(struct patches *s, uint32_t *page)
{
	uint32_t i;

	for (i = 0; i < SHADOW_PAGES; i++) {
		if ((s->used_pages[i / 64] >> i % 64 & 1) != 0)
			continue;
		s->used_pages[i / 64] |= 1ull << i % 64;
		*page = PATCH_SHADOW_PAGE + i;
		return true;
	}
	return false;
}

static void page_give(struct patches *s, uint32_t page)
{
	uint32_t i = page - PATCH_SHADOW_PAGE;

	s->used_pages[i / 64] &= ~(1ull << i % 64);
}

/* The page's bytes as they are mapped now. */
static bool read_page(struct rsp_platform *p, struct patches *s,
		      const struct shadow *shadow, uint64_t offset, uint8_t *to)
{
	if (shadow != NULL) {
		memcpy(to, block_at(p, s, shadow->file_page), PAGE);
		return true;
	}
	return host_call(SYS_pread64, p->memory_fd, (long)to, (long)PAGE,
			 (long)offset) == (long)PAGE;
}

/* Copies the page with the jump into a page of the block and maps that over
 * it: other threads see the old page or the new one, nothing between. */
static int shadow_install(struct rsp_platform *p, struct stub *stub,
			  const struct range *range, uint64_t address,
			  const uint8_t *bytes)
{
	struct patches *s = stub->patches;
	struct shadow *shadow = shadow_find(s, address);
	struct rsp_mem_op op = { STUB_OP_PATCH, range->prot, address, PAGE, 0 };
	uint32_t file_page, old = NO_INDEX;
	int rc;

	if (!page_take(s, &file_page))
		return -ENOSPC;
	memcpy(block_at(p, s, file_page), bytes, PAGE);
	op.offset = file_offset(s, file_page);
	rc = apply(p, stub, &op, 1);
	if (rc < 0) {
		page_give(s, file_page);
		return rc;
	}
	if (shadow == NULL) {
		shadow = &s->shadows[s->shadow_count++];
		shadow->page = address;
		shadow->offset = range->offset + (address - range->start);
		shadow->prot = range->prot;
	} else {
		old = shadow->file_page;
	}
	shadow->file_page = file_page;
	if (old != NO_INDEX)
		page_give(s, old);
	return 0;
}

void patches_make(struct rsp_platform *p, uint32_t context)
{
	struct guest *guest = &p->guests[context];
	struct stub *stub = guest->thread->stub;
	struct patches *s = stub->patches;
	uint64_t site = guest->patch_site;
	uint64_t page = site & ~(PAGE - 1), pointer;
	const struct range *range = range_find(&stub->ranges, page);
	uint8_t bytes[4096];
	struct plan plan;
	struct patch *patch;
	uint32_t slot, i;

	guest->patch_site = 0;
	if (s == NULL || s->broken || range == NULL || s->count == PATCH_SLOTS ||
	    !grow((void **)&s->items, s->count, &s->capacity,
		  sizeof *s->items) ||
	    !grow((void **)&s->shadows, s->shadow_count, &s->shadow_capacity,
		  sizeof *s->shadows))
		return;
	if (!read_page(p, s, shadow_find(s, page),
		       range->offset + (page - range->start), bytes) ||
	    !plan_site(bytes, (uint32_t)(site - page), guest->patch_rax, &plan))
		return;
	if (s->block == NO_INDEX && block_new(p, stub) < 0)
		return;
	slot = s->count;
	patch = &s->items[slot];
	*patch = (struct patch){ page + plan.start, site, page + plan.end, slot,
				 true };
	write_trampolines(block_at(p, s, PATCH_ENTRY_PAGE) +
				  (size_t)slot * PATCH_ENTRY_BYTES,
			  block_at(p, s, PATCH_REST_PAGE) +
				  (size_t)slot * PATCH_REST_BYTES,
			  bytes, &plan, page, entry_of(patch));
	pointer = entry_of(patch);
	memcpy(block_at(p, s, 0) + (table_address(slot) - STUB_JUMPS), &pointer,
	       8);
	write_jump(bytes, &plan, slot);
	s->count++;
	if (shadow_install(p, stub, range, page, bytes) < 0) {
		patch->live = false;
		return;
	}
	for (i = plan.start; i < plan.end; i++) {
		uint32_t bit = bloom_bit(page + i);

		s->bloom[bit / 64] |= 1ull << bit % 64;
	}
	p->sites_patched++;
}

/* The page is no longer ours. */
static void shadow_drop(struct patches *s, uint32_t index)
{
	uint64_t page = s->shadows[index].page;
	uint32_t i;

	/* Threads may still be in the trampolines: slots are not used again. */
	for (i = 0; i < s->count; i++)
		if (s->items[i].start - page < PAGE)
			s->items[i].live = false;
	page_give(s, s->shadows[index].file_page);
	s->shadows[index] = s->shadows[--s->shadow_count];
}

int patches_drop(struct rsp_platform *p, struct stub *stub,
		 const struct rsp_mem_op *ops, uint32_t count)
{
	struct patches *s = stub->patches;
	struct rsp_mem_op restore[128];
	uint32_t i, k, restored = 0;

	for (k = 0; k < count; k++)
		ranges_apply(&stub->ranges, &ops[k]);
	if (s == NULL || s->shadow_count == 0)
		return 0;
	for (k = 0; k < count; k++) {
		for (i = s->shadow_count; i-- > 0;) {
			const struct shadow *shadow = &s->shadows[i];

			if (shadow->page - ops[k].addr >= ops[k].length)
				continue;
			/* A request to change rights means the guest's page. */
			if (ops[k].op == RSP_MEM_PROTECT)
				restore[restored++] = (struct rsp_mem_op){
					RSP_MEM_MAP, shadow->prot,
					shadow->page, PAGE, shadow->offset
				};
			shadow_drop(s, i);
		}
	}
	return restored == 0 ? 0 : apply(p, stub, restore, restored);
}

void patches_free(struct rsp_platform *p, struct stub *stub)
{
	struct patches *s = stub->patches;

	free(stub->ranges.items);
	stub->ranges.items = NULL;
	stub->ranges.count = stub->ranges.capacity = 0;
	if (s == NULL)
		return;
	stub->patches = NULL;
	if (s->block != NO_INDEX) {
		madvise(block_at(p, s, 0), PATCH_BLOCK_PAGES * PAGE,
			MADV_REMOVE);
		p->free_blocks[p->free_block_count++] = s->block;
	}
	free(s->items);
	free(s->shadows);
	free(s);
}
