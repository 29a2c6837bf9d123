/**
 * socket(2), socketpair(2), bind(2), listen(2), accept(2), accept4(2),
 * connect(2), shutdown(2), getsockname(2), getpeername(2). Messages are in
 * sys_sendmsg.ts and sys_recvmsg.ts, options in sys_sockopt.ts.
 * @module
 */
import {
  EAFNOSUPPORT,
  EAGAIN,
  EINPROGRESS,
  EINVAL,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/fcntl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../abi/poll.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import {
  AF_MAX,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_PACKET,
  SOCK_TYPE_MASK,
} from "../abi/socket.ts";
import type { SocketFamily } from "../socket/socket.ts";
import type { Task } from "../task/task.ts";
import { readSockaddr, socketOf, writeSockaddr } from "./socket_arguments.ts";
import { isNonBlocking, waitOnSocket } from "./socket_io.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

const FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK;
const CONNECT_EVENTS = POLLOUT | POLLERR | POLLHUP;
const ACCEPT_EVENTS = POLLIN | POLLERR | POLLHUP;

/** Checks what socket(2) and socketpair(2) have in common. */
function familyOf(
  task: Task,
  family: number,
  type: number,
): SocketFamily | Errno {
  if ((type & ~(SOCK_TYPE_MASK | FLAGS)) !== 0) return EINVAL;
  if (family < 0 || family >= AF_MAX) return EAFNOSUPPORT;
  if ((type & SOCK_TYPE_MASK) > SOCK_PACKET) return EINVAL;
  const found = task.kernel.sockets.families.get(family);
  if (found !== undefined) return found;
  unimplemented(task, `address family ${family}`);
  return EAFNOSUPPORT;
}

export const socket = defineSyscall({
  name: "socket",
  support: { partial: "AF_UNIX; other families fail with EAFNOSUPPORT" },
  args: { domain: "int", type: "int", protocol: "int" },
  run: (task, { domain, type, protocol }) => {
    const family = familyOf(task, domain, type);
    if (isErrno(family)) return family;
    const made = family.create(type & SOCK_TYPE_MASK, protocol, task);
    if (isErrno(made)) return made;
    if ((type & SOCK_NONBLOCK) !== 0) made.flags |= O_NONBLOCK;
    const fd = task.fdTable.install(made, {
      closeOnExec: (type & SOCK_CLOEXEC) !== 0,
      limit: task.limit(RLIMIT_NOFILE),
    });
    if (isErrno(fd)) made.release(); // EMFILE
    return fd;
  },
});

export const socketpair = defineSyscall({
  name: "socketpair",
  support: "full",
  args: { domain: "int", type: "int", protocol: "int", sv: "addr" },
  run: (task, { domain, type, protocol, sv }) => {
    const family = familyOf(task, domain, type);
    if (isErrno(family)) return family;
    const reserved = task.fdTable.reserve(2, task.limit(RLIMIT_NOFILE));
    if (isErrno(reserved)) return reserved; // EMFILE
    using slots = reserved;
    const fault = task.memory.writeI32s(sv, slots.fds);
    if (fault !== null) return fault;
    const pair = family.createPair(type & SOCK_TYPE_MASK, protocol, task);
    if (isErrno(pair)) return pair;
    for (const one of pair) {
      if ((type & SOCK_NONBLOCK) !== 0) one.flags |= O_NONBLOCK;
    }
    slots.install(pair, { closeOnExec: (type & SOCK_CLOEXEC) !== 0 });
    for (const one of pair) one.release();
    return 0;
  },
});

export const bind = defineSyscall({
  name: "bind",
  support: "full",
  args: { sockfd: "fd", addr: "addr", addrlen: "int" },
  run: (task, { sockfd, addr, addrlen }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const address = readSockaddr(task, addr, addrlen);
    if (isErrno(address)) return address;
    return found.bind(address, task) ?? 0;
  },
});

export const listen = defineSyscall({
  name: "listen",
  support: "full",
  args: { sockfd: "fd", backlog: "int" },
  run: (task, { sockfd, backlog }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    return found.listen(backlog, task) ?? 0;
  },
});

export const connect = defineSyscall({
  name: "connect",
  support: "full",
  args: { sockfd: "fd", addr: "addr", addrlen: "int" },
  run: (task, { sockfd, addr, addrlen }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const address = readSockaddr(task, addr, addrlen);
    if (isErrno(address)) return address;
    const failed = found.connect(address, task);
    if (failed === null) return 0;
    const mustWait = failed === EAGAIN || failed === EINPROGRESS;
    if (!mustWait || isNonBlocking(found, 0)) return failed;
    const { connectQueue, sendTimeoutNs } = found;
    const blocked = waitOnSocket(
      task,
      connectQueue,
      CONNECT_EVENTS,
      sendTimeoutNs,
    );
    // Time over: the attempt goes on without us.
    return blocked === EAGAIN && failed === EINPROGRESS ? EINPROGRESS : blocked;
  },
});

export const accept = defineSyscall({
  name: "accept",
  support: "full",
  args: { sockfd: "fd", addr: "addr", addrlen: "addr" },
  run: (task, { sockfd, addr, addrlen }) =>
    acceptOne(task, sockfd, addr, addrlen, 0),
});

export const accept4 = defineSyscall({
  name: "accept4",
  support: "full",
  args: { sockfd: "fd", addr: "addr", addrlen: "addr", flags: "flags" },
  run: (task, { sockfd, addr, addrlen, flags }) =>
    acceptOne(task, sockfd, addr, addrlen, flags),
});

function acceptOne(
  task: Task,
  sockfd: number,
  addr: number,
  addrlen: number,
  flags: number,
): SysResult {
  if ((flags & ~FLAGS) !== 0) return EINVAL;
  const listener = socketOf(task, sockfd);
  if (isErrno(listener)) return listener;
  const reserved = task.fdTable.reserve(1, task.limit(RLIMIT_NOFILE));
  if (isErrno(reserved)) return reserved; // EMFILE
  using slots = reserved;
  const accepted = listener.accept(task);
  if (accepted === EAGAIN && !isNonBlocking(listener, 0)) {
    const { queue, receiveTimeoutNs } = listener;
    return waitOnSocket(task, queue, ACCEPT_EVENTS, receiveTimeoutNs);
  }
  if (isErrno(accepted)) return accepted;
  if ((flags & SOCK_NONBLOCK) !== 0) accepted.flags |= O_NONBLOCK;
  if (addr !== 0) {
    const peer = accepted.peerAddress();
    // As on Linux a bad address loses the connection.
    const fault = isErrno(peer)
      ? peer
      : writeSockaddr(task, peer, addr, addrlen);
    if (fault !== null) {
      accepted.release();
      return fault;
    }
  }
  slots.install([accepted], { closeOnExec: (flags & SOCK_CLOEXEC) !== 0 });
  accepted.release();
  return slots.fds[0]!;
}

export const shutdown = defineSyscall({
  name: "shutdown",
  support: "full",
  args: { sockfd: "fd", how: "int" },
  run: (task, { sockfd, how }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    return found.shutdown(how, task) ?? 0;
  },
});

export const getsockname = defineSyscall({
  name: "getsockname",
  support: "full",
  args: { sockfd: "fd", addr: "addr", addrlen: "addr" },
  run: (task, { sockfd, addr, addrlen }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const address = found.localAddress();
    if (isErrno(address)) return address;
    return writeSockaddr(task, address, addr, addrlen) ?? 0;
  },
});

export const getpeername = defineSyscall({
  name: "getpeername",
  support: "full",
  args: { sockfd: "fd", addr: "addr", addrlen: "addr" },
  run: (task, { sockfd, addr, addrlen }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const address = found.peerAddress();
    if (isErrno(address)) return address;
    return writeSockaddr(task, address, addr, addrlen) ?? 0;
  },
});
