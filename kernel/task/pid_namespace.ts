/**
 * PID namespaces: numbers for tasks, process groups and sessions. A task has a
 * number in its own namespace and in every ancestor (pid_namespaces(7)).
 * @module
 */
import { EAGAIN, type Errno } from "../abi/errno.ts";
import type { ProcessGroup, Session } from "./job_control.ts";
import type { Task } from "./task.ts";

/** Linux's default kernel.pid_max on 64-bit hosts with few CPUs. */
export const PID_MAX = 4194304;

export class PidNamespace {
  readonly #tasks = new Map<number, Task>();
  readonly processGroups = new Map<number, ProcessGroup>();
  readonly sessions = new Map<number, Session>();
  /** Zombies' and groups' numbers that must not be used again yet. */
  readonly #held = new Map<number, number>();
  #last = 0;
  /** Set once pid 1 exits: no new task may appear. */
  isDying = false;

  constructor(readonly parent: PidNamespace | null) {}

  /** Number of nested levels above the root. */
  get level(): number {
    return this.parent === null ? 0 : this.parent.level + 1;
  }

  task(tid: number): Task | null {
    return this.#tasks.get(tid) ?? null;
  }
  tasks(): IterableIterator<Task> {
    return this.#tasks.values();
  }
  get taskCount(): number {
    return this.#tasks.size;
  }
  get lastPid(): number {
    return this.#last;
  }

  /** Takes the next free number, wrapping at PID_MAX. EAGAIN if all are used. */
  allocate(): number | Errno {
    for (let tries = 0; tries < PID_MAX; tries++) {
      this.#last = this.#last + 1 >= PID_MAX ? 300 : this.#last + 1;
      if (!this.#held.has(this.#last)) return this.#last;
    }
    return EAGAIN;
  }
  /** True if clone3's set_tid may have this number. */
  isFree(pid: number): boolean {
    return pid > 0 && pid < PID_MAX && !this.#held.has(pid);
  }

  add(tid: number, task: Task): void {
    this.#tasks.set(tid, task);
    this.hold(tid);
  }
  remove(tid: number): void {
    this.#tasks.delete(tid);
    this.drop(tid);
  }
  /** exec by a thread: it takes over the leader's number. */
  replace(tid: number, task: Task): void {
    this.#tasks.set(tid, task);
  }

  /** Numbers are reused only when no task, group or session has them. */
  hold(pid: number): void {
    this.#held.set(pid, (this.#held.get(pid) ?? 0) + 1);
  }
  drop(pid: number): void {
    const count = (this.#held.get(pid) ?? 1) - 1;
    if (count === 0) this.#held.delete(pid);
    else this.#held.set(pid, count);
  }
}
