/**
 * Attributes: chmod(2), chown(2), utimensat(2), umask(2) and their kin. The
 * rules are in `../vfs/attributes.ts`.
 * @module
 */
import { EINVAL, EOPNOTSUPP, type Errno, isErrno } from "../abi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../abi/fcntl.ts";
import { IN_ATTRIB } from "../abi/inotify.ts";
import { UTIME_NOW, UTIME_OMIT } from "../abi/time.ts";
import type { Task } from "../task/task.ts";
import type { NewTime } from "../vfs/attributes.ts";
import type { Dentry } from "../vfs/dentry.ts";
import type { Mount } from "../vfs/mount.ts";
import { notifyPlace } from "../vfs/watches.ts";
import {
  lookupArgument,
  openFileOf,
  resolveOptions,
} from "./file_arguments.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

/** A file as reached through a Mount. */
interface Place {
  readonly mount: Mount;
  readonly dentry: Dentry;
}

const NSEC_PER_SEC = 1_000_000_000;

export const chmod = defineSyscall({
  name: "chmod",
  support: "full",
  args: { pathname: "path", mode: "mode" },
  run: (task, { pathname, mode }) => chmodAt(task, AT_FDCWD, pathname, mode, 0),
});

export const fchmod = defineSyscall({
  name: "fchmod",
  support: "full",
  args: { fd: "fd", mode: "mode" },
  run: (task, { fd, mode }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    return changeMode(task, file.path, mode);
  },
});

export const fchmodat = defineSyscall({
  name: "fchmodat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", mode: "mode" },
  run: (task, { dirfd, pathname, mode }) =>
    chmodAt(task, dirfd, pathname, mode, 0),
});

export const fchmodat2 = defineSyscall({
  name: "fchmodat2",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", mode: "mode", flags: "flags" },
  run: (task, { dirfd, pathname, mode, flags }) => {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return EINVAL;
    return chmodAt(task, dirfd, pathname, mode, flags);
  },
});

/** Walks as AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH in `flags` say. */
function lookupWith(
  task: Task,
  dirfd: number,
  pathname: number,
  flags: number,
): ReturnType<typeof lookupArgument> {
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  const allowEmpty = (flags & AT_EMPTY_PATH) !== 0;
  return lookupArgument(
    task,
    dirfd,
    pathname,
    resolveOptions(follow, allowEmpty),
  );
}

function chmodAt(
  task: Task,
  dirfd: number,
  pathname: number,
  mode: number,
  flags: number,
): SysResult {
  const found = lookupWith(task, dirfd, pathname, flags);
  if (isErrno(found)) return found;
  return found.inode.isSymlink ? EOPNOTSUPP : changeMode(task, found, mode);
}

function changeMode(task: Task, place: Place, mode: number): SysResult {
  const { mount, dentry } = place;
  const failed = task.kernel.vfs.chmod(mount, dentry.inode!, mode, task);
  if (failed === null) notifyPlace(dentry, IN_ATTRIB);
  return failed ?? 0;
}

export const chown = defineSyscall({
  name: "chown",
  support: "full",
  args: { pathname: "path", owner: "uid", group: "gid" },
  run: (task, { pathname, owner, group }) =>
    chownAt(task, AT_FDCWD, pathname, owner, group, 0),
});

export const lchown = defineSyscall({
  name: "lchown",
  support: "full",
  args: { pathname: "path", owner: "uid", group: "gid" },
  run: (task, { pathname, owner, group }) =>
    chownAt(task, AT_FDCWD, pathname, owner, group, AT_SYMLINK_NOFOLLOW),
});

export const fchown = defineSyscall({
  name: "fchown",
  support: "full",
  args: { fd: "fd", owner: "uid", group: "gid" },
  run: (task, { fd, owner, group }) => {
    const file = openFileOf(task, fd);
    if (isErrno(file)) return file;
    return changeOwner(task, file.path, owner, group);
  },
});

export const fchownat = defineSyscall({
  name: "fchownat",
  support: "full",
  args: {
    dirfd: "dirfd",
    pathname: "path",
    owner: "uid",
    group: "gid",
    flags: "flags",
  },
  run: (task, { dirfd, pathname, owner, group, flags }) => {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return EINVAL;
    return chownAt(task, dirfd, pathname, owner, group, flags);
  },
});

function chownAt(
  task: Task,
  dirfd: number,
  pathname: number,
  owner: number,
  group: number,
  flags: number,
): SysResult {
  const found = lookupWith(task, dirfd, pathname, flags);
  if (isErrno(found)) return found;
  return changeOwner(task, found, owner, group);
}

/** (uid_t) -1 leaves an id as it is. */
function changeOwner(
  task: Task,
  { mount, dentry }: Place,
  owner: number,
  group: number,
): SysResult {
  const uid = owner === 0xffffffff ? -1 : owner;
  const gid = group === 0xffffffff ? -1 : group;
  const { vfs } = task.kernel;
  const failed = vfs.chown(mount, dentry.inode!, uid, gid, task);
  if (failed === null) notifyPlace(dentry, IN_ATTRIB);
  return failed ?? 0;
}

/** Access and modification time of one call. */
interface NewTimes {
  readonly atime: NewTime;
  readonly mtime: NewTime;
}

const BOTH_NOW: NewTimes = { atime: "now", mtime: "now" };

export const utimensat = defineSyscall({
  name: "utimensat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", times: "addr", flags: "flags" },
  run: (task, { dirfd, pathname, times: address, flags }) => {
    const times = address === 0 ? BOTH_NOW : readTimespecs(task, address);
    if (isErrno(times)) return times;
    if (times.atime === "omit" && times.mtime === "omit") return 0;
    // A null path names the descriptor itself: futimens(3).
    if (pathname === 0 && dirfd !== AT_FDCWD) {
      return flags === 0 ? setTimesOf(task, dirfd, times) : EINVAL;
    }
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return EINVAL;
    return setTimesAt(task, dirfd, pathname, times, flags);
  },
});

export const futimesat = defineSyscall({
  name: "futimesat",
  support: "full",
  args: { dirfd: "dirfd", pathname: "path", times: "addr" },
  run: (task, { dirfd, pathname, times: address }) => {
    const times = address === 0 ? BOTH_NOW : readTimevals(task, address);
    if (isErrno(times)) return times;
    if (pathname === 0 && dirfd !== AT_FDCWD) {
      return setTimesOf(task, dirfd, times);
    }
    return setTimesAt(task, dirfd, pathname, times, 0);
  },
});

export const utimes = defineSyscall({
  name: "utimes",
  support: "full",
  args: { pathname: "path", times: "addr" },
  run: (task, { pathname, times: address }) => {
    const times = address === 0 ? BOTH_NOW : readTimevals(task, address);
    if (isErrno(times)) return times;
    return setTimesAt(task, AT_FDCWD, pathname, times, 0);
  },
});

export const utime = defineSyscall({
  name: "utime",
  support: "full",
  args: { pathname: "path", times: "addr" },
  run: (task, { pathname, times: address }) => {
    const times = address === 0 ? BOTH_NOW : readUtimbuf(task, address);
    if (isErrno(times)) return times;
    return setTimesAt(task, AT_FDCWD, pathname, times, 0);
  },
});

function setTimesOf(task: Task, fd: number, times: NewTimes): SysResult {
  const file = openFileOf(task, fd);
  return isErrno(file) ? file : setTimes(task, file.path, times);
}

function setTimes(
  task: Task,
  { mount, dentry }: Place,
  { atime, mtime }: NewTimes,
): SysResult {
  const { vfs } = task.kernel;
  const failed = vfs.utimens(mount, dentry.inode!, atime, mtime, task);
  if (failed === null) notifyPlace(dentry, IN_ATTRIB);
  return failed ?? 0;
}

function setTimesAt(
  task: Task,
  dirfd: number,
  pathname: number,
  times: NewTimes,
  flags: number,
): SysResult {
  const found = lookupWith(task, dirfd, pathname, flags);
  return isErrno(found) ? found : setTimes(task, found, times);
}

/** Reads two pairs of 64-bit words. EFAULT. */
function readPairs(
  task: Task,
  address: number,
): readonly [number, number, number, number] | Errno {
  const words: [number, number, number, number] = [0, 0, 0, 0];
  for (let i = 0; i < 4; i++) {
    const word = task.memory.readI64(address + 8 * i);
    if (isErrno(word)) return word;
    words[i] = word;
  }
  return words;
}

function readTimespecs(task: Task, address: number): NewTimes | Errno {
  const words = readPairs(task, address);
  if (isErrno(words)) return words;
  const atime = newTime(words[0], words[1]);
  if (isErrno(atime)) return atime;
  const mtime = newTime(words[2], words[3]);
  return isErrno(mtime) ? mtime : { atime, mtime };
}

function newTime(sec: number, nsec: number): NewTime | Errno {
  if (nsec === UTIME_NOW) return "now";
  if (nsec === UTIME_OMIT) return "omit";
  if (nsec < 0 || nsec >= NSEC_PER_SEC) return EINVAL;
  return { sec, nsec };
}

function readTimevals(task: Task, address: number): NewTimes | Errno {
  const words = readPairs(task, address);
  if (isErrno(words)) return words;
  const [asec, ausec, msec, musec] = words;
  if (ausec < 0 || ausec >= 1e6 || musec < 0 || musec >= 1e6) return EINVAL;
  return {
    atime: { sec: asec, nsec: ausec * 1000 },
    mtime: { sec: msec, nsec: musec * 1000 },
  };
}

function readUtimbuf(task: Task, address: number): NewTimes | Errno {
  const asec = task.memory.readI64(address);
  if (isErrno(asec)) return asec;
  const msec = task.memory.readI64(address + 8);
  if (isErrno(msec)) return msec;
  return { atime: { sec: asec, nsec: 0 }, mtime: { sec: msec, nsec: 0 } };
}

export const umask = defineSyscall({
  name: "umask",
  support: "full",
  args: { mask: "mode" },
  run: (task, { mask }) => {
    const before = task.fsContext.umask;
    task.fsContext.umask = mask & 0o777;
    return before;
  },
});
