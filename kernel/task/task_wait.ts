/**
 * Waiting for children: the search behind wait4(2) and waitid(2).
 * @module
 */
import { SIGCHLD } from "../abi/signal.ts";
import {
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  WCONTINUED,
  WCONTINUED_STATUS,
  WEXITED,
  WNOWAIT,
  WSTOPPED,
} from "../abi/wait.ts";
import {
  CLD_CONTINUED,
  CLD_STOPPED,
  CLD_TRAPPED,
  SIGCONT,
} from "../abi/signal.ts";
import type { Tracee } from "./ptrace.ts";
import { exitCode, exitCodeOf, forgetTracee, reap } from "./task_exit.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** Option of our own: wait4(2) tells of traced stops without WUNTRACED. */
export const WAIT_TRACED = 0x100;

/** Which children: a predicate over id type and id. */
export type ChildFilter =
  | { readonly kind: "any" }
  | { readonly kind: "pid"; readonly pid: number }
  | { readonly kind: "group"; readonly processGroup: number };

/** A child's change of state. */
export interface ChildEvent {
  readonly child: ThreadGroup;
  /** wait4's status word. */
  readonly status: number;
  /** Process id, or thread id of a traced task. */
  readonly pid: number;
  /** si_code and si_status of waitid. */
  readonly code: number;
  readonly value: number;
}

function matches(
  child: ThreadGroup,
  filter: ChildFilter,
  options: number,
): boolean {
  if (filter.kind === "pid" && child.pid !== filter.pid) return false;
  if (
    filter.kind === "group" && child.processGroup.id !== filter.processGroup
  ) return false;
  if ((options & __WALL) !== 0) return true;
  const isClone = child.exitSignal !== SIGCHLD;
  return isClone === ((options & __WCLONE) !== 0);
}

/** __WNOTHREAD: children that the thread itself made. */
function isChildOf(child: ThreadGroup, task: Task): boolean {
  const { forkedBy } = child.leader;
  return forkedBy === task || forkedBy === null || forkedBy.state === "dead";
}

/**
 * The first child with something to report; it is reaped or marked as reported
 * unless WNOWAIT. "none": no child matches at all (ECHILD); null: wait.
 */
export function findChildEvent(
  task: Task,
  filter: ChildFilter,
  options: number,
): ChildEvent | "none" | null {
  let hasCandidate = false;
  for (const child of task.threadGroup.children) {
    if (!matches(child, filter, options)) continue;
    if ((options & __WNOTHREAD) !== 0 && !isChildOf(child, task)) continue;
    hasCandidate = true;
    const event = takeEvent(child, options, task.threadGroup);
    if (event !== null) return event;
  }
  for (const tracee of task.threadGroup.tracees) {
    const { ptrace } = tracee;
    if (ptrace === null || !matchesTracee(tracee, filter)) continue;
    if ((options & __WNOTHREAD) !== 0 && ptrace.tracer !== task) continue;
    hasCandidate = true;
    const event = takeTraceEvent(tracee, ptrace, options);
    if (event !== null) return event;
  }
  return hasCandidate ? null : "none";
}

function matchesTracee(tracee: Task, filter: ChildFilter): boolean {
  if (filter.kind === "any") return true;
  if (filter.kind === "pid") return tracee.tid === filter.pid;
  return tracee.threadGroup.processGroup.id === filter.processGroup;
}

/** A stop or the end of a traced task. */
function takeTraceEvent(
  tracee: Task,
  ptrace: Tracee,
  options: number,
): ChildEvent | null {
  const keeps = (options & WNOWAIT) !== 0;
  const child = tracee.threadGroup;
  const pid = tracee.tid;
  if (ptrace.deathStatus >= 0) {
    if ((options & WEXITED) === 0) return null;
    const status = ptrace.deathStatus;
    const { code, status: value } = exitCodeOf(status);
    if (!keeps) forgetTracee(tracee);
    return { child, pid, status, code, value };
  }
  if (ptrace.stop === null || !ptrace.isUnreported) return null;
  if ((options & (WSTOPPED | WAIT_TRACED)) === 0) return null;
  const { code } = ptrace.stop;
  if (!keeps) ptrace.isUnreported = false;
  const status = (code << 8) | 0x7f;
  return { child, pid, status, code: CLD_TRAPPED, value: code };
}

function takeEvent(
  child: ThreadGroup,
  options: number,
  waiter: ThreadGroup,
): ChildEvent | null {
  const keeps = (options & WNOWAIT) !== 0;
  const { pid } = child;
  const tracer = child.leader.ptrace?.tracer.threadGroup;
  if (child.isZombie) {
    // Its tracer comes first.
    if ((options & WEXITED) === 0 || tracer !== undefined) return null;
    const { code, status } = exitCode(child);
    const event = {
      child,
      pid,
      status: child.exitStatus,
      code,
      value: status,
    };
    if (!keeps) reap(child);
    return event;
  }
  // The stops of one's own tracee are told as such.
  if (tracer === waiter) return null;
  if ((options & WSTOPPED) !== 0 && child.hasUnreportedStop) {
    const value = child.stopSignal;
    if (!keeps) child.hasUnreportedStop = false;
    return {
      child,
      pid,
      status: (value << 8) | 0x7f,
      code: CLD_STOPPED,
      value,
    };
  }
  if ((options & WCONTINUED) !== 0 && child.hasUnreportedContinue) {
    if (!keeps) child.hasUnreportedContinue = false;
    return {
      child,
      pid,
      status: WCONTINUED_STATUS,
      code: CLD_CONTINUED,
      value: SIGCONT,
    };
  }
  return null;
}
