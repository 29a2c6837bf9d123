/**
 * `--pid-file`: a file with the decimal pid of the process on the host that
 * stands for a container or a process. It appears complete or not at all.
 * @module
 */
import { ExitStatus } from "../exit_status.ts";
import { messageOf, RuntimeError } from "../runtime_error.ts";

/** Writes it. Throws a RuntimeError. */
export function writePidFile(path: string, pid: number): void {
  const partial = `${path}.${Deno.pid}`;
  try {
    Deno.writeTextFileSync(partial, `${pid}`);
    Deno.renameSync(partial, path);
  } catch (thrown) {
    throw new RuntimeError(
      ExitStatus.Failure,
      `pid file ${path}: ${messageOf(thrown)}`,
    );
  }
}
