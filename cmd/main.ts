/**
 * `runsc`: finds the verb, runs it, and turns whatever happens into an exit
 * status and at most one line on standard error.
 * @module
 */
import { print, say } from "../ffi/say.ts";
import { logError } from "./error_log.ts";
import { ExitStatus } from "./exit_status.ts";
import { parseFlags } from "./flags.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { programHelp, verbHelp } from "./help_text.ts";
import { OCI_VERSION } from "./oci/version.ts";
import { messageOf, RuntimeError, UsageError } from "./runtime_error.ts";
import { VERBS } from "./verbs.ts";
import { VERSION } from "./version.ts";

/** Runs the command line `args`; its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let globals = parseFlags(GLOBAL_FLAGS, [], "first-argument").values;
  try {
    const parsed = parseFlags(GLOBAL_FLAGS, args, "first-argument");
    globals = parsed.values;
    if (globals.version) {
      print(`runsc version ${VERSION}\nspec: ${OCI_VERSION}`);
      return ExitStatus.Ok;
    }
    const [name, ...verbArgs] = parsed.rest;
    if (parsed.wantsHelp) {
      print(programHelp(VERBS));
      return ExitStatus.Ok;
    }
    if (name === undefined) {
      throw new UsageError("a verb is missing (runsc --help lists them)");
    }
    const entry = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (entry === undefined) throw new UsageError(`unknown verb ${name}`);
    const verb = await entry.load();
    const call = parseFlags(verb.flags, verbArgs, verb.flagsEnd);
    if (call.wantsHelp) {
      print(verbHelp(name, verb));
      return ExitStatus.Ok;
    }
    return await verb.run({
      globals,
      flags: call.values,
      args: call.rest,
      verbs: VERBS,
    });
  } catch (thrown) {
    return report(thrown, (message) => logError(globals, message));
  }
}

/** Says what was thrown in one line; a bug of ours shows its stack, too. */
function report(thrown: unknown, log: (message: string) => void): number {
  const message = messageOf(thrown);
  const isKnown = thrown instanceof RuntimeError;
  say(isKnown ? `runsc: ${message}` : `runsc: internal error: ${message}`);
  if (!isKnown && thrown instanceof Error) say(thrown.stack ?? "");
  try {
    log(message);
  } catch (failure) {
    say(`runsc: ${messageOf(failure)}`);
  }
  return isKnown ? thrown.status : ExitStatus.SandboxDied;
}

// Only a working copy runs this file itself; see bundle.ts.
if (import.meta.main) main(Deno.args).then(Deno.exit);
