/**
 * `runsc help`: texts about verbs, and tables of what this version supports.
 * @module
 */
import { print } from "../ffi/say.ts";
import { LIST_SYSCALLS } from "./boot/boot_spec.ts";
import { ExitStatus } from "./exit_status.ts";
import { programHelp, verbHelp } from "./help_text.ts";
import { UsageError } from "./runtime_error.ts";
import { ownProgram } from "./sandbox/own_programs.ts";
import { defineVerb } from "./verb.ts";

/** The kernel's own table; the Sentry's program has it. */
function printSyscalls(format: string): number {
  const { path, args, env } = ownProgram("boot", false);
  const { code } = new Deno.Command(path, {
    args: [...args.slice(1), LIST_SYSCALLS, format],
    env: { ...env },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).outputSync();
  return code;
}

async function printPlatforms(format: string): Promise<number> {
  const { reportPlatforms } = await import("./platforms.ts");
  const reports = reportPlatforms();
  if (format === "json") print(JSON.stringify(reports, null, 2));
  else if (format === "csv") {
    print("name,usable,note");
    for (const { name, isUsable, note } of reports) {
      print(`${name},${isUsable},"${note}"`);
    }
  } else {
    for (const { name, isUsable, note } of reports) {
      print(`${name.padEnd(8)} ${isUsable ? "yes" : "no "}  ${note}`);
    }
  }
  return ExitStatus.Ok;
}

export const help = defineVerb({
  usage: "[flags] [VERB | syscalls | platforms]",
  description:
    `Explains runsc or one of its verbs; lists the system calls that its kernel
has, or the platforms that this host can run.`,
  flags: {
    format: {
      kind: "string",
      choices: ["table", "json", "csv"],
      placeholder: "FORMAT",
      help: "of the lists: table (default), json, csv",
    },
  },
  flagsEnd: "anywhere",
  run: async ({ args, flags, verbs }) => {
    const [topic, ...more] = args;
    if (more.length > 0) throw new UsageError("help takes one topic");
    const format = flags.format ?? "table";
    if (topic === "syscalls") return printSyscalls(format);
    if (topic === "platforms") return await printPlatforms(format);
    if (topic === undefined) {
      print(programHelp(verbs));
      return ExitStatus.Ok;
    }
    const entry = Object.hasOwn(verbs, topic) ? verbs[topic] : undefined;
    if (entry === undefined) throw new UsageError(`unknown verb ${topic}`);
    print(verbHelp(topic, await entry.load()));
    return ExitStatus.Ok;
  },
});
