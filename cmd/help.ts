/**
 * `runsc help`: texts about verbs, and tables of what this version supports.
 * @module
 */
import { print } from "../ffi/say.ts";
import { ExitStatus } from "./exit_status.ts";
import { programHelp, verbHelp } from "./help_text.ts";
import { UsageError } from "./runtime_error.ts";
import { defineVerb } from "./verb.ts";

export const help = defineVerb({
  usage: "[VERB]",
  description: "Explains runsc, or one of its verbs.",
  flags: {},
  flagsEnd: "anywhere",
  run: async ({ args, verbs }) => {
    const [topic, ...more] = args;
    if (more.length > 0) throw new UsageError("help takes one topic");
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
