/**
 * A running sandbox, seen from the process that started it: calls to the
 * Sentry, what it reports, and the certainty that nothing is left in the end.
 *
 * starting --"ready"--> locked --"started"--> running --"exited"--> ended; from
 * any of them a failure (the Sentry or the file server died, or said why it
 * cannot go on) leads to ended, and everything that waits learns the reason.
 * @module
 */
import { AsyncReceiver } from "../../ffi/async_receiver.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { type Child, type Ending, Spawner } from "../../ffi/spawn.ts";
import { SIGKILL } from "../../kernel/abi/signal.ts";
import type { ProcessSpec } from "../boot/boot_spec.ts";
import {
  type Call,
  decodeFromSentry,
  encodeDocument,
  encodeMessage,
  type Event,
  type FromSentry,
  MAX_MESSAGE_BYTES,
  type SandboxState,
  type TimelineEntry,
} from "../boot/messages.ts";
import { ExitStatus } from "../exit_status.ts";
import { messageOf, RuntimeError } from "../runtime_error.ts";
import { type Children, startChildren, type StartOptions } from "./children.ts";
import type { SandboxPlan } from "./sandbox_plan.ts";
import { asRuntimeError } from "./sentry_error.ts";
import { describeEnding } from "./wait_status.ts";

/** How long the file server may take to say why it ended. */
const GOFER_GRACE_MS = 1000;
/** How long the Sentry may take to end after its last word. */
const SENTRY_GRACE_MS = 1000;

type CallBody = Call extends infer C
  ? C extends { readonly id: number } ? Omit<C, "id"> : never
  : never;

/** A promise to be settled from outside; a rejection that nobody waits for is
 * not an error. */
class Eventually<T> {
  readonly #resolvers = Promise.withResolvers<T>();
  constructor() {
    this.#resolvers.promise.catch(() => {});
  }
  get promise(): Promise<T> {
    return this.#resolvers.promise;
  }
  resolve(value: T): void {
    this.#resolvers.resolve(value);
  }
  reject(reason: RuntimeError): void {
    this.#resolvers.reject(reason);
  }
}

export class RunningSandbox implements AsyncDisposable {
  readonly #spawner = new Spawner("brief");
  readonly #channels = new GoferChannels("brief");
  readonly #descriptors = new DescriptorMaker("brief");
  readonly #receiver = new AsyncReceiver();
  readonly #children: Children;

  readonly #ready = new Eventually<readonly TimelineEntry[]>();
  readonly #started = new Eventually<number>();
  /** Wait status by pid, for processes that ended or are waited for. */
  readonly #exits = new Map<number, Eventually<number>>();
  readonly #replies = new Map<number, Eventually<unknown>>();
  #lastId = 0;
  #failure: RuntimeError | null = null;
  /** The Sentry's last words, kept until the file server's are known. */
  #sentryFailure: RuntimeError | null = null;
  #goferFailure: RuntimeError | null = null;
  #hasFirstExited = false;
  #firstPid = 0;
  #isClosing = false;
  readonly #sentryDone: Promise<void>;
  readonly #goferDone: Promise<void>;

  /** Starts the processes; see `ready` and `started` for how far they are.
   * Throws a RuntimeError if they can't be started. */
  constructor(plan: SandboxPlan, options: StartOptions) {
    this.#children = startChildren(this.#spawner, plan, options);
    this.#goferDone = this.#listenToGofer();
    this.#sentryDone = this.#listenToSentry();
  }

  /** The Sentry is locked down: its boot steps. */
  get ready(): Promise<readonly TimelineEntry[]> {
    return this.#ready.promise;
  }
  /** The first process runs: its pid in the sandbox. */
  get started(): Promise<number> {
    return this.#started.promise;
  }
  /** Both processes are gone, by themselves or because of close(). */
  get ended(): Promise<void> {
    return Promise.all([this.#sentryDone, this.#goferDone]).then(() => {});
  }
  /** Host pid of the Sentry. */
  get sentryPid(): number {
    return this.#children.sentry.pid;
  }
  /** Host pid of the file server. */
  get goferPid(): number {
    return this.#children.gofer.pid;
  }

  /** Status, as wait(2) encodes it, of the first process when it has ended.
   * Rejects with a RuntimeError when the sandbox failed before that. */
  async wait(): Promise<number> {
    return await this.waitFor(await this.started);
  }

  /** The same for a process of exec(). */
  waitFor(pid: number): Promise<number> {
    const known = this.#exits.get(pid);
    if (known !== undefined) return known.promise;
    const exit = new Eventually<number>();
    if (this.#failure !== null) exit.reject(this.#failure);
    this.#exits.set(pid, exit);
    return exit.promise;
  }

  /** Starts the first process of a sandbox that waits for it. */
  async start(): Promise<void> {
    await this.#call({ call: "start" });
  }

  /** Sends a signal to a process of the sandbox; 0: the first one. */
  async signal(pid: number, signo: number): Promise<void> {
    await this.#call({ call: "signal", pid, signo });
  }

  /** The host's terminal has another size now. */
  async resize(): Promise<void> {
    await this.#call({ call: "resize" });
  }

  /** Starts another process; its pid. `stdio` stays the caller's. */
  async exec(
    process: ProcessSpec,
    stdio: readonly [number, number, number],
  ): Promise<number> {
    const document = this.#descriptors.sealed(encodeDocument(process));
    try {
      const pid = await this.#call({ call: "exec" }, [document, ...stdio]);
      if (typeof pid === "number") return pid;
    } finally {
      this.#descriptors.close(document);
    }
    throw new RuntimeError(ExitStatus.SandboxDied, "exec brought no pid");
  }

  async state(): Promise<SandboxState> {
    // Only ever shown to people.
    return await this.#call({ call: "state" }) as SandboxState;
  }

  /** Tests only: the value of an expression in the locked Sentry. */
  async probe(source: string): Promise<unknown> {
    return await this.#call({ call: "probe", source });
  }

  /** Kills whatever still runs, and waits until nothing is left. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const { sentry, gofer } = this.#children;
    for (const child of [sentry, gofer]) {
      this.#spawner.kill(child.pidfd, SIGKILL);
    }
    await Promise.all([this.#sentryDone, this.#goferDone]);
    this.#fail(
      new RuntimeError(ExitStatus.SandboxDied, "the sandbox was closed"),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    for (const child of [this.#children.sentry, this.#children.gofer]) {
      this.#spawner.close(child.pidfd);
    }
    for (const fd of [this.#children.control, this.#children.report]) {
      this.#descriptors.close(fd);
    }
    this.#receiver[Symbol.dispose]();
    this.#descriptors[Symbol.dispose]();
    this.#channels[Symbol.dispose]();
    this.#spawner[Symbol.dispose]();
  }

  #call(body: CallBody, fds: readonly number[] = []): Promise<unknown> {
    const reply = new Eventually<unknown>();
    if (this.#failure !== null) {
      reply.reject(this.#failure);
      return reply.promise;
    }
    const id = ++this.#lastId;
    const bytes = encodeMessage({ ...body, id });
    const { control } = this.#children;
    const error = this.#channels.send(control, bytes, bytes.length, fds);
    // A connection that broke is reported by the listener, with the reason.
    if (error === 0 || this.#failure === null) this.#replies.set(id, reply);
    return reply.promise;
  }

  async #listenToSentry(): Promise<void> {
    const { control, sentry } = this.#children;
    try {
      for (;;) {
        const bytes = await this.#receiver.receive(control, MAX_MESSAGE_BYTES);
        if (bytes === null) break;
        this.#handle(decodeFromSentry(bytes));
      }
    } catch (thrown) {
      // Whoever speaks nonsense has been taken over.
      this.#sentryFailure = new RuntimeError(
        ExitStatus.SandboxDied,
        `the sandbox broke the protocol: ${messageOf(thrown)}`,
      );
      this.#spawner.kill(sentry.pidfd, SIGKILL);
    }
    const ending = this.#reap(sentry, SENTRY_GRACE_MS);
    if (this.#hasFirstExited && this.#sentryFailure === null) {
      this.#fail(
        new RuntimeError(ExitStatus.SandboxDied, "the sandbox has ended"),
      );
      return;
    }
    await this.#untilGoferIsDone();
    this.#fail(
      this.#goferFailure ?? this.#sentryFailure ??
        new RuntimeError(
          ExitStatus.SandboxDied,
          `the sandbox ${describeEnding(ending)}`,
        ),
    );
  }

  /** The file server ends by itself when the Sentry is gone. */
  async #untilGoferIsDone(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#spawner.kill(this.#children.gofer.pidfd, SIGKILL);
        resolve();
      }, GOFER_GRACE_MS);
    });
    await Promise.race([this.#goferDone, grace]);
    clearTimeout(timer);
  }

  async #listenToGofer(): Promise<void> {
    const { report, gofer, sentry } = this.#children;
    for (;;) {
      const bytes = await this.#receiver.receive(report, MAX_MESSAGE_BYTES);
      if (bytes === null) break;
      const message = decodeFromSentry(bytes);
      if ("event" in message && message.event === "failed") {
        this.#goferFailure = new RuntimeError(
          ExitStatus.HostRefused,
          `the file server: ${message.message}`,
        );
      }
    }
    const ending = this.#reap(gofer, GOFER_GRACE_MS);
    const isNormal = "exitCode" in ending && ending.exitCode === 0;
    if (isNormal || this.#isClosing || this.#hasFirstExited) return;
    this.#goferFailure ??= new RuntimeError(
      ExitStatus.GoferDied,
      `the file server (gofer) ${describeEnding(ending)}`,
    );
    // Without files the sandbox could only fail slowly.
    this.#spawner.kill(sentry.pidfd, SIGKILL);
  }

  /** Waits for a child that has closed its connection, and kills it if it does
   * not end by itself. */
  #reap(child: Child, graceMs: number): Ending {
    const ending = this.#spawner.wait(child.pidfd, graceMs);
    if (ending !== null) return ending;
    this.#spawner.kill(child.pidfd, SIGKILL);
    return this.#spawner.wait(child.pidfd, -1)!;
  }

  #handle(message: FromSentry): void {
    if ("event" in message) this.#handleEvent(message);
    else {
      const reply = this.#replies.get(message.reply);
      this.#replies.delete(message.reply);
      const { error, result } = message;
      if (error === undefined) reply?.resolve(result);
      else reply?.reject(asRuntimeError(error.status, error.message));
    }
  }

  #handleEvent(event: Event): void {
    switch (event.event) {
      case "ready":
        this.#ready.resolve(event.timeline);
        break;
      case "started":
        this.#firstPid = event.pid;
        this.#started.resolve(event.pid);
        break;
      case "exited":
        if (event.pid === this.#firstPid) this.#hasFirstExited = true;
        this.waitFor(event.pid);
        this.#exits.get(event.pid)?.resolve(event.status);
        break;
      case "failed":
        this.#sentryFailure = asRuntimeError(event.status, event.message);
        break;
    }
  }

  #fail(reason: RuntimeError): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    this.#ready.reject(reason);
    this.#started.reject(reason);
    for (const exit of this.#exits.values()) exit.reject(reason);
    for (const reply of this.#replies.values()) reply.reject(reason);
    this.#replies.clear();
  }
}
