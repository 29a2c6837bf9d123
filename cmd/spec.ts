/**
 * `runsc spec`: writes a config.json to start from.
 * @module
 */
import { join } from "@std/path";
import { ExitStatus } from "./exit_status.ts";
import { defaultSpec } from "./oci/default_spec.ts";
import { messageOf, RuntimeError } from "./runtime_error.ts";
import { defineVerb } from "./verb.ts";

export const spec = defineVerb({
  usage: "[flags] [-- PROGRAM [ARGUMENT...]]",
  description:
    "Writes config.json for a container that runs PROGRAM (default sh) from\nthe directory rootfs of the bundle.",
  flags: {
    bundle: {
      kind: "string",
      short: "b",
      placeholder: "DIR",
      help: "directory to write config.json in (default .)",
    },
    cwd: {
      kind: "string",
      placeholder: "DIR",
      help: "working directory of the program (default /)",
    },
  },
  flagsEnd: "first-argument",
  run: ({ flags, args }) => {
    const path = join(flags.bundle ?? ".", "config.json");
    const program = args.length === 0 ? ["sh"] : args;
    const text = JSON.stringify(
      defaultSpec(program, flags.cwd ?? "/"),
      null,
      4,
    );
    try {
      Deno.writeTextFileSync(path, `${text}\n`, { createNew: true });
    } catch (thrown) {
      if (thrown instanceof Deno.errors.AlreadyExists) {
        throw new RuntimeError(ExitStatus.Failure, `${path} exists already`);
      }
      throw new RuntimeError(
        ExitStatus.Failure,
        `${path}: ${messageOf(thrown)}`,
      );
    }
    return ExitStatus.Ok;
  },
});
