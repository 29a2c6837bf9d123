/**
 * sendfile(2), copy_file_range(2): bytes from file to file through a stretch of
 * the memory file, so that they never pass through guest memory.
 * @module
 */
import {
  EAGAIN,
  EBADF,
  EINVAL,
  EISDIR,
  type Errno,
  ESPIPE,
  isErrno,
} from "../abi/errno.ts";
import { O_APPEND, O_NONBLOCK } from "../abi/fcntl.ts";
import { MAX_RW_COUNT } from "../abi/limits.ts";
import { MemoryBuffer } from "../mm/io_buffer.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { openFileOf } from "./file_arguments.ts";
import { spliceStream } from "./sys_splice.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** Bytes that pass at once. */
const CHUNK = 256 * 1024;
/** The most that one call copies: nothing else of the sandbox runs meanwhile.
 * Both calls may copy less than asked. */
const MAX_COPY = 64 * 1024 * 1024;

/**
 * Moves up to `count` bytes; returns how many, or why there were none. `inAt`,
 * `outAt`: file offsets, or -1 for the position (of `output` only).
 */
function copyBytes(
  task: Task,
  input: FileDescription,
  inAt: number,
  output: FileDescription,
  outAt: number,
  count: number,
): number | Errno {
  const { memoryFile } = task.kernel;
  const size = Math.min(count, CHUNK);
  const pages = Math.ceil(size / 4096) * 4096;
  const bounce = memoryFile.allocate(pages, { isZeroed: false });
  if (isErrno(bounce)) return bounce;
  const { memory } = memoryFile;
  let done = 0;
  let failure: Errno | null = null;
  while (done < count) {
    const into = new MemoryBuffer(memory, bounce, Math.min(size, count - done));
    const got = input.readAt(into, inAt + done, task);
    if (isErrno(got)) failure = got;
    if (isErrno(got) || got === 0) break;
    const from = new MemoryBuffer(memory, bounce, got);
    const put = outAt < 0
      ? output.write(from, task)
      : output.writeAt(from, outAt + done, task);
    if (isErrno(put)) failure = put;
    if (isErrno(put)) break;
    done += put;
    if (put < got) break;
  }
  memoryFile.release(bounce, pages);
  return done > 0 || failure === null ? done : failure;
}

/** Reads a 64-bit offset in guest memory. EFAULT, EINVAL. */
function readOffset(task: Task, address: number): number | Errno {
  const offset = task.memory.readI64(address);
  return !isErrno(offset) && offset < 0 ? EINVAL : offset;
}

export const sendfile = defineSyscall({
  name: "sendfile",
  support: "full",
  args: { out_fd: "fd", in_fd: "fd", offset: "addr", count: "size" },
  run: (task, { out_fd, in_fd, offset, count }) => {
    const start = offset === 0 ? -1 : readOffset(task, offset);
    if (isErrno(start)) return start;
    const input = openFileOf(task, in_fd);
    if (isErrno(input) || !input.isReadable) return EBADF;
    if (!input.isSeekable) {
      if (start >= 0) return ESPIPE;
    }
    const output = openFileOf(task, out_fd);
    if (isErrno(output) || !output.isWritable) return EBADF;
    if (!input.isSeekable) return spliceStream(task, input, output, count);
    if ((output.flags & O_APPEND) !== 0) return EINVAL;
    const most = Math.min(count, MAX_RW_COUNT, MAX_COPY);
    return sendWaiting(task, input, output, start, offset, most);
  },
});

/** Blocks while `output` takes nothing; `task.restart.done` counts. */
function sendWaiting(
  task: Task,
  input: FileDescription,
  output: FileDescription,
  start: number,
  offset: number,
  count: number,
): SysResult {
  const { restart } = task;
  const isBlocking = (output.flags & O_NONBLOCK) === 0;
  while (restart.done < count) {
    // Without an offset pointer the position itself remembers.
    const from = start < 0 ? input.offset : start + restart.done;
    const left = count - restart.done;
    // Both positions are read first: the descriptors may share one.
    const to = output.isSeekable ? output.offset : -1;
    const moved = copyBytes(task, input, from, output, to, left);
    if (moved === EAGAIN && isBlocking) {
      const blocked = task.block(output.queue);
      if (!isErrno(blocked)) return blocked;
      if (restart.done === 0) return blocked;
      break;
    }
    if (isErrno(moved)) {
      if (restart.done === 0) return moved;
      break;
    }
    if (moved === 0) break;
    restart.done += moved;
    if (to >= 0) output.offset = to + moved;
    if (start < 0) input.offset = from + moved;
    if (!isBlocking) break;
  }
  if (start < 0) return restart.done;
  const fault = task.memory.writeU64(offset, start + restart.done);
  return fault ?? restart.done;
}

export const copy_file_range = defineSyscall({
  name: "copy_file_range",
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
    const input = openFileOf(task, fd_in);
    if (isErrno(input)) return input;
    const output = openFileOf(task, fd_out);
    if (isErrno(output)) return output;
    const from = off_in === 0 ? input.offset : readOffset(task, off_in);
    if (isErrno(from)) return from;
    const to = off_out === 0 ? output.offset : readOffset(task, off_out);
    if (isErrno(to)) return to;
    if (flags !== 0) return EINVAL;
    if (input.inode.isDirectory || output.inode.isDirectory) return EISDIR;
    if (!input.inode.isRegular || !output.inode.isRegular) return EINVAL;
    // A host file whose position others share: programs fall back to read(2).
    if (!input.isSeekable || !output.isSeekable) return EINVAL;
    if (!input.isReadable || !output.isWritable) return EBADF;
    if ((output.flags & O_APPEND) !== 0) return EBADF;
    const failed = input.inode.refresh();
    if (failed !== null) return failed;
    const left = Math.max(0, input.inode.size - from);
    const count = Math.min(len, left, MAX_COPY);
    const isOverlapping = from < to + count && to < from + count;
    if (input.inode === output.inode && isOverlapping) return EINVAL;
    if (count === 0) return 0;
    const moved = copyBytes(task, input, from, output, to, count);
    if (isErrno(moved)) return moved;
    if (off_in === 0) input.offset += moved;
    if (off_out === 0) output.offset += moved;
    const fault =
      (off_in === 0 ? null : task.memory.writeU64(off_in, from + moved)) ??
        (off_out === 0 ? null : task.memory.writeU64(off_out, to + moved));
    return fault ?? moved;
  },
});
