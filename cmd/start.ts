/**
 * `runsc start`: runs the program of a created container.
 * @module
 */
import { say } from "../ffi/say.ts";
import { ContainerStore } from "./container/container_store.ts";
import { startContainer } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { defineVerb, oneId } from "./verb.ts";

export const start = defineVerb({
  usage: "ID",
  description: "Runs the program of a container that was created.",
  flags: {},
  flagsEnd: "anywhere",
  run: ({ globals, args }) => {
    const store = ContainerStore.of(globals);
    const warnings = startContainer(store, oneId("start", args));
    for (const warning of warnings) say(`runsc: ${warning}`);
    return ExitStatus.Ok;
  },
});
