/**
 * `runsc create`: makes the container of an OCI bundle, without starting its
 * program.
 * @module
 */
import { createContainer } from "./container/create.ts";
import { ExitStatus } from "./exit_status.ts";
import { defineVerb, oneId } from "./verb.ts";
import { CREATE_FLAGS } from "./container_flags.ts";
import { sayTimeline } from "./timeline_text.ts";

export const create = defineVerb({
  usage: "[flags] ID",
  description:
    `Makes the container that config.json of a bundle describes. Its program is
loaded, and waits for "runsc start". Standard streams are the container's.`,
  flags: CREATE_FLAGS,
  flagsEnd: "anywhere",
  run: ({ globals, flags, args }) => {
    const created = createContainer(globals, {
      id: oneId("create", args),
      bundle: flags.bundle ?? ".",
      pidFile: flags["pid-file"],
      consoleSocket: flags["console-socket"],
      isDetached: true,
    });
    if (globals.debug) sayTimeline(created.timeline);
    return ExitStatus.Ok;
  },
});
