/**
 * Arguments that name files: descriptors, paths and the directory descriptors
 * of the *at(2) calls. Source: path_resolution(7), open(2) "The dirfd
 * argument".
 * @module
 */
import { EBADF, ENAMETOOLONG, type Errno, isErrno } from "../abi/errno.ts";
import { AT_FDCWD, O_PATH } from "../abi/fcntl.ts";
import { PATH_MAX } from "../abi/limits.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";
import type { VfsPath } from "../vfs/mount.ts";
import type { PathWalk } from "../vfs/path_walk.ts";
import type { PathAt } from "../vfs/virtual_filesystem.ts";
import type { ResolveOptions } from "../vfs/vfs_core.ts";

const SLASH = 0x2f;

/** The open file behind a descriptor; EBADF for O_PATH ones, too, which name a
 * place only. The table keeps the reference. */
export function openFileOf(task: Task, fd: number): FileDescription | Errno {
  const file = task.fdTable.get(fd);
  return file === null || (file.flags & O_PATH) !== 0 ? EBADF : file;
}

/** A path in guest memory. EFAULT, ENAMETOOLONG. */
export function readPath(task: Task, addr: number): ByteString | Errno {
  return task.memory.readString(addr, PATH_MAX, ENAMETOOLONG);
}

/** Where a path begins: absolute ones ignore `dirfd`. EBADF. */
export function startOf(
  task: Task,
  dirfd: number,
  path: ByteString,
): VfsPath | Errno {
  if (dirfd === AT_FDCWD || path.charCodeAt(0) === SLASH) {
    return task.fsContext.cwd;
  }
  const file = task.fdTable.get(dirfd);
  return file === null ? EBADF : file.path;
}

/** Reads a path argument together with where it begins. EFAULT, ENAMETOOLONG,
 * EBADF. */
export function readPathAt(
  task: Task,
  dirfd: number,
  addr: number,
): PathAt | Errno {
  const path = readPath(task, addr);
  if (isErrno(path)) return path;
  const at = startOf(task, dirfd, path);
  return isErrno(at) ? at : { at, path };
}

/** Reads a path and walks it: see VfsCore.lookup(). No reference is taken; the
 * result is good until the next walk. */
export function lookupArgument(
  task: Task,
  dirfd: number,
  addr: number,
  options: ResolveOptions,
): PathWalk | Errno {
  // Since 6.11 a null path says the same as an empty one.
  const isNull = addr === 0 && options.allowEmpty === true;
  const path = isNull ? "" : readPath(task, addr);
  if (isErrno(path)) return path;
  const at = startOf(task, dirfd, path);
  if (isErrno(at)) return at;
  return task.kernel.vfs.lookup(task, at, path, options);
}

/** Resolve options of the four combinations that AT_* flags ask for. */
const OPTIONS: readonly ResolveOptions[] = [
  { follow: false, allowEmpty: false },
  { follow: true, allowEmpty: false },
  { follow: false, allowEmpty: true },
  { follow: true, allowEmpty: true },
];

/** Options without making an object. */
export function resolveOptions(
  follow: boolean,
  allowEmpty: boolean,
): ResolveOptions {
  return OPTIONS[(follow ? 1 : 0) + (allowEmpty ? 2 : 0)]!;
}
