/**
 * recvfrom(2), recvmsg(2), recvmmsg(2).
 * @module
 */
import { isErrno } from "../abi/errno.ts";
import {
  MMSG_MAX,
  MMSGHDR,
  MMSGHDR_SIZE,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_WAITFORONE,
} from "../abi/socket.ts";
import { IncomingMessage, type Socket } from "../socket/socket.ts";
import type { Task } from "../task/task.ts";
import { writeControl } from "./control_messages.ts";
import { endAfter, progressOf } from "./message_batch.ts";
import { readHeader, writeHeader } from "./message_header.ts";
import { socketOf, writeSockaddr } from "./socket_arguments.ts";
import { receiveWaiting } from "./socket_io.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";
import { readTimespec } from "./timespec.ts";

const NO_ADDRESS = new Uint8Array(0);

export const recvfrom = defineSyscall({
  name: "recvfrom",
  support: { partial: "MSG_OOB fails with EOPNOTSUPP" },
  args: {
    sockfd: "fd",
    buf: "buf",
    len: "size",
    flags: "flags",
    src_addr: "addr",
    addrlen: "addr",
  },
  run: (task, { sockfd, buf, len, flags, src_addr, addrlen }) => {
    const io = task.memory.buffer(buf, len);
    if (isErrno(io)) return io;
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const message = new IncomingMessage(io, flags);
    const count = receiveWaiting(task, found, message);
    if (typeof count !== "number") return count;
    // There is no place for descriptors here.
    for (const file of message.rights) file.release();
    if (src_addr === 0) return count;
    const address = message.address ?? NO_ADDRESS;
    return writeSockaddr(task, address, src_addr, addrlen) ?? count;
  },
});

export const recvmsg = defineSyscall({
  name: "recvmsg",
  support: { partial: "of control messages SCM_RIGHTS, SCM_CREDENTIALS" },
  args: { sockfd: "fd", msg: "addr", flags: "flags" },
  run: (task, { sockfd, msg, flags }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    return receiveOne(task, found, msg, flags);
  },
});

function receiveOne(
  task: Task,
  socket: Socket,
  msg: number,
  flags: number,
): SysResult {
  const header = readHeader(task, msg);
  if (isErrno(header)) return header;
  const io = task.memory.vector(header.iov, header.iovLength);
  if (isErrno(io)) return io;
  const message = new IncomingMessage(io, flags);
  const count = receiveWaiting(task, socket, message);
  if (typeof count !== "number") return count;

  const { control, controlLength } = header;
  const stored = writeControl(task, message, control, controlLength);
  if (isErrno(stored)) return stored;
  const address = message.address ?? NO_ADDRESS;
  if (header.nameLength > 0 && address.length > 0) {
    const shown = address.subarray(0, header.nameLength);
    const fault = task.memory.writeBytes(header.name, shown);
    if (fault !== null) return fault;
  }
  const fault = writeHeader(task, msg, {
    nameLength: header.name === 0 ? 0 : address.length,
    controlLength: stored.length,
    flags: message.flags | stored.flags | (flags & MSG_CMSG_CLOEXEC),
  });
  return fault ?? count;
}

export const recvmmsg = defineSyscall({
  name: "recvmmsg",
  support: "full",
  args: {
    sockfd: "fd",
    msgvec: "addr",
    vlen: "uint",
    flags: "flags",
    timeout: "addr",
  },
  run: (task, { sockfd, msgvec, vlen, flags, timeout }) => {
    let deadlineNs = Infinity;
    const progress = progressOf(task);
    if (timeout !== 0) {
      const limitNs = readTimespec(task, timeout);
      if (isErrno(limitNs)) return limitNs;
      progress.deadlineNs ??= task.kernel.clock.monotonicNs() + limitNs;
      deadlineNs = progress.deadlineNs;
    }
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const count = Math.min(vlen, MMSG_MAX);
    while (progress.messages < count) {
      const { messages } = progress;
      const isLaterOne = messages > 0 && (flags & MSG_WAITFORONE) !== 0;
      const how = (flags & ~MSG_WAITFORONE) | (isLaterOne ? MSG_DONTWAIT : 0);
      const at = msgvec + messages * MMSGHDR_SIZE;
      const received = receiveOne(task, found, at, how);
      if (typeof received === "symbol") return received;
      const fault = isErrno(received)
        ? received
        : task.memory.writeU32(at + MMSGHDR.msg_len, received);
      if (fault !== null) return endAfter(messages, fault);
      progress.messages++;
      task.restart.done = 0;
      // The time is looked at after a message only: recvmmsg(2), BUGS.
      if (task.kernel.clock.monotonicNs() >= deadlineNs) break;
    }
    return progress.messages;
  },
});
