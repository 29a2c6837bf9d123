/**
 * Arguments of socket calls: the socket behind a descriptor, and struct
 * sockaddr in guest memory. Source: socket(2), accept(2), getsockname(2).
 * @module
 */
import { EBADF, EINVAL, ENOTSOCK, type Errno, isErrno } from "../abi/errno.ts";
import { O_PATH } from "../abi/fcntl.ts";
import { SOCKADDR_STORAGE_SIZE } from "../abi/socket.ts";
import { Socket } from "../socket/socket.ts";
import type { Task } from "../task/task.ts";

/** EBADF, ENOTSOCK. */
export function socketOf(task: Task, fd: number): Socket | Errno {
  const file = task.file(fd);
  if (isErrno(file)) return file;
  if (file instanceof Socket) return file;
  return (file.flags & O_PATH) !== 0 ? EBADF : ENOTSOCK;
}

/** Copies an address in. EINVAL: its length is out of bounds; EFAULT. */
export function readSockaddr(
  task: Task,
  addr: number,
  length: number,
): Uint8Array | Errno {
  if (length < 0 || length > SOCKADDR_STORAGE_SIZE) return EINVAL;
  const bytes = new Uint8Array(length);
  if (length === 0) return bytes;
  return task.memory.readBytes(addr, bytes) ?? bytes;
}

/** Stores as much of an address as fits into the length at `lengthAddr`, and
 * its true length there. EINVAL, EFAULT. */
export function writeSockaddr(
  task: Task,
  address: Uint8Array,
  addr: number,
  lengthAddr: number,
): Errno | null {
  const space = task.memory.readI32(lengthAddr);
  if (isErrno(space)) return space;
  if (space < 0) return EINVAL;
  const shown = address.subarray(0, Math.min(space, address.length));
  if (shown.length > 0) {
    const fault = task.memory.writeBytes(addr, shown);
    if (fault !== null) return fault;
  }
  return task.memory.writeU32(lengthAddr, address.length);
}
