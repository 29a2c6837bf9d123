/**
 * fsopen(2), fsconfig(2), fsmount(2), fspick(2): file systems made in steps.
 * @module
 */
import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import {
  EBADF,
  EINVAL,
  ENODEV,
  EOPNOTSUPP,
  EPERM,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { AT_FDCWD, O_CLOEXEC } from "../abi/fcntl.ts";
import { PATH_MAX } from "../abi/limits.ts";
import {
  FSCONFIG_CMD_CREATE,
  FSCONFIG_CMD_RECONFIGURE,
  FSCONFIG_SET_BINARY,
  FSCONFIG_SET_FD,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_PATH,
  FSCONFIG_SET_PATH_EMPTY,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  FSPICK_CLOEXEC,
  FSPICK_EMPTY_PATH,
  FSPICK_NO_AUTOMOUNT,
  FSPICK_SYMLINK_NOFOLLOW,
  MS_RDONLY,
} from "../abi/mount.ts";
import { FsConfig } from "../fs/fs_config.ts";
import type { Task } from "../task/task.ts";
import { DetachedTree } from "../vfs/detached_tree.ts";
import {
  lookupArgument,
  openFileOf,
  resolveOptions,
} from "./file_arguments.ts";
import { flagsOfAttributes } from "./sys_mount_tree.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

/** Longest key and string value of fsconfig(2). */
const MAX_TEXT = 256;

export const fsopen = defineSyscall({
  name: "fsopen",
  support: "full",
  args: { fsname: "addr", flags: "flags" },
  run: (task, { fsname, flags }) => {
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    if ((flags & ~FSOPEN_CLOEXEC) !== 0) return EINVAL;
    const name = task.memory.readString(fsname, PATH_MAX, EINVAL);
    if (isErrno(name)) return name;
    const type = task.kernel.vfs.fileSystemTypes.get(name);
    if (type === undefined) return ENODEV;
    const config = new FsConfig(task.kernel.anonInodes, type);
    return task.installFile(config, cloexec(flags & FSOPEN_CLOEXEC));
  },
});

function cloexec(isOn: number): number {
  return isOn !== 0 ? O_CLOEXEC : 0;
}

/** The FsConfig behind a descriptor. EBADF, EINVAL. */
function configOf(task: Task, fd: number): FsConfig | Errno {
  const file = openFileOf(task, fd);
  if (isErrno(file)) return EBADF;
  return file instanceof FsConfig ? file : EINVAL;
}

/** Whether a command has the arguments that it takes. */
function isShaped(
  cmd: number,
  key: number,
  value: number,
  aux: number,
): boolean {
  switch (cmd) {
    case FSCONFIG_SET_FLAG:
      return key !== 0 && value === 0 && aux === 0;
    case FSCONFIG_SET_STRING:
      return key !== 0 && value !== 0 && aux === 0;
    case FSCONFIG_SET_BINARY:
      return key !== 0 && value !== 0 && aux > 0 && aux <= 1024 * 1024;
    case FSCONFIG_SET_PATH:
    case FSCONFIG_SET_PATH_EMPTY:
      return key !== 0 && value !== 0 && (aux === AT_FDCWD || aux >= 0);
    case FSCONFIG_SET_FD:
      return key !== 0 && value === 0 && aux >= 0;
    default:
      return key === 0 && value === 0 && aux === 0;
  }
}

export const fsconfig = defineSyscall({
  name: "fsconfig",
  support: {
    partial: "options are judged by FSCONFIG_CMD_CREATE; no file system " +
      "takes binary, path or descriptor values, nor FSCONFIG_CMD_RECONFIGURE",
  },
  args: { fd: "fd", cmd: "uint", key: "addr", value: "addr", aux: "int" },
  run: (task, { fd, cmd, key, value, aux }) => {
    if (fd < 0) return EINVAL;
    if (cmd > FSCONFIG_CMD_RECONFIGURE) return EOPNOTSUPP;
    if (!isShaped(cmd, key, value, aux)) return EINVAL;
    const config = configOf(task, fd);
    if (isErrno(config)) return config;
    return configure(task, config, cmd, key, value);
  },
});

function configure(
  task: Task,
  config: FsConfig,
  cmd: number,
  key: number,
  value: number,
): SysResult {
  switch (cmd) {
    case FSCONFIG_SET_FLAG:
    case FSCONFIG_SET_STRING: {
      const name = task.memory.readString(key, MAX_TEXT, EINVAL);
      if (isErrno(name)) return name;
      const text = cmd === FSCONFIG_SET_FLAG
        ? null
        : task.memory.readString(value, MAX_TEXT, EINVAL);
      return isErrno(text) ? text : config.set(name, text) ?? 0;
    }
    case FSCONFIG_CMD_CREATE:
      if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
      return config.make(task) ?? 0;
    case FSCONFIG_CMD_RECONFIGURE:
      unimplemented(task, "fsconfig FSCONFIG_CMD_RECONFIGURE");
      return EOPNOTSUPP;
    default: // no parameter of any file system has such a value
      return EINVAL;
  }
}

export const fsmount = defineSyscall({
  name: "fsmount",
  support: "full",
  args: { fd: "fd", flags: "flags", attr_flags: "flags" },
  run: (task, { fd, flags, attr_flags }) => {
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    if ((flags & ~FSMOUNT_CLOEXEC) !== 0) return EINVAL;
    const mountFlags = flagsOfAttributes(attr_flags);
    if (isErrno(mountFlags)) return mountFlags;
    const config = configOf(task, fd);
    if (isErrno(config)) return config;
    const fs = config.take();
    if (isErrno(fs)) return fs;
    const { vfs } = task.kernel;
    const tree = vfs.newNamespace(fs, {
      flags: mountFlags | (config.isReadOnly ? MS_RDONLY : 0),
      source: config.source,
    });
    const file = new DetachedTree(vfs, tree);
    return task.installFile(file, cloexec(flags & FSMOUNT_CLOEXEC));
  },
});

export const fspick = defineSyscall({
  name: "fspick",
  support: { partial: "fails with EOPNOTSUPP: options can't be changed" },
  args: { dirfd: "dirfd", path: "path", flags: "flags" },
  run: (task, { dirfd, path, flags }) => {
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    const known = FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW |
      FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH;
    if ((flags & ~known) !== 0) return EINVAL;
    const options = resolveOptions(
      (flags & FSPICK_SYMLINK_NOFOLLOW) === 0,
      (flags & FSPICK_EMPTY_PATH) !== 0,
    );
    const walk = lookupArgument(task, dirfd, path, options);
    if (isErrno(walk)) return walk;
    if (walk.dentry !== walk.mount.root) return EINVAL;
    unimplemented(task, "fspick");
    return EOPNOTSUPP;
  },
});
