/**
 * The verb table: a line of help for each, and how to load it.
 * @module
 */
import type { VerbTable } from "./verb.ts";

export const VERBS: VerbTable = {
  do: {
    summary: "run a program of this host in a sandbox",
    load: async () => (await import("./do.ts")).doVerb,
  },
  run: {
    summary: "run the container of an OCI bundle",
    load: async () => (await import("./run.ts")).run,
  },
  help: {
    summary: "explain a verb, or list system calls and platforms",
    load: async () => (await import("./help.ts")).help,
  },
  spec: {
    summary: "write a config.json to start from",
    load: async () => (await import("./spec.ts")).spec,
  },
};
