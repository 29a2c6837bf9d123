/**
 * Wires the real kernel: mounts, first process, control connection; then runs
 * it. Called in the locked-down process.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { RemoteGofer } from "../../gofer/remote_gofer.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";
import type { Host, HostFd } from "../../kernel/host.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { UtsNamespace } from "../../kernel/task/uts_namespace.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { BootSpec } from "./boot_spec.ts";
import { toByteString } from "./byte_string.ts";
import { ContainerCalls } from "./container_calls.ts";
import type { ControlServer } from "./control_server.ts";
import { MountTreeBuilder } from "./mount_tree.ts";
import type { Probe } from "./probe.ts";
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
  const calls = new ContainerCalls({ ...container, kernel, starter });

  control.send({ event: "ready", timeline: timeline.entries });
  if (spec.waitsForStart) {
    control.handleUntil(calls.handle, () => calls.isStarted);
  }
  if (!control.isOpen || calls.isStopped) return;
  const pid = timeline.step(
    FIRST_PROCESS,
    () => starter.start(spec.process, container.stdio),
  );
  calls.onExit = (pid, status) =>
    control.send({ event: "exited", pid, status });
  control.send({ event: "started", pid });

  const onControl = {
    onHostEvents: () => {
      control.handlePending(calls.handle);
      if (!control.isOpen) kernel.stop();
    },
  };
  const refused = kernel.readiness.watch(
    spec.fds.control as HostFd,
    POLLIN,
    onControl,
  );
  if (refused !== null) {
    throw new BootError(
      ExitStatus.SandboxDied,
      `the control connection cannot be watched: ${refused.name}`,
    );
  }
  // What came before the watch began makes no edge.
  onControl.onHostEvents();

  const end = kernel.run();
  host.log.debug(`${kernel.syscallCount} system calls`);
  if (end.kind === "failed") {
    throw new BootError(ExitStatus.SandboxDied, end.reason);
  }
  // Last: whoever hears it may end us at once.
  if (end.kind === "exited") {
    control.send({ event: "exited", pid, status: end.status });
  }
}
