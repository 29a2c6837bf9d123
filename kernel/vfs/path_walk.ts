/**
 * PathWalk: from a path to a place, one component at a time. Source:
 * path_resolution(7), symlink(7), openat2(2).
 *
 * The walk stands at (mount, dentry). toParent() consumes everything but the
 * last component, which it leaves in `name`, `kind` and `hasTrailingSlash`;
 * the caller then looks the last one up (lookupLast) and steps onto it
 * (stepLast), or makes it. resolve() does all of this where the last component
 * must exist.
 *
 * A symlink replaces what is left of the path by its target and what followed
 * it, so that there is one loop and no recursion. No references are taken: the
 * dcache is trimmed between walks only. One VirtualFilesystem has one PathWalk,
 * and its fields are good until the next walk begins.
 * @module
 */
import {
  EAGAIN,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  type Errno,
  EXDEV,
  isErrno,
} from "../abi/errno.ts";
import {
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../abi/fcntl.ts";
import { MAXSYMLINKS, NAME_MAX, PATH_MAX } from "../abi/limits.ts";
import { MS_NOSYMFOLLOW } from "../abi/mount.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Caller } from "./caller.ts";
import type { Dcache } from "./dcache.ts";
import type { Dentry } from "./dentry.ts";
import type { Inode } from "./inode.ts";
import type { Mount, VfsPath } from "./mount.ts";
import { mountAt } from "./mount_tree.ts";
import { checkPermission, MAY_EXEC } from "./permission.ts";

/** What the last component of a path is. */
export type LastKind = "name" | "dot" | "dotdot" | "root";

/** stepLast() followed a symlink: go on with toParent(). */
export const FOLLOWED: unique symbol = Symbol("followed");

const SLASH = 0x2f;
const DOT = 0x2e;

export class PathWalk {
  mount!: Mount;
  dentry!: Dentry;
  /** The last component, once toParent() succeeded. */
  name: ByteString = "";
  kind: LastKind = "root";
  hasTrailingSlash = false;
  /** To be set after begin(): the place will be opened for reading. */
  opensLast = false;

  readonly #dcache: Dcache;
  #caller!: Caller;
  /** Where ".." ends and absolute paths begin. */
  #root!: VfsPath;
  #path: ByteString = "";
  #position = 0;
  #links = 0;
  #flags = 0;

  constructor(dcache: Dcache) {
    this.#dcache = dcache;
  }

  /** The inode where the walk stands. Never null between components. */
  get inode(): Inode {
    return this.dentry.inode!;
  }

  /** Starts at `at` (absolute paths: at the caller's root). `flags`: RESOLVE_*.
   * ENAMETOOLONG, ENOTDIR, EXDEV. */
  begin(
    caller: Caller,
    at: VfsPath,
    path: ByteString,
    flags: number,
  ): Errno | null {
    if (path.length >= PATH_MAX) return ENAMETOOLONG;
    this.#dcache.trim();
    this.#caller = caller;
    this.#path = path;
    this.#position = 0;
    this.#links = 0;
    this.#flags = flags;
    this.hasTrailingSlash = false;
    this.opensLast = false;
    const isScoped = (flags & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
    this.#root = isScoped ? at : caller.fsContext.root;
    const isAbsolute = path.length > 0 && path.charCodeAt(0) === SLASH;
    if (isAbsolute && (flags & RESOLVE_BENEATH) !== 0) return EXDEV;
    const start = isAbsolute ? this.#root : at;
    this.mount = start.mount;
    this.dentry = start.dentry;
    if (path.length > 0 && !this.inode.isDirectory) return ENOTDIR;
    return null;
  }

  /**
   * Walks the whole path. `isFollowing`: follow a symlink at its end, too;
   * `wantsDirectory`: ENOTDIR if it leads elsewhere. ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EXDEV, EAGAIN (with
   * RESOLVE_CACHED), and what lookup() of the file system says.
   */
  resolve(isFollowing: boolean, wantsDirectory: boolean): Errno | null {
    for (;;) {
      const failed = this.toParent();
      if (failed !== null) return failed;
      const mustBeDirectory = this.hasTrailingSlash;
      const step = this.stepLast(isFollowing || mustBeDirectory);
      if (step === FOLLOWED) continue;
      if (step !== null) return step;
      if ((wantsDirectory || mustBeDirectory) && !this.inode.isDirectory) {
        return ENOTDIR;
      }
      return null;
    }
  }

  /** Walks up to the directory of the last component. */
  toParent(): Errno | null {
    for (;;) {
      const path = this.#path;
      const length = path.length;
      let start = this.#position;
      while (start < length && path.charCodeAt(start) === SLASH) start++;
      if (start === length) {
        this.name = "";
        this.kind = "root";
        // Slashes after a magic link still ask for a directory.
        this.hasTrailingSlash = length > 0;
        return null;
      }
      const directory = this.inode;
      if (!directory.isDirectory) return ENOTDIR;
      const denied = checkPermission(
        this.#caller.identity,
        directory,
        MAY_EXEC,
      );
      if (denied !== null) return denied;

      let end = path.indexOf("/", start);
      if (end < 0) end = length;
      this.#take(path, start, end);
      let next = end;
      while (next < length && path.charCodeAt(next) === SLASH) next++;
      // The slashes stay: a symlink's target is put in front of them.
      this.#position = end;
      const { fs } = directory;
      if (fs.wantsPaths && (next < length || this.opensLast)) {
        fs.expectWalk(directory, path, start, this.opensLast);
      }
      if (next === length) {
        this.hasTrailingSlash = end < length;
        return null;
      }
      const step = this.stepLast(true);
      if (step !== FOLLOWED && step !== null) return step;
    }
  }

  #take(path: ByteString, start: number, end: number): void {
    this.name = path.slice(start, end);
    this.kind = "name";
    if (path.charCodeAt(start) === DOT) {
      if (end - start === 1) this.kind = "dot";
      else if (end - start === 2 && path.charCodeAt(start + 1) === DOT) {
        this.kind = "dotdot";
      }
    }
  }

  /** Steps onto the component that toParent() left, following a symlink if
   * `isFollowing`. ENOENT if it does not exist. */
  stepLast(isFollowing: boolean): Errno | null | typeof FOLLOWED {
    if (this.kind === "name") {
      const child = this.lookupLast();
      if (isErrno(child)) return child;
      if (child.inode === null) return ENOENT;
      return this.stepOnto(child, isFollowing);
    }
    return this.kind === "dotdot" ? this.#stepUp() : null;
  }

  /** The Dentry, maybe negative, of the last component. Mounts on it are not
   * crossed yet. Precondition: kind is "name". */
  lookupLast(): Dentry | Errno {
    return this.lookup(this.dentry, this.name);
  }

  /** The Dentry, maybe negative, of `name` in `parent`. */
  lookup(parent: Dentry, name: ByteString): Dentry | Errno {
    const directory = parent.inode!;
    const cached = parent.child(name);
    if (cached !== undefined) {
      const fs = parent.fs;
      if (
        !fs.needsRevalidation ||
        fs.revalidate(directory, name, cached.inode)
      ) {
        cached.isRecent = true;
        return cached;
      }
      // What is mounted on it keeps the name, as a mountpoint must not vanish.
      if (cached.mountCount > 0) return cached;
      this.#dcache.drop(cached);
    }
    // rmdir'ed, but still somebody's working directory.
    if (parent.isDeleted) return ENOENT;
    if (name.length > NAME_MAX) return ENAMETOOLONG;
    if ((this.#flags & RESOLVE_CACHED) !== 0) return EAGAIN;
    const found = directory.lookup(name);
    if (isErrno(found)) return found;
    return this.#dcache.insert(parent, name, found);
  }

  /** Steps onto a positive child, through what is mounted on it. */
  stepOnto(
    child: Dentry,
    isFollowing: boolean,
  ): Errno | null | typeof FOLLOWED {
    let mount = this.mount;
    let at = child;
    while (at.mountCount > 0) {
      const covering = mountAt(mount, at);
      if (covering === null) break;
      if ((this.#flags & RESOLVE_NO_XDEV) !== 0) return EXDEV;
      mount = covering;
      at = covering.root;
    }
    if (isFollowing && at.inode!.isSymlink) return this.#follow(mount, at);
    this.mount = mount;
    this.dentry = at;
    return null;
  }

  /** What stands behind the last component, "" or slashes. */
  get #rest(): ByteString {
    return this.#path.slice(this.#position);
  }

  #follow(mount: Mount, link: Dentry): Errno | typeof FOLLOWED {
    if (this.#links++ >= MAXSYMLINKS) return ELOOP;
    if ((this.#flags & RESOLVE_NO_SYMLINKS) !== 0) return ELOOP;
    if ((mount.flags & MS_NOSYMFOLLOW) !== 0) return ELOOP;
    const inode = link.inode!;
    const magic = inode.followMagic(this.#caller);
    if (isErrno(magic)) return magic;
    if (magic !== null) return this.#jump(magic);
    const target = inode.readlink(this.#caller);
    if (isErrno(target)) return target;
    if (target.length === 0) return ENOENT;
    if (target.charCodeAt(0) === SLASH) {
      if ((this.#flags & RESOLVE_BENEATH) !== 0) return EXDEV;
      const failed = this.#goTo(this.#root);
      if (failed !== null) return failed;
    }
    this.#path = target + this.#rest;
    this.#position = 0;
    return FOLLOWED;
  }

  #jump(place: VfsPath): Errno | typeof FOLLOWED {
    if ((this.#flags & RESOLVE_NO_MAGICLINKS) !== 0) return ELOOP;
    if ((this.#flags & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) {
      return EXDEV;
    }
    const rest = this.#rest;
    const failed = this.#goTo(place);
    if (failed !== null) return failed;
    this.#path = rest;
    this.#position = 0;
    return FOLLOWED;
  }

  #goTo(place: VfsPath): Errno | null {
    if ((this.#flags & RESOLVE_NO_XDEV) !== 0 && this.mount !== place.mount) {
      return EXDEV;
    }
    this.mount = place.mount;
    this.dentry = place.dentry;
    return null;
  }

  #stepUp(): Errno | null {
    const root = this.#root;
    let mount = this.mount;
    let at = this.dentry;
    for (;;) {
      if (at === root.dentry && mount === root.mount) {
        if ((this.#flags & RESOLVE_BENEATH) !== 0) return EXDEV;
        break;
      }
      if (at !== mount.root) {
        at = at.parent ?? at;
        break;
      }
      if (mount.parent === null || mount.mountpoint === null) break;
      if ((this.#flags & RESOLVE_NO_XDEV) !== 0) return EXDEV;
      at = mount.mountpoint;
      mount = mount.parent;
    }
    this.mount = mount;
    const step = this.stepOnto(at, false);
    return step === FOLLOWED ? null : step;
  }
}
