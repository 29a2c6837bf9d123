/**
 * getxattr(2), setxattr(2), listxattr(2), removexattr(2) and their l and f
 * forms. The rules are in `../vfs/xattr.ts`.
 * @module
 */
import { E2BIG, EINVAL, ERANGE, type Errno, isErrno } from "../abi/errno.ts";
import { AT_FDCWD } from "../abi/fcntl.ts";
import { IN_ATTRIB } from "../abi/inotify.ts";
import {
  XATTR_CREATE,
  XATTR_NAME_MAX,
  XATTR_REPLACE,
  XATTR_SIZE_MAX,
} from "../abi/xattr.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Task } from "../task/task.ts";
import type { Dentry } from "../vfs/dentry.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Mount } from "../vfs/mount.ts";
import { FOLLOW, NOFOLLOW, type ResolveOptions } from "../vfs/vfs_core.ts";
import { notifyPlace } from "../vfs/watches.ts";
import { lookupArgument, openFileOf } from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** An inode and the Mount that it was reached through. */
interface Target {
  readonly mount: Mount;
  readonly dentry: Dentry;
  readonly inode: Inode;
}

function byPath(
  task: Task,
  pathname: number,
  options: ResolveOptions,
): Target | Errno {
  return lookupArgument(task, AT_FDCWD, pathname, options);
}

function byFd(task: Task, fd: number): Target | Errno {
  const file = openFileOf(task, fd);
  if (isErrno(file)) return file;
  const { mount, dentry } = file.path;
  return { mount, dentry, inode: file.inode };
}

/** EFAULT; ERANGE: empty or too long. */
function readName(task: Task, address: number): ByteString | Errno {
  const name = task.memory.readString(address, XATTR_NAME_MAX + 1, ERANGE);
  return name === "" ? ERANGE : name;
}

function get(
  task: Task,
  target: Target | Errno,
  nameAt: number,
  value: number,
  size: number,
): SysResult {
  if (isErrno(target)) return target;
  const name = readName(task, nameAt);
  if (isErrno(name)) return name;
  const vfs = task.kernel.vfs;
  const bytes = vfs.getXattr(target.inode, name, task.identity);
  if (isErrno(bytes)) return bytes;
  if (size === 0) return bytes.length;
  if (bytes.length > size) return ERANGE;
  return task.memory.writeBytes(value, bytes) ?? bytes.length;
}

function set(
  task: Task,
  target: Target | Errno,
  nameAt: number,
  value: number,
  size: number,
  flags: number,
): SysResult {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return EINVAL;
  if (isErrno(target)) return target;
  const name = readName(task, nameAt);
  if (isErrno(name)) return name;
  if (size > XATTR_SIZE_MAX) return E2BIG;
  const bytes = new Uint8Array(size);
  const fault = task.memory.readBytes(value, bytes);
  if (fault !== null) return fault;
  const { mount, inode, dentry } = target;
  const { vfs } = task.kernel;
  const failed = vfs.setXattr(mount, inode, name, bytes, flags, task);
  if (failed === null) notifyPlace(dentry, IN_ATTRIB);
  return failed ?? 0;
}

function list(
  task: Task,
  target: Target | Errno,
  buffer: number,
  size: number,
): SysResult {
  if (isErrno(target)) return target;
  const names = task.kernel.vfs.listXattrs(target.inode, task.identity);
  if (isErrno(names)) return names;
  let length = 0;
  for (const name of names) length += name.length + 1;
  if (size === 0) return length;
  if (length > size) return ERANGE;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const name of names) {
    for (let i = 0; i < name.length; i++) bytes[at++] = name.charCodeAt(i);
    at++;
  }
  return task.memory.writeBytes(buffer, bytes) ?? length;
}

function remove(
  task: Task,
  target: Target | Errno,
  nameAt: number,
): SysResult {
  if (isErrno(target)) return target;
  const name = readName(task, nameAt);
  if (isErrno(name)) return name;
  const { mount, inode, dentry } = target;
  const { vfs } = task.kernel;
  const failed = vfs.removeXattr(mount, inode, name, task);
  if (failed === null) notifyPlace(dentry, IN_ATTRIB);
  return failed ?? 0;
}

export const getxattr = defineSyscall({
  name: "getxattr",
  support: "full",
  args: { path: "path", name: "addr", value: "buf", size: "size" },
  run: (task, { path, name, value, size }) =>
    get(task, byPath(task, path, FOLLOW), name, value, size),
});

export const lgetxattr = defineSyscall({
  name: "lgetxattr",
  support: "full",
  args: { path: "path", name: "addr", value: "buf", size: "size" },
  run: (task, { path, name, value, size }) =>
    get(task, byPath(task, path, NOFOLLOW), name, value, size),
});

export const fgetxattr = defineSyscall({
  name: "fgetxattr",
  support: "full",
  args: { fd: "fd", name: "addr", value: "buf", size: "size" },
  run: (task, { fd, name, value, size }) =>
    get(task, byFd(task, fd), name, value, size),
});

export const setxattr = defineSyscall({
  name: "setxattr",
  support: "full",
  args: {
    path: "path",
    name: "addr",
    value: "buf",
    size: "size",
    flags: "flags",
  },
  run: (task, { path, name, value, size, flags }) =>
    set(task, byPath(task, path, FOLLOW), name, value, size, flags),
});

export const lsetxattr = defineSyscall({
  name: "lsetxattr",
  support: "full",
  args: {
    path: "path",
    name: "addr",
    value: "buf",
    size: "size",
    flags: "flags",
  },
  run: (task, { path, name, value, size, flags }) =>
    set(task, byPath(task, path, NOFOLLOW), name, value, size, flags),
});

export const fsetxattr = defineSyscall({
  name: "fsetxattr",
  support: "full",
  args: { fd: "fd", name: "addr", value: "buf", size: "size", flags: "flags" },
  run: (task, { fd, name, value, size, flags }) =>
    set(task, byFd(task, fd), name, value, size, flags),
});

export const listxattr = defineSyscall({
  name: "listxattr",
  support: "full",
  args: { path: "path", list: "buf", size: "size" },
  run: (task, { path, list: buffer, size }) =>
    list(task, byPath(task, path, FOLLOW), buffer, size),
});

export const llistxattr = defineSyscall({
  name: "llistxattr",
  support: "full",
  args: { path: "path", list: "buf", size: "size" },
  run: (task, { path, list: buffer, size }) =>
    list(task, byPath(task, path, NOFOLLOW), buffer, size),
});

export const flistxattr = defineSyscall({
  name: "flistxattr",
  support: "full",
  args: { fd: "fd", list: "buf", size: "size" },
  run: (task, { fd, list: buffer, size }) =>
    list(task, byFd(task, fd), buffer, size),
});

export const removexattr = defineSyscall({
  name: "removexattr",
  support: "full",
  args: { path: "path", name: "addr" },
  run: (task, { path, name }) => remove(task, byPath(task, path, FOLLOW), name),
});

export const lremovexattr = defineSyscall({
  name: "lremovexattr",
  support: "full",
  args: { path: "path", name: "addr" },
  run: (task, { path, name }) =>
    remove(task, byPath(task, path, NOFOLLOW), name),
});

export const fremovexattr = defineSyscall({
  name: "fremovexattr",
  support: "full",
  args: { fd: "fd", name: "addr" },
  run: (task, { fd, name }) => remove(task, byFd(task, fd), name),
});
