/**
 * read(2), write(2), pread(2), pwrite(2), readv(2) and their kin, lseek(2).
 * @module
 */
import {
  EBADF,
  EINVAL,
  EOPNOTSUPP,
  type Errno,
  ESPIPE,
  isErrno,
} from "../abi/errno.ts";
import { O_APPEND, SEEK_HOLE } from "../abi/fcntl.ts";
import { MAX_RW_COUNT } from "../abi/limits.ts";
import {
  RWF_APPEND,
  RWF_DSYNC,
  RWF_HIPRI,
  RWF_NOAPPEND,
  RWF_NOWAIT,
  RWF_SYNC,
} from "../abi/uio.ts";
import type { IoBuffer } from "../mm/io_buffer.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import { LimitedBuffer } from "../vfs/limited_buffer.ts";
import { openFileOf } from "./file_arguments.ts";
import { readWaiting, writeWaiting } from "./file_io.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

const RWF_KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND |
  RWF_NOAPPEND;

function readable(task: Task, fd: number): FileDescription | Errno {
  const file = openFileOf(task, fd);
  return isErrno(file) || file.isReadable ? file : EBADF;
}

function writable(task: Task, fd: number): FileDescription | Errno {
  const file = openFileOf(task, fd);
  return isErrno(file) || file.isWritable ? file : EBADF;
}

/** A cursor over at most MAX_RW_COUNT bytes. EFAULT. */
function bufferOf(task: Task, addr: number, count: number): IoBuffer | Errno {
  const io = task.memory.buffer(addr, count);
  if (count <= MAX_RW_COUNT || isErrno(io)) return io;
  return new LimitedBuffer(io, MAX_RW_COUNT);
}

export const read = defineSyscall({
  name: "read",
  support: "full",
  args: { fd: "fd", buf: "buf", count: "size" },
  run: (task, { fd, buf, count }) => {
    const file = readable(task, fd);
    if (isErrno(file)) return file;
    const io = bufferOf(task, buf, count);
    if (isErrno(io)) return io;
    return readWaiting(task, file, io);
  },
});

export const write = defineSyscall({
  name: "write",
  support: "full",
  args: { fd: "fd", buf: "buf", count: "size" },
  run: (task, { fd, buf, count }) => {
    const file = writable(task, fd);
    if (isErrno(file)) return file;
    const io = bufferOf(task, buf, count);
    if (isErrno(io)) return io;
    return writeWaiting(task, file, io);
  },
});

export const pread64 = defineSyscall({
  name: "pread64",
  support: "full",
  args: { fd: "fd", buf: "buf", count: "size", offset: "off" },
  run: (task, { fd, buf, count, offset }) => {
    if (offset < 0) return EINVAL;
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (!file.isSeekable) return ESPIPE;
    if (!file.isReadable) return EBADF;
    const io = bufferOf(task, buf, count);
    return isErrno(io) ? io : file.readAt(io, offset, task);
  },
});

export const pwrite64 = defineSyscall({
  name: "pwrite64",
  support: "full",
  args: { fd: "fd", buf: "buf", count: "size", offset: "off" },
  run: (task, { fd, buf, count, offset }) => {
    if (offset < 0) return EINVAL;
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (!file.isSeekable) return ESPIPE;
    if (!file.isWritable) return EBADF;
    const io = bufferOf(task, buf, count);
    return isErrno(io) ? io : file.writeAt(io, offset, task);
  },
});

export const readv = defineSyscall({
  name: "readv",
  support: "full",
  args: { fd: "fd", iov: "addr", count: "int" },
  run: (task, { fd, iov, count }) => vectorRead(task, fd, iov, count, -1, 0),
});

export const writev = defineSyscall({
  name: "writev",
  support: "full",
  args: { fd: "fd", iov: "addr", count: "int" },
  run: (task, { fd, iov, count }) => vectorWrite(task, fd, iov, count, -1, 0),
});

// On a 64-bit machine the low half of the offset is all of it.
export const preadv = defineSyscall({
  name: "preadv",
  support: "full",
  args: { fd: "fd", iov: "addr", count: "int", offset: "off" },
  run: (task, { fd, iov, count, offset }) =>
    offset < 0 ? EINVAL : vectorRead(task, fd, iov, count, offset, 0),
});

export const pwritev = defineSyscall({
  name: "pwritev",
  support: "full",
  args: { fd: "fd", iov: "addr", count: "int", offset: "off" },
  run: (task, { fd, iov, count, offset }) =>
    offset < 0 ? EINVAL : vectorWrite(task, fd, iov, count, offset, 0),
});

export const preadv2 = defineSyscall({
  name: "preadv2",
  support: "full",
  args: {
    fd: "fd",
    iov: "addr",
    count: "int",
    offset: "off",
    high: "long",
    flags: "flags",
  },
  run: (task, { fd, iov, count, offset, flags }) =>
    offset < -1 ? EINVAL : vectorRead(task, fd, iov, count, offset, flags),
});

export const pwritev2 = defineSyscall({
  name: "pwritev2",
  support: { partial: "RWF_ATOMIC fails with EOPNOTSUPP" },
  args: {
    fd: "fd",
    iov: "addr",
    count: "int",
    offset: "off",
    high: "long",
    flags: "flags",
  },
  run: (task, { fd, iov, count, offset, flags }) =>
    offset < -1 ? EINVAL : vectorWrite(task, fd, iov, count, offset, flags),
});

/** `offset` -1: the file's position. */
function vectorRead(
  task: Task,
  fd: number,
  iov: number,
  count: number,
  offset: number,
  flags: number,
): SysResult {
  const file = openFileOf(task, fd);
  if (isErrno(file)) return file;
  if (offset >= 0 && !file.isSeekable) return ESPIPE;
  if (!file.isReadable) return EBADF;
  if (count < 0) return EINVAL;
  const io = task.memory.vector(iov, count);
  if (isErrno(io)) return io;
  if (io.remaining === 0) return 0;
  if ((flags & ~RWF_KNOWN) !== 0) return EOPNOTSUPP;
  if (offset >= 0) return file.readAt(io, offset, task);
  return readWaiting(task, file, io, (flags & RWF_NOWAIT) !== 0);
}

function vectorWrite(
  task: Task,
  fd: number,
  iov: number,
  count: number,
  offset: number,
  flags: number,
): SysResult {
  const file = openFileOf(task, fd);
  if (isErrno(file)) return file;
  if (offset >= 0 && !file.isSeekable) return ESPIPE;
  if (!file.isWritable) return EBADF;
  if (count < 0) return EINVAL;
  const io = task.memory.vector(iov, count);
  if (isErrno(io)) return io;
  if (io.remaining === 0) return 0;
  if ((flags & ~RWF_KNOWN) !== 0) return EOPNOTSUPP;
  const both = RWF_APPEND | RWF_NOAPPEND;
  if ((flags & both) === both) return EINVAL;

  // Nothing else runs meanwhile, so the description can carry the wish.
  const before = file.flags;
  if ((flags & RWF_APPEND) !== 0) file.flags |= O_APPEND;
  if ((flags & RWF_NOAPPEND) !== 0) file.flags &= ~O_APPEND;
  const isNonBlocking = (flags & RWF_NOWAIT) !== 0;
  const result = offset >= 0
    ? file.writeAt(io, offset, task)
    : writeWaiting(task, file, io, isNonBlocking);
  file.flags = before;
  if (typeof result === "number" && (flags & (RWF_SYNC | RWF_DSYNC)) !== 0) {
    const failed = file.sync((flags & RWF_SYNC) === 0);
    if (failed !== null) return failed;
  }
  return result;
}

export const lseek = defineSyscall({
  name: "lseek",
  support: "full",
  args: { fd: "fd", offset: "off", whence: "uint" },
  run: (task, { fd, offset, whence }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (whence > SEEK_HOLE) return EINVAL;
    return file.seek(offset, whence);
  },
});
