/**
 * What the runtime's commands may ask for: signals, further processes, a pause,
 * the terminal's size, the end. Runs between guest steps.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import {
  NSIG,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGURG,
  SIGWINCH,
} from "../../kernel/abi/signal.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { sendFromOutside } from "../../kernel/task/signal_send.ts";
import type { ThreadGroup } from "../../kernel/task/thread_group.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { ProcessSpec } from "./boot_spec.ts";
import type { ControlServer } from "./control_server.ts";
import { readDocument } from "./document.ts";
import type {
  Call,
  ProcessRow,
  SandboxState,
  SandboxStats,
} from "./messages.ts";
import type { Probe } from "./probe.ts";
import { ProcessProxy } from "./process_proxy.ts";
import type { ProcessStarter } from "./process_starter.ts";

/** A document and three streams; the connection with a proxy may follow. */
const EXEC_FDS = 4;
const FIRST_PID = 1;
const ALL_PIDS = -1;
const NS_PER_SEC = 1e9;

/** Ignored by a process that has not thought about signals. */
const HARMLESS: ReadonlySet<number> = new Set([
  0,
  SIGCHLD,
  SIGCONT,
  SIGURG,
  SIGWINCH,
]);

/** Who is told of the end of a process. */
interface Watcher {
  readonly connection: ControlServer | null;
  readonly proxy: ProcessProxy | null;
  /** Pid of the proxy on the host. */
  readonly proxyPid: number;
}

export class ContainerCalls {
  isStarted = false;
  isStopped = false;
  /** The sandbox outlives the connection with the process that started us. */
  isKept = false;
  /** Wait status of a container that was ended before it was started. */
  endStatus: number | null = null;

  readonly #kernel: Kernel;
  readonly #starter: ProcessStarter;
  readonly #descriptors: DescriptorMaker;
  readonly #channels: GoferChannels;
  readonly #runProbe: Probe | null;
  readonly #isLoadedBeforeStart: boolean;
  /** Processes whose end is to be reported. */
  readonly #watchers = new Map<number, Watcher[]>();

  constructor(parts: {
    readonly kernel: Kernel;
    readonly starter: ProcessStarter;
    readonly descriptors: DescriptorMaker;
    readonly channels: GoferChannels;
    readonly probe: Probe | null;
    /** The first process exists, paused, until "start". */
    readonly isLoadedBeforeStart: boolean;
  }) {
    this.#kernel = parts.kernel;
    this.#starter = parts.starter;
    this.#descriptors = parts.descriptors;
    this.#channels = parts.channels;
    this.#runProbe = parts.probe;
    this.#isLoadedBeforeStart = parts.isLoadedBeforeStart;
    this.#kernel.onExit = (process) => this.#onExit(process);
  }

  /** Tells this connection, and this proxy, how the process ends. */
  watch(pid: number, watcher: Watcher): void {
    const known = this.#watchers.get(pid);
    if (known === undefined) this.#watchers.set(pid, [watcher]);
    else known.push(watcher);
    watcher.proxy?.serve({
      onSignal: (signo) => this.#onProxySignal(pid, signo),
      onLost: () => pid === FIRST_PID ? this.#kernel.stop() : this.#kill(pid),
    });
  }

  /** The first process has ended, and the kernel with it. */
  reportEnd(status: number): void {
    this.#report(FIRST_PID, status);
  }

  /** Answers a call. Throws a BootError for a refusal. */
  readonly handle = (
    call: Call,
    fds: number[],
    from: ControlServer,
  ): unknown => {
    switch (call.call) {
      case "start":
        return this.#start();
      case "keep":
        this.isKept = true;
        return;
      case "stop":
        this.isStopped = true;
        this.#kernel.stop();
        return;
      case "signal":
        return this.#signal(call.pid, call.signo);
      case "exec":
        return this.#exec(fds, call.proxy ?? 0, from);
      case "watch":
        return this.watch(FIRST_PID, {
          connection: from,
          proxy: null,
          proxyPid: 0,
        });
      case "resize":
        return this.#starter.updateWindowSizes();
      case "pause":
        this.#checkStarted();
        return this.#kernel.pause();
      case "resume":
        this.#checkStarted();
        return this.#kernel.resume();
      case "state":
        return this.#state();
      case "processes":
        return this.#processes();
      case "stats":
        return this.#stats();
      case "probe":
        return this.#probe(call.source);
    }
    throw new BootError(ExitStatus.Usage, "the sandbox has no such call");
  };

  #start(): void {
    if (this.isStarted) {
      throw new BootError(ExitStatus.Failure, "the container is started");
    }
    this.isStarted = true;
    if (this.#isLoadedBeforeStart) this.#kernel.resume();
  }

  #checkStarted(): void {
    if (this.isStarted || !this.#isLoadedBeforeStart) return;
    throw new BootError(ExitStatus.Failure, "the container is not started");
  }

  #process(pid: number): ThreadGroup {
    const task = this.#kernel.rootPidNamespace.task(pid);
    if (task !== null && task.threadGroup.pid === pid) return task.threadGroup;
    throw new BootError(ExitStatus.Failure, `no process ${pid}`);
  }

  #signal(pid: number, signo: number): void {
    if (!Number.isInteger(signo) || signo < 0 || signo > NSIG) {
      throw new BootError(ExitStatus.Usage, `no signal ${signo}`);
    }
    const isLoaded = this.#isLoadedBeforeStart && !this.isStarted;
    if (isLoaded && !HARMLESS.has(signo)) {
      // It has no handler yet, and takes no step in which it could die.
      this.endStatus = signo;
      this.#kernel.stop();
      return;
    }
    const processes = pid === ALL_PIDS
      ? this.#leaders()
      : [this.#process(pid === 0 ? FIRST_PID : pid)];
    if (signo === 0) return;
    for (const process of processes) sendFromOutside(process, signo);
    // As where there is a freezer: a kill is for frozen processes, too.
    if (signo === SIGKILL && this.isStarted) this.#kernel.resume();
  }

  #onProxySignal(pid: number, signo: number): void {
    // The host's terminal tells its session leader, which the proxy is.
    if (signo === SIGWINCH) this.#starter.updateWindowSizes();
    else if (this.#kernel.rootPidNamespace.task(pid) !== null) {
      this.#signal(pid, signo);
    }
  }

  #kill(pid: number): void {
    if (this.#kernel.rootPidNamespace.task(pid) === null) return;
    this.#signal(pid, SIGKILL);
  }

  #exec(fds: number[], proxyPid: number, from: ControlServer): number {
    if (fds.length !== EXEC_FDS && fds.length !== EXEC_FDS + 1) {
      throw new BootError(ExitStatus.Usage, "exec takes four descriptors");
    }
    this.#checkStarted();
    if (this.#kernel.isPaused) {
      throw new BootError(ExitStatus.Failure, "the container is paused");
    }
    const spec = readDocument(this.#descriptors, fds[0]!) as ProcessSpec;
    const pid = this.#starter.start(spec, fds.splice(1, EXEC_FDS - 1));
    const [connection] = fds.splice(1);
    const proxy = connection === undefined ? null : new ProcessProxy({
      channels: this.#channels,
      readiness: this.#kernel.readiness,
      descriptors: this.#descriptors,
    }, connection);
    this.watch(pid, { connection: from, proxy, proxyPid });
    return pid;
  }

  #onExit(process: ThreadGroup): void {
    if (process.namespace !== this.#kernel.rootPidNamespace) return;
    if (!this.#watchers.has(process.pid)) return;
    this.#starter.onExit(process.pid);
    // The end of the first one is the end of the kernel, which tells itself.
    if (process.pid === FIRST_PID) return;
    this.#report(process.pid, process.exitStatus);
  }

  #report(pid: number, status: number): void {
    const watchers = this.#watchers.get(pid) ?? [];
    this.#watchers.delete(pid);
    for (const { connection, proxy } of watchers) {
      if (connection?.isOpen) connection.send({ event: "exited", pid, status });
      proxy?.end(status);
    }
  }

  #leaders(): ThreadGroup[] {
    const leaders: ThreadGroup[] = [];
    for (const task of this.#kernel.rootPidNamespace.tasks()) {
      if (task.threadGroup.pid === task.tid) leaders.push(task.threadGroup);
    }
    return leaders;
  }

  #state(): SandboxState {
    const pids = this.#leaders().map(({ pid }) => pid);
    const proxies = [...this.#watchers.values()].flat()
      .map(({ proxyPid }) => proxyPid).filter((pid) => pid !== 0);
    return { isRunning: this.isStarted || pids.length > 0, pids, proxies };
  }

  #processes(): ProcessRow[] {
    return this.#leaders().filter(({ isZombie }) => !isZombie).map((group) => ({
      uid: group.leader.credentials.uid,
      pid: group.pid,
      ppid: group.parent?.pid ?? 0,
      startSec: group.startNs / NS_PER_SEC,
      cpuSec: (group.userNs + group.systemNs) / NS_PER_SEC,
      name: group.leader.comm,
    }));
  }

  #stats(): SandboxStats {
    const leaders = this.#leaders();
    const sum = (of: (group: ThreadGroup) => number) =>
      leaders.reduce((total, group) => total + of(group), 0);
    return {
      cpuUserNs: sum((group) => group.userNs + group.childrenUserNs),
      cpuSystemNs: sum((group) => group.systemNs + group.childrenSystemNs),
      processes: leaders.length,
      memoryBytes: this.#kernel.memoryFile.allocatedBytes,
    };
  }

  #probe(source: string): string {
    if (this.#runProbe !== null) return this.#runProbe(source);
    throw new BootError(ExitStatus.Usage, "the sandbox has no such call");
  }
}
