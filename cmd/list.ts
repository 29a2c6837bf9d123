/**
 * `runsc list`: the containers below --root.
 * @module
 */
import { print } from "../ffi/say.ts";
import { shownState } from "./container/container_state.ts";
import { ContainerStore } from "./container/container_store.ts";
import { ExitStatus } from "./exit_status.ts";
import { formatTable } from "./table.ts";
import { defineVerb } from "./verb.ts";

export const list = defineVerb({
  usage: "[flags]",
  description: "Lists the containers whose state is kept below --root.",
  flags: {
    format: {
      kind: "string",
      short: "f",
      choices: ["table", "json"],
      placeholder: "FORMAT",
      help: "table (default) or json",
    },
    quiet: { kind: "bool", short: "q", help: "only the IDs" },
  },
  flagsEnd: "anywhere",
  run: ({ globals, flags }) => {
    const containers = ContainerStore.of(globals).list()
      .map((state) => shownState(state));
    if (flags.quiet) {
      for (const { id } of containers) print(id);
    } else if (flags.format === "json") {
      print(JSON.stringify(containers));
    } else {
      print(formatTable([
        ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
        ...containers.map((c) => [
          c.id,
          `${c.pid}`,
          c.status,
          c.bundle,
          c.created,
          c.owner,
        ]),
      ]));
    }
    return ExitStatus.Ok;
  },
});
