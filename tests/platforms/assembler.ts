/**
 * The few x86-64 instructions that guests of the conformance suite are made
 * of, as bytes (Intel SDM volume 2).
 * @module
 */

export type Code = readonly number[];

/** Joins instructions. */
export function assemble(...parts: Code[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flat());
}

/** The general registers in the order of struct user_regs_struct. */
export const REGISTERS = [
  "r15",
  "r14",
  "r13",
  "r12",
  "rbp",
  "rbx",
  "r11",
  "r10",
  "r9",
  "r8",
  "rax",
  "rcx",
  "rdx",
  "rsi",
  "rdi",
  "origRax",
  "rip",
  "cs",
  "eflags",
  "rsp",
  "ss",
  "fsBase",
  "gsBase",
] as const;
export type Register = typeof REGISTERS[number];

export const SYSCALL: Code = [0x0f, 0x05];
/** System call, then again, for ever. */
export const SYSCALL_LOOP: Code = [0x0f, 0x05, 0xeb, 0xfc];
/** inc rbx; syscall; and again. */
export const COUNTING_SYSCALL_LOOP: Code = [
  ...[0x48, 0xff, 0xc3],
  ...[0x0f, 0x05],
  ...[0xeb, 0xf9],
];
export const SPIN: Code = [0xeb, 0xfe];
/** inc rbx; jmp back */
export const COUNTING_SPIN: Code = [0x48, 0xff, 0xc3, 0xeb, 0xfb];
export const NOP: Code = [0x90];
export const INT3: Code = [0xcc];
export const ICEBP: Code = [0xf1];
export const INT_80: Code = [0xcd, 0x80];
/** A software interrupt whose gate is not for user mode. */
export const INT_20: Code = [0xcd, 0x20];
export const UD2: Code = [0x0f, 0x0b];
export const HLT: Code = [0xf4];
export const RDTSC: Code = [0x0f, 0x31];
export const CPUID: Code = [0x0f, 0xa2];
/** xor edx, edx; xor ecx, ecx; div ecx */
export const DIVIDE_BY_ZERO: Code = [0x31, 0xd2, 0x31, 0xc9, 0xf7, 0xf1];
/** mov al, [rsi] */
export const LOAD_BYTE: Code = [0x8a, 0x06];
/** mov [rdi], al */
export const STORE_BYTE: Code = [0x88, 0x07];
/** mov eax, [rsi] */
export const LOAD_U32: Code = [0x8b, 0x06];
/** jmp rax */
export const JUMP_RAX: Code = [0xff, 0xe0];
/** call rax */
export const CALL_RAX: Code = [0xff, 0xd0];
/** mov [rdi], al; jmp back: stores for ever. */
export const STORE_LOOP: Code = [0x88, 0x07, 0xeb, 0xfc];
/** mov al, [rsi]; jmp back: loads for ever. */
export const LOAD_LOOP: Code = [0x8a, 0x06, 0xeb, 0xfc];
/** pushf; or dword [rsp], AC; popf */
export const SET_ALIGNMENT_CHECK: Code = [
  ...[0x9c],
  ...[0x81, 0x0c, 0x24, 0x00, 0x00, 0x04, 0x00],
  ...[0x9d],
];
/** fldcw [rsi]; fldz; fld1; fdivrp; fwait */
export const X87_DIVIDE_BY_ZERO: Code = [
  ...[0xd9, 0x2e],
  ...[0xd9, 0xe8],
  ...[0xd9, 0xee],
  ...[0xde, 0xf9],
  ...[0x9b],
];
/** ldmxcsr [rsi]; xorps xmm0, xmm0; divps xmm0, xmm0 */
export const SSE_INVALID: Code = [
  ...[0x0f, 0xae, 0x16],
  ...[0x0f, 0x57, 0xc0],
  ...[0x0f, 0x5e, 0xc0],
];
/** vmovdqu ymm5, [rsi] */
export const LOAD_YMM5: Code = [0xc5, 0xfe, 0x6f, 0x2e];
/** vmovdqu [rdi], ymm5 */
export const STORE_YMM5: Code = [0xc5, 0xfe, 0x7f, 0x2f];
/** vmovdqu64 zmm21, [rsi] */
export const LOAD_ZMM21: Code = [0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x2e];
/** vmovdqu64 [rdi], zmm21 */
export const STORE_ZMM21: Code = [0x62, 0xe1, 0xfe, 0x48, 0x7f, 0x2f];
/** kmovq k3, rax */
export const SET_K3: Code = [0xc4, 0xe1, 0xfb, 0x92, 0xd8];
/** kmovq rax, k3 */
export const GET_K3: Code = [0xc4, 0xe1, 0xfb, 0x93, 0xc3];
/** fnstcw [rdi]; stmxcsr [rdi+4] */
export const STORE_FPU_CONTROL: Code = [
  ...[0xd9, 0x3f],
  ...[0x0f, 0xae, 0x5f, 0x04],
];
/** mov rax, fs:[0] */
export const LOAD_FS: Code = [
  ...[0x64, 0x48, 0x8b, 0x04, 0x25],
  ...[0, 0, 0, 0],
];
/** mov rax, gs:[0] */
export const LOAD_GS: Code = [
  ...[0x65, 0x48, 0x8b, 0x04, 0x25],
  ...[0, 0, 0, 0],
];
/** wrfsbase rax; wrgsbase rdx */
export const WRITE_BASES: Code = [
  ...[0xf3, 0x48, 0x0f, 0xae, 0xd0],
  ...[0xf3, 0x48, 0x0f, 0xae, 0xda],
];
/** rdfsbase rax; rdgsbase rdx */
export const READ_BASES: Code = [
  ...[0xf3, 0x48, 0x0f, 0xae, 0xc0],
  ...[0xf3, 0x48, 0x0f, 0xae, 0xca],
];
