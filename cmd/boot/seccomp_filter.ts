/**
 * Every system call that the locked Sentry may make, with who needs it. The
 * parts list their own calls beside their code; here they are put together, the
 * hot ones first. Anything else kills the process.
 * @module
 */
import {
  CHANNEL_CALLS,
  DENO_CALLS,
  HOST_FILE_CALLS,
  REACTOR_CALLS,
} from "../../ffi/host_calls.ts";
import type { SyscallRule } from "../../ffi/seccomp.ts";

/** The ptrace platform: its tracer is the main thread. */
const PTRACE_CALLS: readonly SyscallRule[] = [
  { name: "ptrace", reason: "runs guests and reads their registers" },
  { name: "wait4", reason: "stops of guests; the one place where it sleeps" },
  { name: "pause", reason: "sleeps when no guest is left" },
  { name: "timer_settime", reason: "the deadline of a sleep" },
  { name: "tgkill", reason: "the reactor wakes the main thread" },
  { name: "kill", reason: "ends a guest's host process" },
  { name: "sched_setaffinity", reason: "guests that call often share a CPU" },
  { name: "process_vm_readv", reason: "the frame of a guest's fault" },
];

export const SENTRY_CALLS: readonly SyscallRule[] = [
  ...PTRACE_CALLS,
  ...DENO_CALLS,
  ...HOST_FILE_CALLS,
  ...REACTOR_CALLS,
  ...CHANNEL_CALLS,
];
