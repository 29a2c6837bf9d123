/*
 * decode.h: how long an x86-64 instruction is and whether it means the same
 * at another address.
 */
#ifndef SYSTRAP_DECODE_H
#define SYSTRAP_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instruction {
	uint8_t length;
	bool movable;	/* runs elsewhere with the same effect, and goes on */
	bool is_return;	/* `ret`: runs elsewhere, does not go on */
};

/* False: no instruction, or none that is known, within [code, end). */
bool decode(const uint8_t *code, const uint8_t *end, struct instruction *out);

#endif
