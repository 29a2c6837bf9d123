/**
 * Further processes in a running container.
 * @module
 */
import { resolve } from "@std/path";
import { DescriptorMaker } from "../../ffi/files.ts";
import { type Child, Spawner } from "../../ffi/spawn.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import type { ProcessSpec } from "../boot/boot_spec.ts";
import { encodeDocument } from "../boot/messages.ts";
import { ExitStatus } from "../exit_status.ts";
import { processPlan } from "../oci/oci_plan.ts";
import type { OciProcess } from "../oci/process.ts";
import { RuntimeError, UsageError } from "../runtime_error.ts";
import { OwnedFds } from "../sandbox/children.ts";
import { startProxy } from "../sandbox/supervised.ts";
import { openConsole } from "./console.ts";
import { statusOf } from "./container_state.ts";
import type { ContainerStore } from "./container_store.ts";
import { ControlClient } from "./control_client.ts";
import { writePidFile } from "./pid_file.ts";

/** What --user, --cwd and their like change. */
export interface ProcessChanges {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  /** UID[:GID] */
  readonly user: string | undefined;
  readonly additionalGids: readonly string[];
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly hasTerminal: boolean;
}

function parseId(text: string, flag: string): number {
  if (/^[0-9]{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new UsageError(`flag ${flag} takes numbers, not "${text}"`);
}

function changedUser(
  { user, additionalGids }: ProcessChanges,
  old: OciProcess["user"],
): OciProcess["user"] {
  const extra = additionalGids.map((gid) => parseId(gid, "--additional-gids"));
  const groups = [...old?.additionalGids ?? [], ...extra];
  if (user === undefined) return { ...old, additionalGids: groups };
  const [uid = "", gid] = user.split(":");
  return {
    ...old,
    uid: parseId(uid, "--user"),
    ...(gid === undefined ? {} : { gid: parseId(gid, "--user") }),
    additionalGids: groups,
  };
}

/** The process that flags describe, based on the container's own. */
export function changeProcess(
  base: OciProcess,
  changes: ProcessChanges,
): OciProcess {
  const { args, env, cwd, capabilities, noNewPrivileges, hasTerminal } =
    changes;
  const names = capabilities.map((name) => {
    const upper = name.toUpperCase();
    return upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  });
  const withNames = (set: readonly string[] | undefined) => [
    ...new Set([...set ?? [], ...names]),
  ];
  const old = base.capabilities;
  return {
    ...base,
    args: [...args],
    env: [...base.env ?? [], ...env],
    cwd: cwd ?? base.cwd,
    user: changedUser(changes, base.user),
    terminal: hasTerminal,
    noNewPrivileges: noNewPrivileges || (base.noNewPrivileges ?? false),
    capabilities: names.length === 0 ? old : {
      ...old,
      bounding: withNames(old?.bounding),
      effective: withNames(old?.effective),
      permitted: withNames(old?.permitted),
    },
  };
}

export interface ExecOptions {
  readonly process: OciProcess;
  readonly pidFile: string | undefined;
  readonly internalPidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  /** A process of the host stands for it from now on. */
  readonly isDetached: boolean;
}

/** A process that was started. */
export interface Executed {
  /** In the container. */
  readonly pid: number;
  /** The connection that hears of its end. */
  readonly control: ControlClient;
}

/** Starts a process. Throws a RuntimeError; then there is none. */
export function execInContainer(
  store: ContainerStore,
  id: string,
  options: ExecOptions,
): Executed {
  const status = statusOf(store.state(id));
  if (status !== "running") {
    throw new RuntimeError(
      ExitStatus.Failure,
      `cannot exec in a container that is ${status}`,
    );
  }
  const plan = processPlan(options.process);
  const { consoleSocket, isDetached } = options;
  if (consoleSocket !== undefined && !plan.hasTerminal) {
    throw new UsageError("--console-socket: the process has no terminal");
  }
  if (plan.hasTerminal && isDetached && consoleSocket === undefined) {
    throw new UsageError(
      "a detached process's terminal needs --console-socket",
    );
  }
  const control = ControlClient.connect(store.socketPath(id));
  try {
    return start(id, plan, options, control);
  } catch (thrown) {
    control[Symbol.dispose]();
    throw thrown;
  }
}

function start(
  id: string,
  plan: ProcessSpec,
  options: ExecOptions,
  control: ControlClient,
): Executed {
  using descriptors = new DescriptorMaker("brief");
  using theirs = new OwnedFds(descriptors);
  using spawner = new Spawner("brief");
  const { consoleSocket, pidFile, internalPidFile, isDetached } = options;
  const terminal = consoleSocket === undefined ? -1 : theirs.own(
    openConsole(resolve(consoleSocket), options.process.consoleSize),
  );
  const wantsProxy = isDetached || pidFile !== undefined;
  const proxy = wantsProxy ? startProxy(spawner, id, terminal) : null;
  if (proxy !== null) theirs.own(proxy.connection);
  try {
    const stdio = terminal < 0 ? [0, 1, 2] : [terminal, terminal, terminal];
    const document = theirs.own(descriptors.sealed(encodeDocument(plan)));
    const pid = control.call(
      { call: "exec", ...(proxy === null ? {} : { proxy: proxy.proxy.pid }) },
      [document, ...stdio, ...(proxy === null ? [] : [proxy.connection])],
    );
    if (typeof pid !== "number") {
      throw new RuntimeError(ExitStatus.SandboxDied, "exec brought no pid");
    }
    if (internalPidFile !== undefined) writePidFile(internalPidFile, pid);
    if (proxy !== null && pidFile !== undefined) {
      writePidFile(pidFile, proxy.proxy.pid);
    }
    return { pid, control };
  } catch (thrown) {
    if (proxy !== null) end(spawner, proxy.proxy);
    throw thrown;
  } finally {
    if (proxy !== null) spawner.close(proxy.proxy.pidfd);
  }
}

/** The sandbox kills the process behind a proxy that is killed. */
function end(spawner: Spawner, proxy: Child): void {
  spawner.kill(proxy.pidfd, SIGKILL);
  spawner.wait(proxy.pidfd, -1);
}
