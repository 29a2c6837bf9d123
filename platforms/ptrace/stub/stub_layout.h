/*
 * stub_layout.h: where a stub's own pages lie, and the doors into its text.
 * Read by stub.S and by the plugin, so nothing here but numbers.
 *
 *   [0, STUB_FRAME)          the guest's
 *   [STUB_FRAME, +32 KiB)    stack for signal frames; the guest may scribble
 *   [STUB_TABLE, +16 KiB)    requests, read-only here, written by the plugin
 *   [STUB_TEXT, +4 KiB)      the routines below
 *
 * The guest may jump into the text: its `syscall` instructions trap like any
 * other, since a guest thread always runs under PTRACE_SYSEMU.
 */
#ifndef STUB_LAYOUT_H
#define STUB_LAYOUT_H

#define STUB_FRAME 0x7fffffff0000
#define STUB_FRAME_TOP 0x7fffffff8000
#define STUB_TABLE 0x7fffffff8000
#define STUB_TABLE_BYTES 0x4000
#define STUB_TEXT 0x7fffffffc000
#define STUB_TEXT_BYTES 0x1000
/* End of the user half with four levels of page tables. */
#define STUB_TASK_END 0x7ffffffff000

/* Descriptors of a stub. */
#define STUB_MEMORY_FD 0
#define STUB_TABLE_FD 1
/* Read to its end before anything else: holds the template until traced. */
#define STUB_GATE_FD 2

/* Every routine ends at the breakpoint here, rip then being STUB_DONE + 1. */
#define STUB_DONE (STUB_TEXT + 0x00)
/* Carries out the requests [r12, r13); rax: 0 or -errno, r12: where. */
#define STUB_APPLY (STUB_TEXT + 0x10)
/* Forks; the child maps its own table, at offset r12. rax: pid or -errno. */
#define STUB_FORK (STUB_TEXT + 0x20)
/* Makes a thread, which must not run before it got registers. rax: tid. */
#define STUB_THREAD (STUB_TEXT + 0x30)
/* Ends the calling thread. */
#define STUB_EXIT (STUB_TEXT + 0x40)
/* Ends the process. */
#define STUB_EXIT_GROUP (STUB_TEXT + 0x70)
/* Signal handler: rax: error code, rbx: trap number, rcx: CR2. */
#define STUB_REPORT (STUB_TEXT + 0x50)
/* Where the template continues once its text is in place. */
#define STUB_SETTLE (STUB_TEXT + 0x60)

/* Arguments of the routines' system calls, which the filter compares.
 * MAP_SHARED | MAP_FIXED, and with MAP_POPULATE. */
#define STUB_MAP_MEMORY 0x11
#define STUB_MAP_POPULATE 0x8011
/* PARENT | PTRACE | FILES | FS. PARENT: the child is the plugin's to reap;
 * PTRACE: traced from birth, without an event stop of its maker. */
#define STUB_FORK_FLAGS 0xa600
/* VM | FS | FILES | SIGHAND | PTRACE | THREAD | SYSVSEM */
#define STUB_THREAD_FLAGS 0x52f00

#endif
