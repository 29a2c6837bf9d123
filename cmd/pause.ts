/**
 * `runsc pause`: freezes every process of a container.
 * @module
 */
import { ContainerStore } from "./container/container_store.ts";
import { setPaused } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { defineVerb, oneId } from "./verb.ts";

export const pause = defineVerb({
  usage: "ID",
  description: "Freezes every process of a container.",
  flags: {},
  flagsEnd: "anywhere",
  run: ({ globals, args }) => {
    setPaused(ContainerStore.of(globals), oneId("pause", args), true);
    return ExitStatus.Ok;
  },
});
