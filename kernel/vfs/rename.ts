/**
 * rename(2), renameat2(2). Order of checks as in Linux's do_renameat2() and
 * vfs_rename().
 * @module
 */
import {
  EBUSY,
  EEXIST,
  EINVAL,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  type Errno,
  EXDEV,
  isErrno,
} from "../abi/errno.ts";
import {
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from "../abi/fcntl.ts";
import {
  IN_ATTRIB,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from "../abi/inotify.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Caller } from "./caller.ts";
import type { Dentry } from "./dentry.ts";
import type { Inode } from "./inode.ts";
import type { VfsPath } from "./mount.ts";
import { mayCreate, mayDelete, newInode } from "./names.ts";
import type { PathWalk } from "./path_walk.ts";
import { checkPermission, checkWritable, MAY_WRITE } from "./permission.ts";
import type { VfsCore } from "./vfs_core.ts";
import { notifyEntry, notifyInode } from "./watches.ts";

/** `flags`: RENAME_*; EINVAL for combinations that make no sense. */
export function rename(
  core: VfsCore,
  caller: Caller,
  from: { readonly at: VfsPath; readonly path: ByteString },
  to: { readonly at: VfsPath; readonly path: ByteString },
  flags: number,
): Errno | null {
  const known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
  if ((flags & ~known) !== 0) return EINVAL;
  const isExchange = (flags & RENAME_EXCHANGE) !== 0;
  if (isExchange && flags !== RENAME_EXCHANGE) return EINVAL;

  const source = core.lookupParent(caller, from.at, from.path);
  if (isErrno(source)) return source;
  const { name, kind, hasTrailingSlash } = source;
  const parent = source.mount.placeOf(source.dentry).acquire();
  const target = core.lookupParent(caller, to.at, to.path);
  const result = isErrno(target) ? target : renameLast(
    core,
    caller,
    { parent, name, kind, hasTrailingSlash },
    target,
    flags,
  );
  parent.release();
  return result;
}

/** What lookupParent() found of the source. */
interface Source {
  readonly parent: VfsPath;
  readonly name: ByteString;
  readonly kind: PathWalk["kind"];
  readonly hasTrailingSlash: boolean;
}

function renameLast(
  core: VfsCore,
  caller: Caller,
  source: Source,
  walk: PathWalk,
  flags: number,
): Errno | null {
  const isExchange = (flags & RENAME_EXCHANGE) !== 0;
  const isNoReplace = (flags & RENAME_NOREPLACE) !== 0;
  if (source.parent.mount !== walk.mount) return EXDEV;
  if (source.kind !== "name") return EBUSY;
  if (walk.kind !== "name") return isNoReplace ? EEXIST : EBUSY;
  const refused = checkWritable(walk.mount);
  if (refused !== null) return refused;

  const child = walk.lookup(source.parent.dentry, source.name);
  if (isErrno(child)) return child;
  if (child.inode === null) return ENOENT;
  const target = walk.lookupLast();
  if (isErrno(target)) return target;
  if (isNoReplace && target.inode !== null) return EEXIST;
  if (isExchange) {
    if (target.inode === null) return ENOENT;
    if (!target.inode.isDirectory && walk.hasTrailingSlash) return ENOTDIR;
  }
  if (!child.inode.isDirectory) {
    if (source.hasTrailingSlash) return ENOTDIR;
    if (!isExchange && walk.hasTrailingSlash) return ENOTDIR;
  }
  // Neither may become part of itself.
  if (child.isAncestorOf(walk.dentry)) return EINVAL;
  if (target.isAncestorOf(source.parent.dentry)) {
    return isExchange ? EINVAL : ENOTEMPTY;
  }
  return move(core, caller, child, target, flags);
}

/** vfs_rename(). */
function move(
  core: VfsCore,
  caller: Caller,
  child: Dentry,
  target: Dentry,
  flags: number,
): Errno | null {
  const inode = child.inode!;
  const replaced = target.inode;
  if (inode === replaced) return null;
  const isExchange = (flags & RENAME_EXCHANGE) !== 0;
  const asDirectory = inode.isDirectory;
  const denied = mayDelete(child, caller, { asDirectory }) ??
    mayTake(target, caller, {
      asDirectory: isExchange ? replaced!.isDirectory : asDirectory,
    });
  if (denied !== null) return denied;

  const from = child.parent!.inode!;
  const to = target.parent!.inode!;
  if (from !== to) {
    // Its ".." changes, so the directory itself is written.
    const identity = caller.identity;
    if (asDirectory) {
      const refused = checkPermission(identity, inode, MAY_WRITE);
      if (refused !== null) return refused;
    }
    if (isExchange && replaced!.isDirectory) {
      const refused = checkPermission(identity, replaced!, MAY_WRITE);
      if (refused !== null) return refused;
    }
  }
  if (child.mountCount > 0 || target.mountCount > 0) return EBUSY;
  const failed = from.rename(
    child.name,
    inode,
    to,
    target.name,
    replaced,
    flags,
  );
  if (failed !== null) return failed;
  if ((flags & RENAME_WHITEOUT) !== 0) giveWhiteout(from, child.name, caller);
  tellMoved(core, child, target, from, to, isExchange);
  if (isExchange) core.dcache.exchange(child, target);
  else core.dcache.move(child, target.parent!, target.name);
  return null;
}

/** Tells watchers, before the names change places. */
function tellMoved(
  core: VfsCore,
  child: Dentry,
  target: Dentry,
  from: Inode,
  to: Inode,
  isExchange: boolean,
): void {
  const inode = child.inode!;
  const replaced = target.inode;
  const cookie = core.nextMoveCookie();
  notifyEntry(from, child.name, inode, IN_MOVED_FROM, cookie);
  notifyEntry(to, target.name, inode, IN_MOVED_TO, cookie);
  notifyInode(inode, IN_MOVE_SELF);
  if (replaced === null) return;
  if (!isExchange) {
    notifyInode(replaced, IN_ATTRIB);
    return;
  }
  const back = core.nextMoveCookie();
  notifyEntry(to, target.name, replaced, IN_MOVED_FROM, back);
  notifyEntry(from, child.name, replaced, IN_MOVED_TO, back);
  notifyInode(replaced, IN_MOVE_SELF);
}

/** The whiteout that a file system left at the old name is the caller's. */
function giveWhiteout(
  directory: Inode,
  name: ByteString,
  caller: Caller,
): void {
  const whiteout = directory.lookup(name);
  if (whiteout === null || isErrno(whiteout)) return;
  const { uid, gid } = newInode(directory, whiteout.mode, caller);
  whiteout.setAttributes({ uid, gid });
}

function mayTake(
  target: Dentry,
  caller: Caller,
  options: { readonly asDirectory: boolean },
): Errno | null {
  return target.inode === null
    ? mayCreate(target, caller)
    : mayDelete(target, caller, options);
}
