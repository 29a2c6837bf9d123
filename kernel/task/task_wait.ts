/**
 * Waiting for children: the search behind wait4(2) and waitid(2).
 * @module
 */
import { SIGCHLD } from "../abi/signal.ts";
import {
  __WALL,
  __WCLONE,
  WCONTINUED,
  WCONTINUED_STATUS,
  WEXITED,
  WNOWAIT,
  WSTOPPED,
} from "../abi/wait.ts";
import { CLD_CONTINUED, CLD_STOPPED, SIGCONT } from "../abi/signal.ts";
import { exitCode, reap } from "./task_exit.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

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
    hasCandidate = true;
    const event = takeEvent(child, options);
    if (event !== null) return event;
  }
  return hasCandidate ? null : "none";
}

function takeEvent(child: ThreadGroup, options: number): ChildEvent | null {
  const keeps = (options & WNOWAIT) !== 0;
  if (child.isZombie) {
    if ((options & WEXITED) === 0) return null;
    const { code, status } = exitCode(child);
    const event = { child, status: child.exitStatus, code, value: status };
    if (!keeps) reap(child);
    return event;
  }
  if ((options & WSTOPPED) !== 0 && child.hasUnreportedStop) {
    const value = child.stopSignal;
    if (!keeps) child.hasUnreportedStop = false;
    return {
      child,
      status: (value << 8) | 0x7f,
      code: CLD_STOPPED,
      value,
    };
  }
  if ((options & WCONTINUED) !== 0 && child.hasUnreportedContinue) {
    if (!keeps) child.hasUnreportedContinue = false;
    return {
      child,
      status: WCONTINUED_STATUS,
      code: CLD_CONTINUED,
      value: SIGCONT,
    };
  }
  return null;
}
