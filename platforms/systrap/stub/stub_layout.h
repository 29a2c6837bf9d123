/*
 * stub_layout.h: where a stub's own pages lie, and what the Sentry and the
 * stub write into the shared ones. Read by assembly too, so the numbers are
 * macros; the structs below are checked against them.
 *
 *   [0, STUB_BASE)      the guest's
 *   STUB_BOARD          Sentry -> every stub; read-only here
 *   STUB_ORDERS, TABLE  Sentry -> this stub; read-only here
 *   STUB_BELL           this stub -> Sentry; guests may scribble
 *   STUB_CONSTS, TEXT   private, never writable again
 *   STUB_SITES, RESTS   trampolines of patched sites; read-only here
 *   STUB_THREADS        a slot per guest thread; guests may scribble
 *
 *
 * And STUB_JUMPS, the pointers to the trampolines, at a low address.
 *
 * The guest may read all of it, jump into the text, and write bells and
 * threads: nothing there is believed, and a guest thread's filter lets the text
 * do nothing but sleep on a thread's state and ring.
 */
#ifndef STUB_LAYOUT_H
#define STUB_LAYOUT_H

#define STUB_BASE 0x7ffff7000000
#define STUB_BOARD 0x7ffff7000000
#define STUB_ORDERS 0x7ffff7001000
#define STUB_TABLE 0x7ffff7002000
#define STUB_TABLE_BYTES 0x4000
#define STUB_BELL 0x7ffff7006000
#define STUB_CONSTS 0x7ffff7007000
#define STUB_TEXT 0x7ffff7008000
#define STUB_TEXT_BYTES 0x2000
#define STUB_SITES 0x7ffff700a000
#define STUB_RESTS 0x7ffff7018000
#define STUB_THREADS 0x7ffff8000000
#define STUB_JUMPS 0x60000
#define STUB_JUMPS_BYTES 0x10000

/* Doors of the text. Trampolines jump to its start, with the guest's registers
 * but rcx, which is the address to return to. */
#define STUB_ENTRY_CHECK (STUB_TEXT + 7)     /* may fault: gs is the guest's */
#define STUB_ENTRY_FOREIGN (STUB_TEXT + 0x106) /* traps: gs is the guest's */

/* The patch file: blocks, one for each stub with patched sites. Pages of one:
 * jumps, trampolines before and behind the call, copies of guest pages. */
#define PATCH_BLOCKS 2048
#define PATCH_BLOCK_PAGES 128
#define PATCH_ENTRY_PAGE 16
#define PATCH_ENTRY_PAGES 9
#define PATCH_REST_PAGE 25
#define PATCH_REST_PAGES 5
#define PATCH_SHADOW_PAGE 30
#define PATCH_SLOTS 528
#define PATCH_ENTRY_BYTES 64
#define PATCH_REST_BYTES 32
/* Most that is moved to one side of a call. */
#define PATCH_MOVED_BYTES 16
/* End of the user half with four levels of page tables. */
#define STUB_TASK_END 0x7ffffffff000

/* The high word of every address from STUB_BASE on. */
#define STUB_HIGH_WORD 0x7fff

/* The orders file: the board, then a run of pages per stub, laid out as in the
 * stub: orders and table, which it maps read-only, and the bell. */
#define ORDERS_FILE_FIRST 0x1000
#define ORDERS_FILE_STRIDE 0x6000
#define ORDERS_FILE_READ_ONLY 0x5000

/* A thread slot: state and registers, XSAVE area, stack for signals. */
#define THREAD_BYTES 0x8000
#define THREAD_PLACES 4095
#define THREAD_XSAVE 0x1000
#define THREAD_XSAVE_BYTES 0x1000
#define THREAD_STACK 0x2000
#define THREAD_STACK_BYTES 0x6000

/* Descriptors of a stub. */
#define STUB_MEMORY_FD 0
#define STUB_ORDERS_FD 1
#define STUB_THREADS_FD 2
#define STUB_EVENT_FD 3
#define STUB_PATCHES_FD 4

/* Takes a guest thread out of guest code. */
#define STUB_SIGNAL 23 /* SIGURG: ignored by default, so harmless if late */

/* Orders. */
#define ORDER_NONE 0	 /* answer only */
#define ORDER_APPLY 1	 /* carry out `count` records of the table */
#define ORDER_FORK 2	 /* template: new stub with the pages at arg0 */
#define ORDER_THREAD 3	 /* new thread: slot at address arg0, offset arg1 */
#define ORDER_SIGNAL 4	 /* STUB_SIGNAL to thread arg1 of process arg0 */
#define ORDER_EXIT 5	 /* end the process */

/* A record of the table like RSP_MEM_MAP, but of the patch file. */
#define STUB_OP_PATCH 4

/* Arguments of system calls that filters compare. MAP_SHARED | MAP_FIXED, and
 * with MAP_POPULATE. */
#define STUB_MAP 0x11
#define STUB_MAP_POPULATED 0x8011
/* PARENT | FILES | FS | PARENT_SETTID. PARENT: the child is the Sentry's. */
#define STUB_FORK_FLAGS 0x108600
/* VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | PARENT_SETTID */
#define STUB_THREAD_FLAGS 0x150f00

/* Offsets in struct stub_board. */
#define BOARD_SLEEPING 0
#define BOARD_SPIN 64
#define BOARD_FEATURES 68
#define BOARD_SENTRY 72
#define BOARD_CPUS 128

/* Offsets in struct stub_orders. */
#define ORDERS_SEQ 0
#define ORDERS_OP 4
#define ORDERS_COUNT 8
#define ORDERS_ARG0 16
#define ORDERS_ARG1 24
#define ORDERS_OFFSET 32
#define ORDERS_CPU 40
#define ORDERS_CPUS 64
#define ORDERS_DONE 192
#define ORDERS_ERROR 196
#define ORDERS_FAILED 200
/* A CPU mask for sched_setaffinity(2): CPUs 0 to 1023. */
#define CPU_MASK_BYTES 128

/* Offsets in struct stub_thread, of which the first 64 bytes are unused. */
#define THREAD_STATE 64
#define THREAD_FPU_LOAD 88
#define THREAD_INTERRUPT 92
#define THREAD_TID 108
#define THREAD_MAGIC 352
#define THREAD_STACK_TOP 360
#define THREAD_MAGIC_VALUE 0x52545353
#define THREAD_REGS 128
#define THREAD_ALT_STACK 384

/* Values of stub_thread.state. */
#define THREAD_STOPPED 0 /* its registers are in the slot; it waits */
#define THREAD_RUN 1	 /* it may run, or runs */
#define THREAD_SAVE 2	 /* it is to store its FPU state, then STOPPED */

/* A turn of a loop that looks for a word to change takes far less, unless
 * another thread had the CPU: then there is no idle one, and looking only
 * delays those who work. */
#define PREEMPTED_CYCLES 50000
/* So many looks come first, without a pause between: under a microsecond. */
#define QUICK_LOOKS 400

/* Offsets in struct stub_consts. */
#define CONSTS_ONE 0
#define CONSTS_MASK 8
#define CONSTS_PROGRAM 16
#define CONSTS_ERRNOS 64
#define CONSTS_ERRNO_COUNT 256

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#define AT_OFFSET(type, field, offset) \
	_Static_assert(offsetof(struct type, field) == (offset), #field)

struct stub_board {
	uint32_t sleeping;	/* the Sentry sleeps: ring by the event */
	uint32_t bells;		/* it looks at bells, not at every thread */
	uint32_t unused[14];
	uint32_t spin;		/* TSC cycles to look for a state at most */
	uint32_t features;	/* XSAVE components of user mode */
	uint32_t sentry;	/* pid of the Sentry */
	uint32_t unused2[13];
	uint8_t cpus[CPU_MASK_BYTES];	/* where guests may run */
};
AT_OFFSET(stub_board, sleeping, BOARD_SLEEPING);
AT_OFFSET(stub_board, spin, BOARD_SPIN);
AT_OFFSET(stub_board, features, BOARD_FEATURES);
AT_OFFSET(stub_board, sentry, BOARD_SENTRY);
AT_OFFSET(stub_board, cpus, BOARD_CPUS);

struct stub_orders {
	uint32_t seq;		/* futex: the order to carry out */
	uint32_t op;
	uint32_t count;
	uint32_t unused;
	uint64_t arg0, arg1;
	uint64_t offset;	/* of this page in the orders file */
	uint64_t cpu;		/* where the service thread should be */
	uint64_t unused2[2];
	uint8_t cpus[CPU_MASK_BYTES];	/* the mask of only that CPU */
	/* Written by the service thread, through the file. */
	uint32_t done;		/* the order that was carried out */
	uint32_t error;		/* positive errno, or 0 */
	uint32_t failed;	/* first word of the record that failed */
};
AT_OFFSET(stub_orders, seq, ORDERS_SEQ);
AT_OFFSET(stub_orders, op, ORDERS_OP);
AT_OFFSET(stub_orders, count, ORDERS_COUNT);
AT_OFFSET(stub_orders, arg0, ORDERS_ARG0);
AT_OFFSET(stub_orders, arg1, ORDERS_ARG1);
AT_OFFSET(stub_orders, offset, ORDERS_OFFSET);
AT_OFFSET(stub_orders, cpu, ORDERS_CPU);
AT_OFFSET(stub_orders, cpus, ORDERS_CPUS);
AT_OFFSET(stub_orders, done, ORDERS_DONE);
AT_OFFSET(stub_orders, error, ORDERS_ERROR);
AT_OFFSET(stub_orders, failed, ORDERS_FAILED);

/* Which threads have stopped: bit p of words for place p. */
struct stub_bell {
	uint32_t fork_pid;	/* ORDER_FORK, in the template */
	uint32_t unused[15];
	uint32_t summary[4];
	uint32_t unused2[12];
	uint32_t words[128];
};

/* The registers in the order of struct user_regs_struct; rip to ss is what
 * iretq takes. */
enum thread_register {
	R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI,
	RDI, ORIG_RAX, RIP, CS, EFLAGS, RSP, SS, FS_BASE, GS_BASE, DS, ES, FS,
	GS, REGISTER_COUNT
};

struct stub_thread {
	uint8_t unused[64];
	uint32_t state;		/* futex */
	uint32_t asleep;	/* it waits in futex(2) for `state` to change */
	uint32_t stop;		/* RSP_STOP_* */
	uint32_t trapno;
	uint32_t error;
	uint32_t abi;		/* RSP_ABI_* */
	uint32_t fpu_load;	/* the Sentry wrote the XSAVE area */
	uint32_t interrupt;	/* stop as soon as you can */
	uint64_t fault_addr;
	uint32_t place;		/* bit in the bell */
	uint32_t tid;
	uint32_t rest;		/* do not look for the state: sleep */
	uint32_t preempted;	/* while it looked, somebody wanted its CPU */
	uint32_t cpu;		/* where it stopped */
	uint32_t jumped;	/* it came from a patched site */
	uint64_t regs[REGISTER_COUNT];
	uint64_t unused3;
	uint64_t magic;		/* gs points to this slot */
	uint64_t stack_top;
	uint64_t unused4[2];
	uint64_t alt_stack[3];	/* stack_t */
};
AT_OFFSET(stub_thread, state, THREAD_STATE);
AT_OFFSET(stub_thread, fpu_load, THREAD_FPU_LOAD);
AT_OFFSET(stub_thread, interrupt, THREAD_INTERRUPT);
AT_OFFSET(stub_thread, tid, THREAD_TID);
AT_OFFSET(stub_thread, regs, THREAD_REGS);
AT_OFFSET(stub_thread, magic, THREAD_MAGIC);
AT_OFFSET(stub_thread, stack_top, THREAD_STACK_TOP);
AT_OFFSET(stub_thread, alt_stack, THREAD_ALT_STACK);

#endif
#endif
