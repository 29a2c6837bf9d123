/**
 * sendto(2), sendmsg(2), sendmmsg(2).
 * @module
 */
import { isErrno } from "../abi/errno.ts";
import { MMSG_MAX, MMSGHDR, MMSGHDR_SIZE } from "../abi/socket.ts";
import type { Ancillary, Socket } from "../socket/socket.ts";
import type { Task } from "../task/task.ts";
import { endAfter, progressOf } from "./message_batch.ts";
import { readControl } from "./control_messages.ts";
import { readHeader } from "./message_header.ts";
import { readSockaddr, socketOf } from "./socket_arguments.ts";
import { sendWaiting } from "./socket_io.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const sendto = defineSyscall({
  name: "sendto",
  support: { partial: "MSG_OOB fails with EOPNOTSUPP" },
  args: {
    sockfd: "fd",
    buf: "buf",
    len: "size",
    flags: "flags",
    dest_addr: "addr",
    addrlen: "int",
  },
  run: (task, { sockfd, buf, len, flags, dest_addr, addrlen }) => {
    const io = task.memory.buffer(buf, len);
    if (isErrno(io)) return io;
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    let address: Uint8Array | null = null;
    if (dest_addr !== 0) {
      const given = readSockaddr(task, dest_addr, addrlen);
      if (isErrno(given)) return given;
      address = given;
    }
    return sendWaiting(task, found, { io, address, ancillary: null, flags });
  },
});

export const sendmsg = defineSyscall({
  name: "sendmsg",
  support: { partial: "of control messages SCM_RIGHTS, SCM_CREDENTIALS" },
  args: { sockfd: "fd", msg: "addr", flags: "flags" },
  run: (task, { sockfd, msg, flags }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    return sendOne(task, found, msg, flags);
  },
});

function sendOne(
  task: Task,
  socket: Socket,
  msg: number,
  flags: number,
): SysResult {
  const header = readHeader(task, msg);
  if (isErrno(header)) return header;
  let address: Uint8Array | null = null;
  if (header.nameLength > 0) {
    const given = readSockaddr(task, header.name, header.nameLength);
    if (isErrno(given)) return given;
    address = given;
  }
  const io = task.memory.vector(header.iov, header.iovLength);
  if (isErrno(io)) return io;
  // What was attached went with the first bytes, before the wait.
  const isContinued = task.restart.done > 0;
  const ancillary = isContinued
    ? null
    : readControl(task, socket, header.control, header.controlLength);
  if (isErrno(ancillary)) return ancillary;
  const result = sendWaiting(task, socket, { io, address, ancillary, flags });
  // Not even a message without bytes went: its files are still ours.
  const isSent = task.restart.done > 0 || typeof result === "number";
  if (!isSent) releaseFiles(ancillary);
  return result;
}

function releaseFiles(ancillary: Ancillary | null): void {
  if (ancillary === null) return;
  for (const file of ancillary.rights) file.release();
}

export const sendmmsg = defineSyscall({
  name: "sendmmsg",
  support: "full",
  args: { sockfd: "fd", msgvec: "addr", vlen: "uint", flags: "flags" },
  run: (task, { sockfd, msgvec, vlen, flags }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const count = Math.min(vlen, MMSG_MAX);
    const progress = progressOf(task);
    while (progress.messages < count) {
      const at = msgvec + progress.messages * MMSGHDR_SIZE;
      const sent = sendOne(task, found, at, flags);
      if (typeof sent === "symbol") return sent;
      const fault = isErrno(sent)
        ? sent
        : task.memory.writeU32(at + MMSGHDR.msg_len, sent);
      if (fault !== null) return endAfter(progress.messages, fault);
      progress.messages++;
      task.restart.done = 0;
    }
    return progress.messages;
  },
});
