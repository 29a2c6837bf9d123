/**
 * `runsc state`: what a container is at the moment, as JSON.
 * @module
 */
import { print } from "../ffi/say.ts";
import { shownState } from "./container/container_state.ts";
import { ContainerStore } from "./container/container_store.ts";
import { ExitStatus } from "./exit_status.ts";
import { defineVerb, oneId } from "./verb.ts";

export const state = defineVerb({
  usage: "ID",
  description: "Prints the state of a container as JSON.",
  flags: {},
  flagsEnd: "anywhere",
  run: ({ globals, args }) => {
    const store = ContainerStore.of(globals);
    const shown = shownState(store.state(oneId("state", args)));
    print(JSON.stringify(shown, null, 2));
    return ExitStatus.Ok;
  },
});
