/**
 * Size, space and storage: truncate(2), fallocate(2), fsync(2), sync(2),
 * posix_fadvise(2), readahead(2).
 * @module
 */
import {
  EAGAIN,
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  EOPNOTSUPP,
  ESPIPE,
  isErrno,
} from "../abi/errno.ts";
import {
  AT_FDCWD,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  POSIX_FADV_NOREUSE,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
} from "../abi/fcntl.ts";
import { IN_MODIFY } from "../abi/inotify.ts";
import { MAX_LFS_FILESIZE } from "../abi/limits.ts";
import { S_ISBLK, S_ISFIFO } from "../abi/stat.ts";
import { ALL_EVENTS } from "../sync/wait_queue.ts";
import type { Task } from "../task/task.ts";
import { leaseDeadline } from "../vfs/file_lease.ts";
import type { FileSystem } from "../vfs/file_system.ts";
import { mountSubtree, namespaceRoot } from "../vfs/mount_tree.ts";
import { FOLLOW } from "../vfs/vfs_core.ts";
import { notifyPlace } from "../vfs/watches.ts";
import { lookupArgument, openFileOf } from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const truncate = defineSyscall({
  name: "truncate",
  support: "full",
  args: { pathname: "path", length: "off" },
  run: (task, { pathname, length }) => {
    if (length < 0) return EINVAL;
    const found = lookupArgument(task, AT_FDCWD, pathname, FOLLOW);
    if (isErrno(found)) return found;
    const { mount, inode, dentry } = found;
    const failed = task.kernel.vfs.truncate(mount, inode, length, task);
    if (failed === EAGAIN && inode.leases !== null) {
      return task.block(inode.queue, ALL_EVENTS, leaseDeadline(inode));
    }
    if (failed === null) notifyPlace(dentry, IN_MODIFY);
    return failed ?? 0;
  },
});

export const ftruncate = defineSyscall({
  name: "ftruncate",
  support: "full",
  args: { fd: "fd", length: "off" },
  run: (task, { fd, length }) => {
    if (length < 0) return EINVAL;
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (!file.inode.isRegular || !file.isWritable) return EINVAL;
    return file.truncate(length, task) ?? 0;
  },
});

/** Modes that exclude each other; KEEP_SIZE goes with some. */
const FALLOCATE_EXCLUSIVE = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;

export const fallocate = defineSyscall({
  name: "fallocate",
  support: { partial: "modes that the file system lacks fail EOPNOTSUPP" },
  args: { fd: "fd", mode: "flags", offset: "off", length: "off" },
  run: (task, { fd, mode, offset, length }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (offset < 0 || length <= 0) return EINVAL;
    if ((mode & ~(FALLOCATE_EXCLUSIVE | FALLOC_FL_KEEP_SIZE)) !== 0) {
      return EOPNOTSUPP;
    }
    const exclusive = mode & FALLOCATE_EXCLUSIVE;
    if ((exclusive & (exclusive - 1)) !== 0) return EOPNOTSUPP;
    const keepsSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
    if (exclusive === FALLOC_FL_PUNCH_HOLE && !keepsSize) return EOPNOTSUPP;
    if (!file.isWritable) return EBADF;
    const { inode } = file;
    if (S_ISFIFO(inode.mode)) return ESPIPE;
    if (inode.isDirectory) return EISDIR;
    if (!inode.isRegular && !S_ISBLK(inode.mode)) return ENODEV;
    if (offset + length > MAX_LFS_FILESIZE) return EFBIG;
    return file.allocate(mode, offset, length, task) ?? 0;
  },
});

export const fsync = defineSyscall({
  name: "fsync",
  support: "full",
  args: { fd: "fd" },
  run: (task, { fd }) => syncFile(task, fd, false),
});

export const fdatasync = defineSyscall({
  name: "fdatasync",
  support: "full",
  args: { fd: "fd" },
  run: (task, { fd }) => syncFile(task, fd, true),
});

function syncFile(task: Task, fd: number, dataOnly: boolean): SysResult {
  const file = openFileOf(task, fd);
  return isErrno(file) ? file : file.sync(dataOnly) ?? 0;
}

export const sync = defineSyscall({
  name: "sync",
  support: "full",
  args: {},
  run: (task) => {
    const done = new Set<FileSystem>();
    const root = namespaceRoot(task.fsContext.root.mount);
    for (const mount of mountSubtree(root)) done.add(mount.fs);
    // sync(2) has no errors to report.
    for (const fs of done) fs.sync();
    return 0;
  },
});

export const syncfs = defineSyscall({
  name: "syncfs",
  support: "full",
  args: { fd: "fd" },
  run: (task, { fd }) => {
    const file = openFileOf(task, fd);
    return isErrno(file) ? file : file.path.mount.fs.sync() ?? 0;
  },
});

export const sync_file_range = defineSyscall({
  name: "sync_file_range",
  support: { partial: "writes the whole file back" },
  args: { fd: "fd", offset: "off", length: "off", flags: "flags" },
  run: (task, { fd, offset, length, flags }) => {
    const known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
      SYNC_FILE_RANGE_WAIT_AFTER;
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if ((flags & ~known) !== 0) return EINVAL;
    if (offset < 0 || length < 0) return EINVAL;
    const { inode } = file;
    if (!inode.isRegular && !inode.isDirectory && !S_ISBLK(inode.mode)) {
      return ESPIPE;
    }
    return flags === 0 ? 0 : file.sync(true) ?? 0;
  },
});

// Advice is taken note of by validating it: the page caches read ahead by
// themselves, and what they hold is dropped when memory is short.
export const fadvise64 = defineSyscall({
  name: "fadvise64",
  support: { partial: "advice changes nothing" },
  args: { fd: "fd", offset: "off", length: "off", advice: "int" },
  run: (task, { fd, length, advice }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (S_ISFIFO(file.inode.mode)) return ESPIPE;
    if (length < 0) return EINVAL;
    return advice < 0 || advice > POSIX_FADV_NOREUSE ? EINVAL : 0;
  },
});

export const readahead = defineSyscall({
  name: "readahead",
  support: { partial: "reads nothing ahead of time" },
  args: { fd: "fd", offset: "off", count: "size" },
  run: (task, { fd }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (!file.isReadable) return EBADF;
    const { inode } = file;
    return inode.isRegular || S_ISBLK(inode.mode) ? 0 : EINVAL;
  },
});
