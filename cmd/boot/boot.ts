/**
 * `runsc boot`, started by runsc itself: the Sentry, the capability-restricted
 * entrypoint. Receives its spec and descriptors, gathers the capabilities that
 * the kernel needs, gives up every other power, says "ready", and only then
 * looks at anything that the guest can influence.
 *
 * Synchronous from beginning to end: a Deno program that never returns to its
 * event loop lives on few system calls and never opens an inspector port.
 * @module
 */
import { Confinement } from "../../ffi/confine.ts";
import { ControlSockets } from "../../ffi/control_socket.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { Process } from "../../ffi/process.ts";
import { print } from "../../ffi/say.ts";
import { Seccomp } from "../../ffi/seccomp.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import type { HostFd } from "../../kernel/host.ts";
import { ExitStatus } from "../exit_status.ts";
import { messageOf } from "../runtime_error.ts";
import { BootError } from "./boot_error.ts";
import { buildHost } from "./boot_host.ts";
import { type BootSpec, LIST_SYSCALLS, SPEC_FD } from "./boot_spec.ts";
import { ControlServer } from "./control_server.ts";
import { readDocument } from "./document.ts";
import { FIRST_PROCESS, runContainer } from "./loader.ts";
import { lockDown } from "./lockdown.ts";
import { platformHostCalls } from "./platform_kinds.ts";
import { makeProbe } from "./probe.ts";
import {
  formatSyscalls,
  type ListFormat,
  syscallRows,
} from "./syscall_list.ts";
import { StepError, Timeline } from "./timeline.ts";

/** What the whole life of the Sentry needs. */
interface Opened {
  readonly descriptors: DescriptorMaker;
  readonly channels: GoferChannels;
  readonly sockets: ControlSockets;
  readonly process: Process;
  readonly confinement: Confinement;
  readonly seccomp: Seccomp;
}

function open(): Opened {
  const process = new Process("brief");
  process.setDeathSignal(SIGKILL);
  process.ignoreHarmfulSignals();
  process.setName("runsc-sentry");
  return {
    process,
    descriptors: new DescriptorMaker(),
    channels: new GoferChannels(),
    sockets: new ControlSockets(),
    confinement: new Confinement("brief"),
    seccomp: new Seccomp(),
  };
}

/** An open file of our own for a pipe or terminal that we share with others,
 * so that their reads and modes are not ours. It takes names in /proc. */
function ownStream(descriptors: DescriptorMaker, fd: number): number {
  const own = descriptors.privateStream(fd as HostFd);
  if (own !== fd) descriptors.close(fd);
  return own;
}

function run(
  opened: Opened,
  spec: BootSpec,
  control: ControlServer,
  timeline: Timeline,
): void {
  const { descriptors, channels } = opened;
  const { host, platform, platformName, gofer } = buildHost(
    spec,
    descriptors,
    channels,
    timeline,
  );
  const stdio = timeline.step(
    "streams",
    () => spec.fds.stdio.map((fd) => ownStream(descriptors, fd)),
  );
  const probe = spec.test?.allowsProbe === true ? makeProbe(opened) : null;
  lockDown(spec, opened, platformHostCalls(platformName), timeline);
  runContainer({
    spec,
    host,
    gofer,
    control,
    descriptors,
    channels,
    sockets: opened.sockets,
    stdio,
    timeline,
    probe,
  });
  platform.close();
}

/** What is said of the end of the sandbox, and where it came from. */
function describeFailure(thrown: unknown): {
  readonly step: string;
  readonly message: string;
  readonly status: ExitStatus;
} {
  if (thrown instanceof StepError) {
    const { step, message, status } = thrown;
    // The user's program failed, not a step of ours.
    if (step === FIRST_PROCESS) return { step, message, status };
    const where = `(starting the sandbox, step "${step}")`;
    return { step, message: `${message} ${where}`, status };
  }
  const step = "kernel";
  if (thrown instanceof BootError) {
    return { step, message: thrown.message, status: thrown.status };
  }
  const stack = thrown instanceof Error ? `\n${thrown.stack}` : "";
  const message = `internal error: ${messageOf(thrown)}${stack}`;
  return { step, message, status: ExitStatus.SandboxDied };
}

/** Runs the sandbox; the exit status of this process. */
export function main(args: readonly string[]): number {
  // Only this program has the kernel's tables.
  if (args[0] === LIST_SYSCALLS) {
    print(formatSyscalls(syscallRows(), args[1] as ListFormat));
    return ExitStatus.Ok;
  }
  const timeline = new Timeline();
  let control: ControlServer | null = null;
  try {
    const opened = timeline.step("host library", open);
    const spec = timeline.step(
      "spec",
      // Made by the process that started us, from a type of its own.
      () => readDocument(opened.descriptors, SPEC_FD) as BootSpec,
    );
    if (spec.test !== null) timeline.failAt(spec.test.failAt);
    const { channels, descriptors } = opened;
    control = new ControlServer(channels, spec.fds.control, descriptors);
    run(opened, spec, control, timeline);
    return ExitStatus.Ok;
  } catch (thrown) {
    const { step, message, status } = describeFailure(thrown);
    control?.send({ event: "failed", step, message, status });
    return status;
  }
}

// Only a working copy runs this file itself; see bundle.ts.
if (import.meta.main) Deno.exit(main(Deno.args));
