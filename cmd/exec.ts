/**
 * `runsc exec`: runs a further process in a running container.
 * @module
 */
import { readConfig } from "./container/bundle_config.ts";
import { attend } from "./container/attended.ts";
import { ContainerStore } from "./container/container_store.ts";
import { changeProcess, execInContainer } from "./container/exec.ts";
import { ExitStatus } from "./exit_status.ts";
import { type OciProcess, ociProcess } from "./oci/process.ts";
import { parseJson, validate } from "./oci/spec.ts";
import { messageOf, RuntimeError, UsageError } from "./runtime_error.ts";
import { defineVerb } from "./verb.ts";

function readProcess(path: string): OciProcess {
  try {
    const json = Deno.readTextFileSync(path);
    return validate(ociProcess, parseJson(json, path), path);
  } catch (thrown) {
    if (thrown instanceof RuntimeError) throw thrown;
    throw new RuntimeError(
      ExitStatus.NoInput,
      `--process ${path}: ${messageOf(thrown)}`,
    );
  }
}

export const exec = defineVerb({
  usage: "[flags] ID [--] PROGRAM [ARGUMENT...]",
  description: `Runs PROGRAM in a running container, with the environment and
privileges of its first process as changed by flags, or the process that a
process.json describes. Exits as it does.`,
  flags: {
    process: {
      kind: "string",
      short: "p",
      placeholder: "FILE",
      help: "process.json instead of a program and flags",
    },
    detach: { kind: "bool", short: "d", help: "return once it runs" },
    tty: { kind: "bool", short: "t", help: "give it a terminal" },
    "console-socket": {
      kind: "string",
      placeholder: "SOCKET",
      help: "unix socket that gets its terminal",
    },
    "pid-file": {
      kind: "string",
      placeholder: "FILE",
      help: "write the pid of its process on this host there",
    },
    "internal-pid-file": {
      kind: "string",
      placeholder: "FILE",
      help: "write its pid in the container there",
    },
    env: {
      kind: "list",
      short: "e",
      placeholder: "NAME=VALUE",
      help: "set a variable; may be repeated",
    },
    cwd: { kind: "string", placeholder: "DIR", help: "working directory" },
    user: {
      kind: "string",
      short: "u",
      placeholder: "UID[:GID]",
      help: "user and group",
    },
    "additional-gids": {
      kind: "list",
      short: "g",
      placeholder: "GID",
      help: "a further group; may be repeated",
    },
    cap: {
      kind: "list",
      short: "c",
      placeholder: "NAME",
      help: "add a capability; may be repeated",
    },
    "no-new-privs": { kind: "bool", help: "set no_new_privs" },
  },
  flagsEnd: "first-argument",
  run: async ({ globals, flags, args }) => {
    const [id, ...rest] = args;
    if (id === undefined) throw new UsageError("exec takes a container ID");
    const program = rest[0] === "--" ? rest.slice(1) : rest;
    const store = ContainerStore.of(globals);
    const process = flags.process === undefined
      ? fromFlags(store, id)
      : readProcess(flags.process);
    const hasTerminal = flags.tty || (process.terminal ?? false);
    const isAttended = !flags.detach;
    if (
      isAttended && hasTerminal && flags["console-socket"] === undefined &&
      !Deno.stdin.isTerminal()
    ) {
      throw new UsageError("--tty: standard input is not a terminal");
    }
    const { pid, control } = execInContainer(store, id, {
      process: { ...process, terminal: hasTerminal },
      pidFile: flags["pid-file"],
      internalPidFile: flags["internal-pid-file"],
      consoleSocket: flags["console-socket"],
      isDetached: flags.detach,
    });
    using connection = control;
    if (flags.detach) return ExitStatus.Ok;
    const isOurTerminal = hasTerminal && flags["console-socket"] === undefined;
    return await attend(connection, pid, isOurTerminal);

    function fromFlags(store: ContainerStore, id: string): OciProcess {
      if (program.length === 0) throw new UsageError("exec takes a program");
      const base = readConfig(store.state(id).bundle).process;
      return changeProcess(base ?? { cwd: "/" }, {
        args: program,
        env: flags.env,
        cwd: flags.cwd,
        user: flags.user,
        additionalGids: flags["additional-gids"],
        capabilities: flags.cap,
        noNewPrivileges: flags["no-new-privs"],
        hasTerminal: flags.tty,
      });
    }
  },
});
