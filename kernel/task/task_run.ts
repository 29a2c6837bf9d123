/**
 * A task's turn: why its context stopped, what the kernel does about it, and
 * the way back to user mode.
 *
 * guest --stop--> kernel --handler--> (blocked --wake--> kernel)* --signals-->
 * guest, stopped or dead.
 * @module
 */
import { EINTR, ENOSYS, ESRCH, isErrno } from "../abi/errno.ts";
import { PTRACE_EVENT_SECCOMP } from "../abi/ptrace.ts";
import {
  BUS_ADRALN,
  FPE_FLTDIV,
  FPE_FLTINV,
  FPE_FLTOVF,
  FPE_FLTRES,
  FPE_FLTUND,
  FPE_INTDIV,
  ILL_ILLOPN,
  SI_KERNEL,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGKILL,
  SIGSEGV,
  SIGTRAP,
  TRAP_TRACE,
} from "../abi/signal.ts";
import { FPSTATE } from "../abi/ucontext.ts";
import { resetFpu } from "../arch/x64/signal_frame.ts";
import { deliverSignals, enterStop } from "./signal_deliver.ts";
import {
  reportStep,
  stopBeforeEnd,
  stopForEvent,
  stopForSyscall,
  type StopPoint,
  type Tracee,
} from "./ptrace.ts";
import { checkSeccomp } from "./seccomp.ts";
import { faultSignal, kernelSignal, type SignalInfo } from "./signal_info.ts";
import { exitGroup, forceSignal } from "./signal_send.ts";
import { passBarriers } from "./memory_barrier.ts";
import { BLOCKED, UNCHANGED } from "./task_block.ts";
import { exitTask } from "./task_exit.ts";
import type { Task } from "./task.ts";

/** Values of StopReason in platforms/platform.ts, which the kernel imports
 * types from only; the compiler checks each comparison. */
const STOP_SYSCALL = 1;
const STOP_FAULT = 2;
const STOP_DEAD = 4;

/** The platform reports that the context stopped. */
export function onStop(task: Task): void {
  const { context } = task;
  task.state = "kernel";
  if (task.barriers !== null) passBarriers(task);
  const reason = context.stopReason;
  if (reason === STOP_SYSCALL) {
    if (context.isCompatSyscall) {
      // A kernel without 32-bit emulation has no gate 0x80: #GP.
      forceSignal(task, faultSignal(SIGSEGV, SI_KERNEL, 0));
    } else {
      task.syscall = task.registers.readFrame(task.frame);
      if (task.isRestarting) task.isRestarting = false;
      else task.restart.reset();
      if (task.ptrace !== null || task.seccomp !== null) {
        return enterSyscall(task);
      }
      return runSyscall(task);
    }
  } else if (reason === STOP_FAULT) onFault(task);
  else if (reason === STOP_DEAD) return task.kernel.onContextDeath(task);
  returnToUser(task);
}

/** A call of a task that is traced or has filters. */
function enterSyscall(task: Task): void {
  const { ptrace } = task;
  if (ptrace !== null && isTracingCalls(ptrace)) {
    task.registers.setReturn(-ENOSYS.code);
    return stopForSyscall(task, "entry");
  }
  filterSyscall(task);
}

function isTracingCalls(ptrace: Tracee): boolean {
  return ptrace.mode === "syscall" || ptrace.mode === "emulate";
}

function filterSyscall(task: Task): void {
  switch (checkSeccomp(task)) {
    case "run":
      return runSyscall(task);
    case "done":
      return leaveSyscall(task);
    case "trace":
      task.registers.setReturn(-ENOSYS.code);
      return stopForEvent(task, PTRACE_EVENT_SECCOMP, "seccomp");
    case "dead":
  }
}

/** The tracer has seen the entry, and may have changed the registers; -1 as
 * the number skips the call. */
function enterAgain(task: Task, point: "entry" | "seccomp"): void {
  task.syscall = task.registers.readFrame(task.frame);
  if (task.syscall === -1) return leaveSyscall(task);
  if (point === "seccomp") return runSyscall(task);
  if (task.ptrace?.mode === "emulate") return returnToUser(task);
  filterSyscall(task);
}

/** Runs the handler of the task's current call, for the first time or again. */
export function runSyscall(task: Task): void {
  const result = task.kernel.invokeSyscall(task, task.syscall);
  if (result === BLOCKED) {
    // Or stopped for its tracer within the call.
    if (task.stopPoint === null) task.state = "blocked";
    return;
  }
  // The handler may have ended the task (exit) or replaced it (exec).
  if (task.state === "dead") return;
  if (typeof result === "number") task.registers.setReturn(result);
  else if (isErrno(result)) {
    if (result.code >= 512) {
      task.restartCode = result;
      task.registers.setReturn(-EINTR.code);
    } else task.registers.setReturn(-result.code);
  } else if (result !== UNCHANGED) {
    throw new Error("Unknown system call result");
  }
  if (task.ptrace !== null) leaveSyscall(task);
  else returnToUser(task);
}

/** A traced call is done: its event, its exit, its step are reported. */
function leaveSyscall(task: Task): void {
  const { ptrace } = task;
  if (ptrace === null || task.isKilled) return returnToUser(task);
  if (ptrace.pendingEvent !== 0) {
    const event = ptrace.pendingEvent;
    ptrace.pendingEvent = 0;
    return stopForEvent(task, event, "event");
  }
  if (ptrace.mode === "syscall") {
    // Until signals are looked at, tracers see the internal codes.
    if (task.restartCode !== null) {
      task.registers.setReturn(-task.restartCode.code);
    }
    return stopForSyscall(task, "exit");
  }
  if (ptrace.mode === "step") reportStep(task);
  returnToUser(task);
}

/** A task goes on after a stop for its tracer. */
function leaveTraceStop(task: Task, point: StopPoint): void {
  task.stopPoint = null;
  task.state = "kernel";
  switch (point) {
    case "entry":
    case "seccomp":
      return enterAgain(task, point);
    case "handler":
      return runSyscall(task);
    case "event":
      return leaveSyscall(task);
    case "death":
      return exitTask(task);
    case "exit":
    case "user":
      return returnToUser(task);
  }
}

/** A task that was woken on the run queue goes on. */
export function continueTask(task: Task): void {
  if (task.state === "dead") return;
  const point = task.stopPoint;
  if (point !== null) {
    if (task.ptrace !== null) task.ptrace.stop = null;
    return leaveTraceStop(task, task.isKilled ? "user" : point);
  }
  if (task.state === "blocked" && !task.isKilled) {
    task.state = "kernel";
    return runSyscall(task);
  }
  if (task.state === "blocked" || task.state === "stopped") {
    task.blocker.cancel();
    task.state = "kernel";
  }
  returnToUser(task);
}

/** Delivers signals, then resumes the guest, stops it or ends it. */
export function returnToUser(task: Task): void {
  if (
    task.hasPendingSignal || task.restartCode !== null || task.hasSavedMask ||
    task.injectedSignal !== null
  ) {
    const delivery = deliverSignals(task);
    if (delivery === "exit") return endTask(task);
    if (delivery === "stop") return enterStop(task);
    if (delivery === "traced") return;
  }
  if (task.ptrace !== null) {
    task.context.setSingleStep(task.ptrace.mode === "step");
  }
  task.state = "guest";
  task.resumedNs = task.kernel.nowNs;
  const { flushError, addressSpace } = task.memory;
  const result = flushError !== 0
    ? -flushError
    : task.context.resume(addressSpace);
  if (result < 0) {
    task.state = "kernel";
    // Its process was killed from outside, and nobody has told us yet.
    if (result === -ESRCH.code) return task.kernel.onContextDeath(task);
    task.kernel.host.log.warn(
      `task ${task.tid}: cannot resume, host error ${-result}`,
    );
    exitGroup(task.threadGroup, SIGKILL);
    exitTask(task);
  } else if (task.oldMemory !== null) {
    task.oldMemory.release();
    task.oldMemory = null;
  }
}

/** A tracer may want to look at it a last time. */
function endTask(task: Task): void {
  if (!stopBeforeEnd(task, task.threadGroup.exitStatus, "death")) {
    exitTask(task);
  }
}

function onFault(task: Task): void {
  const { context, registers } = task;
  const trapno = context.trapno;
  task.faultTrapno = trapno;
  task.faultError = context.errorCode;
  task.faultAddr = trapno === 14 ? context.faultAddress : 0;
  if (trapno === 14) {
    const fault = task.memory.handleFault(
      task.faultAddr,
      task.faultError,
      registers.get("rsp"),
    );
    if (fault === null) return;
    forceSignal(task, faultSignal(fault.signo, fault.code, task.faultAddr));
    return;
  }
  forceSignal(task, exceptionSignal(task, trapno, registers.get("rip")));
}

/** The signal of an exception other than a page fault, as Linux's traps.c. */
function exceptionSignal(task: Task, trapno: number, rip: number): SignalInfo {
  switch (trapno) {
    case 0:
      return faultSignal(SIGFPE, FPE_INTDIV, rip);
    case 1:
      return faultSignal(SIGTRAP, TRAP_TRACE, rip);
    case 3:
      return kernelSignal(SIGTRAP);
    case 6:
      return faultSignal(SIGILL, ILL_ILLOPN, rip);
    case 11:
    case 12:
      return kernelSignal(SIGBUS);
    case 16:
    case 19:
      return faultSignal(SIGFPE, floatingPointCode(task, trapno), rip);
    case 17:
      return faultSignal(SIGBUS, BUS_ADRALN, 0);
    default:
      return kernelSignal(SIGSEGV);
  }
}

/** si_code from the unmasked exceptions in the x87 status or MXCSR. */
function floatingPointCode(task: Task, trapno: number): number {
  const { context } = task;
  if (context.saveFpu() < 0) return FPE_FLTINV;
  const { view, xsaveBase } = context;
  let raised: number;
  if (trapno === 16) {
    const control = view.getUint16(xsaveBase + FPSTATE.cwd, true);
    raised = view.getUint16(xsaveBase + FPSTATE.swd, true) & ~control;
  } else {
    const mxcsr = view.getUint32(xsaveBase + FPSTATE.mxcsr, true);
    raised = mxcsr & ~(mxcsr >> 7);
  }
  if ((raised & 1) !== 0) return FPE_FLTINV;
  if ((raised & 4) !== 0) return FPE_FLTDIV;
  if ((raised & 8) !== 0) return FPE_FLTOVF;
  if ((raised & 0x12) !== 0) return FPE_FLTUND;
  return FPE_FLTRES;
}

/** Registers and FPU as a new program finds them. */
export function resetContext(
  task: Task,
  entry: number,
  stackPointer: number,
): void {
  task.registers.reset(entry, stackPointer);
  resetFpu(task.context);
}
