/**
 * Every system call that the locked Sentry may make, with who needs it. The
 * parts list their own calls beside their code; here they are put together, the
 * hot ones first. Anything else kills the process.
 * @module
 */
import {
  CHANNEL_CALLS,
  CONTROL_CALLS,
  DENO_CALLS,
  HOST_FILE_CALLS,
  REACTOR_CALLS,
} from "../../ffi/host_calls.ts";
import type { SyscallRule } from "../../ffi/seccomp.ts";

/** The calls of a Sentry whose platform makes `platformCalls`. */
export function sentryCalls(
  platformCalls: readonly SyscallRule[],
): readonly SyscallRule[] {
  return [
    ...platformCalls,
    ...DENO_CALLS,
    ...HOST_FILE_CALLS,
    ...REACTOR_CALLS,
    ...CHANNEL_CALLS,
    ...CONTROL_CALLS,
  ];
}
