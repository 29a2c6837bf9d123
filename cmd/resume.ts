/**
 * `runsc resume`: lets the processes of a paused container go on.
 * @module
 */
import { ContainerStore } from "./container/container_store.ts";
import { setPaused } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { defineVerb, oneId } from "./verb.ts";

export const resume = defineVerb({
  usage: "ID",
  description: "Lets the processes of a paused container go on.",
  flags: {},
  flagsEnd: "anywhere",
  run: ({ globals, args }) => {
    setPaused(ContainerStore.of(globals), oneId("resume", args), false);
    return ExitStatus.Ok;
  },
});
