/**
 * Kernel: assembled from a Host's capabilities; owns the run loop. One thread,
 * synchronous: stopped contexts, host events and expired timers make tasks
 * runnable, and each handler runs to completion.
 * @module
 */
import { ENOSYS, type Errno, isErrno } from "./abi/errno.ts";
import { RLIMIT_STACK } from "./abi/resource.ts";
import { SYSCALL_NAMES } from "./arch/x64/syscall_table.ts";
import { registerFileSystems } from "./file_systems.ts";
import type { Terminals } from "./fs/devpts/tty_drivers.ts";
import { AnonInodes } from "./fs/anon_inode.ts";
import { HostReadiness } from "./fs/host/host_readiness.ts";
import { PipeFileSystem } from "./fs/pipefs.ts";
import { Memfds } from "./fs/tmpfs/memfd.ts";
import type { Host } from "./host.ts";
import { IpcNamespace } from "./ipc/ipc_namespace.ts";
import { Vdso } from "./loader/vdso.ts";
import { drawLayout } from "./mm/address_layout.ts";
import { MemoryFile } from "./mm/memory_file.ts";
import { MemoryManager } from "./mm/memory_manager.ts";
import { RunQueue } from "./run_queue.ts";
import { showCall, showResult } from "./syscalls/strace.ts";
import { setFrame, type SysResult } from "./syscalls/syscall.ts";
import { createSockets } from "./socket_families.ts";
import type { SocketFileSystem } from "./socket/socket.ts";
import { SYSCALLS } from "./syscalls/table.ts";
import { FutexTable } from "./task/futex.ts";
import type { CpuTimer } from "./task/cpu_clock.ts";
import type { KernelServices } from "./task/kernel_services.ts";
import type { Limits } from "./task/limits.ts";
import { PiFutexTable } from "./task/pi_futex.ts";
import { PidNamespace } from "./task/pid_namespace.ts";
import { Task } from "./task/task.ts";
import { BLOCKED } from "./task/task_block.ts";
import { continueTask, onStop } from "./task/task_run.ts";
import type { ThreadGroup } from "./task/thread_group.ts";
import { Clock } from "./time/clock.ts";
import { Timekeeper } from "./time/timekeeper.ts";
import { TimerQueue } from "./time/timer_queue.ts";
import { VirtualFilesystem } from "./vfs/virtual_filesystem.ts";
import type { AddressSpace, Context } from "../platforms/platform.ts";

/** How often CPU-time timers of running guests are looked at. */
const CPU_TICK_NS = 10_000_000;

/** Stopped contexts that one turn of the run loop handles at most. */
const MAX_STOPS_PER_TURN = 256;

export interface KernelOptions {
  /** Pid 1 takes only signals it has handlers for, as on Linux. */
  readonly isInitProtected: boolean;
}

/** Part of the host's memory that cached file pages may take. */
const FILE_CACHE_SHARE = 0.25;

/** Why run() returned. */
export type KernelEnd =
  /** Pid 1 ended: its wait status. */
  | { readonly kind: "exited"; readonly status: number }
  /** The sandbox cannot go on. */
  | { readonly kind: "failed"; readonly reason: string }
  /** stop() was called. */
  | { readonly kind: "stopped" };

export class Kernel implements KernelServices {
  readonly host: Host;
  readonly clock: Clock;
  readonly timers = new TimerQueue();
  readonly memoryFile: MemoryFile;
  readonly vfs = new VirtualFilesystem();
  readonly memfds: Memfds;
  readonly anonInodes: AnonInodes;
  readonly pipes: PipeFileSystem;
  readonly sockets: SocketFileSystem;
  readonly terminals: Terminals;
  readonly readiness: HostReadiness;
  readonly futexes = new FutexTable();
  readonly piFutexes = new PiFutexTable();
  readonly rootPidNamespace = new PidNamespace(null);
  readonly rootIpcNamespace = new IpcNamespace();
  readonly isInitProtected: boolean;
  readonly vdso: Vdso | null;
  /** What guests asked for and we do not have, with how often. */
  readonly unimplemented = new Map<string, number>();
  /** Calls dispatched so far. */
  syscallCount = 0;
  nowNs: number;

  readonly cpuTimers = new Set<CpuTimer>();

  readonly #queue = new RunQueue();
  readonly #isStrace: boolean;
  #end: KernelEnd | null = null;
  #isPaused = false;
  /** Stops that came while paused. */
  readonly #held: Context[] = [];
  /** Told of every process that becomes a zombie. */
  onExit: ((process: ThreadGroup) => void) | null = null;

  constructor(host: Host, options: KernelOptions) {
    this.host = host;
    this.clock = new Clock(host.clock);
    this.nowNs = this.clock.monotonicNs();
    this.memoryFile = new MemoryFile(host.memory);
    this.memoryFile.commitLimitBytes = host.info.memoryBytes;
    this.memoryFile.caches.limitBytes = host.info.memoryBytes *
      FILE_CACHE_SHARE;
    this.readiness = new HostReadiness(host.reactor);
    this.isInitProtected = options.isInitProtected;
    this.#isStrace = host.log.isStrace;
    const { clock } = this;
    this.memfds = new Memfds({
      memoryFile: this.memoryFile,
      clock,
      device: this.vfs.newDevice(),
    });
    this.anonInodes = new AnonInodes({ device: this.vfs.newDevice(), clock });
    this.pipes = new PipeFileSystem({
      memory: host.memory,
      pages: this.memoryFile,
      clock,
      device: this.vfs.newDevice(),
    });
    this.sockets = createSockets(this);
    this.vfs.openFifo = (path, flags, caller) =>
      this.pipes.openFifo(path, flags, caller);
    this.vdso = this.#createVdso();
    this.terminals = registerFileSystems(this);
  }

  #createVdso(): Vdso | null {
    const { info, clock, log } = this.host;
    if (info.vdso.length === 0) return null;
    const timekeeper = new Timekeeper(clock, info.tscHz);
    const vdso = Vdso.create(
      this.memoryFile,
      this.timers,
      timekeeper,
      info.vdso,
      () => this.#isAnyGuestRunning(),
    );
    if (!isErrno(vdso)) return vdso;
    log.warn(`no vDSO: ${vdso.name}`);
    return null;
  }

  #isAnyGuestRunning(): boolean {
    for (const task of this.rootPidNamespace.tasks()) {
      if (task.state === "guest") return true;
    }
    return false;
  }

  newMemoryManager(
    space: AddressSpace,
    limits: Limits,
    { isRandomized }: { readonly isRandomized: boolean },
  ): MemoryManager {
    const { minAddress, maxAddress } = this.host.platform.info;
    const layout = drawLayout({
      minAddress,
      maxAddress,
      stackLimit: limits.soft[RLIMIT_STACK]!,
      random: isRandomized ? () => this.#random32() : null,
    });
    const file = this.memoryFile;
    return new MemoryManager({ file, addressSpace: space, layout, limits });
  }

  #random32(): number {
    const bytes = new Uint8Array(4);
    this.host.randomBytes(bytes);
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  makeRunnable(task: Task): void {
    this.#queue.push(task);
  }

  invokeSyscall(task: Task, number: number): SysResult {
    const definition = SYSCALLS[number];
    this.syscallCount++;
    setFrame(task.frame);
    if (this.#isStrace) return this.#traceSyscall(task, number);
    if (definition === undefined) return this.#unknownSyscall(task, number);
    return definition.invoke(task);
  }

  #unknownSyscall(task: Task, number: number): Errno {
    this.noteUnimplemented(task, SYSCALL_NAMES[number] ?? `${number}`);
    return ENOSYS;
  }

  #traceSyscall(task: Task, number: number): SysResult {
    const definition = SYSCALLS[number];
    const call = showCall(task, number, definition);
    const result = definition === undefined
      ? this.#unknownSyscall(task, number)
      : definition.invoke(task);
    if (result !== BLOCKED) {
      this.host.log.strace(`${call} = ${showResult(task, result)}`);
    }
    return result;
  }

  noteUnimplemented(task: Task, what: string): void {
    const count = this.unimplemented.get(what) ?? 0;
    this.unimplemented.set(what, count + 1);
    if (count === 0) {
      this.host.log.debug(`unimplemented: ${what} (task ${task.tid})`);
    }
  }

  onProcessExit(process: ThreadGroup): void {
    if (process.pid === 1 && process.namespace === this.rootPidNamespace) {
      this.#end ??= { kind: "exited", status: process.exitStatus };
    }
    this.onExit?.(process);
  }

  onContextDeath(task: Task): void {
    const status = task.context.hostStatus;
    this.fail(
      `the host process behind task ${task.tid} (${task.comm}) died, ` +
        `wait status ${status}`,
    );
  }

  /** Ends run() with a reason; what runs is killed by the platform's close. */
  fail(reason: string): void {
    this.#end ??= { kind: "failed", reason };
  }
  stop(): void {
    this.#end ??= { kind: "stopped" };
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }
  /** Freezes every process, as the cgroup freezer does: they take no step and
   * no signal until resume(). What is asked from outside is still heard. */
  pause(): void {
    this.#isPaused = true;
    for (const task of this.rootPidNamespace.tasks()) {
      if (task.state === "guest") task.context.interrupt();
    }
  }
  resume(): void {
    this.#isPaused = false;
  }

  /** Returns when the kernel is resumed or must end. */
  #runPaused(): void {
    const { platform } = this.host;
    while (this.#isPaused && this.#end === null) {
      for (;;) {
        const context = platform.nextStopped();
        if (context === null) break;
        this.#held.push(context);
      }
      if (platform.takeRing() || this.readiness.hasDeferred) {
        this.readiness.drain();
      } else platform.wait(Infinity);
    }
    this.nowNs = this.clock.monotonicNs();
    for (const context of this.#held.splice(0)) this.#handleStop(context);
  }

  /** The run loop. Returns when pid 1 has exited or the sandbox must end. */
  run(): KernelEnd {
    const { platform } = this.host;
    for (;;) {
      if (this.#isPaused) this.#runPaused();
      this.nowNs = this.clock.monotonicNs();
      const task = this.#handleStops();
      if (platform.takeRing() || this.readiness.hasDeferred) {
        this.readiness.drain();
      }
      this.timers.expire(this.nowNs);
      for (const timer of this.cpuTimers) timer.checkCpuTime();
      this.#runTasks();
      if (this.memoryFile.caches.isOver) this.memoryFile.caches.reclaim();
      if (platform.isBroken) {
        this.fail("a process that guests run in was killed");
      }
      if (this.#end !== null) return this.#end;
      // The turn's time goes to one of the tasks that it was for; a lone busy
      // task is charged exactly.
      if (task !== null) {
        task.systemNs += this.clock.monotonicNs() - this.nowNs;
      }
      if (!this.#queue.isEmpty || this.readiness.hasDeferred) continue;
      platform.wait(this.#nextDeadlineNs());
    }
  }

  /** Handles stopped contexts, not so many that timers and the host would have
   * to wait; the last one's task. */
  #handleStops(): Task | null {
    const { platform } = this.host;
    let last: Task | null = null;
    for (let left = MAX_STOPS_PER_TURN; left > 0; left--) {
      const context = platform.nextStopped();
      if (context === null) return last;
      last = this.#handleStop(context) ?? last;
      if (this.#end !== null) return last;
    }
    return last;
  }

  #handleStop(context: Context): Task | null {
    const task = context.owner;
    if (!(task instanceof Task)) return null;
    const used = this.nowNs - task.resumedNs;
    if (used > 0) task.userNs += used;
    onStop(task);
    return task;
  }

  /** One round: tasks queued meanwhile wait for the next, so that stops and
   * host events are never starved. */
  #runTasks(): void {
    if (!this.#queue.isEmpty) this.vdso?.wake();
    for (let left = this.#queue.length; left > 0; left--) {
      continueTask(this.#queue.shift());
      if (this.#end !== null) return;
    }
  }

  #nextDeadlineNs(): number {
    const deadline = this.timers.nextDeadlineNs;
    if (this.cpuTimers.size === 0) return deadline;
    return Math.min(deadline, this.nowNs + CPU_TICK_NS);
  }
}
