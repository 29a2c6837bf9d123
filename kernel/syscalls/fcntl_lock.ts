/**
 * F_GETLK, F_SETLK, F_SETLKW and their open-file-description forms: struct
 * flock in guest memory, and the waiting. The locks themselves are in
 * `../vfs/file_lock.ts`. Source: fcntl(2) "Advisory record locking".
 * @module
 */
import {
  EAGAIN,
  EBADF,
  EINVAL,
  EOVERFLOW,
  ERESTARTSYS,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  FLOCK,
  FLOCK_SIZE,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from "../abi/fcntl.ts";
import { MAX_LFS_FILESIZE } from "../abi/limits.ts";
import type { Task } from "../task/task.ts";
import {
  findConflict,
  locksOf,
  type RecordLock,
  setRecordLock,
  startWaiting,
  stopWaiting,
} from "../vfs/file_lock.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import type { SysResult } from "./syscall.ts";

function get64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
}

function put64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  view.setUint32(at, value - high * 4294967296, true);
  view.setInt32(at + 4, high, true);
}

/** Reads struct flock and makes its range absolute. EFAULT, EINVAL,
 * EOVERFLOW. */
function readRequest(
  task: Task,
  file: FileDescription,
  address: number,
  isOfd: boolean,
): RecordLock | Errno {
  const bytes = new Uint8Array(FLOCK_SIZE);
  const fault = task.memory.readBytes(address, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  const type = view.getInt16(FLOCK.l_type, true);
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return EINVAL;
  if (isOfd && view.getInt32(FLOCK.l_pid, true) !== 0) return EINVAL;
  const base = originOf(file, view.getInt16(FLOCK.l_whence, true));
  if (isErrno(base)) return base;
  let start = base + get64(view, FLOCK.l_start);
  const length = get64(view, FLOCK.l_len);
  let end = length === 0 ? Infinity : start + length - 1;
  if (length < 0) {
    // A negative length covers the bytes before the start.
    end = start - 1;
    start += length;
  }
  if (start < 0) return EINVAL;
  if (start > MAX_LFS_FILESIZE) return EOVERFLOW;
  if (end !== Infinity && end > MAX_LFS_FILESIZE) return EOVERFLOW;
  return {
    owner: isOfd ? file : task.lockOwner,
    type,
    start,
    end,
    pid: isOfd ? -1 : task.processId,
  };
}

function originOf(file: FileDescription, whence: number): number | Errno {
  switch (whence) {
    case SEEK_SET:
      return 0;
    case SEEK_CUR:
      return file.offset;
    case SEEK_END:
      return file.inode.refresh() ?? file.inode.size;
    default:
      return EINVAL;
  }
}

/** F_GETLK, F_OFD_GETLK: the lock in the way, or F_UNLCK. */
export function getRecordLock(
  task: Task,
  file: FileDescription,
  address: number,
  isOfd: boolean,
): SysResult {
  const request = readRequest(task, file, address, isOfd);
  if (isErrno(request)) return request;
  if (request.type === F_UNLCK && !isOfd) return EINVAL;
  const conflict = findConflict(file.inode, request);
  const bytes = new Uint8Array(FLOCK_SIZE);
  const fault = task.memory.readBytes(address, bytes);
  if (fault !== null) return fault;
  const view = new DataView(bytes.buffer);
  view.setInt16(FLOCK.l_type, conflict?.type ?? F_UNLCK, true);
  if (conflict !== null) {
    const length = conflict.end === Infinity
      ? 0
      : conflict.end - conflict.start + 1;
    view.setInt16(FLOCK.l_whence, SEEK_SET, true);
    put64(view, FLOCK.l_start, conflict.start);
    put64(view, FLOCK.l_len, length);
    view.setInt32(FLOCK.l_pid, conflict.pid, true);
  }
  return task.memory.writeBytes(address, bytes) ?? 0;
}

/** F_SETLK, F_SETLKW and the OFD forms. Blocks with `isWaiting`. */
export function setRecordLockCall(
  task: Task,
  file: FileDescription,
  address: number,
  options: { readonly isOfd: boolean; readonly isWaiting: boolean },
): SysResult {
  const request = readRequest(task, file, address, options.isOfd);
  if (isErrno(request)) return request;
  if (request.type === F_RDLCK && !file.isReadable) return EBADF;
  if (request.type === F_WRLCK && !file.isWritable) return EBADF;
  const owner = task.lockOwner;
  const refused = setRecordLock(file.inode, request);
  if (refused !== EAGAIN || !options.isWaiting) {
    if (options.isWaiting) stopWaiting(owner);
    return refused ?? 0;
  }
  const conflict = findConflict(file.inode, request);
  if (!options.isOfd && conflict !== null) {
    const deadlock = startWaiting(owner, conflict);
    if (deadlock !== null) return deadlock;
  }
  const blocked = task.block(locksOf(file.inode).queue);
  if (blocked === ERESTARTSYS) stopWaiting(owner);
  return blocked;
}
