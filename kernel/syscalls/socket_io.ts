/**
 * The waiting around sending and receiving: sockets never block, this does.
 * Source: send(2), recv(2), socket(7).
 * @module
 */
import {
  EAGAIN,
  EINTR,
  ERESTARTSYS,
  type Errno,
  ETIMEDOUT,
  isErrno,
} from "../abi/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from "../abi/poll.ts";
import { MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL } from "../abi/socket.ts";
import type {
  IncomingMessage,
  OutgoingMessage,
  Socket,
} from "../socket/socket.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import type { Task } from "../task/task.ts";
import type { Blocked } from "../task/task_block.ts";

const READ_EVENTS = POLLIN | POLLRDNORM | POLLRDHUP | POLLERR | POLLHUP;
const WRITE_EVENTS = POLLOUT | POLLWRNORM | POLLERR | POLLHUP;

/**
 * Parks until something happens on `queue`. EAGAIN when `timeoutNs` is over; a
 * call with a timeout is never restarted (signal(7)), so EINTR then.
 */
export function waitOnSocket(
  task: Task,
  queue: WaitQueue,
  events: number,
  timeoutNs: number,
): Blocked | Errno {
  const isBounded = timeoutNs !== Infinity;
  const deadline = isBounded ? task.deadlineAfter(timeoutNs) : Infinity;
  const blocked = task.block(queue, events, deadline);
  if (blocked === ETIMEDOUT) return EAGAIN;
  return blocked === ERESTARTSYS && isBounded ? EINTR : blocked;
}

/** True if the call must not wait. */
export function isNonBlocking(socket: Socket, flags: number): boolean {
  return socket.isNonBlocking || (flags & MSG_DONTWAIT) !== 0;
}

/**
 * Sends a message; a blocking stream takes all of it before the call returns.
 * What went before a wait is kept in task.restart.done. Preconditions: `io` is
 * the whole buffer of the call; no ancillary data if restart.done > 0.
 */
export function sendWaiting(
  task: Task,
  socket: Socket,
  message: OutgoingMessage,
): number | Errno | Blocked {
  const { restart } = task;
  const { io, flags } = message;
  if (restart.done > 0) io.advance(restart.done);
  let rest = message;
  for (;;) {
    const count = socket.send(rest, task);
    if (!isErrno(count)) {
      restart.done += count;
      const isDone = !socket.isStream || io.remaining === 0 || count === 0;
      if (isDone || isNonBlocking(socket, flags)) return restart.done;
      rest = { io, address: message.address, ancillary: null, flags };
      continue;
    }
    if (count !== EAGAIN || isNonBlocking(socket, flags)) {
      return restart.done > 0 ? restart.done : count;
    }
    const { sendTimeoutNs, queue } = socket;
    const blocked = waitOnSocket(task, queue, WRITE_EVENTS, sendTimeoutNs);
    if (isErrno(blocked) && restart.done > 0) return restart.done;
    return blocked;
  }
}

/**
 * Receives a message; with MSG_WAITALL a stream waits until the buffer is full.
 * Precondition: message.io is the whole buffer of the call.
 */
export function receiveWaiting(
  task: Task,
  socket: Socket,
  message: IncomingMessage,
): number | Errno | Blocked {
  const { restart } = task;
  const { io, requested } = message;
  const isAll = socket.isStream && (requested & MSG_WAITALL) !== 0 &&
    (requested & MSG_PEEK) === 0;
  if (restart.done > 0) io.advance(restart.done);
  for (;;) {
    const count = socket.receive(message, task);
    if (!isErrno(count)) {
      restart.done += count;
      const isDone = !isAll || count === 0 || io.remaining === 0 ||
        message.rights.length > 0;
      if (isDone) return isAll ? restart.done : count;
      continue;
    }
    if (count !== EAGAIN || isNonBlocking(socket, requested)) {
      return restart.done > 0 ? restart.done : count;
    }
    const { receiveTimeoutNs, queue } = socket;
    const blocked = waitOnSocket(task, queue, READ_EVENTS, receiveTimeoutNs);
    if (isErrno(blocked) && restart.done > 0) return restart.done;
    return blocked;
  }
}
