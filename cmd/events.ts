/**
 * `runsc events`: statistics of a running container, as runc prints them.
 * @module
 */
import { print } from "../ffi/say.ts";
import type { SandboxStats } from "./boot/messages.ts";
import { statusOf } from "./container/container_state.ts";
import { ContainerStore } from "./container/container_store.ts";
import { ControlClient } from "./container/control_client.ts";
import { ExitStatus } from "./exit_status.ts";
import { RuntimeError, UsageError } from "./runtime_error.ts";
import { defineVerb, oneId } from "./verb.ts";

const DEFAULT_INTERVAL_SEC = 5;
const MS_PER_SEC = 1000;

/** `5s`, `500ms`, or seconds; in ms. */
function parseInterval(text: string | undefined): number {
  if (text === undefined) return DEFAULT_INTERVAL_SEC * MS_PER_SEC;
  const match = /^([0-9]{1,6})(ms|s|m)?$/.exec(text);
  if (match === null || Number(match[1]) === 0) {
    throw new UsageError(`flag --interval takes a time, not "${text}"`);
  }
  const unit = { ms: 1, s: MS_PER_SEC, m: 60 * MS_PER_SEC }[match[2] ?? "s"];
  return Number(match[1]) * (unit ?? 1);
}

function line(id: string, stats: SandboxStats): string {
  const { cpuUserNs, cpuSystemNs, processes, memoryBytes } = stats;
  return JSON.stringify({
    type: "stats",
    id,
    data: {
      cpu: {
        usage: {
          total: Math.round(cpuUserNs + cpuSystemNs),
          kernel: Math.round(cpuSystemNs),
          user: Math.round(cpuUserNs),
        },
      },
      memory: { usage: { usage: memoryBytes } },
      pids: { current: processes },
    },
  });
}

export const events = defineVerb({
  usage: "[flags] ID",
  description:
    "Prints a line of JSON with statistics of a container, again and again\nuntil it stops.",
  flags: {
    stats: { kind: "bool", help: "once only" },
    interval: {
      kind: "string",
      placeholder: "TIME",
      help: "time between lines, such as 5s (default 5s)",
    },
  },
  flagsEnd: "anywhere",
  run: async ({ globals, flags, args }) => {
    const store = ContainerStore.of(globals);
    const id = oneId("events", args);
    const intervalMs = parseInterval(flags.interval);
    for (;;) {
      if (statusOf(store.state(id)) === "stopped") {
        throw new RuntimeError(ExitStatus.Failure, "container not running");
      }
      using client = ControlClient.connect(store.socketPath(id));
      print(line(id, client.call({ call: "stats" }) as SandboxStats));
      if (flags.stats) return ExitStatus.Ok;
      await new Promise((done) => setTimeout(done, intervalMs));
      if (statusOf(store.state(id)) === "stopped") return ExitStatus.Ok;
    }
  },
});
