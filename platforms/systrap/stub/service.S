/*
 * service.S: the leader thread of a stub, which carries out the Sentry's
 * orders. It alone may make memory calls, in an address space where hostile
 * threads run, hence: no stack, all state in registers, orders and buffers only
 * in pages that the stub cannot write. It answers by pwrite(2) into the orders
 * file, which no guest thread may call.
 *
 *   rbx orders   rbp consts   r12d last order carried out   r11: scratch
 *   xmm0: low half: the CPU that it has moved to
 */
#include <asm/unistd.h>
#include "stub_layout.h"

	.section image, "ax", @progbits

	.balign 16
	.globl service_start
service_start:
	/* The template's way out of its own program: nothing stays mapped but
	 * the stub's pages. */
	mov $__NR_munmap, %eax
	xor %edi, %edi
	movabs $STUB_BASE, %rsi
	syscall
	test %rax, %rax
	js fatal
	mov $__NR_munmap, %eax
	movabs $(STUB_TEXT + STUB_TEXT_BYTES), %rdi
	movabs $(STUB_TASK_END - STUB_TEXT - STUB_TEXT_BYTES), %rsi
	syscall
	test %rax, %rax
	js fatal
	movabs $STUB_ORDERS, %rbx
	movabs $STUB_CONSTS, %rbp
	xor %r12d, %r12d

service_loop:
	mov ORDERS_SEQ(%rbx), %eax
	cmp %r12d, %eax
	jne take_order
	mov $__NR_futex, %eax
	mov %rbx, %rdi
	xor %esi, %esi			/* FUTEX_WAIT */
	mov %r12d, %edx
	xor %r10d, %r10d
	syscall
	jmp service_loop

take_order:
	mov %eax, %r12d
	/* Where the Sentry is, so that it need not wake another CPU. */
	mov ORDERS_CPU(%rbx), %rax
	movq %xmm0, %rcx
	cmp %rax, %rcx
	je 1f
	movq %rax, %xmm0
	mov $__NR_sched_setaffinity, %eax
	xor %edi, %edi
	mov $CPU_MASK_BYTES, %esi
	lea ORDERS_CPUS(%rbx), %rdx
	syscall
1:	mov ORDERS_OP(%rbx), %eax
	cmp $ORDER_APPLY, %eax
	je apply
	cmp $ORDER_SIGNAL, %eax
	je signal
	cmp $ORDER_THREAD, %eax
	je thread
	cmp $ORDER_FORK, %eax
	je fork
	cmp $ORDER_EXIT, %eax
	je fatal
done:
	mov $__NR_pwrite64, %eax
	mov $STUB_ORDERS_FD, %edi
	mov %rbx, %rsi			/* seq itself */
	mov $4, %edx
	mov ORDERS_OFFSET(%rbx), %r10
	add $ORDERS_DONE, %r10
	syscall
	movabs $(STUB_BOARD + BOARD_SLEEPING), %rcx
	cmpl $0, (%rcx)
	je service_loop
	mov $__NR_write, %eax
	mov $STUB_EVENT_FD, %edi
	lea CONSTS_ONE(%rbp), %rsi
	mov $8, %edx
	syscall
	jmp service_loop

	/* rax: -errno; the number goes from a table to the file. */
failed:
	neg %rax
	cmp $CONSTS_ERRNO_COUNT, %rax
	jae fatal
	lea CONSTS_ERRNOS(%rbp,%rax,4), %rsi
	mov $__NR_pwrite64, %eax
	mov $STUB_ORDERS_FD, %edi
	mov $4, %edx
	mov ORDERS_OFFSET(%rbx), %r10
	add $ORDERS_ERROR, %r10
	syscall
	jmp done

fatal:
	mov $__NR_exit_group, %eax
	mov $1, %edi
	syscall
	ud2

	/* The records of struct rsp_mem_op; r13: the next, r14: the end. */
apply:
	movabs $STUB_TABLE, %r13
	mov ORDERS_COUNT(%rbx), %r14d
	shl $5, %r14
	add %r13, %r14
next_record:
	cmp %r14, %r13
	jae done
	mov 8(%r13), %rdi		/* addr */
	mov 16(%r13), %rsi		/* length */
	mov 4(%r13), %r15d		/* prot, MEM_POPULATE */
	mov %r15d, %edx
	and $7, %edx
	movzbl (%r13), %eax
	cmp $1, %eax
	je map
	cmp $2, %eax
	je unmap
	cmp $STUB_OP_PATCH, %eax
	je patch
	mov $__NR_mprotect, %eax
	jmp call
unmap:
	mov $__NR_munmap, %eax
	jmp call
patch:
	mov $STUB_MAP, %r10d
	mov $STUB_PATCHES_FD, %r8d
	jmp map_file
map:
	mov $STUB_MAP, %r10d
	test $0x100, %r15d
	jz 1f
	mov $STUB_MAP_POPULATED, %r10d
1:	mov $STUB_MEMORY_FD, %r8d
map_file:
	mov 24(%r13), %r9		/* offset */
	mov $__NR_mmap, %eax
call:
	syscall
	test %rax, %rax
	js record_failed
	add $32, %r13
	jmp next_record
record_failed:
	mov %rax, %r15
	mov %r13, %rsi			/* op, with the record's index */
	mov $__NR_pwrite64, %eax
	mov $STUB_ORDERS_FD, %edi
	mov $4, %edx
	mov ORDERS_OFFSET(%rbx), %r10
	add $ORDERS_FAILED, %r10
	syscall
	mov %r15, %rax
	jmp failed

signal:
	mov $__NR_tgkill, %eax
	mov ORDERS_ARG0(%rbx), %edi
	mov ORDERS_ARG1(%rbx), %esi
	mov $STUB_SIGNAL, %edx
	syscall
	test %rax, %rax
	js failed
	jmp done

thread:
	mov ORDERS_ARG0(%rbx), %r13
	mov $__NR_mmap, %eax
	mov %r13, %rdi
	mov $THREAD_BYTES, %esi
	mov $3, %edx			/* PROT_READ | PROT_WRITE */
	mov $STUB_MAP, %r10d
	mov $STUB_THREADS_FD, %r8d
	mov ORDERS_ARG1(%rbx), %r9
	syscall
	test %rax, %rax
	js failed
	mov $__NR_clone, %eax
	mov $STUB_THREAD_FLAGS, %edi
	xor %esi, %esi
	lea THREAD_TID(%r13), %rdx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	test %rax, %rax
	js failed
	jnz done

	/* The new thread, all signals blocked. Until its filter stands it may
	 * not depend on what other guest threads can write; what the kernel
	 * reads of alt_stack is for this thread alone. */
	mov $__NR_sigaltstack, %eax
	lea THREAD_ALT_STACK(%r13), %rdi
	xor %esi, %esi
	syscall
	test %rax, %rax
	jnz fatal
	mov $__NR_sched_setaffinity, %eax
	xor %edi, %edi
	mov $CPU_MASK_BYTES, %esi
	movabs $(STUB_BOARD + BOARD_CPUS), %rdx
	syscall
	pxor %xmm0, %xmm0
	mov $__NR_seccomp, %eax
	mov $1, %edi			/* SECCOMP_SET_MODE_FILTER */
	mov $4, %esi			/* SECCOMP_FILTER_FLAG_SPEC_ALLOW */
	lea CONSTS_PROGRAM(%rbp), %rdx
	syscall
	test %rax, %rax
	jnz fatal
	mov $__NR_rt_sigprocmask, %eax
	mov $2, %edi			/* SIG_SETMASK */
	lea CONSTS_MASK(%rbp), %rsi
	xor %edx, %edx
	mov $8, %r10d
	syscall
	mov %r13, %rbx
	jmp guest_start

	/* Only the template: no guest has ever run in this address space, so
	 * the bell page, where the pid goes, is nobody's but ours. */
fork:
	mov ORDERS_ARG0(%rbx), %r13	/* the new stub's pages in the file */
	mov $__NR_clone, %eax
	mov $STUB_FORK_FLAGS, %edi
	xor %esi, %esi
	movabs $STUB_BELL, %rdx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	test %rax, %rax
	js failed
	jnz done

	mov $__NR_prctl, %eax
	mov $1, %edi			/* PR_SET_PDEATHSIG */
	mov $9, %esi			/* SIGKILL */
	syscall
	test %rax, %rax
	jnz fatal
	/* The Sentry may have died before that. */
	mov $__NR_getppid, %eax
	syscall
	movabs $(STUB_BOARD + BOARD_SENTRY), %rcx
	cmp (%rcx), %eax
	jne fatal
	mov $__NR_mmap, %eax
	mov %rbx, %rdi
	mov $ORDERS_FILE_READ_ONLY, %esi
	mov $1, %edx			/* PROT_READ */
	mov $STUB_MAP, %r10d
	mov $STUB_ORDERS_FD, %r8d
	mov %r13, %r9
	syscall
	test %rax, %rax
	js fatal
	mov $__NR_mmap, %eax
	movabs $STUB_BELL, %rdi
	mov $0x1000, %esi
	mov $3, %edx
	mov $STUB_MAP, %r10d
	mov $STUB_ORDERS_FD, %r8d
	lea ORDERS_FILE_READ_ONLY(%r13), %r9
	syscall
	test %rax, %rax
	js fatal
	xor %r12d, %r12d
	jmp service_loop

	.section .note.GNU-stack, "", @progbits
