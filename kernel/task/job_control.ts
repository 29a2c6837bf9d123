/**
 * Process groups and sessions, and the view of them that terminals get.
 * Source: credentials(7), setpgid(2), setsid(2), POSIX job control.
 * @module
 */
import { SIGCONT, SIGHUP } from "../abi/signal.ts";
import type { ControllingTerminal, JobControl } from "../vfs/caller.ts";
import type { PidNamespace } from "./pid_namespace.ts";
import { kernelSignal } from "./signal_info.ts";
import { sendToGroup } from "./signal_send.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** A session; its id is its leader's process id. */
export class Session {
  readonly groups = new Set<ProcessGroup>();
  /** Set by devpts. */
  controllingTerminal: ControllingTerminal | null = null;

  constructor(readonly namespace: PidNamespace, readonly id: number) {
    namespace.sessions.set(id, this);
    namespace.hold(id);
  }

  remove(group: ProcessGroup): void {
    this.groups.delete(group);
    if (this.groups.size > 0) return;
    this.namespace.sessions.delete(this.id);
    this.namespace.drop(this.id);
  }
}

/** A process group; its id is its first leader's process id. */
export class ProcessGroup {
  readonly members = new Set<ThreadGroup>();

  constructor(readonly session: Session, readonly id: number) {
    session.groups.add(this);
    session.namespace.processGroups.set(id, this);
    session.namespace.hold(id);
  }

  add(process: ThreadGroup): void {
    this.members.add(process);
  }

  remove(process: ThreadGroup): void {
    this.members.delete(process);
    if (this.members.size > 0) return;
    const { namespace } = this.session;
    namespace.processGroups.delete(this.id);
    namespace.drop(this.id);
    this.session.remove(this);
  }

  /** No member has a parent in another group of the same session; `except`
   * is a process about to leave or exit. */
  isOrphaned(except: ThreadGroup | null = null): boolean {
    for (const process of this.members) {
      if (process === except || process.isZombie) continue;
      const parent = process.parent;
      if (
        parent !== null && parent.processGroup !== this &&
        parent.processGroup.session === this.session
      ) return false;
    }
    return true;
  }

  get hasStoppedMember(): boolean {
    for (const process of this.members) if (process.isStopped) return true;
    return false;
  }
}

/**
 * POSIX: a group that becomes orphaned while a member is stopped gets SIGHUP
 * and SIGCONT. `leaving` exits or changes its parent; `wasOrphaned` is what
 * isOrphaned() said before.
 */
export function hangUpIfNewlyOrphaned(
  group: ProcessGroup,
  wasOrphaned: boolean,
  leaving: ThreadGroup | null,
): void {
  if (wasOrphaned || !group.isOrphaned(leaving)) return;
  if (!group.hasStoppedMember) return;
  for (const process of [...group.members]) {
    if (process === leaving) continue;
    sendToGroup(process, kernelSignal(SIGHUP));
    sendToGroup(process, kernelSignal(SIGCONT));
  }
}

/** Task's side of vfs/caller.ts JobControl. */
export class TaskJobControl implements JobControl {
  constructor(readonly task: Task) {}

  get #process(): ThreadGroup {
    return this.task.threadGroup;
  }
  get processGroupId(): number {
    return this.#process.processGroup.id;
  }
  get sessionId(): number {
    return this.#process.processGroup.session.id;
  }
  get isSessionLeader(): boolean {
    return this.sessionId === this.#process.pid;
  }
  get isOrphaned(): boolean {
    return this.#process.processGroup.isOrphaned();
  }
  get controllingTerminal(): ControllingTerminal | null {
    return this.#process.processGroup.session.controllingTerminal;
  }
  set controllingTerminal(terminal: ControllingTerminal | null) {
    this.#process.processGroup.session.controllingTerminal = terminal;
  }
  ignoresOrBlocks(signo: number): boolean {
    return this.task.blocked.has(signo) ||
      this.#process.handlers.ignores(signo);
  }
  signalProcessGroup(processGroupId: number, signo: number): void {
    const group = this.task.namespace.processGroups.get(processGroupId);
    if (group === undefined) return;
    for (const process of [...group.members]) {
      sendToGroup(process, kernelSignal(signo));
    }
  }
  signalSessionLeader(signo: number): void {
    const leader = this.task.namespace.task(this.sessionId);
    if (leader !== null) sendToGroup(leader.threadGroup, kernelSignal(signo));
  }
  hasGroup(processGroupId: number): boolean {
    return this.task.namespace.processGroups.has(processGroupId);
  }
  isGroupInSession(processGroupId: number): boolean {
    const group = this.task.namespace.processGroups.get(processGroupId);
    return group !== undefined &&
      group.session === this.#process.processGroup.session;
  }
}
