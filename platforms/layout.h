/* Generated from platforms/layouts.ts by `deno task gen`. Do not edit. */
#ifndef RSP_LAYOUT_H
#define RSP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define RSP_MAX_CONTEXTS 16384
#define RSP_STOPPED_WORDS 512
#define RSP_SUMMARY_WORDS 16
#define RSP_MEM_OPS_MAX 512
#define RSP_CONTEXT_XSAVE 512
#define RSP_CONTEXT_KERNEL 0
#define RSP_CONTEXT_GUEST 1
#define RSP_CONTEXT_DEAD 2
#define RSP_STOP_NONE 0
#define RSP_STOP_SYSCALL 1
#define RSP_STOP_FAULT 2
#define RSP_STOP_INTERRUPT 3
#define RSP_STOP_DEAD 4
#define RSP_FPU_IN_GUEST 0
#define RSP_FPU_SAVED 1
#define RSP_FPU_DIRTY 2
#define RSP_STEP_NONE 0
#define RSP_STEP_SINGLE 1
#define RSP_ABI_X64 0
#define RSP_ABI_I386 1
#define RSP_MEM_MAP 1
#define RSP_MEM_UNMAP 2
#define RSP_MEM_PROTECT 3
#define RSP_MEM_POPULATE 256

/* One guest thread: registers and why it stopped. */
struct rsp_context {
	uint32_t state;
	uint32_t stop;
	uint32_t trapno;
	uint32_t error;
	uint64_t faultAddr;
	uint32_t hostStatus;
	uint32_t fpu;
	uint32_t space;
	uint32_t step;
	uint32_t abi;
	uint8_t _pad44[20];
	uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t r11;
	uint64_t r10;
	uint64_t r9;
	uint64_t r8;
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rsi;
	uint64_t rdi;
	uint64_t origRax;
	uint64_t rip;
	uint64_t cs;
	uint64_t eflags;
	uint64_t rsp;
	uint64_t ss;
	uint64_t fsBase;
	uint64_t gsBase;
	uint64_t ds;
	uint64_t es;
	uint64_t fs;
	uint64_t gs;
	uint8_t _pad280[232];
};
_Static_assert(sizeof(struct rsp_context) == 512, "size");
_Static_assert(offsetof(struct rsp_context, state) == 0, "state");
_Static_assert(offsetof(struct rsp_context, stop) == 4, "stop");
_Static_assert(offsetof(struct rsp_context, trapno) == 8, "trapno");
_Static_assert(offsetof(struct rsp_context, error) == 12, "error");
_Static_assert(offsetof(struct rsp_context, faultAddr) == 16, "faultAddr");
_Static_assert(offsetof(struct rsp_context, hostStatus) == 24, "hostStatus");
_Static_assert(offsetof(struct rsp_context, fpu) == 28, "fpu");
_Static_assert(offsetof(struct rsp_context, space) == 32, "space");
_Static_assert(offsetof(struct rsp_context, step) == 36, "step");
_Static_assert(offsetof(struct rsp_context, abi) == 40, "abi");
_Static_assert(offsetof(struct rsp_context, r15) == 64, "r15");
_Static_assert(offsetof(struct rsp_context, r14) == 72, "r14");
_Static_assert(offsetof(struct rsp_context, r13) == 80, "r13");
_Static_assert(offsetof(struct rsp_context, r12) == 88, "r12");
_Static_assert(offsetof(struct rsp_context, rbp) == 96, "rbp");
_Static_assert(offsetof(struct rsp_context, rbx) == 104, "rbx");
_Static_assert(offsetof(struct rsp_context, r11) == 112, "r11");
_Static_assert(offsetof(struct rsp_context, r10) == 120, "r10");
_Static_assert(offsetof(struct rsp_context, r9) == 128, "r9");
_Static_assert(offsetof(struct rsp_context, r8) == 136, "r8");
_Static_assert(offsetof(struct rsp_context, rax) == 144, "rax");
_Static_assert(offsetof(struct rsp_context, rcx) == 152, "rcx");
_Static_assert(offsetof(struct rsp_context, rdx) == 160, "rdx");
_Static_assert(offsetof(struct rsp_context, rsi) == 168, "rsi");
_Static_assert(offsetof(struct rsp_context, rdi) == 176, "rdi");
_Static_assert(offsetof(struct rsp_context, origRax) == 184, "origRax");
_Static_assert(offsetof(struct rsp_context, rip) == 192, "rip");
_Static_assert(offsetof(struct rsp_context, cs) == 200, "cs");
_Static_assert(offsetof(struct rsp_context, eflags) == 208, "eflags");
_Static_assert(offsetof(struct rsp_context, rsp) == 216, "rsp");
_Static_assert(offsetof(struct rsp_context, ss) == 224, "ss");
_Static_assert(offsetof(struct rsp_context, fsBase) == 232, "fsBase");
_Static_assert(offsetof(struct rsp_context, gsBase) == 240, "gsBase");
_Static_assert(offsetof(struct rsp_context, ds) == 248, "ds");
_Static_assert(offsetof(struct rsp_context, es) == 256, "es");
_Static_assert(offsetof(struct rsp_context, fs) == 264, "fs");
_Static_assert(offsetof(struct rsp_context, gs) == 272, "gs");

/* Geometry, doorbell, stopped bitmap and memory-operation table. */
struct rsp_control {
	uint32_t contextStride;
	uint32_t contextsOffset;
	uint32_t contextCount;
	uint32_t xsaveBytes;
	uint32_t xcr0Low;
	uint32_t xcr0High;
	uint8_t _pad24[40];
	uint32_t doorbell;
	uint32_t sleeping;
	uint32_t rung;
	uint32_t broken;
	uint8_t _pad80[48];
	uint32_t summary[16];
	uint32_t stopped[512];
	uint8_t memOps[16384];
};
_Static_assert(sizeof(struct rsp_control) == 18624, "size");
_Static_assert(offsetof(struct rsp_control, contextStride) == 0, "contextStride");
_Static_assert(offsetof(struct rsp_control, contextsOffset) == 4, "contextsOffset");
_Static_assert(offsetof(struct rsp_control, contextCount) == 8, "contextCount");
_Static_assert(offsetof(struct rsp_control, xsaveBytes) == 12, "xsaveBytes");
_Static_assert(offsetof(struct rsp_control, xcr0Low) == 16, "xcr0Low");
_Static_assert(offsetof(struct rsp_control, xcr0High) == 20, "xcr0High");
_Static_assert(offsetof(struct rsp_control, doorbell) == 64, "doorbell");
_Static_assert(offsetof(struct rsp_control, sleeping) == 68, "sleeping");
_Static_assert(offsetof(struct rsp_control, rung) == 72, "rung");
_Static_assert(offsetof(struct rsp_control, broken) == 76, "broken");
_Static_assert(offsetof(struct rsp_control, summary) == 128, "summary");
_Static_assert(offsetof(struct rsp_control, stopped) == 192, "stopped");
_Static_assert(offsetof(struct rsp_control, memOps) == 2240, "memOps");

/* One map, unmap or protect request. */
struct rsp_mem_op {
	uint32_t op;
	uint32_t prot;
	uint64_t addr;
	uint64_t length;
	uint64_t offset;
};
_Static_assert(sizeof(struct rsp_mem_op) == 32, "size");
_Static_assert(offsetof(struct rsp_mem_op, op) == 0, "op");
_Static_assert(offsetof(struct rsp_mem_op, prot) == 4, "prot");
_Static_assert(offsetof(struct rsp_mem_op, addr) == 8, "addr");
_Static_assert(offsetof(struct rsp_mem_op, length) == 16, "length");
_Static_assert(offsetof(struct rsp_mem_op, offset) == 24, "offset");

#endif
