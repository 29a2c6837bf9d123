/**
 * Runs a sandbox in the foreground, as `do` and `run` do: its streams are ours,
 * signals that we get go to its first process, and a terminal is passed on in
 * raw mode so that every key is the sandbox's to interpret.
 * @module
 */
import { DescriptorMaker } from "../../ffi/files.ts";
import { type SavedModes, Terminals } from "../../ffi/terminals.ts";
import { O_APPEND, O_CREAT, O_WRONLY } from "../../kernel/abi/fcntl.ts";
import {
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGTERM,
  SIGUSR1,
  SIGUSR2,
} from "../../kernel/abi/signal.ts";
import type { HostFd } from "../../kernel/host.ts";
import type { PlatformChoice } from "../boot/platform_kinds.ts";
import { ExitStatus } from "../exit_status.ts";
import type { GlobalFlags } from "../global_flags.ts";
import { RuntimeError } from "../runtime_error.ts";
import { sayTime, sayTimeline } from "../timeline_text.ts";
import { hostUser } from "./host_user.ts";
import { RunningSandbox } from "./running_sandbox.ts";
import type { SandboxPlan } from "./sandbox_plan.ts";
import { exitStatusOf } from "./wait_status.ts";

const FORWARDED = {
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGTERM,
  SIGUSR1,
  SIGUSR2,
} as const;
type Forwarded = keyof typeof FORWARDED;

const STDIN = 0 as HostFd;
const STDERR = 2;

/** True if a program started here would have a terminal to itself. */
export function hasTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/** Who is told of signals. */
export interface SignalTarget {
  signal(signo: number): void;
  /** The terminal has another size. */
  resize(): void;
}

/** Passes signals on for as long as it lives. */
export class SignalForwarder implements Disposable {
  readonly #listeners = new Map<Deno.Signal, () => void>();

  constructor(target: SignalTarget, hasTerminal: boolean) {
    for (const [name, signo] of Object.entries(FORWARDED)) {
      this.#listen(name as Forwarded, () => target.signal(signo));
    }
    if (hasTerminal) this.#listen("SIGWINCH", () => target.resize());
  }

  #listen(name: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(name, listener);
    this.#listeners.set(name, listener);
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) {
      Deno.removeSignalListener(name, listener);
    }
  }
}

/** A sandbox that cannot be told any more reports why by itself. */
function targetOf(sandbox: RunningSandbox): SignalTarget {
  const signal = async (signo: number) => {
    const pid = await sandbox.started; // else nobody would get it
    await sandbox.signal(pid, signo);
  };
  return {
    signal: (signo) => void signal(signo).catch(() => {}),
    resize: () => void sandbox.resize().catch(() => {}),
  };
}

/** Raw mode of our terminal for as long as it lives. */
export class RawTerminal implements Disposable {
  readonly #terminals = new Terminals("brief");
  readonly #saved: SavedModes;
  constructor() {
    this.#saved = this.#terminals.makeRaw(STDIN);
  }
  [Symbol.dispose](): void {
    this.#terminals.restore(STDIN, this.#saved);
    this.#terminals[Symbol.dispose]();
  }
}

function openLog(descriptors: DescriptorMaker, path: string): number {
  try {
    return descriptors.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new RuntimeError(ExitStatus.NoPermission, `--debug-log: ${reason}`);
  }
}

/**
 * Runs the plan to its end; the exit status that a shell would show. Throws a
 * RuntimeError if the sandbox cannot be started or breaks down.
 */
export async function runForeground(
  plan: SandboxPlan,
  globals: GlobalFlags,
): Promise<number> {
  const startedAt = performance.now();
  using descriptors = new DescriptorMaker("brief");
  const logPath = globals["debug-log"];
  const logFd = logPath === undefined ? STDERR : openLog(descriptors, logPath);
  await using sandbox = new RunningSandbox(plan, {
    user: hostUser(globals.rootless),
    stdio: [0, 1, 2],
    logFd,
    // One of the flag's choices.
    platform: (globals.platform ?? "auto") as PlatformChoice,
    isDebug: globals.debug,
    isStrace: globals.strace,
    waitsForStart: false,
    test: null,
  });
  const spawnedAt = performance.now();
  const isTerminal = plan.process.hasTerminal;
  using _signals = new SignalForwarder(targetOf(sandbox), isTerminal);
  using _raw = isTerminal ? new RawTerminal() : null;
  if (globals.debug) {
    const timeline = await sandbox.ready;
    sayTime(startedAt, "runsc", "plan made");
    sayTime(spawnedAt, "runsc", "processes started");
    sayTimeline(timeline);
  }
  const status = exitStatusOf(await sandbox.wait());
  if (globals.debug) sayTime(performance.now(), "runsc", "program ended");
  return status;
}
