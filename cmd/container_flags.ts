/**
 * Flags that several verbs share.
 * @module
 */
import type { Flags } from "./flags.ts";

export const CREATE_FLAGS = {
  bundle: {
    kind: "string",
    short: "b",
    placeholder: "DIR",
    help: "directory of the bundle (default .)",
  },
  "pid-file": {
    kind: "string",
    placeholder: "FILE",
    help: "write the pid of the container's process on this host there",
  },
  "console-socket": {
    kind: "string",
    placeholder: "SOCKET",
    help: "unix socket that gets the container's terminal",
  },
  "no-pivot": {
    kind: "bool",
    help: "for compatibility: the root is never a directory of the host",
  },
  "no-new-keyring": {
    kind: "bool",
    help: "for compatibility: there are no keys of the host inside",
  },
} as const satisfies Flags;
