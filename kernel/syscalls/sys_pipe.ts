/**
 * pipe(2), pipe2(2): create a one-way byte channel. Policy only; buffering,
 * PIPE_BUF atomicity and SIGPIPE live in `../fs/pipe.ts`.
 * @module
 */
import { EINVAL, isErrno } from "../abi/errno.ts";
import { O_CLOEXEC, O_DIRECT, O_NONBLOCK } from "../abi/fcntl.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

const VALID_FLAGS = O_CLOEXEC | O_DIRECT | O_NONBLOCK;

export const pipe = defineSyscall({
  name: "pipe",
  support: "full",
  args: { fds: "addr" },
  run: (task, { fds }) => makePipe(task, fds, 0),
});

export const pipe2 = defineSyscall({
  name: "pipe2",
  support: { partial: "O_NOTIFICATION_PIPE fails with EINVAL" },
  args: { fds: "addr", flags: "oflags" },
  run: (task, { fds, flags }) => makePipe(task, fds, flags),
});

/** Never blocks: a page of `fds` that is absent is brought in on the spot. */
function makePipe(task: Task, fds: number, flags: number): SysResult {
  if ((flags & ~VALID_FLAGS) !== 0) {
    unimplemented(task, "pipe2 flags");
    return EINVAL;
  }
  const reserved = task.fdTable.reserve(2, task.limit(RLIMIT_NOFILE));
  if (isErrno(reserved)) return reserved; // EMFILE
  using slots = reserved;
  using ends = task.kernel.pipes.open(flags & ~O_CLOEXEC, task);

  // The numbers are taken but name no file yet, so on a fault nobody has seen
  // a pipe that must be taken back.
  const fault = task.memory.writeI32s(fds, slots.fds);
  if (isErrno(fault)) return fault; // EFAULT

  // install() takes references of its own; `ends` drops ours on every path.
  slots.install([ends.reader, ends.writer], {
    closeOnExec: (flags & O_CLOEXEC) !== 0,
  });
  return 0;
}
