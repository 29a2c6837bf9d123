/**
 * RuntimeError: a failure that the user is told in one line. Anything else that
 * is thrown is a bug of ours and is reported with its stack.
 * @module
 */
import { ExitStatus } from "./exit_status.ts";

export class RuntimeError extends Error {
  /** `message` names the thing that failed, without "runsc:" or a period. */
  constructor(readonly status: ExitStatus, message: string) {
    super(message);
    this.name = "RuntimeError";
  }
}

/** A mistake on the command line. */
export class UsageError extends RuntimeError {
  constructor(message: string) {
    super(ExitStatus.Usage, message);
    this.name = "UsageError";
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
