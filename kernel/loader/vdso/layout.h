/* Generated from kernel/time/vdso_page.ts by `deno task gen`. Do not edit. */
#ifndef RSP_LAYOUT_H
#define RSP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define RSP_VDSO_MODE_SYSCALL 0
#define RSP_VDSO_MODE_TSC 1
#define RSP_VDSO_PAGE_BYTES 4096

/* Time parameters: clock = base + ((tsc - tscBase) * mult >> shift). */
struct rsp_vdso_page {
	uint32_t seq;
	uint32_t mode;
	uint64_t tscBase;
	uint32_t mult;
	uint32_t shift;
	uint64_t monotonicSec;
	uint64_t monotonicNsec;
	uint64_t realtimeSec;
	uint64_t realtimeNsec;
	uint64_t boottimeSec;
	uint64_t boottimeNsec;
	uint8_t _pad72[24];
};
_Static_assert(sizeof(struct rsp_vdso_page) == 96, "size");
_Static_assert(offsetof(struct rsp_vdso_page, seq) == 0, "seq");
_Static_assert(offsetof(struct rsp_vdso_page, mode) == 4, "mode");
_Static_assert(offsetof(struct rsp_vdso_page, tscBase) == 8, "tscBase");
_Static_assert(offsetof(struct rsp_vdso_page, mult) == 16, "mult");
_Static_assert(offsetof(struct rsp_vdso_page, shift) == 20, "shift");
_Static_assert(offsetof(struct rsp_vdso_page, monotonicSec) == 24, "monotonicSec");
_Static_assert(offsetof(struct rsp_vdso_page, monotonicNsec) == 32, "monotonicNsec");
_Static_assert(offsetof(struct rsp_vdso_page, realtimeSec) == 40, "realtimeSec");
_Static_assert(offsetof(struct rsp_vdso_page, realtimeNsec) == 48, "realtimeNsec");
_Static_assert(offsetof(struct rsp_vdso_page, boottimeSec) == 56, "boottimeSec");
_Static_assert(offsetof(struct rsp_vdso_page, boottimeNsec) == 64, "boottimeNsec");

#endif
