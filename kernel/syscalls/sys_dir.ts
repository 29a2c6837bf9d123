/**
 * Directories: mkdir(2), rmdir(2), getdents(2), chdir(2), chroot(2), getcwd(2).
 * @module
 */
import { CAP_SYS_CHROOT } from "../abi/capability.ts";
import {
  LINUX_DIRENT,
  LINUX_DIRENT64,
  LINUX_DIRENT64_ALIGN,
} from "../abi/dirent.ts";
import {
  EBADF,
  EINVAL,
  ENOENT,
  ENOTDIR,
  EPERM,
  ERANGE,
  isErrno,
} from "../abi/errno.ts";
import { AT_FDCWD } from "../abi/fcntl.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Task } from "../task/task.ts";
import type { DirectorySink } from "../vfs/inode.ts";
import { checkPermission, MAY_EXEC } from "../vfs/permission.ts";
import { FOLLOW } from "../vfs/vfs_core.ts";
import { lookupArgument, openFileOf, readPathAt } from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const mkdir = defineSyscall({
  name: "mkdir",
  support: "full",
  args: { pathname: "path", mode: "mode" },
  run: (task, { pathname, mode }) => mkdirAt(task, AT_FDCWD, pathname, mode),
});

export const mkdirat = defineSyscall({
  name: "mkdirat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", mode: "mode" },
  run: (task, { dirfd, pathname, mode }) =>
    mkdirAt(task, dirfd, pathname, mode),
});

function mkdirAt(
  task: Task,
  dirfd: number,
  pathname: number,
  mode: number,
): SysResult {
  const where = readPathAt(task, dirfd, pathname);
  if (isErrno(where)) return where;
  return task.kernel.vfs.mkdir(task, where.at, where.path, mode) ?? 0;
}

export const rmdir = defineSyscall({
  name: "rmdir",
  support: "full",
  args: { pathname: "path" },
  run: (task, { pathname }) => {
    const where = readPathAt(task, AT_FDCWD, pathname);
    if (isErrno(where)) return where;
    return task.kernel.vfs.rmdir(task, where.at, where.path) ?? 0;
  },
});

/** The most that one getdents returns, bytes; callers ask again. */
const MAX_CHUNK = 32 * 1024;

/** Packs entries into records. */
class RecordSink implements DirectorySink {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #is64: boolean;
  length = 0;

  constructor(capacity: number, options: { readonly is64: boolean }) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#is64 = options.is64;
  }

  get records(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  emit(name: ByteString, ino: number, type: number, cookie: number): boolean {
    const nameAt = this.#is64 ? LINUX_DIRENT64.d_name : LINUX_DIRENT.d_name;
    // The old record keeps the type in its last byte, behind the NUL.
    const tail = this.#is64 ? 1 : 2;
    const needed = nameAt + name.length + tail;
    const size = Math.ceil(needed / LINUX_DIRENT64_ALIGN) *
      LINUX_DIRENT64_ALIGN;
    const start = this.length;
    if (start + size > this.#bytes.length) return false;
    const view = this.#view;
    this.#put64(start + LINUX_DIRENT64.d_ino, ino);
    this.#put64(start + LINUX_DIRENT64.d_off, cookie);
    view.setUint16(start + LINUX_DIRENT64.d_reclen, size, true);
    const typeAt = this.#is64
      ? start + LINUX_DIRENT64.d_type
      : start + size - 1;
    for (let i = 0; i < name.length; i++) {
      this.#bytes[start + nameAt + i] = name.charCodeAt(i);
    }
    this.#bytes[typeAt] = type;
    this.length = start + size;
    return true;
  }

  #put64(at: number, value: number): void {
    const high = Math.floor(value / 4294967296);
    this.#view.setUint32(at, value - high * 4294967296, true);
    this.#view.setUint32(at + 4, high, true);
  }
}

export const getdents64 = defineSyscall({
  name: "getdents64",
  support: "full",
  args: { fd: "fd", dirp: "buf", count: "uint" },
  run: (task, { fd, dirp, count }) => getEntries(task, fd, dirp, count, true),
});

export const getdents = defineSyscall({
  name: "getdents",
  support: "full",
  args: { fd: "fd", dirp: "buf", count: "uint" },
  run: (task, { fd, dirp, count }) => getEntries(task, fd, dirp, count, false),
});

function getEntries(
  task: Task,
  fd: number,
  dirp: number,
  count: number,
  is64: boolean,
): SysResult {
  const file = openFileOf(task, fd);
  if (isErrno(file)) return file;
  const before = file.offset;
  const sink = new RecordSink(Math.min(count, MAX_CHUNK), { is64 });
  const counted = new RefusalSink(sink);
  const failed = file.readDirectory(counted, task);
  if (failed !== null) return failed;
  if (sink.length === 0) return counted.hasRefused ? EINVAL : 0;
  const fault = task.memory.writeBytes(dirp, sink.records);
  if (fault === null) return sink.length;
  file.offset = before;
  return fault;
}

/** Tells "no more entries" from "no room for the first one" (EINVAL). */
class RefusalSink implements DirectorySink {
  readonly #sink: DirectorySink;
  hasRefused = false;

  constructor(sink: DirectorySink) {
    this.#sink = sink;
  }
  emit(name: ByteString, ino: number, type: number, cookie: number): boolean {
    const isTaken = this.#sink.emit(name, ino, type, cookie);
    if (!isTaken) this.hasRefused = true;
    return isTaken;
  }
}

export const chdir = defineSyscall({
  name: "chdir",
  support: "full",
  args: { pathname: "path" },
  run: (task, { pathname }) => {
    const found = lookupArgument(task, AT_FDCWD, pathname, DIRECTORY);
    if (isErrno(found)) return found;
    const denied = checkPermission(task.identity, found.inode, MAY_EXEC);
    if (denied !== null) return denied;
    task.fsContext.setCwd(found.mount.placeOf(found.dentry));
    return 0;
  },
});

const DIRECTORY = { ...FOLLOW, wantDirectory: true };

export const fchdir = defineSyscall({
  name: "fchdir",
  support: "full",
  args: { fd: "fd" },
  run: (task, { fd }) => {
    const file = task.fdTable.get(fd);
    if (file === null) return EBADF;
    if (!file.inode.isDirectory) return ENOTDIR;
    const denied = checkPermission(task.identity, file.inode, MAY_EXEC);
    if (denied !== null) return denied;
    task.fsContext.setCwd(file.path);
    return 0;
  },
});

export const chroot = defineSyscall({
  name: "chroot",
  support: "full",
  args: { pathname: "path" },
  run: (task, { pathname }) => {
    const found = lookupArgument(task, AT_FDCWD, pathname, DIRECTORY);
    if (isErrno(found)) return found;
    const denied = checkPermission(task.identity, found.inode, MAY_EXEC);
    if (denied !== null) return denied;
    if (!task.identity.has(CAP_SYS_CHROOT)) return EPERM;
    task.fsContext.setRoot(found.mount.placeOf(found.dentry));
    return 0;
  },
});

export const getcwd = defineSyscall({
  name: "getcwd",
  support: "full",
  args: { buf: "buf", size: "ulong" },
  run: (task, { buf, size }) => {
    const { root, cwd } = task.fsContext;
    const name = task.kernel.vfs.nameOf(root, cwd);
    if (name.isDeleted) return ENOENT;
    const text = name.isUnreachable ? `(unreachable)${name.text}` : name.text;
    if (text.length + 1 > size) return ERANGE;
    const bytes = new Uint8Array(text.length + 1);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return task.memory.writeBytes(buf, bytes) ?? bytes.length;
  },
});
