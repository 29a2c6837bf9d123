/**
 * `runsc do`: runs a program of this host in a sandbox. It sees the host's
 * files below an overlay in memory: whatever it changes is gone in the end.
 * @module
 */
import { resolve } from "@std/path";
import { ExitStatus } from "./exit_status.ts";
import { RuntimeError, UsageError } from "./runtime_error.ts";
import { hasTerminal, runForeground } from "./sandbox/foreground.ts";
import { planProgram, type SharedPath } from "./sandbox/program_plan.ts";
import { defineVerb } from "./verb.ts";

/** "SOURCE", "SOURCE:TARGET" or either with ":ro". */
function parseVolume(text: string): SharedPath {
  const isReadOnly = text.endsWith(":ro");
  const paths = (isReadOnly ? text.slice(0, -3) : text).split(":");
  const [from = "", to = from] = paths;
  if (from === "" || to === "" || paths.length > 2) {
    throw new UsageError(
      `flag --volume takes SOURCE[:TARGET][:ro], not "${text}"`,
    );
  }
  const source = resolve(from);
  mustExist(source, "--volume");
  return { source, target: resolve(to), isReadOnly };
}

function mustExist(path: string, flag: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) {
      throw new RuntimeError(
        ExitStatus.NoInput,
        `${flag} ${path}: no such file or directory`,
      );
    }
    throw new RuntimeError(
      ExitStatus.NoPermission,
      `${flag} ${path}: permission denied`,
    );
  }
}

/** Our environment with the changes of --env: NAME=VALUE sets. */
function environment(changes: readonly string[]): Record<string, string> {
  const env = Deno.env.toObject();
  for (const change of changes) {
    const equals = change.indexOf("=");
    if (equals <= 0) {
      throw new UsageError(`flag --env takes NAME=VALUE, not "${change}"`);
    }
    env[change.slice(0, equals)] = change.slice(equals + 1);
  }
  return env;
}

export const doVerb = defineVerb({
  usage: "[flags] [--] PROGRAM [ARGUMENT...]",
  description:
    `Runs PROGRAM in a sandbox of its own kernel. It sees this host's files,
read-only below an overlay in memory, and this directory and environment.
Exits as the program does: with its status, or 128 + the signal that ended it.`,
  flags: {
    root: {
      kind: "string",
      placeholder: "DIR",
      help: "directory to use as / (default /)",
    },
    cwd: {
      kind: "string",
      placeholder: "DIR",
      help: "working directory (default: this one, or / with --root)",
    },
    env: {
      kind: "list",
      short: "e",
      placeholder: "NAME=VALUE",
      help: "set a variable; may be repeated",
    },
    volume: {
      kind: "list",
      placeholder: "SOURCE[:TARGET][:ro]",
      help: "share a path of the host, changes included",
    },
    uid: { kind: "number", help: "user id inside (default 0)" },
    gid: { kind: "number", help: "group id inside (default 0)" },
    hostname: {
      kind: "string",
      placeholder: "NAME",
      help: "host name inside (default: this host's)",
    },
  },
  flagsEnd: "first-argument",
  run: async ({ globals, flags, args }) => {
    if (args.length === 0) throw new UsageError("do needs a program to run");
    const root = resolve(flags.root ?? "/");
    if (!mustExist(root, "--root").isDirectory) {
      throw new RuntimeError(
        ExitStatus.NoInput,
        `--root ${root}: not a directory`,
      );
    }
    const plan = planProgram({
      id: `do-${Deno.pid}`,
      root,
      args,
      env: environment(flags.env),
      cwd: flags.cwd ?? (flags.root === undefined ? Deno.cwd() : "/"),
      uid: flags.uid ?? 0,
      gid: flags.gid ?? 0,
      hostname: flags.hostname ?? Deno.hostname(),
      shares: flags.volume.map(parseVolume),
      hasTerminal: hasTerminal(),
    });
    return await runForeground(plan, globals);
  },
});
