/**
 * What can be done to a container that exists: start, signals, pause, delete.
 * @module
 */
import { HostError } from "../../ffi/library.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { Spawner } from "../../ffi/spawn.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import { ExitStatus } from "../exit_status.ts";
import { RuntimeError } from "../runtime_error.ts";
import {
  type ContainerState,
  shownState,
  statusOf,
} from "./container_state.ts";
import type { ContainerStore, LockedContainer } from "./container_store.ts";
import { ControlClient } from "./control_client.ts";
import { runHooksAnyway } from "./hooks.ts";
import { type HostProcess, isAlive } from "./host_process.ts";

/** How long processes that were killed may take to end. */
const KILL_MS = 10_000;

const FIRST_PROCESS = 0;
const ALL_PROCESSES = -1;

function refuse(message: string): never {
  throw new RuntimeError(ExitStatus.Failure, message);
}

function mustHaveState(container: LockedContainer): ContainerState {
  return container.read() ??
    refuse(`container ${container.id} was never created completely`);
}

/** Starts a created container; messages of hooks that failed. `control`: the
 * creator's connection. */
export function startContainer(
  store: ContainerStore,
  id: string,
  control?: ControlClient,
): string[] {
  using container = store.open(id);
  const state = mustHaveState(container);
  const status = statusOf(state);
  if (status !== "created") {
    refuse(
      status === "stopped"
        ? "cannot start a container that has stopped"
        : `cannot start a container that is ${status}`,
    );
  }
  if (control !== undefined) control.call({ call: "start" });
  else {
    using client = ControlClient.connect(container.socketPath);
    client.call({ call: "start" });
  }
  const running: ContainerState = { ...state, status: "running" };
  container.write(running);
  return runHooksAnyway(
    "poststart",
    state.poststart,
    shownState(running, "running"),
    container,
  );
}

/** Sends a signal to the first process, to all, or to one of them by its pid in
 * the container. */
export function signalContainer(
  store: ContainerStore,
  id: string,
  signo: number,
  target: "first" | "all" | number,
): void {
  const state = store.state(id);
  if (statusOf(state) === "stopped") {
    // A second `kill --all` is not an error.
    if (target === "all") return;
    refuse("container not running");
  }
  using client = ControlClient.connect(store.socketPath(id));
  const pid = target === "first"
    ? FIRST_PROCESS
    : target === "all"
    ? ALL_PROCESSES
    : target;
  client.call({ call: "signal", pid, signo });
}

/** Freezes a running container, or lets it go on. */
export function setPaused(
  store: ContainerStore,
  id: string,
  isPaused: boolean,
): void {
  using container = store.open(id);
  const state = mustHaveState(container);
  const [from, to] = isPaused
    ? ["running", "paused"] as const
    : ["paused", "running"] as const;
  const status = statusOf(state);
  if (status !== from) refuse(`container ${id} is not ${from}, but ${status}`);
  using client = ControlClient.connect(container.socketPath);
  client.call({ call: isPaused ? "pause" : "resume" });
  container.write({ ...state, status: to });
}

/** Removes a container; messages of hooks that failed. With `force`, one that
 * runs is killed, and an absent one is not an error. */
export function deleteContainer(
  store: ContainerStore,
  id: string,
  { force }: { readonly force: boolean },
): string[] {
  using container = force ? store.find(id) : store.open(id);
  if (container === null) return [];
  const state = container.read();
  if (state === null) {
    container.remove();
    return [];
  }
  const status = statusOf(state);
  if (!force && status !== "stopped" && status !== "created") {
    refuse(`cannot delete container ${id} that is not stopped: ${status}`);
  }
  killAll(state);
  const failures = runHooksAnyway(
    "poststop",
    state.poststop,
    shownState(state, "stopped"),
    container,
  );
  container.remove();
  return failures;
}

/** Waits for the end of a container; its wait status. */
export function waitContainer(store: ContainerStore, id: string): number {
  const state = store.state(id);
  using spawner = new Spawner("brief");
  using descriptors = new DescriptorMaker("brief");
  const FOREVER = -1;
  hasEnded(spawner, descriptors, state.proxy, FOREVER);
  // The proxy wrote it before it ended, unless it was killed.
  return store.exitStatus(id) ?? SIGKILL;
}

/** Ends what is left of a container. The proxy ends last, when it has reaped
 * the others. */
function killAll({ sentry, gofer, proxy }: ContainerState): void {
  using spawner = new Spawner("brief");
  using descriptors = new DescriptorMaker("brief");
  for (const process of [sentry, gofer]) kill(spawner, process);
  if (!hasEnded(spawner, descriptors, proxy, KILL_MS)) kill(spawner, proxy);
  for (const process of [proxy, sentry, gofer]) {
    if (!hasEnded(spawner, descriptors, process, KILL_MS)) {
      refuse(`process ${process.pid} of the container does not end`);
    }
  }
}

function openPidfd(spawner: Spawner, process: HostProcess): number | null {
  try {
    const pidfd = spawner.openPidfd(process.pid);
    // Checked last: the pidfd is of whoever had the pid then.
    if (isAlive(process)) return pidfd;
    spawner.close(pidfd);
    return null;
  } catch (thrown) {
    if (thrown instanceof HostError) return null;
    throw thrown;
  }
}

function kill(spawner: Spawner, process: HostProcess): void {
  const pidfd = openPidfd(spawner, process);
  if (pidfd === null) return;
  spawner.kill(pidfd, SIGKILL);
  spawner.close(pidfd);
}

/** Waits; a zombie has ended. */
function hasEnded(
  spawner: Spawner,
  descriptors: DescriptorMaker,
  process: HostProcess,
  timeoutMs: number,
): boolean {
  const pidfd = openPidfd(spawner, process);
  if (pidfd === null) return true;
  const events = descriptors.poll(pidfd, POLLIN, timeoutMs);
  spawner.close(pidfd);
  return (events & POLLIN) !== 0;
}
