/**
 * The Sentry's word for what went wrong, which guest code may have put into its
 * mouth.
 * @module
 */
import { ExitStatus } from "../exit_status.ts";
import { RuntimeError } from "../runtime_error.ts";

const STATUSES: ReadonlySet<number> = new Set(Object.values(ExitStatus));

/** An error with this status, if it is one of ours. */
export function asRuntimeError(status: number, message: string): RuntimeError {
  return new RuntimeError(
    STATUSES.has(status) ? status as ExitStatus : ExitStatus.SandboxDied,
    message,
  );
}
