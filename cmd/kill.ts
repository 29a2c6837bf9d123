/**
 * `runsc kill`: sends a signal into a container.
 * @module
 */
import { ContainerStore } from "./container/container_store.ts";
import { signalContainer } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { UsageError } from "./runtime_error.ts";
import { parseSignal } from "./signal_argument.ts";
import { defineVerb } from "./verb.ts";

export const kill = defineVerb({
  usage: "[flags] ID [SIGNAL]",
  description:
    `Sends SIGNAL (a number or a name, default SIGTERM) to the container's first
process.`,
  flags: {
    all: { kind: "bool", short: "a", help: "to all of its processes" },
    pid: { kind: "number", help: "to the process with this pid inside" },
  },
  flagsEnd: "anywhere",
  run: ({ globals, flags, args }) => {
    const [id, signal = "SIGTERM", ...more] = args;
    if (id === undefined || more.length > 0) {
      throw new UsageError("kill takes a container ID and a signal");
    }
    if (flags.all && flags.pid !== undefined) {
      throw new UsageError("kill takes one of --all and --pid");
    }
    signalContainer(
      ContainerStore.of(globals),
      id,
      parseSignal(signal),
      flags.all ? "all" : flags.pid ?? "first",
    );
    return ExitStatus.Ok;
  },
});
