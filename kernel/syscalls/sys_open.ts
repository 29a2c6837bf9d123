/**
 * open(2), openat(2), openat2(2), creat(2), close(2), close_range(2). Flags are
 * validated here; what opening means is told in `../vfs/open.ts`.
 * @module
 */
import { E2BIG, EAGAIN, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import {
  CLOSE_RANGE_CLOEXEC,
  CLOSE_RANGE_UNSHARE,
} from "../abi/close_range.ts";
import {
  AT_FDCWD,
  FASYNC,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  OPEN_HOW,
  OPEN_HOW_SIZE,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../abi/fcntl.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { S_IALLUGO } from "../abi/stat.ts";
import { ALL_EVENTS } from "../sync/wait_queue.ts";
import type { Task } from "../task/task.ts";
import type { OpenHow } from "../vfs/open.ts";
import { readPath, startOf } from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

const VALID_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
  O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE |
  O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE;
const PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY;
const SYNC_BIT = O_SYNC & ~O_DSYNC;
const RESOLVE_ALL = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
  RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;

export const open = defineSyscall({
  name: "open",
  support: "full",
  args: { pathname: "path", flags: "oflags", mode: "mode" },
  run: (task, { pathname, flags, mode }) =>
    openLegacy(task, AT_FDCWD, pathname, flags, mode),
});

export const openat = defineSyscall({
  name: "openat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", flags: "oflags", mode: "mode" },
  run: (task, { dirfd, pathname, flags, mode }) =>
    openLegacy(task, dirfd, pathname, flags, mode),
});

export const creat = defineSyscall({
  name: "creat",
  support: "full",
  args: { pathname: "path", mode: "mode" },
  run: (task, { pathname, mode }) =>
    openLegacy(task, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode),
});

export const openat2 = defineSyscall({
  name: "openat2",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", how: "addr", size: "size" },
  run: (task, { dirfd, pathname, how: address, size }) => {
    const how = readOpenHow(task, address, size);
    if (isErrno(how)) return how;
    const refused = checkHow(how);
    if (refused !== null) return refused;
    return openAt(task, dirfd, pathname, how);
  },
});

/** open(2) and openat(2) ignore what they don't know. */
function openLegacy(
  task: Task,
  dirfd: number,
  pathname: number,
  rawFlags: number,
  rawMode: number,
): SysResult {
  let flags = rawFlags & VALID_FLAGS;
  if ((flags & O_PATH) !== 0) flags &= PATH_FLAGS;
  const isMaking = (flags & (O_CREAT | TMPFILE_BIT)) !== 0;
  const how = { flags, mode: isMaking ? rawMode & S_IALLUGO : 0 };
  const refused = checkHow(how);
  if (refused !== null) return refused;
  return openAt(task, dirfd, pathname, how);
}

/** build_open_flags(): combinations that make no sense. EINVAL, EAGAIN. */
function checkHow(how: OpenHow): Errno | null {
  const { flags, mode } = how;
  const resolveFlags = how.resolveFlags ?? 0;
  if ((flags & ~VALID_FLAGS) !== 0) return EINVAL;
  if ((resolveFlags & ~RESOLVE_ALL) !== 0) return EINVAL;
  const scoped = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
  if ((resolveFlags & scoped) === scoped) return EINVAL;
  const isMaking = (flags & (O_CREAT | TMPFILE_BIT)) !== 0;
  if (isMaking ? (mode & ~S_IALLUGO) !== 0 : mode !== 0) return EINVAL;
  if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) {
    return EINVAL;
  }
  if ((flags & TMPFILE_BIT) !== 0) {
    if ((flags & O_DIRECTORY) === 0 || (flags & O_CREAT) !== 0) return EINVAL;
    if ((flags & O_ACCMODE) === O_RDONLY) return EINVAL;
  }
  if ((flags & O_PATH) !== 0 && (flags & ~PATH_FLAGS) !== 0) return EINVAL;
  if ((resolveFlags & RESOLVE_CACHED) !== 0) {
    // Changing something is never a matter of the cache alone.
    if (isMaking || (flags & O_TRUNC) !== 0) return EAGAIN;
  }
  return null;
}

/** struct open_how, extensible: unknown bytes must be zero (E2BIG). */
function readOpenHow(
  task: Task,
  address: number,
  size: number,
): OpenHow | Errno {
  if (size < OPEN_HOW_SIZE) return EINVAL;
  if (size > 4096) return E2BIG;
  const bytes = new Uint8Array(size);
  const failed = task.memory.readBytes(address, bytes);
  if (failed !== null) return failed;
  if (bytes.subarray(OPEN_HOW_SIZE).some((byte) => byte !== 0)) return E2BIG;
  const view = new DataView(bytes.buffer);
  // No flag is above bit 31.
  for (const field of Object.values(OPEN_HOW)) {
    if (view.getUint32(field + 4, true) !== 0) return EINVAL;
  }
  return {
    flags: view.getInt32(OPEN_HOW.flags, true),
    mode: view.getUint32(OPEN_HOW.mode, true),
    resolveFlags: view.getInt32(OPEN_HOW.resolve, true),
  };
}

/** Blocks: a FIFO until its other end is opened. */
function openAt(
  task: Task,
  dirfd: number,
  pathname: number,
  how: OpenHow,
): SysResult {
  const path = readPath(task, pathname);
  if (isErrno(path)) return path;
  // The number comes first, so that a full table makes no file.
  const reserved = task.fdTable.reserve(1, task.limit(RLIMIT_NOFILE));
  if (isErrno(reserved)) return reserved; // EMFILE
  using slots = reserved;
  const at = startOf(task, dirfd, path);
  if (isErrno(at)) return at; // EBADF
  let flags = how.flags;
  if ((flags & O_PATH) === 0) flags |= O_LARGEFILE;
  if ((flags & SYNC_BIT) !== 0) flags |= O_DSYNC;
  const vfs = task.kernel.vfs;
  const file = vfs.open(task, at, path, { ...how, flags });
  if (isErrno(file)) {
    if (file !== EAGAIN || vfs.openWait === null) return file;
    return task.block(vfs.openWait, ALL_EVENTS, vfs.openDeadlineNs);
  }
  slots.install([file], { closeOnExec: (flags & O_CLOEXEC) !== 0 });
  file.release(); // install() took a reference of its own
  return slots.fds[0]!;
}

export const close = defineSyscall({
  name: "close",
  support: "full",
  args: { fd: "fd" },
  run: (task, { fd }) => task.fdTable.close(fd, task) ?? 0,
});

export const close_range = defineSyscall({
  name: "close_range",
  support: "full",
  args: { first: "uint", last: "uint", flags: "flags" },
  run: (task, { first, last, flags }) => {
    if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0) {
      return EINVAL;
    }
    if (first > last) return EINVAL;
    if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && task.fdTable.isShared) {
      const shared = task.fdTable;
      task.fdTable = shared.copy();
      shared.release(task);
    }
    const table = task.fdTable;
    const end = Math.min(last, table.length - 1);
    for (let fd = first; fd <= end; fd++) {
      if (table.get(fd) === null) continue;
      if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) table.setCloseOnExec(fd, true);
      else table.close(fd, task);
    }
    return 0;
  },
});
