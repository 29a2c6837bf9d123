/**
 * open_tree(2), move_mount(2), mount_setattr(2): mounts by descriptor.
 * @module
 */
import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import { E2BIG, EINVAL, EPERM, type Errno, isErrno } from "../abi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_RECURSIVE,
  AT_SYMLINK_NOFOLLOW,
  O_PATH,
} from "../abi/fcntl.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import {
  MOUNT_ATTR,
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_SIZE,
  MOUNT_ATTR_STRICTATIME,
  MOVE_MOUNT__MASK,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_F_SYMLINKS,
  MOVE_MOUNT_SET_GROUP,
  MOVE_MOUNT_T_EMPTY_PATH,
  MOVE_MOUNT_T_SYMLINKS,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_RELATIME,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_UNBINDABLE,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../abi/mount.ts";
import type { Task } from "../task/task.ts";
import { DetachedTree } from "../vfs/detached_tree.ts";
import { PathDescription } from "../vfs/file_description.ts";
import type { VfsPath } from "../vfs/mount.ts";
import { mountSubtree } from "../vfs/mount_tree.ts";
import { lookupArgument, resolveOptions } from "./file_arguments.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

/** The place of a path argument, acquired. */
function placeOf(
  task: Task,
  dirfd: number,
  path: number,
  how: { readonly follow: boolean; readonly allowEmpty: boolean },
): VfsPath | Errno {
  const options = resolveOptions(how.follow, how.allowEmpty);
  const walk = lookupArgument(task, dirfd, path, options);
  if (isErrno(walk)) return walk;
  return walk.mount.placeOf(walk.dentry).acquire();
}

export const open_tree = defineSyscall({
  name: "open_tree",
  support: "full",
  args: { dirfd: "dirfd", path: "path", flags: "flags" },
  run: (task, { dirfd, path, flags }) => {
    const known = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE |
      AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    if ((flags & ~known) !== 0) return EINVAL;
    const isClone = (flags & OPEN_TREE_CLONE) !== 0;
    const isRecursive = (flags & AT_RECURSIVE) !== 0;
    if (isRecursive && !isClone) return EINVAL;
    if (isClone && !task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    const at = placeOf(task, dirfd, path, {
      follow: (flags & AT_SYMLINK_NOFOLLOW) === 0,
      allowEmpty: (flags & AT_EMPTY_PATH) !== 0,
    });
    if (isErrno(at)) return at;
    const { vfs } = task.kernel;
    const tree = isClone ? vfs.cloneTree(at, { isRecursive }) : null;
    const file = tree === null
      ? new PathDescription(at, O_PATH)
      : isErrno(tree)
      ? tree
      : new DetachedTree(vfs, tree);
    at.release();
    return isErrno(file) ? file : task.installFile(file, flags);
  },
});

export const move_mount = defineSyscall({
  name: "move_mount",
  support: { partial: "MOVE_MOUNT_SET_GROUP fails with EINVAL" },
  args: {
    from_dirfd: "dirfd",
    from_path: "path",
    to_dirfd: "dirfd",
    to_path: "path",
    flags: "flags",
  },
  run: (task, { from_dirfd, from_path, to_dirfd, to_path, flags }) => {
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    if ((flags & ~MOVE_MOUNT__MASK) !== 0) return EINVAL;
    if ((flags & MOVE_MOUNT_SET_GROUP) !== 0) {
      unimplemented(task, "move_mount MOVE_MOUNT_SET_GROUP");
      return EINVAL;
    }
    const to = placeOf(task, to_dirfd, to_path, {
      follow: (flags & MOVE_MOUNT_T_SYMLINKS) !== 0,
      allowEmpty: (flags & MOVE_MOUNT_T_EMPTY_PATH) !== 0,
    });
    if (isErrno(to)) return to;
    const from = placeOf(task, from_dirfd, from_path, {
      follow: (flags & MOVE_MOUNT_F_SYMLINKS) !== 0,
      allowEmpty: (flags & MOVE_MOUNT_F_EMPTY_PATH) !== 0,
    });
    const failed = isErrno(from) ? from : moveTo(task, from_dirfd, from, to);
    if (!isErrno(from)) from.release();
    to.release();
    return failed ?? 0;
  },
});

function moveTo(
  task: Task,
  fd: number,
  from: VfsPath,
  to: VfsPath,
): Errno | null {
  const { vfs } = task.kernel;
  if (from.dentry !== from.mount.root) return EINVAL;
  const file = task.fdTable.get(fd);
  if (
    file instanceof DetachedTree && file.isDetached &&
    file.path.mount === from.mount
  ) return vfs.attach(from.mount, to);
  return vfs.moveMount(from, to);
}

/** MOUNT_ATTR_* that one MS_* flag each stands for. */
const ATTRIBUTES: readonly (readonly [attribute: number, flag: number])[] = [
  [MOUNT_ATTR_RDONLY, MS_RDONLY],
  [MOUNT_ATTR_NOSUID, MS_NOSUID],
  [MOUNT_ATTR_NODEV, MS_NODEV],
  [MOUNT_ATTR_NOEXEC, MS_NOEXEC],
  [MOUNT_ATTR_NODIRATIME, MS_NODIRATIME],
  [MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW],
];
const ATIME_FLAGS = MS_NOATIME | MS_STRICTATIME | MS_RELATIME;
const SIMPLE = ATTRIBUTES.reduce((all, [attribute]) => all | attribute, 0);

/** MS_* for the access time rule of MOUNT_ATTR__ATIME. EINVAL. */
function atimeFlag(attributes: number): number | Errno {
  switch (attributes & MOUNT_ATTR__ATIME) {
    case 0:
      return MS_RELATIME;
    case MOUNT_ATTR_NOATIME:
      return MS_NOATIME;
    case MOUNT_ATTR_STRICTATIME:
      return MS_STRICTATIME;
    default:
      return EINVAL;
  }
}

/** MS_* flags of a new mount with these MOUNT_ATTR_*. EINVAL. */
export function flagsOfAttributes(attributes: number): number | Errno {
  if ((attributes & ~(SIMPLE | MOUNT_ATTR__ATIME)) !== 0) return EINVAL;
  const atime = atimeFlag(attributes);
  if (isErrno(atime)) return atime;
  return simpleFlags(attributes) | atime;
}

function simpleFlags(attributes: number): number {
  let flags = 0;
  for (const [attribute, flag] of ATTRIBUTES) {
    if ((attributes & attribute) !== 0) flags |= flag;
  }
  return flags;
}

/** What mount_setattr(2) changes. */
interface Change {
  readonly set: number;
  readonly clear: number;
  /** MS_* or 0. */
  readonly propagation: number;
}

const PROPAGATIONS: readonly number[] = [
  0,
  MS_SHARED,
  MS_SLAVE,
  MS_PRIVATE,
  MS_UNBINDABLE,
];

/** struct mount_attr, extensible; null: nothing to do. EFAULT, E2BIG, EINVAL. */
function readChange(
  task: Task,
  address: number,
  size: number,
): Change | Errno | null {
  const bytes = new Uint8Array(size);
  const failed = task.memory.readBytes(address, bytes);
  if (failed !== null) return failed;
  if (bytes.subarray(MOUNT_ATTR_SIZE).some((byte) => byte !== 0)) return E2BIG;
  const view = new DataView(bytes.buffer);
  // No known bit is above bit 31.
  const word = (offset: number) =>
    view.getUint32(offset + 4, true) === 0 ? view.getUint32(offset, true) : -1;
  const set = word(MOUNT_ATTR.attr_set);
  const clear = word(MOUNT_ATTR.attr_clr);
  const propagation = word(MOUNT_ATTR.propagation);
  if (set === 0 && clear === 0 && propagation === 0) return null;
  if (!PROPAGATIONS.includes(propagation)) return EINVAL;
  if (((set | clear) & MOUNT_ATTR_IDMAP) !== 0 && set >= 0 && clear >= 0) {
    unimplemented(task, "mount_setattr MOUNT_ATTR_IDMAP");
    return EINVAL;
  }
  if (((set | clear) & ~(SIMPLE | MOUNT_ATTR__ATIME)) !== 0) return EINVAL;
  const clearsAtime = clear & MOUNT_ATTR__ATIME;
  if (clearsAtime === 0) {
    if ((set & MOUNT_ATTR__ATIME) !== 0) return EINVAL;
    return {
      set: simpleFlags(set),
      clear: simpleFlags(clear),
      propagation,
    };
  }
  if (clearsAtime !== MOUNT_ATTR__ATIME) return EINVAL;
  const atime = atimeFlag(set);
  if (isErrno(atime)) return atime;
  return {
    set: simpleFlags(set) | atime,
    clear: simpleFlags(clear) | ATIME_FLAGS,
    propagation,
  };
}

export const mount_setattr = defineSyscall({
  name: "mount_setattr",
  support: { partial: "MOUNT_ATTR_IDMAP fails with EINVAL" },
  args: {
    dirfd: "dirfd",
    path: "path",
    flags: "flags",
    attr: "addr",
    size: "size",
  },
  run: (task, { dirfd, path, flags, attr, size }): SysResult => {
    const known = AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
      AT_NO_AUTOMOUNT;
    if ((flags & ~known) !== 0) return EINVAL;
    if (size > PAGE_SIZE) return E2BIG;
    if (size < MOUNT_ATTR_SIZE) return EINVAL;
    if (!task.identity.has(CAP_SYS_ADMIN)) return EPERM;
    const change = readChange(task, attr, size);
    if (change === null) return 0;
    if (isErrno(change)) return change;
    const options = resolveOptions(
      (flags & AT_SYMLINK_NOFOLLOW) === 0,
      (flags & AT_EMPTY_PATH) !== 0,
    );
    const walk = lookupArgument(task, dirfd, path, options);
    if (isErrno(walk)) return walk;
    const { mount: top } = walk;
    if (walk.dentry !== top.root || !top.isAttached) return EINVAL;
    const isRecursive = (flags & AT_RECURSIVE) !== 0;
    for (const mount of isRecursive ? [...mountSubtree(top)] : [top]) {
      mount.flags = (mount.flags & ~change.clear) | change.set;
      if (change.propagation !== 0) {
        task.kernel.vfs.changePropagation(mount, change.propagation);
      }
    }
    return 0;
  },
});
