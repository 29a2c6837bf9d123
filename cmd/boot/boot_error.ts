/**
 * BootError: why the Sentry cannot go on, with what runsc exits with for it.
 * @module
 */
import type { ExitStatus } from "../exit_status.ts";

export class BootError extends Error {
  constructor(readonly status: ExitStatus, message: string) {
    super(message);
    this.name = "BootError";
  }
}
