/**
 * ptrace(2): the requests. Stops and resumption are in ../task/ptrace.ts, what
 * is read and written of a stopped task in ptrace_state.ts.
 * @module
 */
import { EINVAL, EIO, EPERM, type Errno, ESRCH } from "../abi/errno.ts";
import * as pt from "../abi/ptrace.ts";
import { NSIG, SIGKILL, SIGSTOP } from "../abi/signal.ts";
import { mayTrace } from "../task/ptrace_access.ts";
import {
  attach,
  detach,
  listenTracee,
  type ResumeMode,
  resumeTracee,
  type Tracee,
  trapTracee,
} from "../task/ptrace.ts";
import { kernelSignal, userSignal } from "../task/signal_info.ts";
import { sendToGroup, sendToTask } from "../task/signal_send.ts";
import type { Task } from "../task/task.ts";
import { accessState } from "./ptrace_state.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

const RESUME_MODES = new Map<number, ResumeMode>([
  [pt.PTRACE_CONT, "continue"],
  [pt.PTRACE_SYSCALL, "syscall"],
  [pt.PTRACE_SINGLESTEP, "step"],
  [pt.PTRACE_SYSEMU, "emulate"],
]);

export const ptrace = defineSyscall({
  name: "ptrace",
  support: {
    partial: "no hardware breakpoints, no SYSEMU_SINGLESTEP, no core dumps",
  },
  args: { op: "long", pid: "pid", addr: "addr", data: "addr" },
  run: (task, { op, pid, addr, data }) => {
    if (op === pt.PTRACE_TRACEME) return traceMe(task);
    const target = task.namespace.task(pid);
    if (target === null) return ESRCH;
    if (op === pt.PTRACE_ATTACH || op === pt.PTRACE_SEIZE) {
      return attachTo(task, target, op, addr, data);
    }
    const tracee = target.ptrace;
    if (tracee === null || tracee.tracer !== task) return ESRCH;
    if (op === pt.PTRACE_KILL) {
      sendToGroup(target.threadGroup, kernelSignal(SIGKILL));
      return 0;
    }
    if (op === pt.PTRACE_INTERRUPT) {
      if (!tracee.isSeized) return EIO;
      trapTracee(target);
      return 0;
    }
    const isDying = target.isKilled && target.stopPoint !== "death";
    if (tracee.stop === null || isDying) return ESRCH;
    return control(task, target, tracee, op, addr, data);
  },
});

function traceMe(task: Task): SysResult {
  const parent = task.threadGroup.parent;
  if (task.ptrace !== null || parent === null) return EPERM;
  const { forkedBy } = task.threadGroup.leader;
  const isForker = forkedBy !== null && forkedBy.state !== "dead" &&
    forkedBy.threadGroup === parent;
  attach(task, isForker ? forkedBy : parent.leader, {
    isSeized: false,
    options: 0,
  });
  return 0;
}

function attachTo(
  task: Task,
  target: Task,
  op: number,
  addr: number,
  data: number,
): SysResult {
  const isSeized = op === pt.PTRACE_SEIZE;
  if (isSeized && (addr !== 0 || !areOptions(data))) return EIO;
  if (target.threadGroup === task.threadGroup) return EPERM;
  if (!mayTrace(task, target)) return EPERM;
  if (target.state === "dead" || target.threadGroup.isZombie) return EPERM;
  if (target.ptrace !== null) return EPERM;
  attach(target, task, { isSeized, options: isSeized ? data : 0 });
  if (!isSeized) {
    const { uid } = task.credentials;
    sendToTask(target, userSignal(SIGSTOP, task.processId, uid));
  }
  // A process that job control holds is now stopped for its tracer.
  if (target.state === "stopped") task.kernel.makeRunnable(target);
  return 0;
}

function areOptions(options: number): boolean {
  return options <= 0x7fffffff && (options & ~pt.PTRACE_O_MASK) === 0;
}

/** Requests to a stopped tracee. */
function control(
  task: Task,
  target: Task,
  tracee: Tracee,
  op: number,
  addr: number,
  data: number,
): SysResult {
  const mode = RESUME_MODES.get(op);
  if (mode !== undefined || op === pt.PTRACE_DETACH) {
    if (data > NSIG) return EIO;
    if (mode !== undefined) resumeTracee(target, mode, data);
    else detach(target, data);
    return 0;
  }
  switch (op) {
    case pt.PTRACE_SETOPTIONS:
      if (!areOptions(data)) return EINVAL;
      tracee.options = data;
      return 0;
    case pt.PTRACE_GETEVENTMSG:
      return task.memory.writeU64(data, tracee.message) ?? 0;
    case pt.PTRACE_LISTEN:
      return listen(target, tracee);
    default:
      return accessState(task, target, tracee, op, addr, data) ??
        unknown(task, op);
  }
}

/** Only a seized tracee in a job-control stop can be left there. EIO. */
function listen(target: Task, tracee: Tracee): SysResult {
  if (!tracee.isSeized || tracee.stop?.isGroup !== true) return EIO;
  listenTracee(target);
  return 0;
}

function unknown(task: Task, op: number): Errno {
  unimplemented(task, `ptrace: request ${op}`);
  return EIO;
}
