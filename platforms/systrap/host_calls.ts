/**
 * Host system calls that libsystrap.so makes after rsp_open, for the Sentry's
 * seccomp filter. Memory for its tables comes from malloc, whose calls (brk,
 * mmap, munmap, futex) every Sentry needs anyway.
 * @module
 */

import type { SyscallRule } from "../../ffi/seccomp.ts";

const SIGKILL = 9;
const SIGCONT = 18;
/** STUB_SIGNAL in stub/stub_layout.h. */
const SIGURG = 23;

/** In the order of how often they are made. */
export const SYSTRAP_HOST_CALLS: readonly SyscallRule[] = [
  { name: "futex", reason: "wakes guest threads and service threads" },
  { name: "ppoll", reason: "the one place where the Sentry sleeps" },
  { name: "read", reason: "takes the event that ended the sleep" },
  { name: "write", reason: "rsp_ring wakes the Sentry (any thread calls it)" },
  {
    name: "tgkill",
    reason: "stops a guest thread that runs; where ids changed, the stub does",
    when: [{ arg: 2, width: 32, eq: SIGURG }],
  },
  { name: "wait4", reason: "the ends of stubs" },
  { name: "waitid", reason: "the reaper thread sleeps in it" },
  {
    name: "kill",
    reason: "ends the stub of a released address space, and continues one " +
      "that somebody stopped",
    when: [{ arg: 1, width: 32, oneOf: [SIGKILL, SIGCONT] }],
  },
  { name: "madvise", reason: "clears the slots of ended guest threads" },
  {
    name: "clock_gettime",
    reason: "deadlines, where the host's vDSO has no clock",
  },
  { name: "exit", reason: "the reaper thread ends with the last stub" },
  { name: "close", reason: "rsp_close" },
];
