/**
 * Guest ptrace, the tracee's side: stops, what the tracer is told, and how the
 * tracee goes on. The requests are in ../syscalls/sys_ptrace.ts. Source:
 * ptrace(2).
 * @module
 */
import {
  PTRACE_EVENT_EXIT,
  PTRACE_EVENT_STOP,
  PTRACE_O_TRACEEXIT,
  PTRACE_O_TRACESYSGOOD,
} from "../abi/ptrace.ts";
import {
  CLD_TRAPPED,
  SA_NOCLDSTOP,
  SIG_IGN,
  SIGCHLD,
  SIGSTOP,
  SIGTRAP,
  TRAP_BRKPT,
} from "../abi/signal.ts";
import {
  childSignal,
  faultSignal,
  kernelSignal,
  type SignalInfo,
  userSignal,
} from "./signal_info.ts";
import {
  forceSignal,
  interruptTask,
  NS_PER_TICK,
  sendToGroup,
  sendToTask,
} from "./signal_send.ts";
import type { Task } from "./task.ts";

/** How the tracee was told to go on. */
export type ResumeMode = "continue" | "syscall" | "step" | "emulate";

/** Where in the kernel a stopped tracee goes on. */
export type StopPoint =
  /** On its way back to user mode; a signal may be injected. */
  | "user"
  /** At the entry of a system call; the registers say which. */
  | "entry"
  /** A filter let the tracer decide on the call. */
  | "seccomp"
  /** An event within a call whose handler runs again. */
  | "handler"
  /** An event after a call's work was done. */
  | "event"
  /** At the exit of a call. */
  | "exit"
  /** Before its end. */
  | "death";

/** Why it is stopped; what PTRACE_GETSIGINFO shows. */
export interface TraceStop {
  /** Bits 8 and up of the wait status: signal, and event << 8. */
  readonly code: number;
  /** The signal of a signal-delivery stop, else null. */
  readonly isSignal: boolean;
  /** A job-control stop. */
  readonly isGroup: boolean;
}

/** A task under a tracer. */
export class Tracee {
  options: number;
  mode: ResumeMode = "continue";
  stop: TraceStop | null = null;
  /** The tracer has not waited for the stop yet. */
  isUnreported = false;
  /** PTRACE_GETEVENTMSG. */
  message = 0;
  /** Of the stop; PTRACE_SETSIGINFO replaces it. */
  info: SignalInfo | null = null;
  /** PTRACE_INTERRUPT, or the first stop of a seized child. */
  wantsTrap = false;
  /** An event that the call in progress reports once it is done; 0: none. */
  pendingEvent = 0;
  /** PTRACE_EVENT_EXIT was reported. */
  isExitReported = false;
  /** Wait status of a task that ended and was not waited for; -1: lives. */
  deathStatus = -1;
  /** PTRACE_LISTEN: a job-control stop goes on, but SIGCONT is told. */
  isListening = false;

  constructor(
    readonly tracer: Task,
    readonly isSeized: boolean,
    options: number,
  ) {
    this.options = options;
  }

  has(option: number): boolean {
    return (this.options & option) !== 0;
  }
}

/** Makes `tracer` trace `task`. */
export function attach(
  task: Task,
  tracer: Task,
  options: { readonly isSeized: boolean; readonly options: number },
): void {
  task.ptrace = new Tracee(tracer, options.isSeized, options.options);
  tracer.threadGroup.tracees.add(task);
}

/** A child of a traced task is traced too: its first stop awaits it. */
export function attachChild(parent: Task, child: Task): void {
  const { ptrace } = parent;
  if (ptrace === null) return;
  const { isSeized, options } = ptrace;
  attach(child, ptrace.tracer, { isSeized, options });
  if (isSeized) child.ptrace!.wantsTrap = true;
  else child.pending.add(kernelSignal(SIGSTOP));
}

/** Stops the task for its tracer, who is told. Precondition: it is traced. */
export function stopTracee(
  task: Task,
  point: StopPoint,
  stop: TraceStop,
  info: SignalInfo | null = null,
): void {
  const ptrace = task.ptrace!;
  task.stopPoint = point;
  ptrace.stop = stop;
  ptrace.info = info ?? trapInfo(task, stop.code);
  ptrace.isUnreported = true;
  task.state = "stopped";
  notifyTracer(task, stop.code & 0x7f);
}

function trapInfo(task: Task, code: number): SignalInfo {
  return userSignal(
    code & 0x7f,
    task.threadGroup.pid,
    task.credentials.uid,
    code,
  );
}

/** SIGCHLD for the tracer, and its wait*(2) wakes. */
export function notifyTracer(task: Task, status: number): void {
  const group = task.ptrace!.tracer.threadGroup;
  const action = group.handlers.get(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    sendToGroup(
      group,
      childSignal(
        SIGCHLD,
        CLD_TRAPPED,
        task.tid,
        task.credentials.uid,
        status,
        Math.floor(task.userNs / NS_PER_TICK),
        Math.floor(task.systemNs / NS_PER_TICK),
      ),
    );
  }
  group.childQueue.wake();
}

/** Status of an event stop: SIGTRAP with the event above it. */
export function eventCode(event: number): number {
  return (event << 8) | SIGTRAP;
}

/** An event stop at `point`. */
export function stopForEvent(
  task: Task,
  event: number,
  point: StopPoint,
): void {
  stopTracee(task, point, {
    code: eventCode(event),
    isSignal: false,
    isGroup: false,
  });
}

/** Stops at the entry or exit of a system call. */
export function stopForSyscall(task: Task, point: "entry" | "exit"): void {
  const isMarked = task.ptrace!.has(PTRACE_O_TRACESYSGOOD);
  stopTracee(task, point, {
    code: SIGTRAP | (isMarked ? 0x80 : 0),
    isSignal: false,
    isGroup: false,
  });
}

/** A job-control stop as a tracer sees it. */
export function stopWithGroup(task: Task, signo: number): void {
  const { isSeized } = task.ptrace!;
  stopTracee(task, "user", {
    code: isSeized ? (PTRACE_EVENT_STOP << 8) | signo : signo,
    isSignal: false,
    isGroup: true,
  });
}

/** A step ended at a system call instead of an instruction. */
export function reportStep(task: Task): void {
  const rip = task.registers.get("rip");
  forceSignal(task, faultSignal(SIGTRAP, TRAP_BRKPT, rip));
}

/** The tracer lets a stopped tracee go on, with `signo` (0: none). */
export function resumeTracee(
  task: Task,
  mode: ResumeMode,
  signo: number,
): void {
  const ptrace = task.ptrace!;
  const { stop } = ptrace;
  if (stop === null) return;
  ptrace.mode = mode;
  ptrace.isUnreported = false;
  ptrace.isListening = false;
  ptrace.stop = null;
  if (signo !== 0) {
    const kept = stop.isSignal && ptrace.info?.signo === signo;
    const { tracer } = ptrace;
    const info = kept
      ? ptrace.info
      : userSignal(signo, tracer.threadGroup.pid, tracer.credentials.uid);
    const isCall = task.stopPoint === "exit" || task.stopPoint === "entry";
    if (stop.isSignal) task.injectedSignal = info;
    else if (isCall && info !== null) sendToTask(task, info);
  }
  if (stop.isGroup) {
    // A tracee that goes on leaves the stop, whatever its siblings do.
    task.threadGroup.stopSignal = 0;
  }
  task.kernel.makeRunnable(task);
}

/** Ends the tracing; a stopped task goes on with `signo`. */
export function detach(task: Task, signo: number): void {
  const { ptrace } = task;
  if (ptrace === null) return;
  if (ptrace.stop !== null) resumeTracee(task, "continue", signo);
  ptrace.tracer.threadGroup.tracees.delete(task);
  task.ptrace = null;
  task.context.setSingleStep(false);
}

/** PTRACE_LISTEN: the tracee stays, but what it was to be told comes next. */
export function listenTracee(task: Task): void {
  const { ptrace } = task;
  if (ptrace === null) return;
  ptrace.isListening = true;
  ptrace.isUnreported = false;
  if (ptrace.wantsTrap) leaveListening(task);
}

function leaveListening(task: Task): void {
  const ptrace = task.ptrace!;
  ptrace.isListening = false;
  ptrace.stop = null;
  task.kernel.makeRunnable(task);
}

/** PTRACE_INTERRUPT. */
export function trapTracee(task: Task): void {
  const { ptrace } = task;
  if (ptrace === null) return;
  // In a stop it is remembered for the way on.
  ptrace.wantsTrap = true;
  if (ptrace.stop === null) interruptTask(task);
  else if (ptrace.isListening) leaveListening(task);
}

/** Stops before a signal is delivered; the tracer decides on it. */
export function stopForSignal(task: Task, info: SignalInfo): void {
  const stop = { code: info.signo, isSignal: true, isGroup: false };
  stopTracee(task, "user", stop, info);
}

/** PTRACE_EVENT_EXIT, once: true if the task stopped for it. */
export function stopBeforeEnd(
  task: Task,
  status: number,
  point: StopPoint,
): boolean {
  const { ptrace } = task;
  if (ptrace === null || !ptrace.has(PTRACE_O_TRACEEXIT)) return false;
  if (ptrace.isExitReported) return false;
  ptrace.isExitReported = true;
  ptrace.message = status;
  stopForEvent(task, PTRACE_EVENT_EXIT, point);
  return true;
}
