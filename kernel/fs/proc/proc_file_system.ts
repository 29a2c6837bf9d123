/**
 * proc: the kernel's state as files, one instance per mount(2), seen from a
 * PID namespace. Source: proc(5).
 * @module
 */
import type { Errno } from "../../abi/errno.ts";
import { PROC_SUPER_MAGIC } from "../../abi/magic.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { KernelServices } from "../../task/kernel_services.ts";
import type { PidNamespace } from "../../task/pid_namespace.ts";
import { Task } from "../../task/task.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileSystemType } from "../../vfs/vfs_core.ts";
import { KernfsFileSystem } from "../kernfs/kernfs_file_system.ts";
import { ProcessListDirectory } from "./process_list.ts";
import { ProcRoot } from "./proc_root.ts";
import { ROOT_TABLE } from "./root_entries.ts";
import { SystemFacts } from "./system_facts.ts";

export class ProcFileSystem extends KernfsFileSystem {
  override readonly root: ProcessListDirectory;

  constructor(
    kernel: KernelServices,
    namespace: PidNamespace,
    facts: SystemFacts,
  ) {
    super({
      typeName: "proc",
      magic: PROC_SUPER_MAGIC,
      device: kernel.vfs.newDevice(),
      clock: kernel.clock,
      contents: facts.contents,
    });
    const root = new ProcRoot(kernel, namespace, facts);
    this.root = new ProcessListDirectory(this, root, ROOT_TABLE);
  }
}

/** What mount(2) makes proc instances with; one per kernel. */
export class ProcType implements FileSystemType {
  readonly name = "proc";
  readonly needsDevice = false;
  readonly #kernel: KernelServices;
  readonly #facts: SystemFacts;

  constructor(kernel: KernelServices) {
    this.#kernel = kernel;
    this.#facts = new SystemFacts(kernel);
  }

  create(
    _source: string,
    _data: ByteString,
    caller: Caller,
  ): ProcFileSystem | Errno {
    const namespace = caller instanceof Task
      ? caller.namespace
      : this.#kernel.rootPidNamespace;
    return new ProcFileSystem(this.#kernel, namespace, this.#facts);
  }
}
