/**
 * mount(2), umount2(2), pivot_root(2). The mount tree is changed by
 * `../vfs/mounting.ts`.
 * @module
 */
import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import { EINVAL, ENODEV, EPERM, type Errno, isErrno } from "../abi/errno.ts";
import { PATH_MAX } from "../abi/limits.ts";
import {
  MNT_DETACH,
  MNT_EXPIRE,
  MNT_FORCE,
  MS_BIND,
  MS_MGC_MSK,
  MS_MGC_VAL,
  MS_MOVE,
  MS_PRIVATE,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_UNBINDABLE,
  UMOUNT_NOFOLLOW,
} from "../abi/mount.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Task } from "../task/task.ts";
import type { VfsPath } from "../vfs/mount.ts";
import { mountSubtree } from "../vfs/mount_tree.ts";
import { FOLLOW, NOFOLLOW, type ResolveOptions } from "../vfs/vfs_core.ts";
import { readPath } from "./file_arguments.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

/** A text argument that may be a null pointer. EFAULT, EINVAL. */
function readText(task: Task, address: number): ByteString | null | Errno {
  if (address === 0) return null;
  return task.memory.readString(address, PATH_MAX, EINVAL);
}

/** The place of a path argument, acquired. */
function resolvePath(
  task: Task,
  address: number,
  options: ResolveOptions,
): VfsPath | Errno {
  const path = readPath(task, address);
  if (isErrno(path)) return path;
  return task.kernel.vfs.resolve(task, task.fsContext.cwd, path, options);
}

export const mount = defineSyscall({
  name: "mount",
  support: {
    partial: "a file system keeps its options on MS_REMOUNT",
  },
  args: {
    source: "addr",
    target: "path",
    filesystemtype: "addr",
    flags: "ulong",
    data: "addr",
  },
  run: (task, args) => {
    const type = readText(task, args.filesystemtype);
    if (isErrno(type)) return type;
    const source = readText(task, args.source);
    if (isErrno(source)) return source;
    const data = readText(task, args.data);
    if (isErrno(data)) return data;
    const at = resolvePath(task, args.target, FOLLOW);
    if (isErrno(at)) return at;
    const result = task.identity.has(CAP_SYS_ADMIN)
      ? mountAt(task, source, at, type, args.flags | 0, data ?? "")
      : EPERM;
    at.release();
    return result;
  },
});

function mountAt(
  task: Task,
  source: ByteString | null,
  at: VfsPath,
  type: ByteString | null,
  rawFlags: number,
  data: ByteString,
): SysResult {
  // Kernels before 2.4 wanted a magic number in the upper half.
  const isMagic = (rawFlags & MS_MGC_MSK) >>> 0 === MS_MGC_VAL;
  const flags = isMagic ? rawFlags & ~MS_MGC_MSK : rawFlags;
  const { vfs } = task.kernel;
  if ((flags & MS_REMOUNT) !== 0) return vfs.remount(at, flags) ?? 0;
  if ((flags & MS_BIND) !== 0) return bind(task, source, at, flags);
  if ((flags & PROPAGATION) !== 0) return setPropagation(task, at, flags);
  if ((flags & MS_MOVE) !== 0) return move(task, source, at);
  if (type === null) return EINVAL;
  const known = vfs.fileSystemTypes.get(type);
  if (known === undefined) {
    unimplemented(task, `mount of ${type}`);
    return ENODEV;
  }
  const fs = known.create(source ?? "none", data, task);
  if (isErrno(fs)) return fs;
  const made = vfs.mount(fs, at, { flags, source: source ?? "none" });
  if (!isErrno(made)) return 0;
  fs.release();
  return made;
}

function bind(
  task: Task,
  source: ByteString | null,
  at: VfsPath,
  flags: number,
): SysResult {
  if (source === null || source === "") return EINVAL;
  const { vfs } = task.kernel;
  const from = vfs.resolve(task, task.fsContext.cwd, source, FOLLOW);
  if (isErrno(from)) return from;
  const isRecursive = (flags & MS_REC) !== 0;
  const made = vfs.bind(from, at, { isRecursive });
  from.release();
  return isErrno(made) ? made : 0;
}

function move(
  task: Task,
  source: ByteString | null,
  at: VfsPath,
): SysResult {
  if (source === null || source === "") return EINVAL;
  const { vfs } = task.kernel;
  const from = vfs.resolve(task, task.fsContext.cwd, source, FOLLOW);
  if (isErrno(from)) return from;
  const failed = vfs.moveMount(from, at);
  from.release();
  return failed ?? 0;
}

/** MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE, MS_SHARED. */
function setPropagation(task: Task, at: VfsPath, flags: number): SysResult {
  const type = flags & PROPAGATION;
  if ((flags & ~(MS_REC | MS_SILENT | PROPAGATION)) !== 0) return EINVAL;
  if ((type & (type - 1)) !== 0) return EINVAL;
  if (at.dentry !== at.mount.root) return EINVAL;
  const isRecursive = (flags & MS_REC) !== 0;
  const mounts = isRecursive ? [...mountSubtree(at.mount)] : [at.mount];
  const { vfs } = task.kernel;
  for (const each of mounts) vfs.changePropagation(each, type);
  return 0;
}

export const umount2 = defineSyscall({
  name: "umount2",
  support: { partial: "MNT_EXPIRE fails with EINVAL" },
  args: { target: "path", flags: "flags" },
  run: (task, { target, flags }) => {
    const known = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW;
    if ((flags & ~known) !== 0) return EINVAL;
    const options = (flags & UMOUNT_NOFOLLOW) !== 0 ? NOFOLLOW : FOLLOW;
    const path = readPath(task, target);
    if (isErrno(path)) return path;
    const { vfs } = task.kernel;
    // Not acquired: a reference of ours would make the mount busy.
    const found = vfs.lookup(task, task.fsContext.cwd, path, options);
    if (isErrno(found)) return found;
    const at = found.mount.placeOf(found.dentry);
    if (at.dentry !== at.mount.root) return EINVAL;
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    if ((flags & MNT_EXPIRE) !== 0) {
      unimplemented(task, "umount2 MNT_EXPIRE");
      return EINVAL;
    }
    return vfs.umount(at, flags) ?? 0;
  },
});

export const pivot_root = defineSyscall({
  name: "pivot_root",
  support: "full",
  args: { new_root: "path", put_old: "path" },
  run: (task, { new_root, put_old }) => {
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    const newRoot = resolvePath(task, new_root, DIRECTORY);
    if (isErrno(newRoot)) return newRoot;
    const putOld = resolvePath(task, put_old, DIRECTORY);
    const result = isErrno(putOld) ? putOld : pivot(task, newRoot, putOld);
    if (!isErrno(putOld)) putOld.release();
    newRoot.release();
    return result;
  },
});

const DIRECTORY: ResolveOptions = { follow: true, wantDirectory: true };

function pivot(task: Task, newRoot: VfsPath, putOld: VfsPath): SysResult {
  const oldRoot = task.fsContext.root.acquire();
  const failed = task.kernel.vfs.pivotRoot(oldRoot, newRoot, putOld);
  if (failed === null) {
    // Every process that stood on the old root stands on the new one now.
    for (const { fsContext } of task.kernel.rootPidNamespace.tasks()) {
      if (fsContext.root.equals(oldRoot)) fsContext.setRoot(newRoot);
      if (fsContext.cwd.equals(oldRoot)) fsContext.setCwd(newRoot);
    }
  }
  oldRoot.release();
  return failed ?? 0;
}
