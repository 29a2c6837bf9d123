/**
 * struct msghdr of sendmsg(2) and recvmsg(2).
 * @module
 */
import { EINVAL, EMSGSIZE, ENOBUFS, type Errno } from "../abi/errno.ts";
import { MSGHDR, MSGHDR_SIZE, SOCKADDR_STORAGE_SIZE } from "../abi/socket.ts";
import { IOV_MAX } from "../abi/uio.ts";
import type { Task } from "../task/task.ts";

/** A struct msghdr that was copied in and checked. */
export interface MessageHeader {
  readonly name: number;
  /** 0 without a name; at most the size of struct sockaddr_storage. */
  readonly nameLength: number;
  readonly iov: number;
  readonly iovLength: number;
  readonly control: number;
  readonly controlLength: number;
}

/** EFAULT; EINVAL: a negative name length; EMSGSIZE: too many iovecs; ENOBUFS:
 * an absurd control length. */
export function readHeader(task: Task, addr: number): MessageHeader | Errno {
  const bytes = new Uint8Array(MSGHDR_SIZE);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const word = (at: number) =>
    view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
  const name = word(MSGHDR.msg_name);
  const nameLength = view.getInt32(MSGHDR.msg_namelen, true);
  if (name !== 0 && nameLength < 0) return EINVAL;
  const iovLength = word(MSGHDR.msg_iovlen);
  if (iovLength > IOV_MAX) return EMSGSIZE;
  const controlLength = word(MSGHDR.msg_controllen);
  if (controlLength > 0x7fffffff) return ENOBUFS;
  return {
    name,
    nameLength: name === 0 ? 0 : Math.min(nameLength, SOCKADDR_STORAGE_SIZE),
    iov: word(MSGHDR.msg_iov),
    iovLength,
    control: word(MSGHDR.msg_control),
    controlLength,
  };
}

/** Stores what recvmsg(2) changes in the msghdr at `addr`. EFAULT. */
export function writeHeader(
  task: Task,
  addr: number,
  result: {
    readonly nameLength: number;
    readonly controlLength: number;
    readonly flags: number;
  },
): Errno | null {
  const { memory } = task;
  return memory.writeU32(addr + MSGHDR.msg_namelen, result.nameLength) ??
    memory.writeU64(addr + MSGHDR.msg_controllen, result.controlLength) ??
    memory.writeU32(addr + MSGHDR.msg_flags, result.flags);
}
