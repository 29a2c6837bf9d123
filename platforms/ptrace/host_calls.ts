/**
 * Host system calls that libptrace.so makes after rsp_open, for the Sentry's
 * seccomp filter. Memory for its tables comes from malloc, whose calls (brk,
 * mmap, munmap, futex) every Sentry needs anyway.
 * @module
 */

import type { SyscallRule } from "../../ffi/seccomp.ts";

const SIGKILL = 9;
const SIGURG = 23;

/** linux/ptrace.h and asm/ptrace-abi.h; all are about traced threads. */
const PTRACE_REQUESTS = {
  POKEUSER: 6,
  CONT: 7,
  GETREGS: 12,
  SETREGS: 13,
  SYSEMU: 31,
  SYSEMU_SINGLESTEP: 32,
  GETSIGINFO: 0x4202,
  GETREGSET: 0x4204,
  SETREGSET: 0x4205,
  INTERRUPT: 0x4207,
  GET_SYSCALL_INFO: 0x420e,
} as const;

/** In the order of how often they are made. */
export const PTRACE_HOST_CALLS: readonly SyscallRule[] = [
  {
    name: "ptrace",
    reason: "runs guests, reads and writes their registers and FPU state; " +
      "attaching to anything is not among it",
    when: [{ arg: 0, oneOf: Object.values(PTRACE_REQUESTS) }],
  },
  { name: "wait4", reason: "stops of guests; the one place where it sleeps" },
  {
    name: "tgkill",
    reason: "rsp_ring wakes the sleeping tracer (any thread calls it)",
    when: [{ arg: 2, width: 32, eq: SIGURG }],
  },
  { name: "rt_sigreturn", reason: "the end of the handler of that signal" },
  { name: "timer_settime", reason: "the deadline of a sleep" },
  {
    name: "sched_setaffinity",
    reason: "keeps guests that call often on the tracer's CPU; a refusal " +
      "with an errno only costs speed",
  },
  {
    name: "kill",
    reason: "ends the stub of a released address space",
    when: [{ arg: 1, width: 32, eq: SIGKILL }],
  },
  {
    name: "clock_gettime",
    reason: "deadlines, where the host's vDSO has no clock",
  },
  { name: "getcpu", reason: "placement, where the host's vDSO has none" },
  { name: "pause", reason: "sleeps after every stub was killed" },
  { name: "timer_delete", reason: "rsp_close" },
  { name: "rt_sigaction", reason: "rsp_close gives the signal back" },
];
