/**
 * `runsc wait`: waits for a container's end.
 * @module
 */
import { print } from "../ffi/say.ts";
import { ContainerStore } from "./container/container_store.ts";
import { waitContainer } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { exitStatusOf } from "./sandbox/wait_status.ts";
import { defineVerb, oneId } from "./verb.ts";

export const wait = defineVerb({
  usage: "ID",
  description: `Waits until a container has stopped, and prints how as JSON:
{"id": ID, "exitStatus": STATUS}, as a shell would count it.`,
  flags: {},
  flagsEnd: "anywhere",
  run: ({ globals, args }) => {
    const id = oneId("wait", args);
    const status = waitContainer(ContainerStore.of(globals), id);
    print(JSON.stringify({ id, exitStatus: exitStatusOf(status) }));
    return ExitStatus.Ok;
  },
});
