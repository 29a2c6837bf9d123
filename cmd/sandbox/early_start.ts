/**
 * Starting the processes of a sandbox when the launcher has started one of them
 * already; and what the launcher has to know for that.
 * @module
 */
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import type { Spawner, SpawnOptions } from "../../ffi/spawn.ts";
import { O_RDWR } from "../../kernel/abi/fcntl.ts";
import { encodeDocument } from "../boot/messages.ts";
import {
  bootSpec,
  type Children,
  endChild,
  explain,
  goferDocument,
  goferStart,
  OwnedFds,
  sentryStart,
  startChildren,
  type StartOptions,
} from "./children.ts";
import { EARLY_USER, type EarlySentry } from "./early_sentry.ts";
import type { SandboxPlan } from "./sandbox_plan.ts";

/** Those that the launcher gives it, in the order of children.ts. */
const EARLY_FD_COUNT = 10;

/** How the launcher starts the Sentry. `here`: a file of the bundles' folder. */
export function earlyStart(here: string): SpawnOptions {
  const fds = new Array<number>(EARLY_FD_COUNT).fill(-1);
  return sentryStart(EARLY_USER, fds, true, here);
}

/** Starts both, as startChildren() does; the Sentry only if there is none that
 * was started early, or it does not suit. */
export function startBoth(
  spawner: Spawner,
  plan: SandboxPlan,
  options: StartOptions,
): Children {
  const { early } = options;
  if (early === undefined || early === null) {
    return startChildren(spawner, plan, options);
  }
  if (early.suits(options)) return startRest(spawner, plan, options, early);
  using descriptors = new DescriptorMaker("brief");
  endChild(spawner, early.child);
  for (const fd of [early.control, early.gofer, early.spec]) {
    descriptors.close(fd);
  }
  return startChildren(spawner, plan, options);
}

function startRest(
  spawner: Spawner,
  plan: SandboxPlan,
  options: StartOptions,
  early: EarlySentry,
): Children {
  using descriptors = new DescriptorMaker("brief");
  using channels = new GoferChannels("brief");
  using theirs = new OwnedFds(descriptors);
  const { control, child: sentry } = early;
  const [report, goferReport] = channels.pair();
  theirs.own(goferReport);
  theirs.own(early.gofer);
  try {
    // The Sentry first: it has more to do before they meet.
    early.begin(descriptors, encodeDocument(bootSpec(plan, options, null)));
    const nothing = theirs.own(descriptors.open("/dev/null", O_RDWR));
    const document = encodeDocument(goferDocument(plan));
    const trees = theirs.own(descriptors.sealed(document));
    const { logFd } = options;
    const fds = [nothing, nothing, logFd, trees, goferReport, early.gofer];
    const gofer = spawner.spawn(goferStart(options.user, fds));
    return { sentry, gofer, control, report };
  } catch (thrown) {
    endChild(spawner, sentry);
    for (const fd of [control, report]) descriptors.close(fd);
    throw explain(options.user, thrown);
  }
}
