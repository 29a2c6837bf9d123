/**
 * ProcessRef: what /proc/PID and /proc/PID/task/TID are about: a process, or
 * one of its threads, as long as it has its number. A process that ended shows
 * what a zombie has left; memory, files and directories are gone then.
 * @module
 */
import { S_IFDIR, S_IFMT } from "../../abi/stat.ts";
import type { MemoryManager } from "../../mm/memory_manager.ts";
import type { FdTable } from "../../task/fd_table.ts";
import type { PidNamespace } from "../../task/pid_namespace.ts";
import type { Task } from "../../task/task.ts";
import type { ThreadGroup } from "../../task/thread_group.ts";
import type { FsContext } from "../../vfs/fs_context.ts";
import type { Inode } from "../../vfs/inode.ts";
import { KernfsInode, type Subject } from "../kernfs/kernfs_inode.ts";
import type { ProcRoot } from "./proc_root.ts";

/** Inode numbers of one process or thread: from its number times this on. */
const INOS_PER_TASK = 2 ** 24;
/** A thread's tree differs from that of its process. */
const THREAD_INOS = 2 ** 23;

export class ProcessRef implements Subject {
  /** Its name in the directory. */
  readonly number: number;
  readonly group: ThreadGroup;
  readonly #task: Task;

  /** `isProcess`: for /proc/N with all that its process shares, else for
   * /proc/PID/task/N. */
  constructor(
    readonly root: ProcRoot,
    task: Task,
    readonly isProcess: boolean,
  ) {
    this.number = task.tid;
    this.group = task.threadGroup;
    this.#task = task;
  }

  get namespace(): PidNamespace {
    return this.root.namespace;
  }
  /** The thread itself, or the process's leader, which may have exited. */
  get task(): Task {
    const isLeader = this.isProcess && this.number === this.group.pid;
    return isLeader ? this.group.leader : this.#task;
  }
  /** First inode number of its tree; the directory's own. */
  get ino(): number {
    const base = this.number * INOS_PER_TASK;
    return this.isProcess ? base : base + THREAD_INOS;
  }

  get isCurrent(): boolean {
    return this.namespace.task(this.number) === this.task;
  }

  uidFor(mode: number): number {
    return this.#isOwnedByUser(mode) ? this.task.credentials.euid : 0;
  }
  gidFor(mode: number): number {
    return this.#isOwnedByUser(mode) ? this.task.credentials.egid : 0;
  }
  /** Files of a process that is not dumpable are root's (proc(5)). */
  #isOwnedByUser(mode: number): boolean {
    const isOpenDirectory = (mode & S_IFMT) === S_IFDIR &&
      (mode & 0o777) === 0o555;
    return isOpenDirectory || this.group.isDumpable;
  }

  get isDead(): boolean {
    return this.task.state === "dead";
  }
  /** Null once it exited. */
  get memory(): MemoryManager | null {
    return this.isDead ? null : this.task.memory;
  }
  get fdTable(): FdTable | null {
    return this.isDead ? null : this.task.fdTable;
  }
  get fsContext(): FsContext | null {
    return this.isDead ? null : this.task.fsContext;
  }
}

/** The process whose /proc/PID an inode is; null for any other inode. */
export function processOfInode(inode: Inode): ThreadGroup | null {
  if (!(inode instanceof KernfsInode)) return null;
  const ref: unknown = inode.subject;
  if (!(ref instanceof ProcessRef) || !ref.isProcess) return null;
  return inode.ino === ref.ino ? ref.group : null;
}
