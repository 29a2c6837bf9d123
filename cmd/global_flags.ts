/**
 * The flags that stand before the verb, for every verb. A value that this
 * version cannot honour is refused, never ignored.
 * @module
 */
import type { Flags, FlagValues } from "./flags.ts";

export const GLOBAL_FLAGS = {
  root: {
    kind: "string",
    placeholder: "DIR",
    help: "where the state of containers is kept (default /run/runsc)",
  },
  platform: {
    kind: "string",
    choices: ["auto", "systrap", "ptrace"],
    placeholder: "NAME",
    help: "how guest code runs: auto, systrap, ptrace (runsc help platforms)",
  },
  network: {
    kind: "string",
    choices: ["none"],
    placeholder: "KIND",
    help: "network of the sandbox: none",
  },
  rootless: {
    kind: "string",
    choices: ["auto", "true", "false"],
    placeholder: "WHEN",
    help: "run as an ordinary user: auto, true, false",
  },
  strace: { kind: "bool", help: "log every system call" },
  debug: { kind: "bool", help: "log what the runtime does, with timings" },
  "debug-log": {
    kind: "string",
    placeholder: "FILE",
    help: "where --debug and --strace write (default standard error)",
  },
  log: {
    kind: "string",
    placeholder: "FILE",
    help: "append errors to FILE, as engines ask",
  },
  "log-format": {
    kind: "string",
    choices: ["text", "json"],
    placeholder: "FORMAT",
    help: "format of --log: text, json",
  },
  version: { kind: "bool", short: "v", help: "print the version" },
} as const satisfies Flags;

export type GlobalFlags = FlagValues<typeof GLOBAL_FLAGS>;
