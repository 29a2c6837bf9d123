/**
 * What the process that started us may ask for: signals, further processes,
 * the terminal's size, the end. Runs between guest steps.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import { NSIG } from "../../kernel/abi/signal.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { sendFromOutside } from "../../kernel/task/signal_send.ts";
import type { ThreadGroup } from "../../kernel/task/thread_group.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { ProcessSpec } from "./boot_spec.ts";
import { readDocument } from "./document.ts";
import type { Call, SandboxState } from "./messages.ts";
import type { Probe } from "./probe.ts";
import type { ProcessStarter } from "./process_starter.ts";

/** A document and three streams. */
const EXEC_FDS = 4;
const FIRST_PID = 1;

export class ContainerCalls {
  /** Told when a process of exec has ended. */
  onExit: ((pid: number, status: number) => void) | null = null;
  isStarted = false;
  isStopped = false;

  readonly #kernel: Kernel;
  readonly #starter: ProcessStarter;
  readonly #descriptors: DescriptorMaker;
  readonly #runProbe: Probe | null;
  /** Processes whose end is to be reported. */
  readonly #watched = new Set<number>([FIRST_PID]);

  constructor(parts: {
    readonly kernel: Kernel;
    readonly starter: ProcessStarter;
    readonly descriptors: DescriptorMaker;
    readonly probe: Probe | null;
  }) {
    this.#kernel = parts.kernel;
    this.#starter = parts.starter;
    this.#descriptors = parts.descriptors;
    this.#runProbe = parts.probe;
    this.#kernel.onExit = (process) => this.#onExit(process);
  }

  /** Answers a call. Throws a BootError for a refusal. */
  readonly handle = (call: Call, fds: number[]): unknown => {
    switch (call.call) {
      case "start":
        this.isStarted = true;
        return;
      case "stop":
        this.isStopped = true;
        this.#kernel.stop();
        return;
      case "signal":
        return this.#signal(call.pid, call.signo);
      case "exec":
        return this.#exec(fds);
      case "resize":
        return this.#starter.updateWindowSizes();
      case "state":
        return this.#state();
      case "probe":
        return this.#probe(call.source);
    }
    throw new BootError(ExitStatus.Usage, "the sandbox has no such call");
  };

  #process(pid: number): ThreadGroup {
    const task = this.#kernel.rootPidNamespace.task(pid);
    if (task !== null && task.threadGroup.pid === pid) return task.threadGroup;
    throw new BootError(ExitStatus.Failure, `no process ${pid}`);
  }

  #signal(pid: number, signo: number): void {
    if (!Number.isInteger(signo) || signo < 0 || signo > NSIG) {
      throw new BootError(ExitStatus.Usage, `no signal ${signo}`);
    }
    const process = this.#process(pid === 0 ? FIRST_PID : pid);
    if (signo !== 0) sendFromOutside(process, signo);
  }

  #exec(fds: number[]): number {
    if (fds.length !== EXEC_FDS) {
      throw new BootError(ExitStatus.Usage, "exec takes four descriptors");
    }
    const spec = readDocument(this.#descriptors, fds[0]!) as ProcessSpec;
    const pid = this.#starter.start(spec, fds.splice(1));
    this.#watched.add(pid);
    return pid;
  }

  #onExit(process: ThreadGroup): void {
    if (process.namespace !== this.#kernel.rootPidNamespace) return;
    if (!this.#watched.delete(process.pid)) return;
    this.#starter.onExit(process.pid);
    // The end of the first one is the end of the kernel, which tells itself.
    if (process.pid === FIRST_PID) return;
    this.onExit?.(process.pid, process.exitStatus);
  }

  #state(): SandboxState {
    const pids: number[] = [];
    for (const task of this.#kernel.rootPidNamespace.tasks()) {
      if (task.threadGroup.pid === task.tid) pids.push(task.tid);
    }
    return { isRunning: this.isStarted || pids.length > 0, pids };
  }

  #probe(source: string): string {
    if (this.#runProbe !== null) return this.#runProbe(source);
    throw new BootError(ExitStatus.Usage, "the sandbox has no such call");
  }
}
