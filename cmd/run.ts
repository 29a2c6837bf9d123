/**
 * `runsc run`: creates and starts the container of an OCI bundle, and stays
 * with it unless it is detached.
 * @module
 */
import { say } from "../ffi/say.ts";
import { attend } from "./container/attended.ts";
import { CREATE_FLAGS } from "./container_flags.ts";
import { ContainerStore } from "./container/container_store.ts";
import { createContainer } from "./container/create.ts";
import { deleteContainer, startContainer } from "./container/life_cycle.ts";
import { ExitStatus } from "./exit_status.ts";
import { sayTimeline } from "./timeline_text.ts";
import { defineVerb, oneId } from "./verb.ts";

/** The first process, in its container. */
const FIRST_PID = 1;

export const run = defineVerb({
  usage: "[flags] ID",
  description:
    "Runs the container that config.json of a bundle describes, and exits as\nits program does.",
  flags: {
    ...CREATE_FLAGS,
    detach: { kind: "bool", short: "d", help: "return once it runs" },
    keep: { kind: "bool", help: "do not remove the container in the end" },
  },
  flagsEnd: "anywhere",
  run: async ({ globals, flags, args }) => {
    const id = oneId("run", args);
    const store = ContainerStore.of(globals);
    const { plan, control, timeline } = createContainer(globals, {
      id,
      bundle: flags.bundle ?? ".",
      pidFile: flags["pid-file"],
      consoleSocket: flags["console-socket"],
      isDetached: flags.detach,
    });
    using connection = control;
    if (globals.debug) sayTimeline(timeline);
    let isLeft = false;
    try {
      const warnings = startContainer(store, id, connection);
      for (const warning of warnings) say(`runsc: ${warning}`);
      if (flags.detach) {
        isLeft = true;
        return ExitStatus.Ok;
      }
      const status = await attend(
        connection,
        FIRST_PID,
        plan.process.hasTerminal,
      );
      isLeft = flags.keep;
      return status;
    } finally {
      if (!isLeft) {
        const warnings = deleteContainer(store, id, { force: true });
        for (const warning of warnings) say(`runsc: ${warning}`);
      }
    }
  },
});
