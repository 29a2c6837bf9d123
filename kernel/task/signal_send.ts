/**
 * Sending signals: which queue, whether it is dropped, whom it wakes. Delivery
 * is in signal_deliver.ts. Source: signal(7), kill(2), pid_namespaces(7).
 * @module
 */
import {
  CLD_CONTINUED,
  SA_NOCLDSTOP,
  SI_USER,
  SIG_DFL,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
} from "../abi/signal.ts";
import { RLIMIT_SIGPENDING } from "../abi/resource.ts";
import { SIGRTMIN } from "../abi/signal.ts";
import { EAGAIN, type Errno } from "../abi/errno.ts";
import type { PendingSignals } from "./pending_signals.ts";
import {
  childSignal,
  kernelSignal,
  type SignalInfo,
  TimerSignal,
} from "./signal_info.ts";
import { DEFAULT_ACTION } from "./signal_handlers.ts";
import { isStopSignal, STOP_SIGNALS_LOW } from "./signal_set.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** Clock ticks of siginfo_t and times(2) are 10 ms (USER_HZ 100). */
export const NS_PER_TICK = 10_000_000;

/** Makes a task look at its signals soon, whatever it is doing. */
export function interruptTask(task: Task): void {
  switch (task.state) {
    case "guest":
      task.context.interrupt();
      return;
    case "blocked":
      if (!task.blocker.isUninterruptible || task.isKilled) {
        task.blocker.wake();
      }
      return;
    case "stopped":
      if (task.isKilled) task.kernel.makeRunnable(task);
      return;
    case "kernel":
    case "dead":
  }
}

/** A namespace's init takes no signal it has no handler for, except SIGKILL
 * and SIGSTOP from outside (pid_namespaces(7)). */
function isProtectedInit(group: ThreadGroup, signo: number): boolean {
  return group.pid === 1 && group.leader.kernel.isInitProtected &&
    group.handlers.get(signo).handler === SIG_DFL;
}

/** What sending does beside queueing: SIGCONT and stop signals cancel each
 * other, and SIGCONT continues a stopped process even if it is blocked. */
function prepare(group: ThreadGroup, signo: number): void {
  if (signo === SIGCONT) {
    group.pending.discard(STOP_SIGNALS_LOW, 0);
    for (const task of group.tasks) task.pending.discard(STOP_SIGNALS_LOW, 0);
    continueGroup(group);
  } else if (isStopSignal(signo)) {
    const cont = 1 << (SIGCONT - 1);
    group.pending.discard(cont, 0);
    for (const task of group.tasks) task.pending.discard(cont, 0);
  }
}

/** Ends a job-control stop. */
export function continueGroup(group: ThreadGroup): void {
  if (!group.isStopped) return;
  group.stopSignal = 0;
  group.hasUnreportedStop = false;
  group.hasUnreportedContinue = true;
  for (const task of group.tasks) {
    const { ptrace } = task;
    if (task.state === "stopped" && (ptrace === null || ptrace.stop === null)) {
      task.kernel.makeRunnable(task);
    } else if (ptrace !== null && ptrace.isSeized) {
      // The next stop tells of SIGCONT: now if the tracer listens.
      ptrace.wantsTrap = true;
      if (!ptrace.isListening) continue;
      ptrace.isListening = false;
      ptrace.stop = null;
      task.kernel.makeRunnable(task);
    }
  }
  notifyParentOfStop(group, CLD_CONTINUED, SIGCONT);
}

/** SIGCHLD for a stop or continue, unless the parent set SA_NOCLDSTOP; wakes
 * its wait*(2) in any case. */
export function notifyParentOfStop(
  group: ThreadGroup,
  code: number,
  status: number,
): void {
  const { parent } = group;
  if (parent === null) return;
  const action = parent.handlers.get(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    sendToGroup(
      parent,
      childSignal(
        SIGCHLD,
        code,
        group.pid,
        group.leader.credentials.uid,
        status,
        Math.floor(group.userNs / NS_PER_TICK),
        Math.floor(group.systemNs / NS_PER_TICK),
      ),
    );
  }
  parent.childQueue.wake();
}

/** True if the signal would have no effect and needs no queueing. */
function isDropped(task: Task, signo: number): boolean {
  const group = task.threadGroup;
  if (isProtectedInit(group, signo)) return true;
  // A tracer sees ignored signals, too.
  if (task.ptrace !== null) return false;
  return !task.blocked.has(signo) && group.handlers.ignores(signo);
}

/** Queues a signal. Of real-time signals no more than RLIMIT_SIGPENDING are
 * kept: one of kill(2) is then pending once, others fail with EAGAIN. A timer
 * has a place of its own. */
function enqueue(
  group: ThreadGroup,
  pending: PendingSignals,
  info: SignalInfo,
): Errno | null {
  const isFull = info.signo >= SIGRTMIN && !(info instanceof TimerSignal) &&
    pending.count >= group.limits.soft[RLIMIT_SIGPENDING]!;
  if (isFull && info.code !== SI_USER) return EAGAIN;
  if (!isFull || !pending.set.has(info.signo)) pending.add(info);
  return null;
}

/** Sends a signal to one thread. EAGAIN: its queue is full. */
export function sendToTask(task: Task, info: SignalInfo): Errno | null {
  const group = task.threadGroup;
  if (task.state === "dead" || group.isZombie) return null;
  prepare(group, info.signo);
  if (info.signo === SIGKILL) {
    if (!isProtectedInit(group, SIGKILL)) killGroup(group, SIGKILL);
    return null;
  }
  if (isDropped(task, info.signo)) return null;
  const full = enqueue(group, task.pending, info);
  if (full !== null) return full;
  if (!task.blocked.has(info.signo)) interruptTask(task);
  else task.signalQueue.wake();
  return null;
}

/** Sends a signal to a process: any thread that does not block it takes it. */
export function sendToGroup(
  group: ThreadGroup,
  info: SignalInfo,
): Errno | null {
  if (group.isZombie) return null;
  prepare(group, info.signo);
  if (info.signo === SIGKILL) {
    if (!isProtectedInit(group, SIGKILL)) killGroup(group, SIGKILL);
    return null;
  }
  if (isDropped(group.leader, info.signo)) return null;
  const full = enqueue(group, group.pending, info);
  if (full !== null) return full;
  const taker = pickThread(group, info.signo);
  if (taker !== null) interruptTask(taker);
  for (const task of group.tasks) task.signalQueue.wake();
  return null;
}

/** From outside the sandbox (`runsc kill`): SIGKILL and SIGSTOP take effect on
 * a protected init too. */
export function sendFromOutside(group: ThreadGroup, signo: number): void {
  if (signo === SIGKILL) {
    killGroup(group, SIGKILL);
  } else if (signo === SIGSTOP) {
    group.pending.add(kernelSignal(SIGSTOP));
    interruptTask(group.leader);
  } else sendToGroup(group, kernelSignal(signo));
}

function pickThread(group: ThreadGroup, signo: number): Task | null {
  const { leader } = group;
  if (leader.state !== "dead" && !leader.blocked.has(signo)) return leader;
  for (const task of group.tasks) {
    if (task.state !== "dead" && !task.blocked.has(signo)) return task;
  }
  return null;
}

/** Every thread must exit; the wait status is that of death by `signo`. */
export function killGroup(group: ThreadGroup, signo: number): void {
  exitGroup(group, signo);
}

/** Decides the process's wait status, once, and makes every thread exit. */
export function exitGroup(group: ThreadGroup, status: number): void {
  if (!group.isExiting) {
    group.isExiting = true;
    group.exitStatus = status;
  }
  group.stopSignal = 0;
  for (const task of group.tasks) killTask(task);
}

/** The task exits at its next chance. */
export function killTask(task: Task): void {
  if (task.state === "dead") return;
  task.isKilled = true;
  interruptTask(task);
}

/** A signal from the kernel to the calling thread itself (SIGPIPE, SIGXFSZ). */
export function raiseOn(task: Task, signo: number): void {
  sendToTask(task, kernelSignal(signo));
}

/** A fault: cannot be ignored or blocked; if it is, it kills (sigaction(2)). */
export function forceSignal(task: Task, info: SignalInfo): void {
  const { handlers } = task.threadGroup;
  const action = handlers.get(info.signo);
  if (action.handler === SIG_IGN || task.blocked.has(info.signo)) {
    handlers.set(info.signo, DEFAULT_ACTION);
    task.blocked.remove(info.signo);
  }
  task.pending.add(info);
  interruptTask(task);
}
