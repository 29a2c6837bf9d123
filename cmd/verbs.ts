/**
 * The verb table: a line of help for each, and how to load it.
 * @module
 */
import type { VerbTable } from "./verb.ts";

export const VERBS: VerbTable = {
  create: {
    summary: "make a container from an OCI bundle",
    load: async () => (await import("./create.ts")).create,
  },
  delete: {
    summary: "remove a container",
    load: async () => (await import("./delete.ts")).deleteVerb,
  },
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
  events: {
    summary: "print statistics of a container",
    load: async () => (await import("./events.ts")).events,
  },
  exec: {
    summary: "run a further process in a container",
    load: async () => (await import("./exec.ts")).exec,
  },
  features: {
    summary: "print what this runtime can do",
    load: async () => (await import("./features.ts")).features,
  },
  kill: {
    summary: "send a signal into a container",
    load: async () => (await import("./kill.ts")).kill,
  },
  list: {
    summary: "list containers",
    load: async () => (await import("./list.ts")).list,
  },
  pause: {
    summary: "freeze a container",
    load: async () => (await import("./pause.ts")).pause,
  },
  ps: {
    summary: "list the processes of a container",
    load: async () => (await import("./ps.ts")).ps,
  },
  resume: {
    summary: "let a paused container go on",
    load: async () => (await import("./resume.ts")).resume,
  },
  start: {
    summary: "run the program of a created container",
    load: async () => (await import("./start.ts")).start,
  },
  state: {
    summary: "print the state of a container",
    load: async () => (await import("./state.ts")).state,
  },
  wait: {
    summary: "wait for a container's end",
    load: async () => (await import("./wait.ts")).wait,
  },
  spec: {
    summary: "write a config.json to start from",
    load: async () => (await import("./spec.ts")).spec,
  },
};
