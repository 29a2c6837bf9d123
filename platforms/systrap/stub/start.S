/*
 * start.S: the bare start of the template, on a stack of its own, because the
 * host may have put the program's where the stub's pages belong.
 */
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

	.section .note.GNU-stack, "", @progbits
