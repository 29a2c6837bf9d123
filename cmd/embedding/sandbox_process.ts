/**
 * A process in an embedded sandbox, in the shape of Deno.ChildProcess.
 * @module
 */
import { AsyncStreams } from "../../ffi/async_stream.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { O_RDWR } from "../../kernel/abi/fcntl.ts";
import * as signalAbi from "../../kernel/abi/signal.ts";
import { WIFEXITED, WTERMSIG } from "../../kernel/abi/wait.ts";
import type { RunningSandbox } from "../sandbox/running_sandbox.ts";
import { exitStatusOf, signalName } from "../sandbox/wait_status.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a standard stream of a process is: a stream of ours, the one that this
 * program has itself, or nothing. */
export type Stdio = "piped" | "inherit" | "null";

export interface StdioOptions {
  /** Default "null". */
  readonly stdin?: Stdio;
  /** Default "piped". */
  readonly stdout?: Stdio;
  readonly stderr?: Stdio;
}

/** How a process ended. */
export interface ProcessStatus {
  readonly success: boolean;
  /** Exit status, or 128 + the signal's number. */
  readonly code: number;
  /** Name of the signal that ended it. */
  readonly signal: string | null;
}

/** Status and everything that was written. */
export interface ProcessOutput extends ProcessStatus {
  readonly stdout: Bytes;
  readonly stderr: Bytes;
}

/** Our ends of the streams of a process. */
export interface OurStreams {
  readonly stdin: WritableStream<Bytes> | null;
  readonly stdout: ReadableStream<Bytes> | null;
  readonly stderr: ReadableStream<Bytes> | null;
}

/** The descriptors of a new process, and our ends of them. */
export class StdioPlumbing {
  readonly stdio: readonly [number, number, number];
  readonly ours: OurStreams;
  readonly #descriptors = new DescriptorMaker();
  readonly #streams = new AsyncStreams();
  /** To be closed here once the process has its own. */
  readonly #theirs: number[] = [];

  constructor(options: StdioOptions) {
    const [stdin, input] = this.#connect(0, options.stdin ?? "null");
    const [stdout, output] = this.#connect(1, options.stdout ?? "piped");
    const [stderr, errors] = this.#connect(2, options.stderr ?? "piped");
    this.stdio = [stdin, stdout, stderr];
    this.ours = {
      stdin: input === null ? null : this.#streams.writable(input),
      stdout: output === null ? null : this.#streams.readable(output),
      stderr: errors === null ? null : this.#streams.readable(errors),
    };
  }

  #connect(fd: number, how: Stdio): [number, number | null] {
    if (how === "inherit") return [fd, null];
    if (how === "null") {
      const nothing = this.#descriptors.open("/dev/null", O_RDWR);
      this.#theirs.push(nothing);
      return [nothing, null];
    }
    const [read, write] = this.#descriptors.pipe();
    const [theirs, ours] = fd === 0 ? [read, write] : [write, read];
    this.#theirs.push(theirs);
    return [theirs, ours];
  }

  /** The process has its descriptors. */
  closeTheirs(): void {
    for (const fd of this.#theirs.splice(0)) this.#descriptors.close(fd);
  }

  /** There will be no process: our ends are closed, too. */
  async abandon(): Promise<void> {
    this.closeTheirs();
    const { stdin, stdout, stderr } = this.ours;
    await Promise.all([stdin?.abort(), stdout?.cancel(), stderr?.cancel()]);
  }
}

function statusFrom(waitStatus: number): ProcessStatus {
  const code = exitStatusOf(waitStatus);
  const signal = WIFEXITED(waitStatus)
    ? null
    : signalName(WTERMSIG(waitStatus));
  return { success: code === 0, code, signal };
}

/** Number of a signal by name ("SIGTERM"). Throws a TypeError. */
export function signalNumber(name: string): number {
  const value: unknown = Reflect.get(signalAbi, name);
  if (/^SIG[A-Z0-9]+$/.test(name) && typeof value === "number") return value;
  throw new TypeError(`Unknown signal: ${name}`);
}

async function readAll(stream: ReadableStream<Bytes> | null): Promise<Bytes> {
  if (stream === null) return new Uint8Array();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export class SandboxProcess {
  /** Its pid inside the sandbox. */
  readonly pid: number;
  /** Settles when it has ended; rejects if the sandbox fails before. */
  readonly status: Promise<ProcessStatus>;
  readonly #sandbox: RunningSandbox;
  readonly #streams: OurStreams;

  constructor(sandbox: RunningSandbox, pid: number, streams: OurStreams) {
    this.pid = pid;
    this.#sandbox = sandbox;
    this.#streams = streams;
    this.status = sandbox.waitFor(pid).then(statusFrom);
    // Who does not ask for the status learns of a failure elsewhere.
    this.status.catch(() => {});
  }

  /** Throws a TypeError for a stream that is not "piped". */
  get stdin(): WritableStream<Bytes> {
    return piped("stdin", this.#streams.stdin);
  }
  get stdout(): ReadableStream<Bytes> {
    return piped("stdout", this.#streams.stdout);
  }
  get stderr(): ReadableStream<Bytes> {
    return piped("stderr", this.#streams.stderr);
  }

  /** Waits for its end and gathers what it wrote to piped streams. */
  async output(): Promise<ProcessOutput> {
    const [status, stdout, stderr] = await Promise.all([
      this.status,
      readAll(this.#streams.stdout),
      readAll(this.#streams.stderr),
    ]);
    return { ...status, stdout, stderr };
  }

  /** Sends a signal. Rejects with a RuntimeError if it has ended. */
  async kill(signal = "SIGTERM"): Promise<void> {
    await this.#sandbox.signal(this.pid, signalNumber(signal));
  }
}

function piped<T>(name: string, stream: T | null): T {
  if (stream === null) throw new TypeError(`${name} is not "piped"`);
  return stream;
}
