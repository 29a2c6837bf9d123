/*
 * patches.h: system calls without a signal. A site, the `syscall` instruction
 * with some of its neighbours, is overwritten by a jump through a table at a
 * low address to a trampoline, which executes the neighbours and enters the
 * stub. The bytes change in a private copy of the page, mapped over it: the
 * memory file, and whoever reads it, never sees them.
 *
 *   start ... site ... site+2 ... end
 *   moved before  |syscall|  moved behind
 *
 * A thread that gets to an address inside by another way (it was there while
 * the page changed, it returns behind `syscall`, it jumps there) is sent to the
 * same place in the trampoline: every instruction boundary inside holds a byte
 * that faults.
 */
#ifndef SYSTRAP_PATCHES_H
#define SYSTRAP_PATCHES_H

#include <stdbool.h>
#include <stdint.h>
#include "systrap_platform.h"

/* A patched site. */
struct patch {
	uint64_t start, site, end;
	uint32_t slot;		/* of table and trampolines */
	bool live;		/* its page is still there */
};

/* A page of the guest with patches. */
struct shadow {
	uint64_t page, offset;	/* where it is, and its bytes without patches */
	uint32_t prot;
	uint32_t file_page;	/* in the block */
};

struct hit {
	uint64_t site;
	uint32_t count;		/* NO_INDEX: it cannot be patched */
};

#define HITS 256
#define BLOOM_WORDS 64

struct patches {
	uint32_t block;		/* in the patch file, or NO_INDEX */
	bool broken;		/* the block could not be mapped */
	struct patch *items;
	uint32_t count, capacity;
	struct shadow *shadows;
	uint32_t shadow_count, shadow_capacity;
	uint64_t used_pages[2];	/* bits: pages of the block with a shadow */
	uint64_t bloom[BLOOM_WORDS];	/* of addresses inside patches */
	struct hit hits[HITS];
};

/* ranges.c */
const struct range *range_find(const struct ranges *, uint64_t address);
void ranges_apply(struct ranges *, const struct rsp_mem_op *);

/* sites.c: what a patch looks like */
struct plan {
	uint32_t start, site, end;	/* in the page */
	uint32_t prefixes;		/* before the jump */
};
/* False: the site cannot be patched. */
bool plan_site(const uint8_t *page, uint32_t site, uint64_t rax,
	       struct plan *);
/* The jump, in place. */
void write_jump(uint8_t *page, const struct plan *, uint32_t slot);
/* Address of the slot's pointer in the stub; NO_INDEX slots there are none. */
uint32_t table_address(uint32_t slot);
uint32_t table_slots(void);
void write_trampolines(uint8_t *entry, uint8_t *rest, const uint8_t *page,
		       const struct plan *, uint64_t page_address,
		       uint64_t entry_address);

/* open.c: of this plugin only, bound by systrap.ts. */
#pragma GCC visibility push(default)
/* Before the first context: whether sites are patched; they are unless told. */
void systrap_set_patching(struct rsp_platform *, int enabled);
/* System calls that came by a jump, by a signal; sites patched. */
void systrap_counters(struct rsp_platform *, double counters[3]);
#pragma GCC visibility pop

/* patches.c */
/* A system call came by a signal; may ask for rsp_resume to patch its site. */
void patches_hit(struct rsp_platform *, uint32_t context);
/* Patches the site that the context came from. */
void patches_make(struct rsp_platform *, uint32_t context);
/* Before requests are applied: what they concern is patched no more. 0 or
 * -errno. */
int patches_drop(struct rsp_platform *, struct stub *,
		 const struct rsp_mem_op *, uint32_t count);
void patches_free(struct rsp_platform *, struct stub *);
/* Where to go for an address inside a patch; else the address itself. */
uint64_t patches_enter(const struct stub *, uint64_t rip);
/* The same for a single step, which is to take a moved instruction, not the
 * jump to it. */
uint64_t patches_step(const struct stub *, uint64_t rip);
/* The guest's own address for one of a trampoline; else the address itself. */
uint64_t patches_leave(const struct stub *, uint64_t rip);
/* The patch that holds the address, its start included; or null. */
const struct patch *patches_find(const struct stub *, uint64_t rip);

#endif
