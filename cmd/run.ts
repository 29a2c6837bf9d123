/**
 * `runsc run`: runs the container of an OCI bundle in the foreground.
 * @module
 */
import { join, resolve } from "@std/path";
import { ExitStatus } from "./exit_status.ts";
import { planFromSpec } from "./oci/oci_plan.ts";
import { parseSpec } from "./oci/spec.ts";
import { messageOf, RuntimeError, UsageError } from "./runtime_error.ts";
import { runForeground } from "./sandbox/foreground.ts";
import { defineVerb } from "./verb.ts";

/** What runc takes for the name of a container. */
const ID_PATTERN = /^[A-Za-z0-9_+.-]{1,1024}$/;

function readConfig(bundle: string): string {
  const path = join(bundle, "config.json");
  try {
    return Deno.readTextFileSync(path);
  } catch (thrown) {
    const status = thrown instanceof Deno.errors.NotFound
      ? ExitStatus.NoInput
      : ExitStatus.NoPermission;
    throw new RuntimeError(status, `${path}: ${messageOf(thrown)}`);
  }
}

export const run = defineVerb({
  usage: "[flags] ID",
  description:
    "Runs the container that config.json of a bundle describes, and exits as\nits program does.",
  flags: {
    bundle: {
      kind: "string",
      short: "b",
      placeholder: "DIR",
      help: "directory of the bundle (default .)",
    },
  },
  flagsEnd: "anywhere",
  run: async ({ globals, flags, args }) => {
    const [id, ...more] = args;
    if (id === undefined || more.length > 0) {
      throw new UsageError("run takes one container ID");
    }
    if (!ID_PATTERN.test(id) || id === "." || id === "..") {
      throw new UsageError(`not a container ID: "${id}"`);
    }
    const bundle = resolve(flags.bundle ?? ".");
    const plan = planFromSpec(parseSpec(readConfig(bundle)), bundle, id);
    if (plan.process.hasTerminal && !Deno.stdin.isTerminal()) {
      throw new RuntimeError(
        ExitStatus.NoInput,
        "config.json: process.terminal: standard input is not a terminal",
      );
    }
    return await runForeground(plan, globals);
  },
});
