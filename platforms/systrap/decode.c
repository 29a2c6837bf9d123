/*
 * decode.c: lengths of instructions, 64-bit mode only (Intel SDM volume 2,
 * appendix A). What it does not know it refuses: a site stays unpatched then.
 */
#include "decode.h"

enum {
	M = 1,		/* ModRM */
	B = 2,		/* 8-bit immediate */
	Z = 4,		/* 32-bit immediate, 16 with an operand size prefix */
	FLOW = 8,	/* depends on rip, traps, or is not for user mode */
	BAD = 16,
};

struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

static uint8_t next(struct cursor *c)
{
	if (c->at == c->end) {
		c->failed = true;
		return 0;
	}
	return *c->at++;
}

static void skip(struct cursor *c, size_t bytes)
{
	if ((size_t)(c->end - c->at) < bytes)
		c->failed = true;
	else
		c->at += bytes;
}

static int one_byte_form(uint8_t op)
{
	if (op < 0x40) {
		static const uint8_t form[8] = { M, M, M, M, B, Z, BAD, BAD };
		return form[op & 7];
	}
	if (op >= 0x50 && op < 0x60)
		return 0;
	if (op >= 0x70 && op < 0x80)
		return B | FLOW;
	if (op >= 0x84 && op < 0x90)
		return M;
	if (op >= 0x90 && op < 0xa0)
		return op == 0x9a ? BAD : 0;
	if (op >= 0xb0 && op < 0xc0)
		return op < 0xb8 ? B : Z;
	if (op >= 0xd0 && op < 0xd4)
		return M;
	if (op >= 0xd8 && op < 0xe0)
		return M;
	switch (op) {
	case 0x63:
	case 0xfe:
	case 0xff:
	case 0xf6:
	case 0xf7:
		return M;
	case 0x68:
	case 0xa9:
		return Z;
	case 0x69:
	case 0x81:
	case 0xc7:
		return M | Z;
	case 0x6a:
	case 0xa8:
		return B;
	case 0x6b:
	case 0x80:
	case 0x83:
	case 0xc0:
	case 0xc1:
	case 0xc6:
		return M | B;
	case 0xa4:
	case 0xa5:
	case 0xa6:
	case 0xa7:
	case 0xaa:
	case 0xab:
	case 0xac:
	case 0xad:
	case 0xae:
	case 0xaf:
	case 0xc9:
	case 0xd7:
	case 0xf5:
	case 0xf8:
	case 0xf9:
	case 0xfc:
	case 0xfd:
		return 0;
	case 0xe8:
	case 0xe9:
		return Z | FLOW;
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xeb:
	case 0xcd:
		return B | FLOW;
	case 0xc3:
	case 0xcc:
	case 0xf4:
		return FLOW;
	default:
		return BAD;
	}
}

static int two_byte_form(uint8_t op)
{
	if (op >= 0x80 && op < 0x90)
		return Z | FLOW;
	if (op >= 0x70 && op < 0x74)
		return M | B;
	if (op >= 0xc8 && op < 0xd0)
		return 0;
	if (op >= 0x30 && op < 0x38)
		return FLOW;
	switch (op) {
	case 0x05:
	case 0x0b:
		return FLOW;
	case 0x31:
	case 0x77:
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa8:
	case 0xa9:
		return 0;
	case 0xa4:
	case 0xac:
	case 0xba:
	case 0xc2:
	case 0xc4:
	case 0xc5:
	case 0xc6:
		return M | B;
	case 0x00:
	case 0x01:
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x06:
	case 0x07:
	case 0x08:
	case 0x09:
	case 0x0a:
	case 0x0c:
	case 0x0e:
	case 0x0f:
	case 0x38:
	case 0x39:
	case 0x3a:
	case 0x3b:
	case 0x3c:
	case 0x3d:
	case 0x3e:
	case 0x3f:
	case 0x7a:
	case 0x7b:
	case 0xa6:
	case 0xa7:
	case 0xaa:
		return BAD;
	default:
		return op >= 0x20 && op < 0x28 ? BAD : M;
	}
}

/* Behind an escape: the opcode map 1 (0f), 2 (0f 38) or 3 (0f 3a). */
static int mapped_form(int map, uint8_t op)
{
	if (map == 1)
		return two_byte_form(op);
	if (map == 2)
		return M;
	return map == 3 ? M | B : BAD;
}

/* ModRM, SIB and displacement. Returns the ModRM byte. */
static uint8_t operand(struct cursor *c, bool *is_relative)
{
	uint8_t modrm = next(c), mod = modrm >> 6, rm = modrm & 7, sib;
	size_t bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (mod != 3 && rm == 4) {
		sib = next(c);
		if (mod == 0 && (sib & 7) == 5)
			bytes = 4;
	} else if (mod == 0 && rm == 5) {
		bytes = 4;
		*is_relative = true;
	}
	skip(c, bytes);
	return modrm;
}

/* Reads prefixes and opcode; the form, with *wide for REX.W. */
static int opcode(struct cursor *c, uint8_t *op, int *map, bool *wide,
		  bool *small)
{
	uint8_t b;

	*map = 0;
	*wide = *small = false;
	for (;;) {
		b = next(c);
		if (b == 0x66)
			*small = true;
		else if (b != 0xf2 && b != 0xf3 && b != 0x2e && b != 0x3e &&
			 b != 0x26 && b != 0x36 && b != 0x64 && b != 0x65 &&
			 b != 0xf0)
			break;
	}
	if (b == 0xc5) {
		next(c);
		*map = 1;
		*op = next(c);
		return mapped_form(1, *op);
	}
	if (b == 0xc4 || b == 0x62) {
		*map = next(c) & (b == 0x62 ? 7 : 31);
		skip(c, b == 0x62 ? 2 : 1);
		*op = next(c);
		return mapped_form(*map, *op);
	}
	if (b >= 0x40 && b < 0x50) {
		*wide = (b & 8) != 0;
		b = next(c);
	}
	*op = b;
	if (b != 0x0f)
		return one_byte_form(b);
	*op = next(c);
	*map = 1;
	if (*op == 0x38 || *op == 0x3a) {
		*map = *op == 0x38 ? 2 : 3;
		*op = next(c);
	}
	return mapped_form(*map, *op);
}

bool decode(const uint8_t *code, const uint8_t *end, struct instruction *out)
{
	struct cursor c = { code, end, false };
	bool wide, small, is_relative = false, is_flow;
	uint8_t op, modrm = 0;
	int map, form;

	form = opcode(&c, &op, &map, &wide, &small);
	if (c.failed || (form & BAD) != 0)
		return false;
	is_flow = (form & FLOW) != 0;
	if ((form & M) != 0)
		modrm = operand(&c, &is_relative);
	if (map == 0) {
		uint8_t extension = modrm >> 3 & 7;

		if (op == 0xf6 && extension < 2)
			form |= B;
		if (op == 0xf7 && extension < 2)
			form |= Z;
		if (op == 0xff && extension > 1 && extension < 6)
			is_flow = true;	/* call, jmp */
		if ((op & 0xf8) == 0xb8 && wide)
			skip(&c, 4);
	}
	if ((form & B) != 0)
		skip(&c, 1);
	if ((form & Z) != 0)
		skip(&c, small && !is_flow ? 2 : 4);
	if (c.failed || c.at - code > 15)
		return false;
	out->length = (uint8_t)(c.at - code);
	out->is_return = map == 0 && op == 0xc3;
	out->movable = !is_flow && !is_relative;
	return true;
}
