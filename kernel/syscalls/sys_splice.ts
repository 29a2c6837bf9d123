/**
 * splice(2), tee(2), vmsplice(2): bytes to and from pipes. They are copied
 * within the memory file, never moved as pages: SPLICE_F_MOVE and
 * SPLICE_F_GIFT are hints, which Linux may ignore, too.
 * @module
 */
import {
  EAGAIN,
  EBADF,
  EINVAL,
  type Errno,
  ESPIPE,
  isErrno,
} from "../abi/errno.ts";
import { O_APPEND, O_NONBLOCK } from "../abi/fcntl.ts";
import { MAX_RW_COUNT } from "../abi/limits.ts";
import {
  SPLICE_F_GIFT,
  SPLICE_F_MORE,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "../abi/uio.ts";
import { PipeDescription } from "../fs/pipefs.ts";
import { MemoryBuffer } from "../mm/io_buffer.ts";
import type { WaitQueue } from "../sync/wait_queue.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { openFileOf } from "./file_arguments.ts";
import { readWaiting, writeWaiting } from "./file_io.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

const ALL_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE |
  SPLICE_F_GIFT;
/** Bytes that one call moves at most; all three calls may move fewer. */
const CHUNK = 65536;

/** EAGAIN, and the queue where waiting makes sense. */
interface Stuck {
  readonly queue: WaitQueue;
  readonly isNonBlocking: boolean;
}

function readable(task: Task, fd: number): FileDescription | Errno {
  const file = openFileOf(task, fd);
  return isErrno(file) || file.isReadable ? file : EBADF;
}
function writable(task: Task, fd: number): FileDescription | Errno {
  const file = openFileOf(task, fd);
  return isErrno(file) || file.isWritable ? file : EBADF;
}
function isNonBlocking(file: FileDescription): boolean {
  return (file.flags & O_NONBLOCK) !== 0;
}
function park(task: Task, stuck: Stuck, flags: number): SysResult {
  if ((flags & SPLICE_F_NONBLOCK) !== 0 || stuck.isNonBlocking) return EAGAIN;
  return task.block(stuck.queue);
}

export const splice = defineSyscall({
  name: "splice",
  support: "full",
  args: {
    fd_in: "fd",
    off_in: "addr",
    fd_out: "fd",
    off_out: "addr",
    len: "size",
    flags: "flags",
  },
  run: (task, { fd_in, off_in, fd_out, off_out, len, flags }) => {
    if ((flags & ~ALL_FLAGS) !== 0) return EINVAL;
    if (len === 0) return 0;
    const input = readable(task, fd_in);
    if (isErrno(input)) return input;
    const output = writable(task, fd_out);
    if (isErrno(output)) return output;
    const from = offsetOf(task, input, off_in);
    if (isErrno(from)) return from;
    const to = offsetOf(task, output, off_out);
    if (isErrno(to)) return to;
    const isToPipe = output instanceof PipeDescription;
    if (!(input instanceof PipeDescription) && !isToPipe) return EINVAL;
    if (isToPipe && input instanceof PipeDescription) {
      if (input.pipe === output.pipe) return EINVAL;
    }
    if ((output.flags & O_APPEND) !== 0 && !isToPipe) return EINVAL;
    if (input.inode.isDirectory) return EINVAL;

    const length = Math.min(len, CHUNK, MAX_RW_COUNT);
    const moved = isToPipe
      ? fillPipe(task, input, from, output, length)
      : drainPipe(task, input as PipeDescription, output, to, length);
    if (typeof moved !== "number") {
      return isErrno(moved) ? moved : park(task, moved, flags);
    }
    return storeOffset(task, off_in, from, moved) ??
      storeOffset(task, off_out, to, moved) ?? moved;
  },
});

/** sendfile(2) from a socket or terminal, which only works into a pipe: what
 * did not fit elsewhere would be lost. */
export function spliceStream(
  task: Task,
  input: FileDescription,
  output: FileDescription,
  count: number,
): SysResult {
  if (!(output instanceof PipeDescription)) return EINVAL;
  if (input instanceof PipeDescription) return EINVAL;
  if (count === 0) return 0;
  const moved = fillPipe(task, input, -1, output, Math.min(count, CHUNK));
  if (typeof moved === "number" || isErrno(moved)) return moved;
  return park(task, moved, 0);
}

/** The offset argument of one side; -1: the file's own position. */
function offsetOf(
  task: Task,
  file: FileDescription,
  addr: number,
): number | Errno {
  if (addr === 0) return -1;
  if (file instanceof PipeDescription) return ESPIPE;
  if (!file.isSeekable) return EINVAL;
  const offset = task.memory.readI64(addr);
  return !isErrno(offset) && offset < 0 ? EINVAL : offset;
}

function storeOffset(
  task: Task,
  addr: number,
  offset: number,
  moved: number,
): Errno | null {
  return addr === 0 ? null : task.memory.writeU64(addr, offset + moved);
}

/** From a file, or another pipe, into a pipe. */
function fillPipe(
  task: Task,
  input: FileDescription,
  offset: number,
  output: PipeDescription,
  length: number,
): number | Errno | Stuck {
  const { pipe } = output;
  if (pipe.readers === 0) return pipe.write(anyByte(task), false, task);
  // Only as much as surely fits is taken out of the input.
  const count = Math.min(length, pipe.capacity - pipe.used);
  if (count === 0) {
    return { queue: pipe.queue, isNonBlocking: isNonBlocking(output) };
  }
  return withBounce(task, count, (bounce) => {
    const into = new MemoryBuffer(task.kernel.memoryFile.memory, bounce, count);
    const got = offset < 0
      ? input.read(into, task)
      : input.readAt(into, offset, task);
    if (got === EAGAIN) {
      return { queue: input.queue, isNonBlocking: isNonBlocking(input) };
    }
    if (isErrno(got) || got === 0) return got;
    const from = new MemoryBuffer(task.kernel.memoryFile.memory, bounce, got);
    return pipe.write(from, false, task);
  });
}

/** For a pipe without readers, which fails before it looks at bytes. */
function anyByte(task: Task): MemoryBuffer {
  return new MemoryBuffer(task.kernel.memoryFile.memory, 0, 1);
}

/** From a pipe into a file. */
function drainPipe(
  task: Task,
  input: PipeDescription,
  output: FileDescription,
  offset: number,
  length: number,
): number | Errno | Stuck {
  const { pipe } = input;
  if (pipe.used === 0) {
    if (pipe.writers === 0) return 0;
    return { queue: pipe.queue, isNonBlocking: isNonBlocking(input) };
  }
  const count = Math.min(length, pipe.used);
  return withBounce(task, count, (bounce) => {
    const { memory } = task.kernel.memoryFile;
    const got = pipe.peek(new MemoryBuffer(memory, bounce, count));
    if (isErrno(got)) return got;
    const from = new MemoryBuffer(memory, bounce, got);
    const put = offset < 0
      ? output.write(from, task)
      : output.writeAt(from, offset, task);
    if (put === EAGAIN) {
      return { queue: output.queue, isNonBlocking: isNonBlocking(output) };
    }
    if (!isErrno(put)) pipe.read(new MemoryBuffer(memory, bounce, put));
    return put;
  });
}

/** Runs with a stretch of the memory file that is nobody else's. ENOMEM. */
function withBounce<T>(
  task: Task,
  length: number,
  use: (offset: number) => T,
): T | Errno {
  const { memoryFile } = task.kernel;
  const pages = Math.ceil(length / 4096) * 4096;
  const bounce = memoryFile.allocate(pages, { isZeroed: false });
  if (isErrno(bounce)) return bounce;
  const result = use(bounce);
  memoryFile.release(bounce, pages);
  return result;
}

export const tee = defineSyscall({
  name: "tee",
  support: "full",
  args: { fd_in: "fd", fd_out: "fd", len: "size", flags: "flags" },
  run: (task, { fd_in, fd_out, len, flags }) => {
    if ((flags & ~ALL_FLAGS) !== 0) return EINVAL;
    if (len === 0) return 0;
    const input = readable(task, fd_in);
    if (isErrno(input)) return input;
    const output = writable(task, fd_out);
    if (isErrno(output)) return output;
    if (
      !(input instanceof PipeDescription) ||
      !(output instanceof PipeDescription) || input.pipe === output.pipe
    ) return EINVAL;
    const copied = copyPipe(task, input, output, Math.min(len, CHUNK));
    if (typeof copied === "number" || isErrno(copied)) return copied;
    return park(task, copied, flags);
  },
});

function copyPipe(
  task: Task,
  input: PipeDescription,
  output: PipeDescription,
  length: number,
): number | Errno | Stuck {
  const from = input.pipe;
  const to = output.pipe;
  if (to.readers === 0) return to.write(anyByte(task), false, task);
  if (from.used === 0) {
    if (from.writers === 0) return 0;
    return { queue: from.queue, isNonBlocking: isNonBlocking(input) };
  }
  const count = Math.min(length, from.used, to.capacity - to.used);
  if (count === 0) {
    return { queue: to.queue, isNonBlocking: isNonBlocking(output) };
  }
  return withBounce(task, count, (bounce) => {
    const { memory } = task.kernel.memoryFile;
    const got = from.peek(new MemoryBuffer(memory, bounce, count));
    if (isErrno(got)) return got;
    return to.write(new MemoryBuffer(memory, bounce, got), false, task);
  });
}

export const vmsplice = defineSyscall({
  name: "vmsplice",
  support: "full",
  args: { fd: "fd", iov: "addr", nr_segs: "size", flags: "flags" },
  run: (task, { fd, iov, nr_segs, flags }) => {
    if ((flags & ~ALL_FLAGS) !== 0) return EINVAL;
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (!(file instanceof PipeDescription)) return EBADF;
    const io = task.memory.vector(iov, nr_segs);
    if (isErrno(io)) return io;
    if (io.remaining === 0) return 0;
    const isOnce = (flags & SPLICE_F_NONBLOCK) !== 0;
    return file.isWritable
      ? writeWaiting(task, file, io, isOnce)
      : readWaiting(task, file, io, isOnce);
  },
});
