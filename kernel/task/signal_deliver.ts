/**
 * Delivering signals on the way back to user mode: default actions, handlers,
 * job-control stops, and whether an interrupted call restarts. Source:
 * signal(7), sigaction(2), sigaltstack(2), sigreturn(2).
 * @module
 */
import {
  EINTR,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTSYS,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { PTRACE_EVENT_STOP } from "../abi/ptrace.ts";
import {
  CLD_STOPPED,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_RESTORER,
  SEGV_MAPERR,
  SIG_DFL,
  SIG_IGN,
  SIGABRT,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGINFO_SIZE,
  SIGQUIT,
  SIGSEGV,
  SIGSTOP,
  SIGSYS,
  SIGTRAP,
  SIGXCPU,
  SIGXFSZ,
  SS_AUTODISARM,
  SS_DISABLE,
} from "../abi/signal.ts";
import { popSignalFrame, pushSignalFrame } from "../arch/x64/signal_frame.ts";
import {
  faultSignal,
  type SignalInfo,
  writeSignalInfo,
} from "./signal_info.ts";
import { stopForEvent, stopForSignal, stopWithGroup } from "./ptrace.ts";
import { DEFAULT_ACTION, type SignalAction } from "./signal_handlers.ts";
import {
  exitGroup,
  forceSignal,
  interruptTask,
  notifyParentOfStop,
} from "./signal_send.ts";
import { isIgnoredByDefault, isStopSignal } from "./signal_set.ts";
import type { Task } from "./task.ts";

const CORE_SIGNALS = new Set([
  SIGQUIT,
  SIGILL,
  SIGTRAP,
  SIGABRT,
  SIGBUS,
  SIGFPE,
  SIGSEGV,
  SIGXCPU,
  SIGXFSZ,
  SIGSYS,
]);

/** What the run loop does with the task next. */
export type Delivery = "run" | "exit" | "stop" | "traced";

/** Handles every deliverable signal; then says what becomes of the task. */
export function deliverSignals(task: Task): Delivery {
  const group = task.threadGroup;
  for (;;) {
    if (task.isKilled) return "exit";
    const injected = task.injectedSignal;
    if (injected !== null) {
      task.injectedSignal = null;
      if (task.blocked.has(injected.signo)) task.pending.add(injected);
      else deliver(task, injected);
      continue;
    }
    const { ptrace } = task;
    if (ptrace !== null && ptrace.wantsTrap) {
      ptrace.wantsTrap = false;
      stopForEvent(task, PTRACE_EVENT_STOP, "user");
      return "traced";
    }
    if (group.isStopped) return "stop";
    if (!task.hasPendingSignal) break;
    const low = ~task.blocked.low;
    const high = ~task.blocked.high;
    const info = task.pending.take(low, high) ?? group.pending.take(low, high);
    if (info === null) break;
    if (ptrace !== null) {
      stopForSignal(task, info);
      return "traced";
    }
    deliver(task, info);
  }
  finishWithoutHandler(task);
  return "run";
}

function deliver(task: Task, info: SignalInfo): void {
  const { signo } = info;
  const { handlers } = task.threadGroup;
  const action = handlers.get(signo);
  if (action.handler === SIG_IGN) return;
  if (action.handler === SIG_DFL) return takeDefaultAction(task, signo);
  if ((action.flags & SA_RESETHAND) !== 0) handlers.set(signo, DEFAULT_ACTION);
  if (enterHandler(task, info, action) !== null) {
    // The frame does not fit: SIGSEGV, fatal if it was SIGSEGV's own frame.
    if (signo === SIGSEGV) handlers.set(SIGSEGV, DEFAULT_ACTION);
    forceSignal(task, faultSignal(SIGSEGV, SEGV_MAPERR, 0));
  }
}

function takeDefaultAction(task: Task, signo: number): void {
  const group = task.threadGroup;
  if (isIgnoredByDefault(signo)) return;
  if (group.pid === 1 && task.kernel.isInitProtected && signo !== SIGSTOP) {
    // Faults still end a protected init: it could not go on.
    if (!CORE_SIGNALS.has(signo)) return;
  }
  if (isStopSignal(signo)) {
    // The terminal's stop signals do nothing in an orphaned group.
    if (signo !== SIGSTOP && group.processGroup.isOrphaned()) return;
    return stopGroup(task, signo);
  }
  exitGroup(group, signo);
}

/** Job control: every thread stops at its next chance; the parent hears of it
 * when the last one has. */
function stopGroup(task: Task, signo: number): void {
  const group = task.threadGroup;
  group.stopSignal = signo;
  group.isStopComplete = false;
  group.hasUnreportedStop = false;
  for (const other of group.tasks) {
    if (other !== task) interruptTask(other);
  }
}

/** Puts a task to rest in a stopped process. */
export function enterStop(task: Task): void {
  const group = task.threadGroup;
  task.state = "stopped";
  if (task.ptrace !== null) stopWithGroup(task, group.stopSignal);
  if (group.isStopComplete) return;
  for (const other of group.tasks) {
    if (other.state !== "stopped" && other.state !== "dead") return;
  }
  group.isStopComplete = true;
  group.hasUnreportedStop = true;
  group.hasUnreportedContinue = false;
  notifyParentOfStop(group, CLD_STOPPED, group.stopSignal);
}

/** No handler ran: interrupted calls restart, a temporary mask ends. */
function finishWithoutHandler(task: Task): void {
  if (task.restartCode !== null) {
    task.restartCode = null;
    task.isRestarting = true;
    task.registers.rewindSyscall(task.syscall);
  }
  if (task.hasSavedMask) {
    task.hasSavedMask = false;
    task.setBlocked(task.savedMask.low, task.savedMask.high);
  }
}

/** A handler runs: does the interrupted call restart or return EINTR? */
function settleRestart(task: Task, action: SignalAction): void {
  const code = task.restartCode;
  if (code === null) return;
  task.restartCode = null;
  if (
    code === ERESTARTNOHAND || code === ERESTART_RESTARTBLOCK ||
    (code === ERESTARTSYS && (action.flags & SA_RESTART) === 0)
  ) {
    task.registers.setReturn(-EINTR.code);
    task.restart.reset();
  } else task.registers.rewindSyscall(task.syscall);
}

function isOnAltStack(task: Task, stackPointer: number): boolean {
  if ((task.altStackFlags & SS_AUTODISARM) !== 0) return false;
  return task.altStackSize !== 0 && stackPointer > task.altStackBase &&
    stackPointer <= task.altStackBase + task.altStackSize;
}

/** SS_* of sigaltstack(2) at this moment. */
export function altStackStatus(task: Task): number {
  if (task.altStackSize === 0) return SS_DISABLE;
  const mode = task.altStackFlags & SS_AUTODISARM;
  return (isOnAltStack(task, task.registers.get("rsp")) ? 1 : 0) | mode;
}

function enterHandler(
  task: Task,
  info: SignalInfo,
  action: SignalAction,
): Errno | null {
  settleRestart(task, action);
  if ((action.flags & SA_RESTORER) === 0) return EINTR;
  const saved = task.context.saveFpu();
  if (saved < 0) return EINTR;
  const mask = task.hasSavedMask ? task.savedMask : task.blocked;
  const siginfo = new Uint8Array(SIGINFO_SIZE);
  writeSignalInfo(info, siginfo, 0);
  const stackPointer = task.registers.get("rsp");
  const onAltStack = isOnAltStack(task, stackPointer);
  const switches = (action.flags & SA_ONSTACK) !== 0 && !onAltStack &&
    task.altStackSize !== 0;
  const bounded = switches || onAltStack;
  const failed = pushSignalFrame(
    task.memory,
    task.registers,
    task.context,
    task.kernel.host.platform.info,
    {
      handler: action.handler,
      restorer: action.restorer,
      signo: info.signo,
      info: siginfo,
      maskLow: mask.low,
      maskHigh: mask.high,
      altStackBase: task.altStackBase,
      altStackSize: task.altStackSize,
      altStackFlags: task.altStackSize === 0 ? SS_DISABLE : task.altStackFlags,
      trapno: task.faultTrapno,
      error: task.faultError,
      faultAddr: task.faultAddr,
    },
    switches ? task.altStackBase + task.altStackSize : 0,
    bounded ? task.altStackBase : 0,
  );
  if (failed !== null) return failed;
  task.hasSavedMask = false;
  if ((task.altStackFlags & SS_AUTODISARM) !== 0) {
    task.altStackBase = 0;
    task.altStackSize = 0;
    task.altStackFlags = SS_DISABLE;
  }
  const { blocked } = task;
  task.setBlocked(blocked.low | action.maskLow, blocked.high | action.maskHigh);
  if ((action.flags & SA_NODEFER) === 0) blocked.add(info.signo);
  return null;
}

/** rt_sigreturn(2). A malformed frame is a SIGSEGV. */
export function returnFromHandler(task: Task): void {
  const frame = popSignalFrame(
    task.memory,
    task.registers,
    task.context,
    task.kernel.host.platform.info,
  );
  if (isErrno(frame)) {
    forceSignal(task, faultSignal(SIGSEGV, SEGV_MAPERR, 0));
    return;
  }
  task.setBlocked(frame.maskLow, frame.maskHigh);
  // As sigaltstack(2) would, but an error here is nobody's to report.
  if ((frame.altStackFlags & ~SS_AUTODISARM) === 0 && frame.altStackSize > 0) {
    task.altStackBase = frame.altStackBase;
    task.altStackSize = frame.altStackSize;
    task.altStackFlags = frame.altStackFlags;
  }
}
