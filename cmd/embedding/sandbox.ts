/**
 * Sandbox: the embedding API. A program of yours starts programs that it does
 * not trust, each set of them on a kernel of its own.
 * @module
 */
import { resolve } from "@std/path";
import { planProgram, type SharedPath } from "../sandbox/program_plan.ts";
import { hostUser } from "../sandbox/host_user.ts";
import { RunningSandbox } from "../sandbox/running_sandbox.ts";
import {
  SandboxProcess,
  type StdioOptions,
  StdioPlumbing,
} from "./sandbox_process.ts";

const STDERR = 2;

/** A process to start. */
export interface ProcessOptions extends StdioOptions {
  /** Program and arguments; a name without a slash is looked up in PATH. */
  readonly args: readonly string[];
  /** The whole environment; by default only PATH is set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory in the sandbox, default "/". */
  readonly cwd?: string;
  /** User and group id in the sandbox, default 0. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A sandbox and its first process. */
export interface SandboxOptions extends ProcessOptions {
  /** Directory of the host that becomes "/", read-only below an overlay in
   * memory. Default: the host's own "/". */
  readonly root?: string;
  /** Paths of the host that the sandbox shares. */
  readonly shares?: readonly SharedPath[];
  readonly hostname?: string;
  /** How guest code runs; "auto" takes the best that this host has. */
  readonly platform?: "auto" | "systrap" | "ptrace";
  /** Write a line for every system call to standard error. */
  readonly strace?: boolean;
}

const DEFAULT_ENV = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

function planOf(options: SandboxOptions) {
  return planProgram({
    id: `embedded-${crypto.randomUUID()}`,
    root: resolve(options.root ?? "/"),
    args: options.args,
    env: options.env ?? DEFAULT_ENV,
    cwd: options.cwd ?? "/",
    uid: options.uid ?? 0,
    gid: options.gid ?? 0,
    hostname: options.hostname ?? "sandbox",
    shares: options.shares ?? [],
    hasTerminal: false,
  });
}

/**
 * A running sandbox. It ends with its first process, or with close().
 *
 * @example
 * ```ts
 * import { Sandbox } from "@runsc/runsc";
 *
 * await using sandbox = await Sandbox.create({
 *   args: ["sh", "-c", "echo $((6 * 7)) | tee /etc/answer"],
 * });
 * const { code, stdout } = await sandbox.first.output();
 * console.assert(code === 0);
 * console.assert(new TextDecoder().decode(stdout) === "42\n");
 * ```
 */
export class Sandbox implements AsyncDisposable {
  /** The process that was asked for in create(). */
  readonly first: SandboxProcess;
  readonly #running: RunningSandbox;

  private constructor(running: RunningSandbox, first: SandboxProcess) {
    this.#running = running;
    this.first = first;
  }

  /**
   * Starts a sandbox with its first process. Rejects with a RuntimeError, whose
   * `status` says why: 127 no such program, 126 not executable, others in
   * cmd/README.md.
   */
  static async create(options: SandboxOptions): Promise<Sandbox> {
    const plumbing = new StdioPlumbing(options);
    let running: RunningSandbox | null = null;
    try {
      running = new RunningSandbox(planOf(options), {
        user: hostUser(undefined),
        stdio: plumbing.stdio,
        logFd: STDERR,
        platform: options.platform ?? "auto",
        isDebug: false,
        isStrace: options.strace ?? false,
        waitsForStart: false,
        test: null,
      });
      plumbing.closeTheirs();
      const pid = await running.started;
      const first = new SandboxProcess(running, pid, plumbing.ours);
      return new Sandbox(running, first);
    } catch (thrown) {
      await plumbing.abandon();
      await running?.[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Starts another process beside the first. Rejects as create() does. */
  async exec(options: ProcessOptions): Promise<SandboxProcess> {
    const plumbing = new StdioPlumbing(options);
    try {
      const { process } = planOf(options);
      const pid = await this.#running.exec(process, plumbing.stdio);
      plumbing.closeTheirs();
      return new SandboxProcess(this.#running, pid, plumbing.ours);
    } catch (thrown) {
      await plumbing.abandon();
      throw thrown;
    }
  }

  /** Kills everything in the sandbox; nothing of it is left afterwards. */
  async close(): Promise<void> {
    await this.#running.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}
