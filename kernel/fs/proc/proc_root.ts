/**
 * ProcRoot: what a whole proc instance is about: the kernel, seen from a PID
 * namespace.
 * @module
 */
import type { KernelServices } from "../../task/kernel_services.ts";
import type { PidNamespace } from "../../task/pid_namespace.ts";
import { Task } from "../../task/task.ts";
import type { ThreadGroup } from "../../task/thread_group.ts";
import type { Caller } from "../../vfs/caller.ts";
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

  /** Processes of the namespace, zombies included, in no particular order. */
  *processes(): Generator<ThreadGroup> {
    for (const task of this.namespace.tasks()) {
      if (task.isLeader) yield task.threadGroup;
    }
  }
}
