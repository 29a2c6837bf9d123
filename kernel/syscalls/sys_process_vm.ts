/**
 * process_vm_readv(2), process_vm_writev(2): copy between the memories of two
 * processes.
 * @module
 */
import {
  EFAULT,
  EINVAL,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import { IOV_MAX, IOVEC_SIZE } from "../abi/uio.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import { UserBuffer } from "../mm/user_buffer.ts";
import { mayTrace } from "../task/ptrace_access.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

interface TransferArguments {
  readonly pid: number;
  readonly localIov: number;
  readonly localCount: number;
  readonly remoteIov: number;
  readonly remoteCount: number;
  readonly flags: number;
}

const ARGS = {
  pid: "pid",
  localIov: "addr",
  localCount: "size",
  remoteIov: "addr",
  remoteCount: "size",
  flags: "ulong",
} as const;

export const process_vm_readv = defineSyscall({
  name: "process_vm_readv",
  support: "full",
  args: ARGS,
  run: (task, args) => transfer(task, args, false),
});

export const process_vm_writev = defineSyscall({
  name: "process_vm_writev",
  support: "full",
  args: ARGS,
  run: (task, args) => transfer(task, args, true),
});

function transfer(
  task: Task,
  args: TransferArguments,
  isWrite: boolean,
): SysResult {
  if (args.flags !== 0) return EINVAL;
  const local = task.memory.vector(args.localIov, args.localCount);
  if (isErrno(local)) return local;
  if (local.remaining === 0) return 0;
  if (args.remoteCount > IOV_MAX) return EINVAL;
  const target = task.namespace.task(args.pid);
  const remote = remoteCursor(task, target ?? task, args);
  if (isErrno(remote)) return remote;
  if (remote.remaining === 0) return 0;
  if (target === null || target.state === "dead") return ESRCH;
  if (!mayTrace(task, target)) return EPERM;
  // The target's threads may be running while we change its mappings.
  const { memory } = target;
  memory.acquire().beginForeign();
  const moved = copy(local, remote, isWrite);
  memory.endForeign();
  memory.release();
  return moved;
}

/** A cursor over the target's ranges, whose addresses the caller lists. */
function remoteCursor(
  task: Task,
  target: Task,
  args: TransferArguments,
): UserBuffer | Errno {
  const cursor = new UserBuffer(target.memory);
  for (let i = 0; i < args.remoteCount; i++) {
    const at = args.remoteIov + i * IOVEC_SIZE;
    const base = task.memory.readU64(at);
    if (isErrno(base)) return base;
    const length = task.memory.readI64(at + 8);
    if (isErrno(length)) return length;
    if (length < 0) return EINVAL;
    if (length > 0) cursor.add(base, length);
  }
  return cursor;
}

/** Bytes moved until either side ends or faults; EFAULT at the first byte. */
function copy(
  local: IoBuffer,
  remote: IoBuffer,
  isWrite: boolean,
): number | Errno {
  let total = 0;
  while (local.remaining > 0 && remote.remaining > 0) {
    const at = remote.run(Math.min(local.remaining, remote.remaining), isWrite);
    if (isErrno(at)) break;
    const moved = isWrite
      ? local.takeMemory(at, remote.runLength)
      : local.putMemory(at, remote.runLength);
    if (isErrno(moved)) break;
    const wanted = remote.runLength;
    remote.advance(moved);
    total += moved;
    if (moved < wanted) break;
  }
  return total > 0 ? total : EFAULT;
}
