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
import { PTRACE_HOST_CALLS } from "../../platforms/ptrace/host_calls.ts";

export const SENTRY_CALLS: readonly SyscallRule[] = [
  ...PTRACE_HOST_CALLS,
  ...DENO_CALLS,
  ...HOST_FILE_CALLS,
  ...REACTOR_CALLS,
  ...CHANNEL_CALLS,
];
