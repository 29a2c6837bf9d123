/**
 * A sandbox that lives on when the command that made it ends. On the host a
 * proxy stands for it (ffi/proxy/proxy.c): parent of the Sentry and the file
 * server, who die with it, and the process of a container's pid file, which
 * ends as the container does.
 * @module
 */
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { nativePath } from "../../ffi/library.ts";
import type { Child, Spawner, SpawnOptions } from "../../ffi/spawn.ts";
import { O_RDWR } from "../../kernel/abi/fcntl.ts";
import { ChildrenStart, OwnedFds, type StartOptions } from "./children.ts";
import type { SandboxPlan } from "./sandbox_plan.ts";

const PROXY = "container_proxy";

/** Where the proxy lives on the host. */
export interface ProxyPlace {
  /** Descriptor of the terminal whose signals it is to pass on, -1: none. */
  readonly terminal: number;
  /** A file that it writes its wait status to. */
  readonly statusFile: number;
  /** The network namespace that engines find by its pid: the caller's, a new
   * one, or the one behind a descriptor. */
  readonly network: "host" | "new" | number;
}

export interface SupervisedOptions extends StartOptions {
  readonly proxy: ProxyPlace;
  /** The socket where commands of later connect. */
  readonly listener: number;
}

/** The processes, and our ends of the connections, which the owner closes. */
export interface Supervised {
  readonly proxy: Child;
  readonly sentryPid: number;
  readonly goferPid: number;
  readonly control: number;
  readonly report: number;
}

/** How a proxy is started that has `connection` with the Sentry. */
function proxyStart(
  name: string,
  nothing: number,
  connection: number,
  place: ProxyPlace,
): SpawnOptions {
  const { terminal, statusFile, network } = place;
  const fds = [nothing, nothing, nothing, connection, statusFile];
  return {
    path: nativePath(PROXY),
    args: ["runsc-container", name],
    env: {},
    // The proxy closes the terminal, whose end of file would never come else,
    // and is told its signals all the same.
    fds: terminal < 0 ? fds : [...fds, terminal],
    directory: "/",
    newSession: true,
    ...(terminal < 0 ? {} : { controllingTerminal: fds.length }),
    ...(network === "new" ? { namespaces: ["network"] } : {}),
    ...(typeof network === "number" ? { networkNamespace: network } : {}),
  };
}

/** Starts the three. Throws a RuntimeError; then nothing is left. */
export function startSupervised(
  spawner: Spawner,
  plan: SandboxPlan,
  options: SupervisedOptions,
): Supervised {
  using descriptors = new DescriptorMaker("brief");
  using channels = new GoferChannels("brief");
  using theirs = new OwnedFds(descriptors);
  const kept: number[] = [];
  const tools = { descriptors, channels, theirs, kept };
  try {
    const [ours, sentrys] = channels.pair();
    theirs.own(ours);
    theirs.own(sentrys);
    const nothing = theirs.own(descriptors.open("/dev/null", O_RDWR));
    const start = new ChildrenStart(tools, plan, options, {
      proxy: sentrys,
      listener: options.listener,
    });
    const { parent, members } = start.run((sentry, gofer) =>
      spawner.spawnParent(
        proxyStart(plan.id, nothing, ours, options.proxy),
        [sentry, gofer()],
      )
    );
    return {
      proxy: parent,
      sentryPid: members[0]!,
      goferPid: members[1]!,
      control: start.control,
      report: start.report,
    };
  } catch (thrown) {
    for (const fd of kept) descriptors.close(fd);
    throw thrown;
  }
}

/** A proxy for a process of exec, and the Sentry's end of the connection with
 * it, which the owner closes. */
export function startProxy(
  spawner: Spawner,
  name: string,
  terminal: number,
): { readonly proxy: Child; readonly connection: number } {
  using descriptors = new DescriptorMaker("brief");
  using channels = new GoferChannels("brief");
  using theirs = new OwnedFds(descriptors);
  const [ours, connection] = channels.pair();
  theirs.own(ours);
  const nothing = theirs.own(descriptors.open("/dev/null", O_RDWR));
  const place = { terminal, statusFile: nothing, network: "host" } as const;
  try {
    const proxy = spawner.spawn(proxyStart(name, nothing, ours, place));
    return { proxy, connection };
  } catch (thrown) {
    descriptors.close(connection);
    throw thrown;
  }
}
