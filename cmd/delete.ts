/**
 * `runsc delete`: removes a container.
 * @module
 */
import { say } from "../ffi/say.ts";
import { ContainerStore } from "./container/container_store.ts";
import { deleteContainer } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { defineVerb, oneId } from "./verb.ts";

export const deleteVerb = defineVerb({
  usage: "[flags] ID",
  description:
    "Removes a container that has stopped, or was created and never started.",
  flags: {
    force: {
      kind: "bool",
      short: "f",
      help: "kill it first; it need not exist",
    },
  },
  flagsEnd: "anywhere",
  run: ({ globals, flags, args }) => {
    const store = ContainerStore.of(globals);
    const id = oneId("delete", args);
    const warnings = deleteContainer(store, id, { force: flags.force });
    for (const warning of warnings) say(`runsc: ${warning}`);
    return ExitStatus.Ok;
  },
});
