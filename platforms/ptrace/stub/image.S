/*
 * What is left in a stub: the routines behind the doors of stub_layout.h. The
 * template copies them to STUB_TEXT; the plugin moves a stopped thread to one
 * of them by its registers and lets it run to the breakpoint at STUB_DONE. No
 * routine uses a stack or trusts writable memory, since guest threads of the
 * same address space can change both at any time.
 */
#include <asm/unistd.h>
#include "stub_layout.h"

	/* The bare start of the template: its own stack, because the host may
	 * have put ours where the stub's pages belong. */
	.text
	.globl _start
_start:
	lea template_stack_top(%rip), %rsp
	call template_main
	ud2

	.bss
	.balign 16
	.skip 8192
template_stack_top:

	.text
	.balign 16
	.globl image_begin, image_end
image_begin:
done:
	int3

	.org image_begin + 0x10
	jmp apply
	.org image_begin + 0x20
	jmp fork
	.org image_begin + 0x30
	jmp thread
	.org image_begin + 0x40
	jmp exit
	.org image_begin + 0x50
	jmp report
	.org image_begin + 0x60
	jmp settle
	.org image_begin + 0x70
	jmp exit_group

	.balign 16
apply:
	cmp %r13, %r12
	jae applied
	mov 8(%r12), %rdi		/* addr */
	mov 16(%r12), %rsi		/* length */
	mov 4(%r12), %ebx		/* prot, MEM_POPULATE */
	mov %ebx, %edx
	and $7, %edx
	mov (%r12), %eax
	cmp $1, %eax
	je map
	cmp $2, %eax
	je unmap
	mov $__NR_mprotect, %eax
	jmp call
unmap:
	mov $__NR_munmap, %eax
	jmp call
map:
	mov $STUB_MAP_MEMORY, %r10d
	test $0x100, %ebx
	jz 1f
	mov $STUB_MAP_POPULATE, %r10d
1:	mov $STUB_MEMORY_FD, %r8d
	mov 24(%r12), %r9		/* offset */
	mov $__NR_mmap, %eax
call:
	syscall
	test %rax, %rax
	js done
	add $32, %r12
	jmp apply
applied:
	xor %eax, %eax
	jmp done

fork:
	mov $__NR_clone, %eax
	mov $STUB_FORK_FLAGS, %edi
	xor %esi, %esi
	xor %edx, %edx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	test %rax, %rax
	jnz done
	mov %r12, %r9
table:
	mov $__NR_mmap, %eax
	mov $STUB_TABLE, %rdi
	mov $STUB_TABLE_BYTES, %esi
	mov $1, %edx			/* PROT_READ */
	mov $STUB_MAP_MEMORY, %r10d
	mov $STUB_TABLE_FD, %r8d
	syscall
	jmp done

thread:
	mov $__NR_clone, %eax
	mov $STUB_THREAD_FLAGS, %edi
	xor %esi, %esi
	xor %edx, %edx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	jmp done

exit:
	mov $__NR_exit, %eax
	xor %edi, %edi
	syscall

exit_group:
	mov $__NR_exit_group, %eax
	xor %edi, %edi
	syscall

/* rdx: struct ucontext; its gregs[] begin at 40. */
report:
	mov 192(%rdx), %rax		/* REG_ERR */
	mov 200(%rdx), %rbx		/* REG_TRAPNO */
	mov 216(%rdx), %rcx		/* REG_CR2 */
	jmp done

/* The template's way out of its own program: nothing stays mapped but ours. */
settle:
	mov $__NR_munmap, %eax
	xor %edi, %edi
	mov $STUB_FRAME, %rsi
	syscall
	test %rax, %rax
	js failed
	mov $__NR_munmap, %eax
	mov $(STUB_TEXT + STUB_TEXT_BYTES), %rdi
	mov $(STUB_TASK_END - STUB_TEXT - STUB_TEXT_BYTES), %esi
	syscall
	test %rax, %rax
	js failed
	xor %r9d, %r9d
	jmp table
failed:
	ud2
image_end:

	.section .note.GNU-stack, "", @progbits
