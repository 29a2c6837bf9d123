/**
 * Words of ptrace(2) and the register layouts it moves.
 *
 * Source: uapi linux/ptrace.h, asm/ptrace-abi.h; sys/user.h.
 * @module
 */

// Requests.
export const PTRACE_TRACEME = 0;
export const PTRACE_PEEKTEXT = 1;
export const PTRACE_PEEKDATA = 2;
export const PTRACE_PEEKUSR = 3;
export const PTRACE_POKETEXT = 4;
export const PTRACE_POKEDATA = 5;
export const PTRACE_POKEUSR = 6;
export const PTRACE_CONT = 7;
export const PTRACE_KILL = 8;
export const PTRACE_SINGLESTEP = 9;
export const PTRACE_GETREGS = 12;
export const PTRACE_SETREGS = 13;
export const PTRACE_GETFPREGS = 14;
export const PTRACE_SETFPREGS = 15;
export const PTRACE_ATTACH = 16;
export const PTRACE_DETACH = 17;
export const PTRACE_SYSCALL = 24;
export const PTRACE_ARCH_PRCTL = 30;
export const PTRACE_SYSEMU = 31;
export const PTRACE_SYSEMU_SINGLESTEP = 32;
export const PTRACE_SETOPTIONS = 16896;
export const PTRACE_GETEVENTMSG = 16897;
export const PTRACE_GETSIGINFO = 16898;
export const PTRACE_SETSIGINFO = 16899;
export const PTRACE_GETREGSET = 16900;
export const PTRACE_SETREGSET = 16901;
export const PTRACE_SEIZE = 16902;
export const PTRACE_INTERRUPT = 16903;
export const PTRACE_LISTEN = 16904;
export const PTRACE_PEEKSIGINFO = 16905;
export const PTRACE_GETSIGMASK = 16906;
export const PTRACE_SETSIGMASK = 16907;
export const PTRACE_SECCOMP_GET_FILTER = 16908;
export const PTRACE_SECCOMP_GET_METADATA = 16909;
export const PTRACE_GET_SYSCALL_INFO = 16910;
export const PTRACE_GET_RSEQ_CONFIGURATION = 16911;

// Events.
export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
export const PTRACE_EVENT_VFORK_DONE = 5;
export const PTRACE_EVENT_EXIT = 6;
export const PTRACE_EVENT_SECCOMP = 7;
export const PTRACE_EVENT_STOP = 128;

// Options.
export const PTRACE_O_TRACESYSGOOD = 1;
export const PTRACE_O_TRACEFORK = 2;
export const PTRACE_O_TRACEVFORK = 4;
export const PTRACE_O_TRACECLONE = 8;
export const PTRACE_O_TRACEEXEC = 0x10;
export const PTRACE_O_TRACEVFORKDONE = 0x20;
export const PTRACE_O_TRACEEXIT = 0x40;
export const PTRACE_O_TRACESECCOMP = 0x80;
export const PTRACE_O_EXITKILL = 0x100000;
export const PTRACE_O_SUSPEND_SECCOMP = 0x200000;
export const PTRACE_O_MASK = 0x3000ff;

// Of PTRACE_PEEKSIGINFO.
export const PTRACE_PEEKSIGINFO_SHARED = 1;

// Kinds of stop in struct ptrace_syscall_info.
export const PTRACE_SYSCALL_INFO_NONE = 0;
export const PTRACE_SYSCALL_INFO_ENTRY = 1;
export const PTRACE_SYSCALL_INFO_EXIT = 2;
export const PTRACE_SYSCALL_INFO_SECCOMP = 3;

/** Size of struct user_regs_struct in bytes. */
export const USER_REGS_SIZE = 216;

/** Byte offsets of the fields of struct user_regs_struct. */
export const USER_REGS = {
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  rbp: 32,
  rbx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  rax: 80,
  rcx: 88,
  rdx: 96,
  rsi: 104,
  rdi: 112,
  orig_rax: 120,
  rip: 128,
  cs: 136,
  eflags: 144,
  rsp: 152,
  ss: 160,
  fs_base: 168,
  gs_base: 176,
  ds: 184,
  es: 192,
  fs: 200,
  gs: 208,
} as const;

/** Size of struct user in bytes. */
export const USER_SIZE = 912;

/** Byte offsets of the fields of struct user. */
export const USER = {
  regs: 0,
  u_fpvalid: 216,
  i387: 224,
  u_tsize: 736,
  u_dsize: 744,
  u_ssize: 752,
  start_code: 760,
  start_stack: 768,
  signal: 776,
  u_ar0: 792,
  u_fpstate: 800,
  magic: 808,
  u_comm: 816,
  u_debugreg: 848,
} as const;

/** Size of struct ptrace_syscall_info in bytes. */
export const PTRACE_SYSCALL_INFO_SIZE = 88;

/** Byte offsets of the fields of struct ptrace_syscall_info. */
export const PTRACE_SYSCALL_INFO = {
  op: 0,
  arch: 4,
  instruction_pointer: 8,
  stack_pointer: 16,
  entry_nr: 24,
  entry_args: 32,
  exit_rval: 24,
  exit_is_error: 32,
  seccomp_ret_data: 80,
} as const;

/** Size of struct ptrace_peeksiginfo_args in bytes. */
export const PTRACE_PEEKSIGINFO_ARGS_SIZE = 16;

/** Byte offsets of the fields of struct ptrace_peeksiginfo_args. */
export const PTRACE_PEEKSIGINFO_ARGS = {
  off: 0,
  flags: 8,
  nr: 12,
} as const;
