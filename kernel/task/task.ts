/**
 * Task: one thread (struct task_struct). The class holds the state; what
 * happens to it is told in the files beside it: task_run.ts (stops and
 * resumes), task_block.ts, task_clone.ts, task_exec.ts, task_exit.ts,
 * signal_send.ts and signal_deliver.ts.
 * @module
 */
import { ERESTARTSYS, type Errno } from "../abi/errno.ts";
import { O_CLOEXEC } from "../abi/fcntl.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { FRAME_WORDS, Registers } from "../arch/x64/registers.ts";
import type { IpcNamespace } from "../ipc/ipc_namespace.ts";
import type { UndoList } from "../ipc/sem.ts";
import type { MemoryManager } from "../mm/memory_manager.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Clock } from "../time/clock.ts";
import type { Context } from "../../platforms/platform.ts";
import type { Caller, JobControl } from "../vfs/caller.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import type { FsContext } from "../vfs/fs_context.ts";
import type { Credentials } from "./credentials.ts";
import type { FdTable } from "./fd_table.ts";
import { TaskJobControl } from "./job_control.ts";
import type { MemoryBarrier } from "./memory_barrier.ts";
import type { KernelServices } from "./kernel_services.ts";
import { PendingSignals } from "./pending_signals.ts";
import type { PidNamespace } from "./pid_namespace.ts";
import type { StopPoint, Tracee } from "./ptrace.ts";
import type { SeccompState } from "./seccomp.ts";
import type { SignalInfo } from "./signal_info.ts";
import { raiseOn } from "./signal_send.ts";
import { SignalSet } from "./signal_set.ts";
import { type Blocked, Blocker, RestartState } from "./task_block.ts";
import type { ThreadGroup } from "./thread_group.ts";
import type { UtsNamespace } from "./uts_namespace.ts";

/**
 * guest: resumed, the platform has it. kernel: the run loop or a handler works
 * on it, or it waits on the run queue. blocked: parked in task_block.ts.
 * stopped: job control. dead: exited; only its number may be left.
 */
export type TaskState = "guest" | "kernel" | "blocked" | "stopped" | "dead";

export interface TaskFields {
  readonly kernel: KernelServices;
  readonly tid: number;
  readonly namespace: PidNamespace;
  readonly context: Context;
  readonly memory: MemoryManager;
  readonly fdTable: FdTable;
  readonly fsContext: FsContext;
  readonly credentials: Credentials;
  readonly uts: UtsNamespace;
  readonly ipc: IpcNamespace;
  readonly comm: string;
}

export class Task implements Caller {
  // Immutable.
  readonly kernel: KernelServices;
  readonly namespace: PidNamespace;
  readonly jobControl: JobControl;
  readonly blocker: Blocker;
  readonly restart = new RestartState();
  /** Copy of the current call's arguments; see setFrame(). */
  readonly frame: Uint32Array<ArrayBuffer> = new Uint32Array(FRAME_WORDS);

  // Set once, by whoever creates the task.
  threadGroup!: ThreadGroup;

  // Replaced by execve and its kin.
  /** Changes only when a thread other than the leader calls execve. */
  tid: number;
  context: Context;
  registers: Registers;
  memory: MemoryManager;
  /** What execve(2) left: released once the context runs in the new space. */
  oldMemory: MemoryManager | null = null;
  fdTable: FdTable;
  fsContext: FsContext;
  credentials: Credentials;
  uts: UtsNamespace;
  ipc: IpcNamespace;
  /** semop(2) with SEM_UNDO; null before the first. */
  semaphoreUndo: UndoList | null = null;
  /** PR_SET_NAME, at most 15 bytes. */
  comm: string;
  noNewPrivileges = false;
  keepCapabilities = false;
  /** prctl(2) PR_SET_PDEATHSIG. */
  parentDeathSignal = 0;
  personality = 0;
  nice = 0;
  timerSlackNs = 50_000;
  /** CPU mask of sched_setaffinity(2); null: every CPU. */
  affinity: Uint8Array | null = null;
  /** SCHED_*, and the priority of SCHED_FIFO and SCHED_RR. */
  schedulingPolicy = 0;
  realtimePriority = 0;
  /** SCHED_RESET_ON_FORK was given. */
  resetsSchedulingOnFork = false;
  /** ioprio_set(2). */
  ioPriority = 0;

  // Signals.
  readonly blocked = new SignalSet();
  readonly pending = new PendingSignals();
  /** Woken when a signal becomes pending: sigwait(3), signalfd(2). */
  readonly signalQueue = new WaitQueue();
  /** Mask to go back to once the current call ended (ppoll, sigsuspend). */
  readonly savedMask = new SignalSet();
  hasSavedMask = false;
  altStackBase = 0;
  altStackSize = 0;
  altStackFlags: number;

  /** CPU state of the last fault, for sigcontext. */
  faultTrapno = 0;
  faultError = 0;
  faultAddr = 0;

  // Run state.
  state: TaskState = "kernel";
  /** On the kernel's run queue already. */
  isQueued = false;
  /** Number of the system call whose handler is running or parked; -1: none. */
  syscall = -1;
  /** ERESTART* of the last call, decided on the way back to user mode. */
  restartCode: Errno | null = null;
  /** The next call repeats an interrupted one: `restart` is kept. */
  isRestarting = false;
  /** Must exit at its next chance (exit_group, fatal signal, exec). */
  isKilled = false;
  /** vfork(2): this task waits until the child lets go of its memory. */
  vforkChild: Task | null = null;
  vforkParent: Task | null = null;
  /** seccomp(2); null: every call may run. */
  seccomp: SeccompState | null = null;
  /** Set while a tracer has it. */
  ptrace: Tracee | null = null;
  /** Where it goes on after a stop for its tracer; null: not in one. */
  stopPoint: StopPoint | null = null;
  /** A signal that the tracer let through. */
  injectedSignal: SignalInfo | null = null;
  /** membarrier(2) calls that wait for this task to enter the kernel. */
  barriers: MemoryBarrier[] | null = null;
  /** The thread that forked this one. */
  forkedBy: Task | null = null;

  // set_tid_address(2), set_robust_list(2), rseq(2).
  clearChildTid = 0;
  robustList = 0;
  rseqAddr = 0;
  rseqSize = 0;
  rseqSignature = 0;

  // CPU time, ns.
  userNs = 0;
  systemNs = 0;
  /** CLOCK_MONOTONIC of the last resume. */
  resumedNs = 0;
  readonly startNs: number;

  constructor(fields: TaskFields) {
    this.kernel = fields.kernel;
    this.tid = fields.tid;
    this.namespace = fields.namespace;
    this.context = fields.context;
    this.registers = new Registers(fields.context);
    this.memory = fields.memory;
    this.fdTable = fields.fdTable;
    this.fsContext = fields.fsContext;
    this.credentials = fields.credentials;
    this.uts = fields.uts;
    this.ipc = fields.ipc.acquire();
    this.comm = fields.comm;
    this.context.owner = this;
    this.blocker = new Blocker(this);
    this.jobControl = new TaskJobControl(this);
    this.startNs = fields.kernel.clock.monotonicNs();
    this.altStackFlags = 2; // SS_DISABLE
  }

  // Caller.
  get identity(): Credentials {
    return this.credentials;
  }
  get clock(): Clock {
    return this.kernel.clock;
  }
  get lockOwner(): FdTable {
    return this.fdTable;
  }
  get processId(): number {
    return this.threadGroup.pid;
  }
  get threadId(): number {
    return this.tid;
  }
  limit(resource: number): number {
    return this.threadGroup.limits.soft[resource]!;
  }
  raise(signo: number): void {
    raiseOn(this, signo);
  }
  installFile(file: FileDescription, flags: number): number | Errno {
    const fd = this.fdTable.install(file, {
      closeOnExec: (flags & O_CLOEXEC) !== 0,
      limit: this.limit(RLIMIT_NOFILE),
    });
    if (typeof fd !== "number") file.release();
    return fd;
  }

  get isLeader(): boolean {
    return this.threadGroup.leader === this;
  }

  /** The file behind a descriptor, or EBADF; the table keeps the reference. */
  file(fd: number): FileDescription | Errno {
    return this.fdTable.file(fd);
  }

  /**
   * Waits for one of `mask` (POLL* bits) on `queue`, until CLOCK_MONOTONIC
   * reaches `deadlineNs`. See task_block.ts. ERESTARTSYS, ETIMEDOUT.
   */
  block(
    queue: WaitQueue,
    mask?: number,
    deadlineNs: number = Infinity,
  ): Blocked | Errno {
    this.blocker.waitOn(queue, mask);
    return this.blocker.park(deadlineNs);
  }

  /** The absolute deadline of this call: computed at its first run, kept for
   * those after. `timeoutNs` Infinity: none. */
  deadlineAfter(timeoutNs: number): number {
    if (this.restart.deadlineNs < 0) {
      this.restart.deadlineNs = this.kernel.clock.monotonicNs() + timeoutNs;
    }
    return this.restart.deadlineNs;
  }

  /** Replaces the signal mask until the current call ended (ppoll, pselect6,
   * epoll_pwait, rt_sigsuspend). Safe to call again when the handler reruns. */
  setTemporaryMask(low: number, high: number): void {
    if (!this.hasSavedMask) {
      this.savedMask.assign(this.blocked);
      this.hasSavedMask = true;
    }
    this.setBlocked(low, high);
  }

  /** Sets the signal mask; SIGKILL and SIGSTOP cannot be blocked. */
  setBlocked(low: number, high: number): void {
    // Bits of SIGKILL (9) and SIGSTOP (19).
    this.blocked.assignWords(low & ~0x40100, high);
  }

  /** A signal waits that is not blocked, or the task must exit or stop. */
  get hasPendingSignal(): boolean {
    const group = this.threadGroup;
    const { low, high } = this.blocked;
    return this.isKilled ||
      (((this.pending.set.low | group.pending.set.low) & ~low) |
          ((this.pending.set.high | group.pending.set.high) & ~high)) !== 0 ||
      group.isStopped || (this.ptrace !== null && this.ptrace.wantsTrap);
  }

  /** ERESTARTSYS if a signal should interrupt the call, else null. */
  interruption(): Errno | null {
    return this.hasPendingSignal ? ERESTARTSYS : null;
  }
}
