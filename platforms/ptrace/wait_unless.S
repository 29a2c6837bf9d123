/*
 * long wait_unless(volatile int *flag, long nr, long a, long b, long c,
 *                  long d): system call nr(a, b, c, d), or -EINTR at once if
 * *flag is set. There is no instant at which a signal whose handler sets the
 * flag and calls wait_unless_redirect could be missed: between the test and
 * the entry into the kernel the handler moves rip to the way out.
 */
	.text
	.globl wait_unless, wait_unless_begin, wait_unless_end
	.globl wait_unless_abort
	.hidden wait_unless, wait_unless_begin, wait_unless_end
	.hidden wait_unless_abort
	.type wait_unless, @function
wait_unless:
	mov %rdi, %r11
	mov %rsi, %rax
	mov %rdx, %rdi
	mov %rcx, %rsi
	mov %r8, %rdx
	mov %r9, %r10
wait_unless_begin:
	cmpl $0, (%r11)
	jne wait_unless_abort
	syscall
wait_unless_end:
	ret
wait_unless_abort:
	mov $-4, %rax		/* -EINTR */
	ret
	.size wait_unless, . - wait_unless
	.section .note.GNU-stack, "", @progbits
