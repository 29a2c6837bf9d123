/**
 * The boot sequence as named steps: each is timed, since start-up is a feature,
 * and each failure says which step it was.
 * @module
 */
import { HostError } from "../../ffi/library.ts";
import { ExitStatus } from "../exit_status.ts";
import { messageOf } from "../runtime_error.ts";
import { BootError } from "./boot_error.ts";
import type { TimelineEntry } from "./messages.ts";

// `Deno` is gone by the time that the last steps fail.
const { NotFound, PermissionDenied } = Deno.errors;

/** A step failed. */
export class StepError extends Error {
  constructor(
    readonly step: string,
    readonly status: ExitStatus,
    message: string,
  ) {
    super(message);
    this.name = "StepError";
  }
}

export class Timeline {
  readonly #entries: TimelineEntry[] = [];
  #failAt = "";

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  /** For tests: the step that is to fail. */
  failAt(step: string): void {
    this.#failAt = step;
  }

  /** Runs a step. Whatever it throws becomes a StepError. */
  step<T>(step: string, run: () => T): T {
    try {
      if (step === this.#failAt) throw new Error("made to fail by a test");
      const result = run();
      const atMs = Math.round(performance.now() * 100) / 100;
      this.#entries.push({ step, atMs });
      return result;
    } catch (thrown) {
      throw new StepError(step, statusOf(thrown), messageOf(thrown));
    }
  }
}

function statusOf(thrown: unknown): ExitStatus {
  if (thrown instanceof BootError) return thrown.status;
  // A host call or a permission: the host's answer, not our bug.
  const isHost = thrown instanceof HostError ||
    thrown instanceof NotFound ||
    thrown instanceof PermissionDenied;
  return isHost ? ExitStatus.HostRefused : ExitStatus.SandboxDied;
}
