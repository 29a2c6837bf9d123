/**
 * `--log FILE --log-format json`: container engines read the last line of that
 * file to learn why a call failed (ecosystem: containerd's go-runc).
 * @module
 */
import { ExitStatus } from "./exit_status.ts";
import type { GlobalFlags } from "./global_flags.ts";
import { messageOf, RuntimeError } from "./runtime_error.ts";

/** A line of the log, as the format says. */
export function formatLogLine(
  format: string | undefined,
  level: string,
  message: string,
  time: string,
): string {
  return format === "json"
    ? JSON.stringify({ level, msg: message, time })
    : `time="${time}" level=${level} msg=${JSON.stringify(message)}`;
}

/** Appends an error to the file that --log names, if any. */
export function logError(globals: GlobalFlags, message: string): void {
  const path = globals.log;
  if (path === undefined) return;
  const time = new Date().toISOString();
  const line = formatLogLine(globals["log-format"], "error", message, time);
  try {
    Deno.writeTextFileSync(path, `${line}\n`, { append: true });
  } catch (thrown) {
    throw new RuntimeError(
      ExitStatus.Failure,
      `--log ${path}: ${messageOf(thrown)}`,
    );
  }
}
