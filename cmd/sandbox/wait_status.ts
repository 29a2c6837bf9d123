/**
 * How processes end, in words and as exit statuses.
 * @module
 */
import type { Ending } from "../../ffi/spawn.ts";
import { WEXITSTATUS, WIFEXITED, WTERMSIG } from "../../kernel/abi/wait.ts";
import { SIGNAL_NAMES } from "../../kernel/abi/signal.ts";
import { statusOfSignal } from "../exit_status.ts";

/** What a shell would report for a status of wait(2). */
export function exitStatusOf(waitStatus: number): number {
  return WIFEXITED(waitStatus)
    ? WEXITSTATUS(waitStatus)
    : statusOfSignal(WTERMSIG(waitStatus));
}

/** "SIGKILL", or "signal 40" for one without a name. */
export function signalName(signo: number): string {
  return SIGNAL_NAMES[signo] ?? `signal ${signo}`;
}

/** "was killed (SIGKILL)", "exited with status 3". */
export function describeEnding(ending: Ending): string {
  return "signal" in ending
    ? `was killed (${signalName(ending.signal)})`
    : `exited with status ${ending.exitCode}`;
}
