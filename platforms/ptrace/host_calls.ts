/**
 * Host system calls that libptrace.so makes after rsp_open, for the Sentry's
 * seccomp filter. Memory for its tables comes from malloc, whose calls (brk,
 * mmap, munmap, futex) every Sentry needs anyway.
 * @module
 */

/** A system call and who needs it. */
export interface HostCall {
  readonly name: string;
  readonly reason: string;
}

export const PTRACE_HOST_CALLS: readonly HostCall[] = [
  {
    name: "ptrace",
    reason: "Runs guests, reads and writes their registers and FPU state",
  },
  { name: "wait4", reason: "Learns of stops, sleeps, reaps stubs" },
  { name: "kill", reason: "Ends the stub of a released address space" },
  {
    name: "tgkill",
    reason: "rsp_ring wakes the sleeping tracer (any thread calls it)",
  },
  { name: "rt_sigreturn", reason: "End of the handler of WAKE_SIGNAL" },
  { name: "timer_settime", reason: "Deadline of rsp_wait" },
  {
    name: "sched_setaffinity",
    reason: "Keeps a guest that calls often on the tracer's CPU; may be " +
      "refused with an errno, then threads stay where the host puts them",
  },
  {
    name: "pause",
    reason: "rsp_wait after every stub, also the template, was killed",
  },
  {
    name: "clock_gettime",
    reason: "rsp_wait and placement, where the host's vDSO has no clock",
  },
  { name: "getcpu", reason: "Placement, where the host's vDSO has none" },
  { name: "timer_delete", reason: "rsp_close" },
  { name: "rt_sigaction", reason: "rsp_close restores the handler" },
];
