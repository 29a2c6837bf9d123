/**
 * ThreadGroup: a process (struct signal_struct): what its threads share beside
 * memory, files and handlers. It outlives its last thread as a zombie until
 * its parent waits.
 * @module
 */
import { RLIMIT_CPU } from "../abi/resource.ts";
import { SIGCHLD } from "../abi/signal.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { VfsPath } from "../vfs/mount.ts";
import { CpuLimit } from "./cpu_clock.ts";
import type { ProcessGroup } from "./job_control.ts";
import type { IntervalTimers } from "./interval_timers.ts";
import type { Limits } from "./limits.ts";
import type { PosixTimers } from "./posix_timers.ts";
import { PendingSignals } from "./pending_signals.ts";
import type { PidNamespace } from "./pid_namespace.ts";
import type { SignalHandlers } from "./signal_handlers.ts";
import type { Task } from "./task.ts";

export class ThreadGroup {
  // Immutable.
  readonly namespace: PidNamespace;
  readonly pid: number;
  readonly startNs: number;

  // Membership.
  leader: Task;
  readonly tasks = new Set<Task>();
  parent: ThreadGroup | null = null;
  readonly children = new Set<ThreadGroup>();
  /** Tasks that its threads trace, until they were waited for. */
  readonly tracees = new Set<Task>();
  processGroup: ProcessGroup;
  isSubreaper = false;
  /** Signal for the parent at exit; 0: none (clone without SIGCHLD). */
  exitSignal: number = SIGCHLD;
  /** execve(2) was called since fork: setpgid(2) on it fails. */
  hasExeced = false;

  // Signals.
  readonly pending = new PendingSignals();
  handlers: SignalHandlers;

  // Exit: the status is decided by the first exit_group or fatal signal.
  isExiting = false;
  exitStatus = 0;
  isZombie = false;
  /** Set while a thread's execve waits for the others to go. */
  execTask: Task | null = null;

  // Job control. stopSignal is the signal while a stop is in force, which is
  // complete once every thread has stopped; then wait*(2) may report it.
  stopSignal = 0;
  isStopComplete = false;
  hasUnreportedStop = false;
  hasUnreportedContinue = false;

  /** Woken when a child changes state: wait*(2) parks here. */
  readonly childQueue = new WaitQueue();
  /** Woken at exit: pidfd readiness. */
  readonly exitQueue = new WaitQueue();

  limits: Limits;
  timers: IntervalTimers | null = null;
  posixTimers: PosixTimers | null = null;
  /** Made when RLIMIT_CPU is limited. */
  cpuLimit: CpuLimit | null = null;
  /** The executable, for /proc/pid/exe; a reference is held. */
  executable: VfsPath | null = null;
  oomScoreAdjust = 0;
  isDumpable = true;

  // CPU time in ns: of threads that ended, and of children waited for.
  endedUserNs = 0;
  endedSystemNs = 0;
  childrenUserNs = 0;
  childrenSystemNs = 0;
  maxResidentPages = 0;
  childrenMaxResidentPages = 0;

  constructor(fields: {
    readonly namespace: PidNamespace;
    readonly pid: number;
    readonly leader: Task;
    readonly processGroup: ProcessGroup;
    readonly handlers: SignalHandlers;
    readonly limits: Limits;
    readonly startNs: number;
  }) {
    this.namespace = fields.namespace;
    this.pid = fields.pid;
    this.leader = fields.leader;
    this.processGroup = fields.processGroup;
    this.handlers = fields.handlers;
    this.limits = fields.limits;
    this.startNs = fields.startNs;
    this.processGroup.add(this);
  }

  /** True while job control holds it stopped. */
  get isStopped(): boolean {
    return this.stopSignal !== 0;
  }

  /** User CPU time of all threads so far, ns. */
  get userNs(): number {
    let total = this.endedUserNs;
    for (const task of this.tasks) {
      total += task.userNs;
      if (task.state !== "guest") continue;
      total += Math.max(0, task.kernel.nowNs - task.resumedNs);
    }
    return total;
  }
  /** System CPU time of all threads so far, ns. */
  get systemNs(): number {
    let total = this.endedSystemNs;
    for (const task of this.tasks) total += task.systemNs;
    return total;
  }

  /** RLIMIT_CPU may have changed. */
  updateCpuLimit(): void {
    const { soft, hard } = this.limits;
    const isLimited = soft[RLIMIT_CPU] !== Infinity ||
      hard[RLIMIT_CPU] !== Infinity;
    if (isLimited) this.cpuLimit ??= new CpuLimit(this);
    this.cpuLimit?.update();
  }

  /** While it runs, nobody may write to the program (ETXTBSY). */
  setExecutable(path: VfsPath | null): void {
    path?.acquire();
    path?.dentry.inode?.denyWrite();
    this.executable?.dentry.inode?.allowWrite();
    this.executable?.release();
    this.executable = path;
  }
}
