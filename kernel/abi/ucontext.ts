/**
 * What the kernel pushes below a signal handler on x86-64: struct
 * ucontext, struct sigcontext and the FXSAVE area.
 *
 * Source: uapi asm/sigcontext.h, asm/ucontext.h.
 * @module
 */

// uc_flags.
export const UC_FP_XSTATE = 1;
export const UC_SIGCONTEXT_SS = 2;
export const UC_STRICT_RESTORE_SS = 4;

// Marks of an extended FPU frame: at sw_reserved, and after the XSAVE
// area.
export const FP_XSTATE_MAGIC1 = 0x46505853;
export const FP_XSTATE_MAGIC2 = 0x46505845;
export const FP_XSTATE_MAGIC2_SIZE = 4;

/** Size of struct sigcontext in bytes. */
export const SIGCONTEXT_SIZE = 256;

/** Byte offsets of the fields of struct sigcontext. */
export const SIGCONTEXT = {
  r8: 0,
  r9: 8,
  r10: 16,
  r11: 24,
  r12: 32,
  r13: 40,
  r14: 48,
  r15: 56,
  rdi: 64,
  rsi: 72,
  rbp: 80,
  rbx: 88,
  rdx: 96,
  rax: 104,
  rcx: 112,
  rsp: 120,
  rip: 128,
  eflags: 136,
  cs: 144,
  gs: 146,
  fs: 148,
  ss: 150,
  err: 152,
  trapno: 160,
  oldmask: 168,
  cr2: 176,
  fpstate: 184,
} as const;

/** Size of struct ucontext in bytes. */
export const UCONTEXT_SIZE = 304;

/** Byte offsets of the fields of struct ucontext. */
export const UCONTEXT = {
  uc_flags: 0,
  uc_link: 8,
  uc_stack: 16,
  uc_mcontext: 40,
  uc_sigmask: 296,
} as const;

/** Size of struct _fpstate_64 in bytes. */
export const FPSTATE_SIZE = 512;

/** Byte offsets of the FXSAVE area as user space sees it. */
export const FPSTATE = {
  cwd: 0,
  swd: 2,
  twd: 4,
  fop: 6,
  rip: 8,
  rdp: 16,
  mxcsr: 24,
  mxcsr_mask: 28,
  st_space: 32,
  xmm_space: 160,
  sw_reserved: 464,
} as const;

/** Size of struct _fpx_sw_bytes in bytes. */
export const FPX_SW_BYTES_SIZE = 48;

/** Byte offsets of the fields of struct _fpx_sw_bytes. */
export const FPX_SW_BYTES = {
  magic1: 0,
  extended_size: 4,
  xfeatures: 8,
  xstate_size: 16,
} as const;
