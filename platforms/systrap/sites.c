/*
 * sites.c: which bytes around a `syscall` a jump may replace, and what stands
 * there then.
 *
 * The jump is `jmp *table`, ff 24 e5 and the pointer's address, 7 bytes. The
 * pointer lies at 0x6xxxx, so its bytes are d0 d1 06 00, and the encoding has
 * four places in a row at which no program can start without a fault: e5 (`in`,
 * privileged), d0 and d1 (chosen so), 06 (no instruction). The boundaries of
 * the replaced instructions must fall on these, or behind the jump, where 06
 * fills up; prefixes without effect before the jump shift it into place.
 */
#include <string.h>
#include "decode.h"
#include "patches.h"

#define JUMP_BYTES 7
#define SYSCALL_BYTES 2
#define PREFIX 0x3e		/* ds: without effect in 64-bit mode */
#define FILLER 0x06
#define TABLE_BASE 0x60000
#define MOVED_MAX 3		/* instructions on either side */
#define PREFIXES_MAX 3
/* How far before the site decoding begins, and how often it must agree. */
#define BACK_MAX 64
#define BACK_MIN 20
#define WITNESSES 8

/* Bytes that begin no instruction of user mode, eight or more apart where they
 * are a pointer's low byte. */
static const uint8_t LOW_BYTES[] = { 0x06, 0x0e, 0x16, 0x1e, 0x27, 0x2f,
				     0x37, 0x3f, 0x60, 0x6c, 0x82, 0x9a,
				     0xd4, 0xe4, 0xec, 0xf4 };
static const uint8_t HIGH_BYTES[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f,
				      0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x6c,
				      0x6d, 0x6e, 0x6f, 0x82, 0x9a, 0xd4, 0xd6,
				      0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed,
				      0xee, 0xef, 0xf4, 0xfa, 0xfb };

uint32_t table_slots(void)
{
	return sizeof LOW_BYTES * sizeof HIGH_BYTES;
}

uint32_t table_address(uint32_t slot)
{
	uint32_t low = LOW_BYTES[slot % sizeof LOW_BYTES];
	uint32_t high = HIGH_BYTES[slot / sizeof LOW_BYTES];

	return TABLE_BASE + high * 256 + low;
}

/* Lengths of the movable instructions before the site, the nearest first. An
 * instruction's start is known only from before, so decoding begins at many
 * places; they fall into step soon, and must all agree. */
static uint32_t before(const uint8_t *page, uint32_t site, uint8_t *lengths)
{
	uint32_t back, at, count = 0, agreed = 0, i, n;
	uint8_t chain[BACK_MAX], movable[BACK_MAX];
	uint8_t found[MOVED_MAX];

	for (back = BACK_MIN; back <= BACK_MAX && back <= site; back++) {
		n = 0;
		for (at = site - back; at < site;) {
			struct instruction in;

			if (!decode(page + at, page + site, &in))
				break;
			chain[n] = in.length;
			movable[n++] = in.movable;
			at += in.length;
		}
		if (at != site)
			continue;
		for (i = 0; i < MOVED_MAX && i < n; i++) {
			found[i] = chain[n - 1 - i];
			if (!movable[n - 1 - i])
				break;
		}
		if (agreed == 0) {
			count = i;
			memcpy(lengths, found, i);
		} else {
			/* Only what all have seen counts. */
			uint32_t same = 0;

			while (same < i && same < count &&
			       lengths[same] == found[same])
				same++;
			if (same < count && same < i)
				return 0;
			count = same;
		}
		agreed++;
	}
	return agreed >= WITNESSES ? count : 0;
}

/* `mov $number, %eax` right before, proved by the number that arrived. */
static uint32_t number_before(const uint8_t *page, uint32_t site, uint64_t rax)
{
	uint32_t number;

	if (site < 5 || rax > INT32_MAX)
		return 0;
	memcpy(&number, page + site - 4, 4);
	if (number != rax)
		return 0;
	if (site >= 7 && page[site - 7] == 0x48 && page[site - 6] == 0xc7 &&
	    page[site - 5] == 0xc0)
		return 7;
	return page[site - 5] == 0xb8 ? 5 : 0;
}

static uint32_t behind(const uint8_t *page, uint32_t site, uint8_t *lengths)
{
	uint32_t at = site + SYSCALL_BYTES, count = 0;
	struct instruction in;

	while (count < MOVED_MAX && decode(page + at, page + 4096, &in)) {
		if (in.is_return) {
			lengths[count++] = in.length;
			break;
		}
		if (!in.movable)
			break;
		lengths[count++] = in.length;
		at += in.length;
	}
	return count;
}

/* Whether a thread that gets to this offset of the patch faults. */
static bool faults(uint32_t offset, uint32_t prefixes)
{
	return offset >= prefixes + JUMP_BYTES ||
	       (offset >= prefixes + 2 && offset <= prefixes + 5);
}

/* Whether a jump behind so many prefixes makes every boundary fault. */
static bool fits(const uint8_t *boundaries, uint32_t count, uint32_t length,
		 uint32_t prefixes)
{
	uint32_t i;

	if (prefixes + JUMP_BYTES > length)
		return false;
	for (i = 0; i < count; i++)
		if (!faults(boundaries[i], prefixes))
			return false;
	return true;
}

/* With i instructions before and j behind. */
static bool try(uint32_t site, const uint8_t *pre, uint32_t i,
		const uint8_t *post, uint32_t j, struct plan *plan)
{
	uint8_t boundaries[2 * MOVED_MAX + 2];
	uint32_t count = 0, length = 0, k;

	for (k = i; k-- > 0;) {
		length += pre[k];
		boundaries[count++] = (uint8_t)length;
	}
	plan->start = site - length;
	length += SYSCALL_BYTES;
	for (k = 0; k < j; k++) {
		boundaries[count++] = (uint8_t)length;
		length += post[k];
	}
	plan->site = site;
	plan->end = plan->start + length;
	if (site - plan->start > PATCH_MOVED_BYTES ||
	    plan->end - site > SYSCALL_BYTES + PATCH_MOVED_BYTES)
		return false;
	for (k = 0; k <= PREFIXES_MAX; k++) {
		if (!fits(boundaries, count, length, k))
			continue;
		plan->prefixes = k;
		return true;
	}
	return false;
}

bool plan_site(const uint8_t *page, uint32_t site, uint64_t rax,
	       struct plan *plan)
{
	uint8_t pre[MOVED_MAX], post[MOVED_MAX];
	uint32_t pre_count, post_count, i, j;

	if (site + SYSCALL_BYTES > 4096 || page[site] != 0x0f ||
	    page[site + 1] != 0x05)
		return false;
	pre[0] = (uint8_t)number_before(page, site, rax);
	pre_count = pre[0] != 0 ? 1 : before(page, site, pre);
	post_count = behind(page, site, post);
	/* Rather more before than any behind, where threads return to. */
	for (j = 0; j <= post_count; j++)
		for (i = 0; i <= pre_count; i++)
			if (try(site, pre, i, post, j, plan))
				return true;
	return false;
}

void write_jump(uint8_t *page, const struct plan *plan, uint32_t slot)
{
	uint8_t *to = page + plan->start;
	uint32_t address = table_address(slot);

	memset(to, FILLER, plan->end - plan->start);
	memset(to, PREFIX, plan->prefixes);
	to += plan->prefixes;
	to[0] = 0xff;
	to[1] = 0x24;
	to[2] = 0xe5;
	memcpy(to + 3, &address, 4);
}

void write_trampolines(uint8_t *entry, uint8_t *rest, const uint8_t *page,
		       const struct plan *plan, uint64_t page_address,
		       uint64_t entry_address)
{
	uint32_t moved = plan->site - plan->start;
	uint32_t behind = plan->site + SYSCALL_BYTES;
	uint64_t back = page_address + behind;
	uint64_t end = page_address + plan->end;
	int32_t distance;

	/* What stood before, `mov $back, %rcx`, `jmp` into the stub. */
	memcpy(entry, page + plan->start, moved);
	entry += moved;
	entry[0] = 0x48;
	entry[1] = 0xb9;
	memcpy(entry + 2, &back, 8);
	distance = (int32_t)(STUB_TEXT - (entry_address + moved + 15));
	entry[10] = 0xe9;
	memcpy(entry + 11, &distance, 4);
	/* What stood behind, and back by `jmp *0(%rip)`. */
	memcpy(rest, page + behind, plan->end - behind);
	rest += plan->end - behind;
	memcpy(rest, "\xff\x25\0\0\0\0", 6);
	memcpy(rest + 6, &end, 8);
}
