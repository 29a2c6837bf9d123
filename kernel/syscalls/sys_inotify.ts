/**
 * inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). Instances are in
 * `../fs/inotify.ts`.
 * @module
 */
import { EINVAL, isErrno } from "../abi/errno.ts";
import { AT_FDCWD } from "../abi/fcntl.ts";
import {
  IN_ALL_EVENTS,
  IN_CLOEXEC,
  IN_DONT_FOLLOW,
  IN_EXCL_UNLINK,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_NONBLOCK,
  IN_ONESHOT,
  IN_ONLYDIR,
} from "../abi/inotify.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { InotifyDescription } from "../fs/inotify.ts";
import type { Task } from "../task/task.ts";
import { checkPermission, MAY_READ } from "../vfs/permission.ts";
import { lookupArgument, openFileOf } from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

export const inotify_init = defineSyscall({
  name: "inotify_init",
  support: "full",
  args: {},
  run: (task) => makeInstance(task, 0),
});

export const inotify_init1 = defineSyscall({
  name: "inotify_init1",
  support: "full",
  args: { flags: "flags" },
  run: (task, { flags }) => makeInstance(task, flags),
});

function makeInstance(task: Task, flags: number): SysResult {
  if ((flags & ~(IN_CLOEXEC | IN_NONBLOCK)) !== 0) return EINVAL;
  const file = new InotifyDescription(
    task.kernel.anonInodes,
    flags & IN_NONBLOCK, // the bit of O_NONBLOCK
  );
  const fd = task.fdTable.install(file, {
    closeOnExec: (flags & IN_CLOEXEC) !== 0,
    limit: task.limit(RLIMIT_NOFILE),
  });
  if (isErrno(fd)) file.release(); // EMFILE
  return fd;
}

const KNOWN = (IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK |
  IN_MASK_ADD | IN_MASK_CREATE | IN_ONESHOT) >>> 0;

export const inotify_add_watch = defineSyscall({
  name: "inotify_add_watch",
  support: "full",
  args: { fd: "fd", pathname: "path", mask: "uint" },
  run: (task, { fd, pathname, mask }) => {
    if ((mask & KNOWN) === 0) return EINVAL;
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    const both = IN_MASK_ADD | IN_MASK_CREATE;
    if ((mask & both) === both) return EINVAL;
    if (!(file instanceof InotifyDescription)) return EINVAL;
    const found = lookupArgument(task, AT_FDCWD, pathname, {
      follow: (mask & IN_DONT_FOLLOW) === 0,
      wantDirectory: (mask & IN_ONLYDIR) !== 0,
    });
    if (isErrno(found)) return found;
    const denied = checkPermission(task.identity, found.inode, MAY_READ);
    return denied ?? file.addWatch(found.inode, mask);
  },
});

export const inotify_rm_watch = defineSyscall({
  name: "inotify_rm_watch",
  support: "full",
  args: { fd: "fd", wd: "int" },
  run: (task, { fd, wd }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    if (!(file instanceof InotifyDescription)) return EINVAL;
    return file.removeWatch(wd) ?? 0;
  },
});
