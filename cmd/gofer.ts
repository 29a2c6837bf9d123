/**
 * `runsc gofer`, started by runsc itself: the file server. What it serves
 * stands in a document that it inherits; how it ended is reported on a
 * connection that it inherits, too.
 * @module
 */
import { DescriptorMaker } from "../ffi/files.ts";
import { GoferChannels } from "../ffi/gofer_channel.ts";
import { runGofer } from "../gofer/run.ts";
import { readDocument } from "./boot/document.ts";
import { encodeMessage, type Event } from "./boot/messages.ts";
import { ExitStatus } from "./exit_status.ts";
import { messageOf } from "./runtime_error.ts";
import type { GoferTree } from "./sandbox/sandbox_plan.ts";

/** Descriptors of this program. */
export const GOFER_FDS = { document: 3, report: 4, channel: 5 } as const;

/** The document. */
export interface GoferDocument {
  readonly trees: readonly GoferTree[];
  readonly spinUs: number;
}

/** Serves until the Sentry is gone; the exit status. */
export function main(): number {
  const channels = new GoferChannels();
  const report = (event: Event) => {
    const bytes = encodeMessage(event);
    channels.send(GOFER_FDS.report, bytes, bytes.length, []);
  };
  try {
    const descriptors = new DescriptorMaker("brief");
    // Made by the process that started us, from a type of its own.
    const { trees, spinUs } = readDocument(
      descriptors,
      GOFER_FDS.document,
    ) as GoferDocument;
    runGofer({
      clients: [{ channel: GOFER_FDS.channel, trees }],
      spinUs,
      onReady: () => report({ event: "ready", timeline: [] }),
    });
    return ExitStatus.Ok;
  } catch (thrown) {
    report({
      event: "failed",
      step: "file server",
      message: messageOf(thrown),
      status: ExitStatus.HostRefused,
    });
    return ExitStatus.HostRefused;
  }
}

// Only a working copy runs this file itself; see bundle.ts.
if (import.meta.main) Deno.exit(main());
