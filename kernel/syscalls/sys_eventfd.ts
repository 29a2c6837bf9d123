/**
 * eventfd(2), eventfd2(2). The counter lives in `../fs/eventfd.ts`.
 * @module
 */
import { EINVAL, isErrno } from "../abi/errno.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE } from "../abi/eventfd.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { EventFdDescription } from "../fs/eventfd.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

const VALID_FLAGS = EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE;

export const eventfd = defineSyscall({
  name: "eventfd",
  support: "full",
  args: { initval: "uint" },
  run: (task, { initval }) => makeEventFd(task, initval, 0),
});

export const eventfd2 = defineSyscall({
  name: "eventfd2",
  support: "full",
  args: { initval: "uint", flags: "flags" },
  run: (task, { initval, flags }) => makeEventFd(task, initval, flags),
});

function makeEventFd(task: Task, initial: number, flags: number): SysResult {
  if ((flags & ~VALID_FLAGS) !== 0) return EINVAL;
  const file = new EventFdDescription(task.kernel.anonInodes, {
    initial,
    isSemaphore: (flags & EFD_SEMAPHORE) !== 0,
    isNonBlocking: (flags & EFD_NONBLOCK) !== 0,
  });
  const fd = task.fdTable.install(file, {
    closeOnExec: (flags & EFD_CLOEXEC) !== 0,
    limit: task.limit(RLIMIT_NOFILE),
  });
  if (isErrno(fd)) file.release(); // EMFILE
  return fd;
}
