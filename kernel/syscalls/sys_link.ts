/**
 * Names: link(2), symlink(2), unlink(2), rename(2), mknod(2) and their *at
 * forms. The rules are in `../vfs/names.ts` and `../vfs/rename.ts`.
 * @module
 */
import { EINVAL, isErrno } from "../abi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
} from "../abi/fcntl.ts";
import type { Task } from "../task/task.ts";
import {
  readPath,
  readPathAt,
  resolveOptions,
  startOf,
} from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const link = defineSyscall({
  name: "link",
  support: "full",
  args: { oldpath: "path", newpath: "path" },
  run: (task, { oldpath, newpath }) =>
    linkAt(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0),
});

export const linkat = defineSyscall({
  name: "linkat",
  support: "full",
  args: {
    olddirfd: "dirfd",
    oldpath: "path",
    newdirfd: "dirfd",
    newpath: "path",
    flags: "flags",
  },
  run: (task, { olddirfd, oldpath, newdirfd, newpath, flags }) =>
    linkAt(task, olddirfd, oldpath, newdirfd, newpath, flags),
});

function linkAt(
  task: Task,
  olddirfd: number,
  oldpath: number,
  newdirfd: number,
  newpath: number,
  flags: number,
): SysResult {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return EINVAL;
  const from = readPathAt(task, olddirfd, oldpath);
  if (isErrno(from)) return from;
  const to = readPathAt(task, newdirfd, newpath);
  if (isErrno(to)) return to;
  const options = resolveOptions(
    (flags & AT_SYMLINK_FOLLOW) !== 0,
    (flags & AT_EMPTY_PATH) !== 0,
  );
  return task.kernel.vfs.link(task, from, options, to) ?? 0;
}

export const symlink = defineSyscall({
  name: "symlink",
  support: "full",
  args: { target: "path", linkpath: "path" },
  run: (task, { target, linkpath }) =>
    symlinkAt(task, target, AT_FDCWD, linkpath),
});

export const symlinkat = defineSyscall({
  name: "symlinkat",
  support: "full",
  args: { target: "path", newdirfd: "dirfd", linkpath: "path" },
  run: (task, { target, newdirfd, linkpath }) =>
    symlinkAt(task, target, newdirfd, linkpath),
});

function symlinkAt(
  task: Task,
  target: number,
  newdirfd: number,
  linkpath: number,
): SysResult {
  const text = readPath(task, target);
  if (isErrno(text)) return text;
  const where = readPathAt(task, newdirfd, linkpath);
  if (isErrno(where)) return where;
  return task.kernel.vfs.symlink(task, text, where.at, where.path) ?? 0;
}

export const unlink = defineSyscall({
  name: "unlink",
  support: "full",
  args: { pathname: "path" },
  run: (task, { pathname }) => unlinkAt(task, AT_FDCWD, pathname, 0),
});

export const unlinkat = defineSyscall({
  name: "unlinkat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", flags: "flags" },
  run: (task, { dirfd, pathname, flags }) =>
    unlinkAt(task, dirfd, pathname, flags),
});

function unlinkAt(
  task: Task,
  dirfd: number,
  pathname: number,
  flags: number,
): SysResult {
  if ((flags & ~AT_REMOVEDIR) !== 0) return EINVAL;
  const where = readPathAt(task, dirfd, pathname);
  if (isErrno(where)) return where;
  const vfs = task.kernel.vfs;
  return (flags & AT_REMOVEDIR) !== 0
    ? vfs.rmdir(task, where.at, where.path) ?? 0
    : vfs.unlink(task, where.at, where.path) ?? 0;
}

export const rename = defineSyscall({
  name: "rename",
  support: "full",
  args: { oldpath: "path", newpath: "path" },
  run: (task, { oldpath, newpath }) =>
    renameAt(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0),
});

export const renameat = defineSyscall({
  name: "renameat",
  support: "full",
  args: {
    olddirfd: "dirfd",
    oldpath: "path",
    newdirfd: "dirfd",
    newpath: "path",
  },
  run: (task, { olddirfd, oldpath, newdirfd, newpath }) =>
    renameAt(task, olddirfd, oldpath, newdirfd, newpath, 0),
});

export const renameat2 = defineSyscall({
  name: "renameat2",
  support: "full",
  args: {
    olddirfd: "dirfd",
    oldpath: "path",
    newdirfd: "dirfd",
    newpath: "path",
    flags: "flags",
  },
  run: (task, { olddirfd, oldpath, newdirfd, newpath, flags }) =>
    renameAt(task, olddirfd, oldpath, newdirfd, newpath, flags),
});

function renameAt(
  task: Task,
  olddirfd: number,
  oldpath: number,
  newdirfd: number,
  newpath: number,
  flags: number,
): SysResult {
  const from = readPath(task, oldpath);
  if (isErrno(from)) return from;
  const to = readPath(task, newpath);
  if (isErrno(to)) return to;
  const fromAt = startOf(task, olddirfd, from);
  if (isErrno(fromAt)) return fromAt;
  const toAt = startOf(task, newdirfd, to);
  if (isErrno(toAt)) return toAt;
  return task.kernel.vfs.rename(
    task,
    { at: fromAt, path: from },
    { at: toAt, path: to },
    flags,
  ) ?? 0;
}

export const mknod = defineSyscall({
  name: "mknod",
  support: "full",
  args: { pathname: "path", mode: "mode", dev: "uint" },
  run: (task, { pathname, mode, dev }) =>
    mknodAt(task, AT_FDCWD, pathname, mode, dev),
});

export const mknodat = defineSyscall({
  name: "mknodat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", mode: "mode", dev: "uint" },
  run: (task, { dirfd, pathname, mode, dev }) =>
    mknodAt(task, dirfd, pathname, mode, dev),
});

function mknodAt(
  task: Task,
  dirfd: number,
  pathname: number,
  mode: number,
  dev: number,
): SysResult {
  const where = readPathAt(task, dirfd, pathname);
  if (isErrno(where)) return where;
  const { at, path } = where;
  const made = task.kernel.vfs.mknod(task, at, path, mode, dev);
  return isErrno(made) ? made : 0;
}
