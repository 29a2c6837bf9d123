/**
 * `deno task runsc`: runsc in a working copy. Builds what is out of date, then
 * goes on as the bundled program in the same process.
 * @module
 */
import { join, toFileUrl } from "@std/path";
import { say } from "../ffi/say.ts";
import { bundleAll, makeFast, PROJECT, sourceState } from "./bundle.ts";
import { ExitStatus } from "./exit_status.ts";
import { messageOf } from "./runtime_error.ts";

const STAMP = join(PROJECT, "build", ".sources");

function isFresh(state: string): boolean {
  try {
    return Deno.readTextFileSync(STAMP) === state;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

async function buildNative(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "build"],
    cwd: PROJECT,
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trimEnd());
}

/** Builds if a source is newer than the last build. */
async function refresh(): Promise<void> {
  const state = sourceState();
  if (isFresh(state)) return;
  await Promise.all([buildNative(), bundleAll()]);
  await makeFast();
  Deno.writeTextFileSync(STAMP, state);
}

try {
  await refresh();
} catch (thrown) {
  say(`runsc: ${messageOf(thrown)}`);
  Deno.exit(ExitStatus.Unavailable);
}
await import(toFileUrl(join(PROJECT, "build", "runsc.js")).href);
