/**
 * The end of a thread and of a process: exit(2), exit_group(2), reparenting,
 * zombies, and what waits for them. Source: exit(2), exit_group(2), wait(2),
 * credentials(7), set_tid_address(2), get_robust_list(2).
 * @module
 */
import { PTRACE_O_EXITKILL } from "../abi/ptrace.ts";
import {
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  SA_NOCLDWAIT,
  SIG_IGN,
  SIGCHLD,
  SIGKILL,
} from "../abi/signal.ts";
import { PendingWait } from "../sync/pending_wait.ts";
import { WCOREFLAG, WEXITSTATUS, WIFEXITED } from "../abi/wait.ts";
import { hangUpIfNewlyOrphaned } from "./job_control.ts";
import { passBarriers } from "./memory_barrier.ts";
import { detach, notifyTracer } from "./ptrace.ts";
import { releaseRobustList } from "./robust_list.ts";
import { childSignal, kernelSignal } from "./signal_info.ts";
import {
  killTask,
  NS_PER_TICK,
  sendToGroup,
  sendToTask,
} from "./signal_send.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** Ends a thread; if it is the last one, its process. `status` is the wait
 * status for a lone thread's exit(2). Precondition: not in the guest. */
export function exitTask(task: Task, status = 0): void {
  const group = task.threadGroup;
  if (task.state === "dead") return;
  if (!group.isExiting && group.tasks.size === 1) {
    group.isExiting = true;
    group.exitStatus = status;
  }
  task.blocker.cancel();
  if (task.restart.data instanceof PendingWait) task.restart.data.abandon();
  leaveMemory(task);
  task.state = "dead";
  passBarriers(task);
  // The platform wants a space's contexts gone before the space.
  task.context.owner = null;
  task.context.release();
  task.oldMemory?.release();
  task.oldMemory = null;
  task.memory.release();
  task.fdTable.release(task);
  task.fsContext.release();
  leaveIpc(task);
  sendParentDeathSignals(task);
  releaseTracees(task);

  group.tasks.delete(task);
  group.endedUserNs += task.userNs;
  group.endedSystemNs += task.systemNs;
  if (task !== group.leader) {
    task.namespace.remove(task.tid);
    if (task.ptrace !== null) {
      reportDeath(task, group.isExiting ? group.exitStatus : status);
    }
  }
  if (group.tasks.size === 0) exitProcess(group);
  else if (group.execTask !== null && group.tasks.size === 1) {
    group.execTask.blocker.wake();
  }
}

/** Takes leave of the address space, before its release: robust futexes, the
 * joining thread, the vfork parent. */
export function leaveMemory(task: Task): void {
  const { kernel, memory } = task;
  releaseRobustList(task);
  kernel.piFutexes.releaseOwner(task);
  if (task.clearChildTid !== 0 && memory.users > 1) {
    if (memory.writeU32(task.clearChildTid, 0) === null) {
      kernel.futexes.wake(memory, task.clearChildTid, 1);
    }
  }
  task.clearChildTid = 0;
  releaseVforkParent(task);
}

/** SEM_UNDO takes effect, then the namespace goes with its last task. */
export function leaveIpc(task: Task): void {
  task.semaphoreUndo?.release(task.processId, task.clock.realtime().sec);
  task.semaphoreUndo = null;
  task.ipc.release();
}

/** The child of a vfork has its own memory now, or none. */
export function releaseVforkParent(task: Task): void {
  const parent = task.vforkParent;
  if (parent === null) return;
  task.vforkParent = null;
  parent.vforkChild = null;
  parent.blocker.wake();
}

/** PR_SET_PDEATHSIG: the signal comes when the *thread* that forked ends. */
function sendParentDeathSignals(task: Task): void {
  for (const child of task.threadGroup.children) {
    for (const thread of child.tasks) {
      if (thread.parentDeathSignal !== 0 && thread.forkedBy === task) {
        sendToTask(thread, kernelSignal(thread.parentDeathSignal));
      }
    }
  }
}

function exitProcess(group: ThreadGroup): void {
  const { kernel } = group.leader;
  group.timers?.cancelAll();
  group.posixTimers?.cancelAll();
  group.cpuLimit?.cancel();
  group.setExecutable(null);
  leaveTerminal(group);
  const wasOrphaned = group.processGroup.isOrphaned();
  // Its children's groups may become orphans when it goes.
  const childGroups = new Map(
    [...group.children].map((
      child,
    ) => [child.processGroup, child.processGroup.isOrphaned()]),
  );
  group.isZombie = true;
  reparentChildren(group);
  hangUpIfNewlyOrphaned(group.processGroup, wasOrphaned, group);
  for (const [processGroup, was] of childGroups) {
    if (processGroup !== group.processGroup) {
      hangUpIfNewlyOrphaned(processGroup, was, group);
    }
  }
  if (group.pid === 1) zapNamespace(group);
  group.exitQueue.wake();
  notifyParentOfExit(group);
  kernel.onProcessExit(group);
}

/** The session leader's end: the terminal tells its foreground group. */
function leaveTerminal(group: ThreadGroup): void {
  const { session } = group.processGroup;
  if (session.id !== group.pid) return;
  session.controllingTerminal?.onSessionEnd();
  session.controllingTerminal = null;
}

/** Children go to a sibling thread's process (none left), the nearest
 * subreaper, or the namespace's init. */
function reparentChildren(group: ThreadGroup): void {
  if (group.children.size === 0) return;
  const heir = findReaper(group);
  for (const child of [...group.children]) {
    group.children.delete(child);
    child.parent = heir;
    if (heir === null) {
      if (child.isZombie) reap(child);
      continue;
    }
    heir.children.add(child);
    child.exitSignal = SIGCHLD;
    if (child.isZombie) notifyParentOfExit(child);
  }
}

function findReaper(group: ThreadGroup): ThreadGroup | null {
  for (let at = group.parent; at !== null; at = at.parent) {
    if (at.isSubreaper && !at.isZombie && at.namespace === group.namespace) {
      return at;
    }
  }
  const init = group.namespace.task(1)?.threadGroup ?? null;
  return init === group || init === null || init.isZombie ? null : init;
}

/** The end of a namespace's init kills everything in it. */
function zapNamespace(init: ThreadGroup): void {
  init.namespace.isDying = true;
  for (const task of [...init.namespace.tasks()]) {
    if (task.threadGroup !== init) {
      task.threadGroup.isExiting = true;
      task.threadGroup.exitStatus = SIGKILL;
      killTask(task);
    }
  }
}

/** A traced task ended: its tracer waits for it before its parent does. */
function reportDeath(task: Task, status: number): void {
  const ptrace = task.ptrace!;
  ptrace.stop = null;
  ptrace.deathStatus = status;
  notifyTracer(task, status & 0x7f);
}

/** A tracer waited for the end of a task that is not its child. */
export function forgetTracee(task: Task): void {
  task.ptrace?.tracer.threadGroup.tracees.delete(task);
  task.ptrace = null;
  const group = task.threadGroup;
  if (group.leader === task && group.isZombie) notifyParentOfExit(group);
}

/** A tracer ends: its tracees go free, or die (PTRACE_O_EXITKILL). */
function releaseTracees(tracer: Task): void {
  for (const task of [...tracer.threadGroup.tracees]) {
    if (task.ptrace?.tracer !== tracer) continue;
    if (task.state === "dead") {
      forgetTracee(task);
      continue;
    }
    const kills = task.ptrace.has(PTRACE_O_EXITKILL);
    detach(task, 0);
    if (kills) sendToTask(task, kernelSignal(SIGKILL));
  }
}

function notifyParentOfExit(group: ThreadGroup): void {
  const { parent, leader } = group;
  if (leader.ptrace !== null) {
    const tracer = leader.ptrace.tracer.threadGroup;
    if (tracer !== parent) return reportDeath(leader, group.exitStatus);
    tracer.tracees.delete(leader);
    leader.ptrace = null;
  }
  if (parent === null) return reap(group);
  const action = parent.handlers.get(SIGCHLD);
  const isUnwanted = group.exitSignal === SIGCHLD &&
    (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0);
  if (
    group.exitSignal !== 0 &&
    !(group.exitSignal === SIGCHLD && action.handler === SIG_IGN)
  ) {
    const { code, status } = exitCode(group);
    sendToGroup(
      parent,
      childSignal(
        group.exitSignal,
        code,
        group.pid,
        group.leader.credentials.uid,
        status,
        Math.floor(group.userNs / NS_PER_TICK),
        Math.floor(group.systemNs / NS_PER_TICK),
      ),
    );
  }
  if (isUnwanted) reap(group);
  parent.childQueue.wake();
}

/** si_code and si_status for a zombie's wait status. */
export function exitCode(
  group: ThreadGroup,
): { readonly code: number; readonly status: number } {
  return exitCodeOf(group.exitStatus);
}

/** The same for a wait status. */
export function exitCodeOf(
  wait: number,
): { readonly code: number; readonly status: number } {
  if (WIFEXITED(wait)) return { code: CLD_EXITED, status: WEXITSTATUS(wait) };
  return {
    code: (wait & WCOREFLAG) !== 0 ? CLD_DUMPED : CLD_KILLED,
    status: wait & 0x7f,
  };
}

/** Frees a zombie's number; its parent has its status, or wants none. */
export function reap(group: ThreadGroup): void {
  const { parent, leader } = group;
  if (parent !== null) {
    parent.childrenUserNs += group.userNs + group.childrenUserNs;
    parent.childrenSystemNs += group.systemNs + group.childrenSystemNs;
    parent.childrenMaxResidentPages = Math.max(
      parent.childrenMaxResidentPages,
      group.maxResidentPages,
      group.childrenMaxResidentPages,
    );
    parent.children.delete(group);
    group.parent = null;
  }
  group.processGroup.remove(group);
  leader.namespace.remove(group.pid);
}
