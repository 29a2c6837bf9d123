/**
 * ProcRoot: what a whole proc instance is about: the kernel, seen from a PID
 * namespace.
 * @module
 */
import type { FdTable } from "../../task/fd_table.ts";
import type { KernelServices } from "../../task/kernel_services.ts";
import type { PidNamespace } from "../../task/pid_namespace.ts";
import { Task } from "../../task/task.ts";
import type { ThreadGroup } from "../../task/thread_group.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import { RootSubject } from "../kernfs/kernfs_inode.ts";
import type { SystemFacts } from "./system_facts.ts";

export class ProcRoot extends RootSubject {
  constructor(
    readonly kernel: KernelServices,
    readonly namespace: PidNamespace,
    /** What lasts longer than one mount. */
    readonly facts: SystemFacts,
  ) {
    super();
  }

  /** The calling task, if it has a number here. */
  callerTask(caller: Caller): Task | null {
    return caller instanceof Task && caller.namespace === this.namespace
      ? caller
      : null;
  }
  /** A process's number here; 0 if it has none. */
  pidOf(group: ThreadGroup | null): number {
    return group !== null && group.namespace === this.namespace ? group.pid : 0;
  }

  /** Files that some process of the kernel has a descriptor of, each once. */
  openFiles(): ReadonlySet<FileDescription> {
    const files = new Set<FileDescription>();
    const tables = new Set<FdTable>();
    for (const task of this.kernel.rootPidNamespace.tasks()) {
      if (task.state !== "dead") tables.add(task.fdTable);
    }
    for (const table of tables) {
      for (const fd of table.fds()) files.add(table.get(fd)!);
    }
    return files;
  }

  /** Processes of the namespace, zombies included, in no particular order. */
  *processes(): Generator<ThreadGroup> {
    for (const task of this.namespace.tasks()) {
      if (task.isLeader) yield task.threadGroup;
    }
  }
}
