/**
 * From a bundle to a created container: its sandbox runs, the program is
 * loaded, and nothing of it has run yet.
 *
 * Killed at any moment, it leaves either nothing that runs (the sandbox ends
 * with us until it is told to be kept) or a container whose state says how to
 * end it.
 * @module
 */
import { resolve } from "@std/path";
import { ControlSockets } from "../../ffi/control_socket.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { type Child, Spawner } from "../../ffi/spawn.ts";
import {
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from "../../kernel/abi/fcntl.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import {
  decodeFromSentry,
  MAX_MESSAGE_BYTES,
  type TimelineEntry,
} from "../boot/messages.ts";
import type { PlatformChoice } from "../boot/platform_kinds.ts";
import { ExitStatus } from "../exit_status.ts";
import type { GlobalFlags } from "../global_flags.ts";
import { planFromSpec } from "../oci/oci_plan.ts";
import type { OciSpec } from "../oci/spec.ts";
import { RuntimeError } from "../runtime_error.ts";
import { OwnedFds } from "../sandbox/children.ts";
import { hostUser } from "../sandbox/host_user.ts";
import type { SandboxPlan } from "../sandbox/sandbox_plan.ts";
import {
  type ProxyPlace,
  startSupervised,
  type Supervised,
} from "../sandbox/supervised.ts";
import { readConfig } from "./bundle_config.ts";
import { openConsole } from "./console.ts";
import { type ContainerState, shownState } from "./container_state.ts";
import {
  checkId,
  ContainerStore,
  type LockedContainer,
} from "./container_store.ts";
import { ControlClient } from "./control_client.ts";
import { RUN_HOOK_POINTS, runHooks } from "./hooks.ts";
import { identify, isAlive } from "./host_process.ts";
import { writePidFile } from "./pid_file.ts";

export interface CreateOptions {
  readonly id: string;
  /** Directory of the bundle. */
  readonly bundle: string;
  readonly pidFile: string | undefined;
  /** Where the terminal goes, if the process has one and is detached. */
  readonly consoleSocket: string | undefined;
  /** The container lives on when this command has ended. */
  readonly isDetached: boolean;
}

/** A created container, and what only its creator has. */
export interface Created {
  readonly state: ContainerState;
  readonly plan: SandboxPlan;
  readonly proxy: Child;
  readonly control: ControlClient;
  readonly timeline: readonly TimelineEntry[];
}

/** How long the file server may take to say why it ended. */
const REPORT_MS = 1000;
/** How long the file server may take to end after the Sentry. */
const END_MS = 2000;
const STATUS_FILE_MODE = 0o600;

/** Where log lines go. A container that lives on keeps no stream of ours but
 * its own three. */
function openLog(
  descriptors: DescriptorMaker,
  globals: GlobalFlags,
  isDetached: boolean,
): number {
  const path = globals["debug-log"] ?? (isDetached ? "/dev/null" : undefined);
  if (path === undefined) return descriptors.duplicate(2);
  return descriptors.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600);
}

function networkOf(
  spec: OciSpec,
  theirs: OwnedFds,
  descriptors: DescriptorMaker,
  isRootless: boolean,
): ProxyPlace["network"] {
  const namespace = spec.linux?.namespaces?.find(({ type }) =>
    type === "network"
  );
  if (namespace === undefined || isRootless) return "host";
  if (namespace.path === undefined) return "new";
  return theirs.own(descriptors.open(namespace.path, O_RDONLY));
}

function checkTerminal(plan: SandboxPlan, options: CreateOptions): void {
  const { consoleSocket, isDetached } = options;
  const { hasTerminal } = plan.process;
  if (hasTerminal && isDetached && consoleSocket === undefined) {
    throw new RuntimeError(
      ExitStatus.Usage,
      "config.json: process.terminal: a detached container's terminal needs --console-socket",
    );
  }
  if (hasTerminal && !isDetached && !Deno.stdin.isTerminal()) {
    throw new RuntimeError(
      ExitStatus.NoInput,
      "config.json: process.terminal: standard input is not a terminal",
    );
  }
  if (consoleSocket !== undefined && !(hasTerminal && isDetached)) {
    throw new RuntimeError(
      ExitStatus.Usage,
      "--console-socket: there is no terminal to send",
    );
  }
}

function checkHooks({ hooks = {} }: OciSpec): void {
  for (const [point, list] of Object.entries(hooks)) {
    if (list === undefined || list.length === 0) continue;
    if ((RUN_HOOK_POINTS as readonly string[]).includes(point)) continue;
    throw new RuntimeError(
      ExitStatus.BadConfig,
      `config.json: hooks.${point}: hooks of this point are not run`,
    );
  }
}

/** Waits for the Sentry's first word. */
function waitReady({ control, report }: Supervised): readonly TimelineEntry[] {
  using channels = new GoferChannels("brief");
  using descriptors = new DescriptorMaker("brief");
  const bytes = new Uint8Array(MAX_MESSAGE_BYTES);
  const receive = (channel: number) => {
    const length = channels.receive(channel, bytes, [], { spinUs: 0 });
    return length <= 0 ? null : decodeFromSentry(bytes.subarray(0, length));
  };
  const message = receive(control);
  if (message !== null && "event" in message && message.event === "ready") {
    return message.timeline;
  }
  // If it is the file server's fault, it knows better.
  while (descriptors.poll(report, POLLIN, REPORT_MS) > 0) {
    const said = receive(report);
    if (said === null) break;
    if ("event" in said && said.event === "failed") {
      throw new RuntimeError(
        ExitStatus.HostRefused,
        `the file server: ${said.message}`,
      );
    }
  }
  if (message !== null && "event" in message && message.event === "failed") {
    const known = Object.values(ExitStatus).find((s) => s === message.status);
    throw new RuntimeError(known ?? ExitStatus.SandboxDied, message.message);
  }
  throw new RuntimeError(ExitStatus.SandboxDied, "the sandbox was killed");
}

/** Without its Sentry a sandbox ends; the proxy reaps the rest and ends last. */
function end(spawner: Spawner, { proxy, sentryPid }: Supervised): void {
  const sentry = identify(sentryPid);
  if (isAlive(sentry)) {
    const pidfd = spawner.openPidfd(sentryPid);
    spawner.kill(pidfd, SIGKILL);
    spawner.close(pidfd);
  }
  if (spawner.wait(proxy.pidfd, END_MS) === null) {
    spawner.kill(proxy.pidfd, SIGKILL);
    spawner.wait(proxy.pidfd, -1);
  }
  spawner.close(proxy.pidfd);
}

/** Creates the container. Throws a RuntimeError; then nothing is left. */
export function createContainer(
  globals: GlobalFlags,
  options: CreateOptions,
): Created {
  checkId(options.id);
  const bundle = resolve(options.bundle);
  const spec = readConfig(bundle);
  const plan = planFromSpec(spec, bundle, options.id);
  checkTerminal(plan, options);
  checkHooks(spec);
  const store = ContainerStore.of(globals);
  using container = store.reserve(options.id);
  try {
    return start(globals, options, { bundle, spec, plan, container });
  } catch (thrown) {
    container.remove();
    throw thrown;
  }
}

interface Plans {
  readonly bundle: string;
  readonly spec: OciSpec;
  readonly plan: SandboxPlan;
  readonly container: LockedContainer;
}

function start(
  globals: GlobalFlags,
  options: CreateOptions,
  { bundle, spec, plan, container }: Plans,
): Created {
  using descriptors = new DescriptorMaker("brief");
  using sockets = new ControlSockets("brief");
  using theirs = new OwnedFds(descriptors);
  const spawner = new Spawner("brief");
  const user = hostUser(globals.rootless);
  const listener = theirs.own(sockets.listen(container.socketPath));
  const console = options.consoleSocket === undefined ? -1 : theirs.own(
    openConsole(resolve(options.consoleSocket), spec.process?.consoleSize),
  );
  const supervised = startSupervised(spawner, plan, {
    user,
    stdio: console < 0 ? [0, 1, 2] : [console, console, console],
    logFd: theirs.own(openLog(descriptors, globals, options.isDetached)),
    platform: (globals.platform ?? "auto") as PlatformChoice,
    isDebug: globals.debug,
    isStrace: globals.strace,
    waitsForStart: true,
    test: null,
    listener,
    proxy: {
      terminal: console,
      statusFile: theirs.own(descriptors.open(
        container.exitPath,
        O_WRONLY | O_CREAT | O_TRUNC,
        STATUS_FILE_MODE,
      )),
      network: networkOf(spec, theirs, descriptors, user.isRootless),
    },
  });
  const control = new ControlClient(supervised.control);
  try {
    const state: ContainerState = {
      id: options.id,
      bundle,
      rootfs: plan.trees[0]?.source ?? "",
      created: new Date().toISOString(),
      owner: Deno.env.get("USER") ?? (user.uid === 0 ? "root" : `${user.uid}`),
      annotations: spec.annotations ?? {},
      status: "creating",
      proxy: identify(supervised.proxy.pid),
      sentry: identify(supervised.sentryPid),
      gofer: identify(supervised.goferPid),
      poststart: spec.hooks?.poststart ?? [],
      poststop: spec.hooks?.poststop ?? [],
    };
    container.write(state);
    const timeline = waitReady(supervised);
    runCreationHooks(spec, state, container);
    if (options.isDetached) control.call({ call: "keep" });
    const created: ContainerState = { ...state, status: "created" };
    container.write(created);
    if (options.pidFile !== undefined) {
      writePidFile(options.pidFile, supervised.proxy.pid);
    }
    return {
      state: created,
      plan,
      proxy: supervised.proxy,
      control,
      timeline,
    };
  } catch (thrown) {
    end(spawner, supervised);
    control[Symbol.dispose]();
    throw thrown;
  } finally {
    descriptors.close(supervised.report);
  }
}

function runCreationHooks(
  spec: OciSpec,
  state: ContainerState,
  place: LockedContainer,
): void {
  const shown = shownState(state, "creating");
  runHooks("prestart", spec.hooks?.prestart, shown, place);
  runHooks("createRuntime", spec.hooks?.createRuntime, shown, place);
  runHooks("createContainer", spec.hooks?.createContainer, shown, place);
}
