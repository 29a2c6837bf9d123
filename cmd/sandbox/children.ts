/**
 * Starts the two processes of a sandbox, the Sentry and the file server, side
 * by side: namespaces already new, only the descriptors they are to have, their
 * specs in sealed memory files, and dead as soon as we are.
 * @module
 */
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { HostError } from "../../ffi/library.ts";
import type {
  Child,
  Namespace,
  Spawner,
  SpawnOptions,
} from "../../ffi/spawn.ts";
import { EINVAL, ENOSPC, EPERM } from "../../kernel/abi/errno.ts";
import { O_RDWR } from "../../kernel/abi/fcntl.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import type {
  BootDescriptors,
  BootSpec,
  TestHooks,
} from "../boot/boot_spec.ts";
import type { PlatformChoice } from "../boot/platform_kinds.ts";
import { encodeDocument } from "../boot/messages.ts";
import { ExitStatus } from "../exit_status.ts";
import type { GoferDocument } from "../gofer.ts";
import { RuntimeError } from "../runtime_error.ts";
import {
  confinedIds,
  type HostUser,
  loneUserNamespace,
  sentryUserNamespace,
} from "./host_user.ts";
import { ownProgram } from "./own_programs.ts";
import type { SandboxPlan } from "./sandbox_plan.ts";

export interface StartOptions {
  readonly user: HostUser;
  /** stdin, stdout, stderr of the first process; they stay the caller's. */
  readonly stdio: readonly [number, number, number];
  /** Where log lines go; stays the caller's. */
  readonly logFd: number;
  readonly platform: PlatformChoice;
  readonly isDebug: boolean;
  readonly isStrace: boolean;
  /** Wait for the call "start". */
  readonly waitsForStart: boolean;
  readonly test: TestHooks | null;
}

export interface Children {
  readonly sentry: Child;
  readonly gofer: Child;
  /** Our ends of the connections with them. */
  readonly control: number;
  readonly report: number;
}

/** Descriptors of the Sentry behind SPEC_FD, in the order that they are
 * given. */
const SENTRY_FDS = { control: 4, log: 5, stdio: [6, 7, 8], gofer: 9 } as const;
const LIFE_FDS = { proxy: 10, listener: 11 } as const;

const NAMESPACES: readonly Namespace[] = [
  "mount",
  "network",
  "pid",
  "ipc",
  "uts",
];
const WITH_USER: readonly Namespace[] = ["user", ...NAMESPACES];

/** On one CPU a spinning file server would keep its client from running. */
const SPIN_US = navigator.hardwareConcurrency > 1 ? 20 : 0;

function bootSpec(
  plan: SandboxPlan,
  options: StartOptions,
  life: BootDescriptors["life"],
): BootSpec {
  const { uid, gid } = confinedIds(options.user);
  const { id, hostname, domainname, mounts, devices, process } = plan;
  return {
    id,
    hostname,
    domainname,
    mounts,
    devices,
    process,
    isInitProtected: plan.isInitProtected,
    platform: options.platform,
    fds: { ...SENTRY_FDS, life },
    confinedUid: uid,
    confinedGid: gid,
    isDebug: options.isDebug,
    isStrace: options.isStrace,
    waitsForStart: options.waitsForStart,
    test: options.test,
  };
}

/** Closes what it was given, in the end. */
export class OwnedFds implements Disposable {
  readonly #descriptors: DescriptorMaker;
  readonly #fds: number[] = [];
  constructor(descriptors: DescriptorMaker) {
    this.#descriptors = descriptors;
  }
  own<T extends number>(fd: T): T {
    this.#fds.push(fd);
    return fd;
  }
  [Symbol.dispose](): void {
    for (const fd of this.#fds) this.#descriptors.close(fd);
  }
}

function sentryStart(
  user: HostUser,
  fds: readonly number[],
  withUserNamespace: boolean,
): SpawnOptions {
  return {
    ...ownProgram("boot"),
    fds,
    directory: "/",
    newSession: true,
    deathSignal: SIGKILL,
    noNewPrivs: true,
    ...(withUserNamespace
      ? { namespaces: WITH_USER, ...sentryUserNamespace(user) }
      : { namespaces: NAMESPACES }),
  };
}

/** Runs `start` with a user namespace for the Sentry. Where the host has none,
 * root does without: the Sentry still becomes nobody, without capabilities. */
function preferUserNamespace<T>(
  user: HostUser,
  start: (withUserNamespace: boolean) => T,
): T {
  try {
    return start(true);
  } catch (thrown) {
    if (user.isRootless || !isNamespaceRefusal(thrown)) throw thrown;
    return start(false);
  }
}

function isNamespaceRefusal(thrown: unknown): boolean {
  const refusals: readonly number[] = [EPERM.code, ENOSPC.code, EINVAL.code];
  return thrown instanceof HostError && refusals.includes(thrown.code);
}

function goferStart(user: HostUser, fds: readonly number[]): SpawnOptions {
  return {
    ...ownProgram("gofer"),
    fds,
    directory: "/",
    // Root's file server keeps the host's ids: files belong to many.
    ...(user.isRootless
      ? { namespaces: WITH_USER, ...loneUserNamespace(user) }
      : { namespaces: NAMESPACES }),
    newSession: true,
    deathSignal: SIGKILL,
    noNewPrivs: true,
  };
}

/** What the two are started with, and our ends of the connections. */
export class ChildrenStart {
  readonly control: number;
  readonly report: number;
  readonly #user: HostUser;
  readonly #sentryFds: readonly number[];
  readonly #goferFds: readonly number[];

  /** `life`: descriptors of BootDescriptors.life. Those of the children
   * belong to `theirs`, ours to `kept`. */
  constructor(
    tools: {
      readonly descriptors: DescriptorMaker;
      readonly channels: GoferChannels;
      readonly theirs: OwnedFds;
      readonly kept: number[];
    },
    plan: SandboxPlan,
    options: StartOptions,
    life: { readonly proxy: number; readonly listener: number } | null,
  ) {
    const { descriptors, channels, theirs, kept } = tools;
    this.#user = options.user;
    const [control, sentryControl] = channels.pair();
    kept.push(control);
    theirs.own(sentryControl);
    const [report, goferReport] = channels.pair();
    kept.push(report);
    theirs.own(goferReport);
    const [sentryGofer, goferChannel] = channels.pair();
    theirs.own(sentryGofer);
    theirs.own(goferChannel);
    const nothing = theirs.own(descriptors.open("/dev/null", O_RDWR));
    const document = bootSpec(plan, options, life === null ? null : LIFE_FDS);
    const spec = theirs.own(descriptors.sealed(encodeDocument(document)));
    const served: GoferDocument = { trees: plan.trees, spinUs: SPIN_US };
    const trees = theirs.own(descriptors.sealed(encodeDocument(served)));
    this.control = control;
    this.report = report;
    this.#sentryFds = [
      nothing,
      nothing,
      options.logFd,
      spec,
      sentryControl,
      options.logFd,
      ...options.stdio,
      sentryGofer,
      ...(life === null ? [] : [life.proxy, life.listener]),
    ];
    this.#goferFds = [
      nothing,
      nothing,
      options.logFd,
      trees,
      goferReport,
      goferChannel,
    ];
  }

  /** Runs `start` with what the Sentry and the file server are started by;
   * again, if the first way is refused. Throws a RuntimeError. */
  run<T>(start: (sentry: SpawnOptions, gofer: () => SpawnOptions) => T): T {
    const user = this.#user;
    try {
      return preferUserNamespace(
        user,
        (withUser) =>
          start(
            sentryStart(user, this.#sentryFds, withUser),
            () => goferStart(user, this.#goferFds),
          ),
      );
    } catch (thrown) {
      if (!(thrown instanceof HostError)) throw thrown;
      const advice = user.isRootless
        ? " (may ordinary users make user namespaces here?)"
        : "";
      throw new RuntimeError(
        ExitStatus.HostRefused,
        `cannot start the sandbox: ${thrown.message}${advice}`,
      );
    }
  }
}

/**
 * Starts both. Throws a RuntimeError if the host refuses; then nothing is left.
 * The owner kills and reaps the children, and closes the connections.
 */
export function startChildren(
  spawner: Spawner,
  plan: SandboxPlan,
  options: StartOptions,
): Children {
  using descriptors = new DescriptorMaker("brief");
  using channels = new GoferChannels("brief");
  using theirs = new OwnedFds(descriptors);
  const kept: number[] = [];
  const tools = { descriptors, channels, theirs, kept };
  try {
    const start = new ChildrenStart(tools, plan, options, null);
    return start.run((sentryStart, goferStart) => {
      // The Sentry first: it has more to do before they meet.
      const sentry = spawner.spawn(sentryStart);
      try {
        const gofer = spawner.spawn(goferStart());
        return { sentry, gofer, control: start.control, report: start.report };
      } catch (thrown) {
        spawner.kill(sentry.pidfd, SIGKILL);
        spawner.wait(sentry.pidfd, -1);
        spawner.close(sentry.pidfd);
        throw thrown;
      }
    });
  } catch (thrown) {
    for (const fd of kept) descriptors.close(fd);
    throw thrown;
  }
}
