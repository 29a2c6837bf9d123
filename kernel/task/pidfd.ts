/**
 * pidfd: a descriptor that refers to a process and is readable once it ended.
 * Source: pidfd_open(2), clone(2) CLONE_PIDFD.
 * @module
 */
import type { Errno } from "../abi/errno.ts";
import { O_CLOEXEC, O_RDWR } from "../abi/fcntl.ts";
import { POLLHUP, POLLIN } from "../abi/poll.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import { FileDescription } from "../vfs/file_description.ts";
import type { VfsPath } from "../vfs/mount.ts";
import type { Task } from "./task.ts";

export class PidFdDescription extends FileDescription {
  constructor(path: VfsPath, flags: number, readonly task: Task) {
    super(path, flags);
  }
  override get isSeekable(): boolean {
    return false;
  }
  override get queue(): WaitQueue {
    return this.task.threadGroup.exitQueue;
  }
  /** The process's number; -1 once it was waited for. */
  override showInfo(): string {
    const { threadGroup: group } = this.task;
    const isReaped = this.task.namespace.task(group.pid)?.threadGroup !== group;
    const pid = isReaped ? -1 : group.pid;
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }
  /** POLLHUP too once the process was waited for. */
  override readiness(): number {
    const group = this.task.threadGroup;
    if (!group.isZombie) return 0;
    return POLLIN | (group.parent === null ? POLLHUP : 0);
  }
}

/** Opens a close-on-exec pidfd for `target` in the caller's table. EMFILE. */
export function openPidFd(
  caller: Task,
  target: Task,
  flags = 0,
): number | Errno {
  const path = caller.kernel.anonInodes.placeOf("[pidfd]");
  const file = new PidFdDescription(
    path,
    O_RDWR | (flags & ~O_CLOEXEC),
    target,
  );
  const fd = caller.fdTable.install(file, {
    closeOnExec: true,
    limit: caller.limit(RLIMIT_NOFILE),
  });
  if (typeof fd !== "number") file.release();
  return fd;
}
