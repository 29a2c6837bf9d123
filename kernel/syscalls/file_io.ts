/**
 * The waiting around reads and writes: FileDescription's methods never block,
 * this does. Source: read(2), write(2), pipe(7).
 * @module
 */
import {
  EAGAIN,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/fcntl.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from "../abi/poll.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import type { Task } from "../task/task.ts";
import type { Blocked } from "../task/task_block.ts";
import type { FileDescription } from "../vfs/file_description.ts";

const READ_EVENTS = POLLIN | POLLPRI | POLLRDNORM | POLLRDHUP | POLLERR |
  POLLHUP;
const WRITE_EVENTS = POLLOUT | POLLWRNORM | POLLERR | POLLHUP;

/**
 * Reads at the file's position. Blocks until something can be read, unless
 * `isNonBlocking` or O_NONBLOCK.
 */
export function readWaiting(
  task: Task,
  file: FileDescription,
  io: IoBuffer,
  isNonBlocking = false,
): number | Errno | Blocked {
  const count = file.read(io, task);
  if (count !== EAGAIN) return count;
  if (isNonBlocking || (file.flags & O_NONBLOCK) !== 0) return EAGAIN;
  const timeoutNs = file.readTimeoutNs;
  const deadline = timeoutNs === Infinity
    ? Infinity
    : task.deadlineAfter(timeoutNs);
  const blocked = task.block(file.queue, READ_EVENTS, deadline);
  return blocked === ETIMEDOUT ? file.readTimeoutResult : blocked;
}

/**
 * Writes at the file's position. A blocking pipe, socket or terminal takes all
 * of it before the call returns: what went before a wait is kept in
 * `task.restart.done`. Precondition: `io` is the whole buffer of the call.
 */
export function writeWaiting(
  task: Task,
  file: FileDescription,
  io: IoBuffer,
  isNonBlocking = false,
): number | Errno | Blocked {
  const restart = task.restart;
  if (restart.done > 0) io.advance(restart.done);
  for (;;) {
    const count = file.write(io, task);
    if (!isErrno(count)) {
      restart.done += count;
      if (io.remaining === 0 || file.isSeekable || count === 0) {
        return restart.done;
      }
      if (isNonBlocking || (file.flags & O_NONBLOCK) !== 0) {
        return restart.done;
      }
      continue;
    }
    if (count !== EAGAIN) return restart.done > 0 ? restart.done : count;
    if (isNonBlocking || (file.flags & O_NONBLOCK) !== 0) {
      return restart.done > 0 ? restart.done : EAGAIN;
    }
    const timeoutNs = file.writeTimeoutNs;
    const deadline = timeoutNs === Infinity
      ? Infinity
      : task.deadlineAfter(timeoutNs);
    const blocked = task.block(file.queue, WRITE_EVENTS, deadline);
    if (blocked !== ERESTARTSYS && blocked !== ETIMEDOUT) return blocked;
    if (restart.done > 0) return restart.done;
    return blocked === ETIMEDOUT ? EAGAIN : blocked;
  }
}
