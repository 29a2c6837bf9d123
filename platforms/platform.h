/*
 * platform.h: run untrusted code and report why it stopped; nothing else.
 * Implemented by each plugin (ptrace, systrap, kvm); bound once, by native.ts.
 *
 *   result   >= 0 on success, -errno on failure; errno is never consulted
 *   numbers  64-bit quantities arrive as double (exact below 2^53), because
 *            that is what Deno's FFI passes without allocating
 *   threads  every function but rsp_ring is called from the one thread that
 *            called rsp_open (ptrace(2) ties tracees to it)
 *   memory   nothing passed in is kept after return, except memory_fd
 *   trust    whatever stands in a context was chosen by the guest
 *   layout   structs are generated from layouts.ts into layout.h
 *
 * Life of a context: KERNEL --rsp_resume--> GUEST --stop--> KERNEL (its bit in
 * `stopped` and the word's bit in `summary` are set after every other word of
 * the context was written), or DEAD when the guest thread was killed.
 */
#ifndef RSP_PLATFORM_H
#define RSP_PLATFORM_H

#include <stdint.h>
#include "layout.h"

#pragma GCC visibility push(default)

struct rsp_platform; /* stub processes or VM, and the control region */

/*
 * Starts the platform. memory_fd: the memory file, kept. stub_fd: executable
 * of the stub template for plugins that have one, else -1. max_contexts: at
 * most MAX_CONTEXTS. Everything that needs privileges happens here, so that
 * the caller can lock itself down afterwards.
 * -ENODEV, -EPERM, -ENOSYS: this host cannot run the platform.
 */
int rsp_open(int memory_fd, int stub_fd, uint32_t max_contexts,
             struct rsp_platform **out);
/* Kills every guest, frees everything; waits until no stub is left. */
void rsp_close(struct rsp_platform *);

/* The control region (struct rsp_control, then the contexts) and its size. */
void *rsp_control_region(struct rsp_platform *);
double rsp_control_bytes(struct rsp_platform *);

/* A new, empty address space. Returns its index. -EAGAIN, -ENOMEM. */
int rsp_space_new(struct rsp_platform *);
/* Frees it and kills what runs in it. Its contexts must be freed before. */
int rsp_space_free(struct rsp_platform *, uint32_t space);
/* Applies the first `count` records of control.memOps in order. A map replaces
 * what was there. Returns 0, or -errno of the first that failed, with its
 * index in *failed. When it returns, no thread of the space, running or not,
 * can use an old translation. */
int rsp_space_apply(struct rsp_platform *, uint32_t space, uint32_t count,
                    uint32_t *failed);

/* A new context in state KERNEL, registers zero, FPU state initial and SAVED.
 * Returns its index. -EAGAIN: no slot, or the host refuses. */
int rsp_context_new(struct rsp_platform *);
/* When it returns the guest executes nothing more, also if it was running. */
int rsp_context_free(struct rsp_platform *, uint32_t context);

/* Runs the guest from its state; returns at once. The context is the
 * platform's until its stopped bit is set. A context that moves to another
 * space (execve) keeps its registers and FPU state. */
int rsp_resume(struct rsp_platform *, uint32_t context, uint32_t space);
/* Stops a running guest with STOP_INTERRUPT; one that is not running stops at
 * its next resume before it executes an instruction. A stop of another kind
 * that comes first consumes the request. */
int rsp_interrupt(struct rsp_platform *, uint32_t context);
/* Brings the FPU state of a stopped context into its XSAVE area (standard
 * format): afterwards fpu is SAVED. Setting fpu to DIRTY before resume loads
 * the area back; a malformed area is loaded as the initial state. */
int rsp_fpu_save(struct rsp_platform *, uint32_t context);

/* Sleeps until a stopped bit or `rung` is set, or until CLOCK_MONOTONIC
 * reaches deadline_ns (negative: no deadline). Returns 1 if there is work, 0
 * at the deadline. A signal to the host thread counts as work. */
int rsp_wait(struct rsp_platform *, double deadline_ns);
/* Sets `rung` and wakes rsp_wait. Any thread; async-signal-safe. */
void rsp_ring(void *platform);

#pragma GCC visibility pop

#endif
