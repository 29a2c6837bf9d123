/**
 * The texts of `--help`, made from the tables that the parser uses.
 * @module
 */
import { describeFlags } from "./flags.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import type { Verb, VerbTable } from "./verb.ts";

/** Help for the program. */
export function programHelp(verbs: VerbTable): string {
  const shown = Object.entries(verbs).filter(([, entry]) => !entry.isHidden);
  const width = Math.max(...shown.map(([name]) => name.length));
  const lines = shown.map(([name, entry]) =>
    `  ${name.padEnd(width)}  ${entry.summary}`
  );
  return `runsc runs programs and containers on a kernel of its own

usage: runsc [global flags] VERB [flags] [arguments]

verbs:
${lines.join("\n")}

global flags:
${describeFlags(GLOBAL_FLAGS)}

runsc help VERB says more.`;
}

/** Help for one verb. */
export function verbHelp(name: string, verb: Verb): string {
  const flags = describeFlags(verb.flags);
  return `usage: runsc [global flags] ${name} ${verb.usage}

${verb.description}${flags === "" ? "" : `\n\nflags:\n${flags}`}`;
}
