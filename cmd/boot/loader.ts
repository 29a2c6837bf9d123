/**
 * Wires the real kernel: mounts, first process, control connection; then runs
 * it. Called in the locked-down process.
 * @module
 */
import type { ControlSockets } from "../../ffi/control_socket.ts";
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import type { RemoteGofer } from "../../gofer/remote_gofer.ts";
import type { Host } from "../../kernel/host.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { UtsNamespace } from "../../kernel/task/uts_namespace.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { BootSpec } from "./boot_spec.ts";
import { toByteString } from "./byte_string.ts";
import { Connections } from "./connections.ts";
import { ContainerCalls } from "./container_calls.ts";
import type { ControlServer } from "./control_server.ts";
import { MountTreeBuilder } from "./mount_tree.ts";
import type { Probe } from "./probe.ts";
import { ProcessProxy } from "./process_proxy.ts";
import { ProcessStarter } from "./process_starter.ts";
import type { Timeline } from "./timeline.ts";

/** The step that starts the user's program. */
export const FIRST_PROCESS = "first process";

export interface Container {
  readonly spec: BootSpec;
  readonly host: Host;
  readonly gofer: RemoteGofer;
  readonly control: ControlServer;
  readonly descriptors: DescriptorMaker;
  readonly channels: GoferChannels;
  readonly sockets: ControlSockets;
  /** stdin, stdout, stderr of the first process. */
  readonly stdio: readonly number[];
  readonly timeline: Timeline;
  /** Tests only. */
  readonly probe: Probe | null;
}

/** Runs the container to its end and reports it. Throws a StepError for what
 * fails before the program runs, a BootError for a sandbox that broke down. */
export function runContainer(container: Container): void {
  const { spec, host, gofer, control, timeline } = container;
  const kernel = timeline.step("kernel", () =>
    new Kernel(host, {
      isInitProtected: spec.isInitProtected,
    }));
  gofer.onConnectionLost = (reason) =>
    kernel.fail(`the file server is gone (${reason})`);
  const root = timeline.step(
    "mounts",
    () => MountTreeBuilder.build(kernel, spec),
  );
  const uts = new UtsNamespace(
    toByteString(spec.hostname),
    toByteString(spec.domainname),
  );
  const starter = new ProcessStarter(kernel, root, uts, container.descriptors);
  const { channels, descriptors } = container;
  const life = spec.fds.life;
  const parts = { channels, descriptors, readiness: kernel.readiness };
  const calls = new ContainerCalls({
    ...container,
    kernel,
    starter,
    isLoadedBeforeStart: life !== null,
  });
  const proxy = life === null ? null : new ProcessProxy(parts, life.proxy);
  const start = () =>
    timeline.step(
      FIRST_PROCESS,
      () => starter.start(spec.process, container.stdio),
    );

  let pid = 0;
  if (life === null) {
    control.send({ event: "ready", timeline: timeline.entries });
    if (spec.waitsForStart) {
      control.handleUntil(calls.handle, () => calls.isStarted);
    }
    if (!control.isOpen || calls.isStopped) return;
    pid = start();
    control.send({ event: "started", pid });
  } else {
    // Whatever is wrong with the program shows before anybody may start it.
    pid = start();
    kernel.pause();
    control.send({ event: "ready", timeline: timeline.entries });
  }
  calls.watch(pid, { connection: control, proxy, proxyPid: 0 });
  const connections = new Connections({ ...parts, handler: calls.handle });
  connections.add(control, () => {
    if (!calls.isKept) kernel.stop();
  });
  if (life !== null) connections.listen(container.sockets, life.listener);

  const end = kernel.run();
  host.log.debug(`${kernel.syscallCount} system calls`);
  if (end.kind === "failed") {
    throw new BootError(ExitStatus.SandboxDied, end.reason);
  }
  // Last: whoever hears it may end us at once.
  const status = end.kind === "exited" ? end.status : calls.endStatus;
  if (status !== null) calls.reportEnd(status);
}
