/**
 * Starting programs in new namespaces with exactly the descriptors that they
 * are given, and waiting for them by pidfd; binds native/spawn.c.
 * @module
 */

import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../kernel/abi/sched.ts";
import { bind, type Binding, type Bound } from "./binding.ts";
import { cString, must, nativePath } from "./library.ts";

const SYMBOLS = {
  host_spawn: {
    parameters: ["buffer", "buffer", "buffer", "f64", "buffer"],
    result: "i32",
  },
  host_spawn_parent: {
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "f64",
      "buffer",
      "buffer",
      "i32",
      "buffer",
    ],
    result: "i32",
  },
  host_wait: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  host_pidfd_open: { parameters: ["i32"], result: "i32" },
  host_kill: { parameters: ["i32", "i32"], result: "i32" },
  host_file_close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const NAMESPACES = {
  cgroup: CLONE_NEWCGROUP,
  ipc: CLONE_NEWIPC,
  mount: CLONE_NEWNS,
  network: CLONE_NEWNET,
  pid: CLONE_NEWPID,
  user: CLONE_NEWUSER,
  uts: CLONE_NEWUTS,
} as const;

/** A namespace that a program can be started in anew. */
export type Namespace = keyof typeof NAMESPACES;

/** One line of an id map: `count` ids from `inside` on are those from `outside` on. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** What to start and how. */
export interface SpawnOptions {
  /** The program's file; no search. Relative to `directory`, if any. */
  readonly path: string;
  /** argv, the program's name included. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The child's descriptor i is a copy of fds[i]; it has no others. */
  readonly fds: readonly number[];
  readonly directory?: string;
  readonly namespaces?: readonly Namespace[];
  /** Descriptor of a network namespace to join. */
  readonly networkNamespace?: number;
  /** A directory that the child can only read; wants the namespace `mount`. */
  readonly protectedDirectory?: string;
  /** With the namespace `user`: both, written before the program starts. */
  readonly uidMap?: readonly IdRange[];
  readonly gidMap?: readonly IdRange[];
  /** An unprivileged user must deny setgroups(2) to map a group. */
  readonly denySetgroups?: true;
  readonly clearGroups?: true;
  /** Ids as the child's namespace counts them. */
  readonly uid?: number;
  readonly gid?: number;
  readonly newSession?: true;
  /** The child's descriptor that becomes its terminal; wants newSession. */
  readonly controllingTerminal?: number;
  /** Sent to the child when this thread ends. */
  readonly deathSignal?: number;
  readonly noNewPrivs?: true;
  /** Blocked in the program from its first instruction; others are not. */
  readonly blockedSignals?: readonly number[];
}

/** A started process. The owner closes the pidfd. */
export interface Child {
  /** In our pid namespace. */
  readonly pid: number;
  readonly pidfd: number;
}

/** How a process ended. */
export type Ending =
  | { readonly exitCode: number }
  | { readonly signal: number };

const NEW_SESSION = 1;
const NO_NEW_PRIVS = 2;
const DENY_SETGROUPS = 4;
const MAP_IDS = 8;
const CLEAR_GROUPS = 16;

const CLD_EXITED = 1;

/** Starts processes and waits for them. */
export class Spawner implements Disposable {
  readonly #library: Bound<typeof SYMBOLS>;
  readonly #calls: Bound<typeof SYMBOLS>["symbols"];

  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), SYMBOLS, binding);
    this.#calls = this.#library.symbols;
  }

  /** Throws a HostError with the errno of the step that failed, the program's
   * execve included; then no process is left. */
  spawn(options: SpawnOptions): Child {
    const out = new Int32Array(2);
    const { request, strings } = encodeSpawn(options);
    must(
      `start ${options.path}`,
      this.#calls.host_spawn(
        request,
        Int32Array.from(options.fds),
        strings,
        strings.length,
        out,
      ),
    );
    return { pid: out[0] ?? 0, pidfd: out[1] ?? -1 };
  }

  /**
   * Starts `members` as children of `parent`, which runs its program last;
   * their death signals are for its end. The pids of the members in order.
   * Throws as spawn() does; nothing is left, unless the program of `parent`
   * cannot be run: then the members end by their death signals.
   */
  spawnParent(
    parent: SpawnOptions,
    members: readonly SpawnOptions[],
  ): { readonly parent: Child; readonly members: readonly number[] } {
    const out = new Int32Array(2 + members.length);
    const { request, strings } = encodeSpawn(parent);
    const encoded = members.map((options) => ({
      ...encodeSpawn(options),
      fds: options.fds,
    }));
    const words = encoded.flatMap((member) => [
      member.strings.length,
      ...member.request,
      ...member.fds,
    ]);
    must(
      `start ${[...members, parent].map(({ path }) => path).join(" and ")}`,
      this.#calls.host_spawn_parent(
        request,
        Int32Array.from(parent.fds),
        strings,
        strings.length,
        Int32Array.from(words),
        join(encoded.map((member) => member.strings)),
        members.length,
        out,
      ),
    );
    return {
      parent: { pid: out[0] ?? 0, pidfd: out[1] ?? -1 },
      members: [...out.subarray(2)],
    };
  }

  /** Waits for a child, `timeoutMs` -1: for ever. Null: it still runs. */
  wait(pidfd: number, timeoutMs: number): Ending | null {
    const out = new Int32Array(2);
    if (must("wait", this.#calls.host_wait(pidfd, timeoutMs, out)) === 0) {
      return null;
    }
    const [code = 0, status = 0] = out;
    return code === CLD_EXITED ? { exitCode: status } : { signal: status };
  }

  /** A pidfd of any process; throws a HostError (ESRCH). */
  openPidfd(pid: number): number {
    return must(`pidfd of ${pid}`, this.#calls.host_pidfd_open(pid));
  }

  /** Sends a signal, 0: only asks. False: the process is gone. */
  kill(pidfd: number, signal: number): boolean {
    const ESRCH = -3;
    const result = this.#calls.host_kill(pidfd, signal);
    if (result === ESRCH) return false;
    must(`signal ${signal}`, result);
    return true;
  }

  /** Closes a pidfd. */
  close(pidfd: number): void {
    this.#calls.host_file_close(pidfd);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

function mapText(ranges: readonly IdRange[] | undefined): string {
  return (ranges ?? []).map(({ inside, outside, count }) =>
    `${inside} ${outside} ${count}\n`
  ).join("");
}

/** The words and strings that host_spawn() takes, in spawn.c's order. */
function encodeSpawn(options: SpawnOptions) {
  let blockedLow = 0;
  let blockedHigh = 0;
  for (const signal of options.blockedSignals ?? []) {
    if (signal <= 32) blockedLow |= 1 << (signal - 1);
    else blockedHigh |= 1 << (signal - 33);
  }
  let namespaces = 0;
  for (const name of options.namespaces ?? []) namespaces |= NAMESPACES[name];
  const isMapped = options.uidMap !== undefined || options.gidMap !== undefined;
  const flags = (options.newSession === true ? NEW_SESSION : 0) |
    (options.noNewPrivs === true ? NO_NEW_PRIVS : 0) |
    (options.denySetgroups === true ? DENY_SETGROUPS : 0) |
    (options.clearGroups === true ? CLEAR_GROUPS : 0) |
    (isMapped ? MAP_IDS : 0);
  const env = Object.entries(options.env).map(([k, v]) => `${k}=${v}`);
  const request = Int32Array.of(
    options.fds.length,
    namespaces,
    flags,
    options.deathSignal ?? 0,
    options.controllingTerminal ?? -1,
    options.uid ?? -1,
    options.gid ?? -1,
    blockedLow,
    blockedHigh,
    options.args.length,
    env.length,
    options.networkNamespace ?? -1,
  );
  const parts = [
    options.path,
    options.directory ?? "",
    mapText(options.uidMap),
    mapText(options.gidMap),
    options.protectedDirectory ?? "",
    ...options.args,
    ...env,
  ].map(cString);
  return { request, strings: join(parts) };
}

function join(
  parts: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
