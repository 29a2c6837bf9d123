/*
 * guest.S: the ways of a guest thread into the stub and back. Its slot is found
 * from the stack pointer: the signal stack lies in it. Nothing here protects
 * the stub from the guest, which may change every word and jump anywhere; it
 * only has to be right for guests that do not.
 */
#include <asm/unistd.h>
#include "stub_layout.h"

#define REG(i) (THREAD_REGS + 8 * (i))(%rbx)

/* Offsets in struct ucontext, x86-64. */
#define UC_R8 40
#define UC_R9 48
#define UC_R10 56
#define UC_R11 64
#define UC_R12 72
#define UC_R13 80
#define UC_R14 88
#define UC_R15 96
#define UC_RDI 104
#define UC_RSI 112
#define UC_RBP 120
#define UC_RBX 128
#define UC_RDX 136
#define UC_RAX 144
#define UC_RCX 152
#define UC_RSP 160
#define UC_RIP 168
#define UC_EFLAGS 176
#define UC_CS 184
#define UC_SS 190
#define UC_FPSTATE 224

	.section image, "ax", @progbits

	/* From a patched site, by way of its trampoline. rcx: the address
	 * behind its `syscall`; r11 is free, as system calls spoil both. The
	 * slot is where gs points, unless the guest uses gs itself: to tell
	 * without changing the flags they wait in ax, and rax in r11. */
	.globl syscall_entry
syscall_entry:
	mov %rax, %r11
	lahf
	seto %al
	.org syscall_entry + STUB_ENTRY_CHECK - STUB_TEXT
	cmpl $THREAD_MAGIC_VALUE, %gs:THREAD_MAGIC
	jne foreign
	add $0x7f, %al
	sahf
	mov %r11, %rax
	mov %rsp, %gs:(THREAD_REGS + 8 * 19)
	mov %gs:THREAD_STACK_TOP, %rsp
	pushfq
	pop %r11
	mov %rbx, %gs:(THREAD_REGS + 8 * 5)
	rdgsbase %rbx
	mov %r15, REG(0)
	mov %r14, REG(1)
	mov %r13, REG(2)
	mov %r12, REG(3)
	mov %rbp, REG(4)
	mov %r11, REG(6)
	mov %r10, REG(7)
	mov %r9, REG(8)
	mov %r8, REG(9)
	mov %rax, REG(10)
	mov %rcx, REG(11)
	mov %rdx, REG(12)
	mov %rsi, REG(13)
	mov %rdi, REG(14)
	mov %rax, REG(15)
	mov %rcx, REG(16)
	mov %r11, REG(18)
	rdfsbase %rax
	mov %rax, REG(21)
	mov %rbx, REG(22)
	cld
	mov %rbx, %rdi
	call stub_syscall
	jmp guest_exit

	/* gs is the guest's: the Sentry makes a system call of the trap. */
	.org syscall_entry + 0x100
foreign:
	add $0x7f, %al
	sahf
	mov %r11, %rax
	.org syscall_entry + STUB_ENTRY_FOREIGN - STUB_TEXT
	ud2

	/* A new thread; rbx: its slot. */
	.balign 16
	.globl guest_start
guest_start:
	lea THREAD_BYTES(%rbx), %rsp
	mov %rbx, %rdi
	call stub_park
	jmp guest_exit

	/* Every signal. rdi: its number, rsi: siginfo, rdx: ucontext. The host
	 * has put the FPU into its initial state: undone at once, so that the
	 * state is always in the registers. */
	.balign 16
	.globl signal_entry
signal_entry:
	mov %rsp, %rbx
	and $-THREAD_BYTES, %rbx
	mov %rdx, %rbp
	mov UC_FPSTATE(%rdx), %r8
	movabs $(STUB_BOARD + BOARD_FEATURES), %rcx
	mov (%rcx), %eax
	xor %edx, %edx
	xrstor64 (%r8)
	mov %rsi, %rdx
	mov %edi, %esi
	mov %rbx, %rdi
	mov %rbp, %rcx
	and $-16, %rsp
	call stub_signal
	test %eax, %eax
	jnz guest_exit

	/* Back to where the signal came, be it guest or stub. */
	pushq $2			/* no NT, no AC */
	popfq
	movzwl UC_SS(%rbp), %eax
	push %rax
	pushq UC_RSP(%rbp)
	pushq UC_EFLAGS(%rbp)
	movzwl UC_CS(%rbp), %eax
	push %rax
	pushq UC_RIP(%rbp)
	mov UC_R8(%rbp), %r8
	mov UC_R9(%rbp), %r9
	mov UC_R10(%rbp), %r10
	mov UC_R11(%rbp), %r11
	mov UC_R12(%rbp), %r12
	mov UC_R13(%rbp), %r13
	mov UC_R14(%rbp), %r14
	mov UC_R15(%rbp), %r15
	mov UC_RDI(%rbp), %rdi
	mov UC_RSI(%rbp), %rsi
	mov UC_RBX(%rbp), %rbx
	mov UC_RDX(%rbp), %rdx
	mov UC_RAX(%rbp), %rax
	mov UC_RCX(%rbp), %rcx
	mov UC_RBP(%rbp), %rbp
	iretq

	/* To the guest, whose registers are all in the slot; rbx: the slot. A
	 * signal that comes in this section finds them there, not in the
	 * processor: see stub_signal. */
	.balign 16
	.globl guest_exit
guest_exit:
	.globl exit_section_begin
exit_section_begin:
	cmpl $0, THREAD_INTERRUPT(%rbx)
	jne interrupted
	cmpl $0, THREAD_FPU_LOAD(%rbx)
	jne load_fpu
bases:
	mov REG(21), %rcx
	rdfsbase %rax
	cmp %rax, %rcx
	je 1f
	wrfsbase %rcx
1:	mov REG(22), %rcx
	rdgsbase %rax
	cmp %rax, %rcx
	je 1f
	wrgsbase %rcx
1:	mov REG(0), %r15
	mov REG(1), %r14
	mov REG(2), %r13
	mov REG(3), %r12
	mov REG(4), %rbp
	mov REG(6), %r11
	mov REG(7), %r10
	mov REG(8), %r9
	mov REG(9), %r8
	mov REG(11), %rcx
	mov REG(12), %rdx
	mov REG(13), %rsi
	mov REG(14), %rdi
	/* Where gs is ours, it finds rip for us; else, behind a system call,
	 * rcx is rip. A trap flag, however, must not be set before. */
	testl $0x100, REG(18)
	jnz slow_exit
	cmp %rbx, REG(22)
	je gs_exit
	cmp REG(16), %rcx
	jne slow_exit
	mov REG(10), %rax
	lea REG(18), %rsp
	mov REG(5), %rbx
	popfq
	pop %rsp
	jmp *%rcx
gs_exit:
	mov REG(10), %rax
	lea REG(18), %rsp
	mov REG(5), %rbx
	popfq
	pop %rsp
	jmp *%gs:(THREAD_REGS + 8 * 16)
slow_exit:
	lea THREAD_BYTES(%rbx), %rsp
	pushq $2
	popfq
	mov REG(10), %rax
	lea REG(16), %rsp
	mov REG(5), %rbx
	iretq
load_fpu:
	/* First this: an area that another guest thread spoiled since faults
	 * once, not for ever. */
	movl $0, THREAD_FPU_LOAD(%rbx)
	movabs $(STUB_BOARD + BOARD_FEATURES), %rcx
	mov (%rcx), %eax
	xor %edx, %edx
	xrstor64 THREAD_XSAVE(%rbx)
	jmp bases
interrupted:
	.globl exit_section_end
exit_section_end:
	lea THREAD_BYTES(%rbx), %rsp
	mov %rbx, %rdi
	call stub_interrupted
	jmp guest_exit

	.section .note.GNU-stack, "", @progbits
