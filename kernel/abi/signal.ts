/**
 * Signal numbers, siginfo codes and layouts of sigaction(2),
 * sigaltstack(2) and sigprocmask(2).
 *
 * Source: uapi asm/signal.h, asm-generic/signal-defs.h,
 * asm-generic/siginfo.h.
 * @module
 */

// Signal numbers.
export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGIOT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPOLL = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;

// Flags of sigaction(2).
export const SA_NOCLDSTOP = 1;
export const SA_NOCLDWAIT = 2;
export const SA_SIGINFO = 4;
export const SA_UNSUPPORTED = 0x400;
export const SA_EXPOSE_TAGBITS = 0x800;
export const SA_RESTORER = 0x4000000;
export const SA_ONSTACK = 0x8000000;
export const SA_RESTART = 0x10000000;
export const SA_NODEFER = 0x40000000;
export const SA_RESETHAND = 0x80000000;
export const SA_NOMASK = 0x40000000;
export const SA_ONESHOT = 0x80000000;

// How of sigprocmask(2).
export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;

// Flags of sigaltstack(2).
export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_FLAG_BITS = 0x80000000;

export const SS_AUTODISARM = 0x80000000;

// Smallest and recommended alternate stack, bytes.
export const MINSIGSTKSZ = 2048;
export const SIGSTKSZ = 8192;

// si_code: who sent it.
export const SI_USER = 0;
export const SI_KERNEL = 128;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_MESGQ = -3;
export const SI_ASYNCIO = -4;
export const SI_SIGIO = -5;
export const SI_TKILL = -6;
export const SI_DETHREAD = -7;
export const SI_ASYNCNL = -60;

// si_code of SIGILL.
export const ILL_ILLOPC = 1;
export const ILL_ILLOPN = 2;
export const ILL_ILLADR = 3;
export const ILL_ILLTRP = 4;
export const ILL_PRVOPC = 5;
export const ILL_PRVREG = 6;
export const ILL_COPROC = 7;
export const ILL_BADSTK = 8;
export const ILL_BADIADDR = 9;

// si_code of SIGFPE.
export const FPE_INTDIV = 1;
export const FPE_INTOVF = 2;
export const FPE_FLTDIV = 3;
export const FPE_FLTOVF = 4;
export const FPE_FLTUND = 5;
export const FPE_FLTRES = 6;
export const FPE_FLTINV = 7;
export const FPE_FLTSUB = 8;
export const FPE_FLTUNK = 14;
export const FPE_CONDTRAP = 15;

// si_code of SIGSEGV.
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const SEGV_BNDERR = 3;
export const SEGV_PKUERR = 4;
export const SEGV_ACCADI = 5;
export const SEGV_ADIDERR = 6;
export const SEGV_ADIPERR = 7;
export const SEGV_MTEAERR = 8;
export const SEGV_MTESERR = 9;
export const SEGV_CPERR = 10;

// si_code of SIGBUS.
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const BUS_OBJERR = 3;
export const BUS_MCEERR_AR = 4;
export const BUS_MCEERR_AO = 5;

// si_code of SIGTRAP.
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
export const TRAP_BRANCH = 3;
export const TRAP_HWBKPT = 4;
export const TRAP_UNK = 5;
export const TRAP_PERF = 6;
export const TRAP_PERF_FLAG_ASYNC = 1;

// si_code of SIGCHLD.
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_TRAPPED = 4;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

// si_code of SIGPOLL.
export const POLL_IN = 1;
export const POLL_OUT = 2;
export const POLL_MSG = 3;
export const POLL_ERR = 4;
export const POLL_PRI = 5;
export const POLL_HUP = 6;

// si_code of SIGSYS.
export const SYS_SECCOMP = 1;
export const SYS_USER_DISPATCH = 2;

// Kinds of notification in struct sigevent.
export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;

/** Size of `siginfo_t` in bytes. */
export const SIGINFO_SIZE = 128;

/** Byte offsets of the members of siginfo_t; the union members overlap. */
export const SIGINFO = {
  si_signo: 0,
  si_errno: 4,
  si_code: 8,
  si_pid: 16,
  si_uid: 20,
  si_status: 24,
  si_utime: 32,
  si_stime: 40,
  si_tid: 16,
  si_overrun: 20,
  si_sys_private: 32,
  si_value: 24,
  si_int: 24,
  si_ptr: 24,
  si_addr: 16,
  si_addr_lsb: 24,
  si_lower: 32,
  si_upper: 40,
  si_pkey: 32,
  si_band: 16,
  si_fd: 24,
  si_call_addr: 16,
  si_syscall: 24,
  si_arch: 28,
} as const;

/** Size of `stack_t` in bytes. */
export const STACK_T_SIZE = 24;

/** Byte offsets of the fields of stack_t. */
export const STACK_T = {
  ss_sp: 0,
  ss_flags: 8,
  ss_size: 16,
} as const;

/** Size of struct sigevent in bytes. */
export const SIGEVENT_SIZE = 64;

/** Byte offsets of the fields of struct sigevent. */
export const SIGEVENT = {
  sigev_value: 0,
  sigev_signo: 8,
  sigev_notify: 12,
  sigev_notify_thread_id: 16,
} as const;

/** Signals are numbered 1..NSIG; each has one bit in a signal set. */
export const NSIG = 64;
/** Size of the kernel's sigset_t, the only `sigsetsize` calls accept, bytes. */
export const SIGSET_SIZE = 8;

/** Handler value: take the default action. */
export const SIG_DFL = 0;
/** Handler value: ignore the signal. */
export const SIG_IGN = 1;

/** Size of the kernel's struct sigaction, which differs from libc's, bytes. */
export const SIGACTION_SIZE = 32;
/** Byte offsets of the kernel's struct sigaction as rt_sigaction(2) takes it. */
export const SIGACTION = {
  sa_handler: 0,
  sa_flags: 8,
  sa_restorer: 16,
  sa_mask: 24,
} as const;

/** Names by number, for logs and /proc; index 0 is unused. */
export const SIGNAL_NAMES: readonly string[] = Object.freeze([
  "0",
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
]);
