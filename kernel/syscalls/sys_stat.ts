/**
 * stat(2) and its kin, statx(2), access(2), statfs(2), readlink(2).
 * @module
 */
import { EBADF, EINVAL, ENOENT, isErrno } from "../abi/errno.ts";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_DONT_SYNC,
  AT_STATX_FORCE_SYNC,
  AT_SYMLINK_NOFOLLOW,
} from "../abi/fcntl.ts";
import { SECBIT_NO_SETUID_FIXUP } from "../abi/securebits.ts";
import { STATX__RESERVED } from "../abi/stat.ts";
import { type Credentials, NO_CAPABILITIES } from "../task/credentials.ts";
import type { Task } from "../task/task.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Mount } from "../vfs/mount.ts";
import {
  lookupArgument,
  readPath,
  resolveOptions,
  startOf,
} from "./file_arguments.ts";
import { encodeStat, encodeStatfs, encodeStatx } from "./stat_layout.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const stat = defineSyscall({
  name: "stat",
  support: "full",
  args: { pathname: "path", statbuf: "addr" },
  run: (task, { pathname, statbuf }) =>
    statAt(task, AT_FDCWD, pathname, statbuf, 0),
});

export const lstat = defineSyscall({
  name: "lstat",
  support: "full",
  args: { pathname: "path", statbuf: "addr" },
  run: (task, { pathname, statbuf }) =>
    statAt(task, AT_FDCWD, pathname, statbuf, AT_SYMLINK_NOFOLLOW),
});

export const fstat = defineSyscall({
  name: "fstat",
  support: "full",
  args: { fd: "fd", statbuf: "addr" },
  run: (task, { fd, statbuf }) => {
    const file = task.fdTable.get(fd);
    if (file === null) return EBADF;
    return storeStat(task, file.inode, statbuf);
  },
});

export const newfstatat = defineSyscall({
  name: "newfstatat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", statbuf: "addr", flags: "flags" },
  run: (task, { dirfd, pathname, statbuf, flags }) => {
    const known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
    if ((flags & ~known) !== 0) return EINVAL;
    return statAt(task, dirfd, pathname, statbuf, flags);
  },
});

function statAt(
  task: Task,
  dirfd: number,
  pathname: number,
  statbuf: number,
  flags: number,
): SysResult {
  const found = lookupArgument(
    task,
    dirfd,
    pathname,
    resolveOptions(
      (flags & AT_SYMLINK_NOFOLLOW) === 0,
      (flags & AT_EMPTY_PATH) !== 0,
    ),
  );
  return isErrno(found) ? found : storeStat(task, found.inode, statbuf);
}

function storeStat(task: Task, inode: Inode, statbuf: number): SysResult {
  return inode.refresh() ??
    task.memory.writeBytes(statbuf, encodeStat(inode)) ?? 0;
}

const SYNC_TYPE = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;

export const statx = defineSyscall({
  name: "statx",
  support: "full",
  args: {
    dirfd: "dirfd",
    pathname: "path",
    flags: "flags",
    mask: "uint",
    statxbuf: "addr",
  },
  run: (task, { dirfd, pathname, flags, mask, statxbuf }) => {
    const known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
      SYNC_TYPE;
    if ((mask & STATX__RESERVED) !== 0) return EINVAL;
    if ((flags & SYNC_TYPE) === SYNC_TYPE) return EINVAL;
    if ((flags & ~known) !== 0) return EINVAL;
    const found = lookupArgument(
      task,
      dirfd,
      pathname,
      resolveOptions(
        (flags & AT_SYMLINK_NOFOLLOW) === 0,
        (flags & AT_EMPTY_PATH) !== 0,
      ),
    );
    if (isErrno(found)) return found;
    const { inode, mount, dentry } = found;
    const failed = inode.refresh();
    if (failed !== null) return failed;
    const isMountRoot = dentry === mount.root;
    const bytes = encodeStatx(inode, mount.id, { isMountRoot });
    return task.memory.writeBytes(statxbuf, bytes) ?? 0;
  },
});

export const access = defineSyscall({
  name: "access",
  support: "full",
  args: { pathname: "path", mode: "int" },
  run: (task, { pathname, mode }) =>
    accessAt(task, AT_FDCWD, pathname, mode, 0),
});

export const faccessat = defineSyscall({
  name: "faccessat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", mode: "int" },
  run: (task, { dirfd, pathname, mode }) =>
    accessAt(task, dirfd, pathname, mode, 0),
});

export const faccessat2 = defineSyscall({
  name: "faccessat2",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", mode: "int", flags: "flags" },
  run: (task, { dirfd, pathname, mode, flags }) =>
    accessAt(task, dirfd, pathname, mode, flags),
});

function accessAt(
  task: Task,
  dirfd: number,
  pathname: number,
  mode: number,
  flags: number,
): SysResult {
  if ((mode & ~7) !== 0) return EINVAL;
  const known = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  if ((flags & ~known) !== 0) return EINVAL;
  const own = task.credentials;
  // The walk itself is made with the real ids, too.
  if ((flags & AT_EACCESS) === 0) task.credentials = realIdentity(own);
  const result = accessAs(task, dirfd, pathname, mode, flags);
  task.credentials = own;
  return result;
}

function accessAs(
  task: Task,
  dirfd: number,
  pathname: number,
  mode: number,
  flags: number,
): SysResult {
  const found = lookupArgument(
    task,
    dirfd,
    pathname,
    resolveOptions(
      (flags & AT_SYMLINK_NOFOLLOW) === 0,
      (flags & AT_EMPTY_PATH) !== 0,
    ),
  );
  if (isErrno(found)) return found;
  const { mount, inode } = found;
  return task.kernel.vfs.access(mount, inode, mode, task.credentials) ?? 0;
}

/** Who access(2) asks for: the real ids; capabilities as if they had been
 * taken for good (only root has any). */
function realIdentity(own: Credentials): Credentials {
  const { uid, gid } = own;
  if ((own.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) {
    return own.with({ fsuid: uid, fsgid: gid });
  }
  const effective = uid === 0 ? own.permitted : NO_CAPABILITIES;
  if (
    own.fsuid === uid && own.fsgid === gid &&
    own.effective.low === effective.low && own.effective.high === effective.high
  ) return own;
  return own.with({ fsuid: uid, fsgid: gid, effective });
}

export const statfs = defineSyscall({
  name: "statfs",
  support: "full",
  args: { pathname: "path", buf: "addr" },
  run: (task, { pathname, buf }) => {
    const found = lookupArgument(
      task,
      AT_FDCWD,
      pathname,
      resolveOptions(true, false),
    );
    return isErrno(found) ? found : storeStatfs(task, found.mount, buf);
  },
});

export const fstatfs = defineSyscall({
  name: "fstatfs",
  support: "full",
  args: { fd: "fd", buf: "addr" },
  run: (task, { fd, buf }) => {
    const file = task.fdTable.get(fd);
    if (file === null) return EBADF;
    return storeStatfs(task, file.path.mount, buf);
  },
});

function storeStatfs(task: Task, mount: Mount, buf: number): SysResult {
  const status = mount.fs.status();
  if (isErrno(status)) return status;
  const bytes = encodeStatfs(status, mount.fs.device, mount.flags);
  return task.memory.writeBytes(buf, bytes) ?? 0;
}

export const readlink = defineSyscall({
  name: "readlink",
  support: "full",
  args: { pathname: "path", buf: "buf", size: "int" },
  run: (task, { pathname, buf, size }) =>
    readlinkInto(task, AT_FDCWD, pathname, buf, size),
});

export const readlinkat = defineSyscall({
  name: "readlinkat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", buf: "buf", size: "int" },
  run: (task, { dirfd, pathname, buf, size }) =>
    readlinkInto(task, dirfd, pathname, buf, size),
});

function readlinkInto(
  task: Task,
  dirfd: number,
  pathname: number,
  buf: number,
  size: number,
): SysResult {
  if (size <= 0) return EINVAL;
  const path = readPath(task, pathname);
  if (isErrno(path)) return path;
  const at = startOf(task, dirfd, path);
  if (isErrno(at)) return at;
  const allowEmpty = path === "" && dirfd !== AT_FDCWD;
  const target = task.kernel.vfs.readlink(task, at, path, { allowEmpty });
  if (isErrno(target)) return target === EINVAL && allowEmpty ? ENOENT : target;
  const length = Math.min(size, target.length);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = target.charCodeAt(i);
  return task.memory.writeBytes(buf, bytes) ?? length;
}
