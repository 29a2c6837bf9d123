/**
 * `runsc ps`: the processes of a container.
 * @module
 */
import { print } from "../ffi/say.ts";
import type { ProcessRow, SandboxState } from "./boot/messages.ts";
import { statusOf } from "./container/container_state.ts";
import { ContainerStore } from "./container/container_store.ts";
import { ControlClient } from "./container/control_client.ts";
import { ExitStatus } from "./exit_status.ts";
import { RuntimeError } from "./runtime_error.ts";
import { formatTable } from "./table.ts";
import { defineVerb, oneId } from "./verb.ts";

export const ps = defineVerb({
  usage: "[flags] ID",
  description:
    `Lists the processes of a container: as a table those inside; as JSON the
pids of the processes on this host that stand for them.`,
  flags: {
    format: {
      kind: "string",
      short: "f",
      choices: ["table", "json"],
      placeholder: "FORMAT",
      help: "table (default) or json",
    },
  },
  flagsEnd: "anywhere",
  run: ({ globals, flags, args }) => {
    const store = ContainerStore.of(globals);
    const id = oneId("ps", args);
    const state = store.state(id);
    if (statusOf(state) === "stopped") {
      throw new RuntimeError(ExitStatus.Failure, "container not running");
    }
    using client = ControlClient.connect(store.socketPath(id));
    // Only ever shown.
    if (flags.format === "json") {
      const { proxies } = client.call({ call: "state" }) as SandboxState;
      print(JSON.stringify([state.proxy.pid, ...proxies]));
    } else {
      const rows = client.call({ call: "processes" }) as readonly ProcessRow[];
      print(formatTable([
        ["UID", "PID", "PPID", "TIME", "CMD"],
        ...rows.map(({ uid, pid, ppid, cpuSec, name }) => [
          `${uid}`,
          `${pid}`,
          `${ppid}`,
          `${cpuSec.toFixed(2)}s`,
          name,
        ]),
      ]));
    }
    return ExitStatus.Ok;
  },
});
