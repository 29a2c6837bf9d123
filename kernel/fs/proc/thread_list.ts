/**
 * /proc/PID/task: the threads of a process. Source: proc_pid_task(5).
 * @module
 */
import { DT_DIR } from "../../abi/dirent.ts";
import { ENOENT, type Errno, ESRCH } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import { FIRST_COOKIE } from "../../vfs/directory_index.ts";
import type { DirectorySink, Inode } from "../../vfs/inode.ts";
import { KernfsDirectory } from "../kernfs/kernfs_directory.ts";
import type { KernfsHome } from "../kernfs/kernfs_inode.ts";
import { numberOf } from "./parse.ts";
import { ProcessRef } from "./process_ref.ts";

/** Makes the directory of a thread. */
export type MakeThreadDirectory = (home: KernfsHome, ref: ProcessRef) => Inode;

export class ThreadListDirectory extends KernfsDirectory<ProcessRef> {
  readonly #home: KernfsHome;
  readonly #make: MakeThreadDirectory;

  constructor(
    home: KernfsHome,
    ref: ProcessRef,
    ino: number,
    make: MakeThreadDirectory,
  ) {
    super(home, ref, ino, 0o555);
    this.#home = home;
    this.#make = make;
  }

  /** The link count counts the threads. */
  override refresh(): Errno | null {
    this.nlink = 2 + this.#numbers().length;
    return super.refresh();
  }

  /** Ids of the threads, ascending; a leader that exited first is there until
   * the last one does. */
  #numbers(): number[] {
    const { group } = this.subject;
    const numbers = new Set([group.pid]);
    for (const task of group.tasks) numbers.add(task.tid);
    return [...numbers].sort((a, b) => a - b);
  }

  override lookup(name: ByteString): Inode | null | Errno {
    const { root, group, namespace, isCurrent } = this.subject;
    if (!isCurrent) return ESRCH;
    const task = namespace.task(numberOf(name));
    if (task === null || task.threadGroup !== group) return null;
    return this.#make(this.#home, new ProcessRef(root, task, false));
  }

  override readDirectory(cookie: number, sink: DirectorySink): Errno | null {
    if (!this.subject.isCurrent) return ENOENT;
    for (const tid of this.#numbers()) {
      if (tid < cookie - FIRST_COOKIE) continue;
      const task = this.subject.namespace.task(tid);
      if (task === null) continue;
      const { ino } = new ProcessRef(this.subject.root, task, false);
      if (!sink.emit(`${tid}`, ino, DT_DIR, FIRST_COOKIE + tid + 1)) break;
    }
    return null;
  }
}
