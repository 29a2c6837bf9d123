/**
 * The verb table: a line of help for each, and how to load it.
 * @module
 */
import type { VerbTable } from "./verb.ts";

export const VERBS: VerbTable = {
  help: {
    summary: "explain a verb, or list system calls and platforms",
    load: async () => (await import("./help.ts")).help,
  },
  spec: {
    summary: "write a config.json to start from",
    load: async () => (await import("./spec.ts")).spec,
  },
};
