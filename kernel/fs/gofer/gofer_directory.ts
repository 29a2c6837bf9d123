/**
 * GoferDirectory: a directory of the host.
 * @module
 */
import type { GoferNodeId, GoferOwner } from "../../../gofer/client.ts";
import { DT_DIR, IFTODT } from "../../abi/dirent.ts";
import {
  EINVAL,
  EIO,
  ENOENT,
  type Errno,
  EXDEV,
  isErrno,
} from "../../abi/errno.ts";
import {
  AT_REMOVEDIR,
  O_RDONLY,
  O_RDWR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "../../abi/fcntl.ts";
import {
  S_IALLUGO,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../../abi/stat.ts";
import type { HostFd } from "../../host.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import { DirectoryDescription } from "../../vfs/directory_description.ts";
import { FIRST_COOKIE } from "../../vfs/directory_index.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { DirectorySink, Inode, NewInode } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { type GoferContext, goferErrno } from "./gofer_context.ts";
import { errnoOrNull, GoferInode } from "./gofer_inode.ts";
import { GoferListing } from "./gofer_listing.ts";
import { GoferRegular } from "./gofer_regular.ts";
import type { DirectoryContents } from "./read_ahead.ts";
import type { WalkedName } from "./walk_ahead.ts";

/** Failed lookups after which an exclusive directory is listed, so that the
 * next ones need no message; and the most entries that are worth it. */
const MISSES_BEFORE_LISTING = 4;
const MAX_LISTED_EAGERLY = 8192;
/** A guest that has read an exclusive directory, and looks up this many of its
 * files or subdirectories, will look up the others, too. */
const FILES_BEFORE_PREFETCH = 3;
const DIRECTORIES_BEFORE_PREFETCH = 2;

export class GoferDirectory extends GoferInode {
  // Rebuilt on restore, not saved.
  readonly #listing = new GoferListing(this.gofer, this.node, this.inoBase);
  #misses = 0;
  /** The guest has read this directory. */
  #isRead = false;
  // Successful lookups since then of what was not prefetched.
  #files = 0;
  #directories = 0;
  #hasPrefetched = false;
  /** Where it was looked up, if the guest has read that, too: it walks down a
   * tree. */
  #listedIn: GoferListing | null = null;

  /** It came with its contents. */
  fill(contents: DirectoryContents): void {
    if (!this.#listing.isLoaded) this.#listing.fill(contents);
  }

  override lookup(name: ByteString): Inode | null | Errno {
    const found = this.#find(name);
    if (this.#isRead && found instanceof GoferDirectory) {
      found.#listedIn ??= this.#listing;
    }
    return found;
  }

  #find(name: ByteString): Inode | null | Errno {
    const { gofer } = this;
    if (!gofer.isShared && this.#listing.isLoaded) {
      const type = this.#listing.typeOf(name);
      if (type === undefined) return null;
      let holder = this.#listing.take(name);
      if (holder === null && this.#isRead && this.#prefetch(type)) {
        holder = this.#listing.take(name);
      }
      if (holder !== null) return gofer.adoptAhead(holder);
    }
    const found = this.#ask(name);
    if (isErrno(found)) return found;
    if (found.node !== null) {
      const inode = gofer.adopt(found.node, found.target);
      if (found.opened !== null && inode instanceof GoferRegular) {
        inode.handles.adopt(found.opened, O_RDONLY);
      }
      return inode;
    }
    if (!gofer.isShared && ++this.#misses === MISSES_BEFORE_LISTING) {
      // Only an attempt: what it can't tell, the next lookup asks.
      this.#listing.load(MAX_LISTED_EAGERLY);
    }
    return null;
  }

  /** A name of this type was not prefetched: gets the others, if it is time. */
  #prefetch(type: number): boolean {
    if (type === DT_DIR) {
      if (++this.#directories !== DIRECTORIES_BEFORE_PREFETCH) return false;
      this.#listing.prefetchDirectories();
    } else {
      // At once for a guest that does so in each directory; but only once.
      const { wantsFiles } = this.gofer.readAhead;
      if (++this.#files < FILES_BEFORE_PREFETCH && !wantsFiles) return false;
      if (this.#hasPrefetched) return false;
      this.#hasPrefetched = true;
      this.#listing.prefetch();
    }
    return true;
  }

  /** What the host says that `name` leads to. */
  #ask(name: ByteString): WalkedName | Errno {
    const { client, walkAhead } = this.gofer;
    const known = walkAhead.take(this.node, name);
    if (known !== null) return known;
    const walk = client.walk(this.node, [name]);
    if (typeof walk === "number") return goferErrno(walk);
    const [node] = walk.nodes;
    if (node !== undefined) {
      return { node, target: walk.target, opened: null };
    }
    if (walk.error === 0) return EIO;
    const errno = goferErrno(walk.error);
    return errno === ENOENT ? { node: null, target: "", opened: null } : errno;
  }

  /** Whether `name` still leads to `cached` (null: nowhere), whose attributes
   * are brought up to date if it does. */
  stillHas(name: ByteString, cached: GoferInode | null): boolean {
    const found = this.#ask(name);
    if (isErrno(found)) return false;
    if (found.node === null) return cached === null;
    const { node, stat } = found.node;
    this.gofer.client.forget(node, 1);
    if (cached === null || node !== cached.node) return false;
    cached.update(stat);
    return true;
  }

  override create(name: ByteString, what: NewInode): Inode | Errno {
    const { client } = this.gofer;
    const owner: GoferOwner = {
      mode: what.mode & S_IALLUGO,
      uid: what.uid,
      gid: what.gid,
    };
    const type = what.mode & S_IFMT;
    let made;
    let opened = -1;
    switch (type) {
      case S_IFREG: {
        const file = client.create(this.node, name, O_RDWR, owner);
        if (typeof file !== "number") opened = file.opened;
        made = file;
        break;
      }
      case S_IFDIR:
        made = client.mkdir(this.node, name, owner);
        break;
      case S_IFLNK:
        made = client.symlink(this.node, name, what.target, owner);
        break;
      default: {
        const mode = type | owner.mode;
        made = client.mknod(this.node, name, { ...owner, mode });
      }
    }
    if (typeof made === "number") return goferErrno(made);
    const inode = this.gofer.adopt(made, what.target);
    if (inode instanceof GoferRegular) {
      inode.handles.adopt(opened as HostFd, O_RDWR);
    }
    this.#listing.add(name, inode.ino, IFTODT(inode.mode));
    this.markStale();
    return inode;
  }

  override createTemporary(what: NewInode): Inode | Errno {
    const made = this.gofer.client.createTemporary(this.node, O_RDWR, {
      mode: what.mode & S_IALLUGO,
      uid: what.uid,
      gid: what.gid,
    });
    if (typeof made === "number") return goferErrno(made);
    const inode = this.gofer.adopt(made, "");
    if (inode instanceof GoferRegular) {
      inode.handles.adopt(made.opened, O_RDWR);
    }
    return inode;
  }

  override link(name: ByteString, target: Inode): Errno | null {
    if (!(target instanceof GoferInode)) return EXDEV;
    const stat = this.gofer.client.link(target.node, this.node, name);
    if (typeof stat === "number") return goferErrno(stat);
    target.update(stat);
    this.#listing.add(name, target.ino, IFTODT(target.mode));
    this.markStale();
    return null;
  }

  override unlink(name: ByteString, child: Inode): Errno | null {
    return this.#remove(name, child, 0);
  }

  override rmdir(name: ByteString, child: Inode): Errno | null {
    return this.#remove(name, child, AT_REMOVEDIR);
  }

  #remove(name: ByteString, child: Inode, flags: number): Errno | null {
    const result = this.gofer.client.unlink(this.node, name, flags);
    if (result < 0) return goferErrno(result);
    this.#listing.remove(name);
    this.markStale();
    if (child instanceof GoferInode) child.loseName();
    return null;
  }

  override rename(
    name: ByteString,
    child: Inode,
    toDirectory: Inode,
    toName: ByteString,
    replaced: Inode | null,
    flags: number,
  ): Errno | null {
    if (!(toDirectory instanceof GoferDirectory)) return EXDEV;
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return EINVAL;
    const failure = errnoOrNull(this.gofer.client.rename(
      this.node,
      name,
      toDirectory.node,
      toName,
      flags,
    ));
    if (failure !== null) return failure;
    this.#listing.remove(name);
    // Removed first, so that its new cookie is ahead of every reader that has
    // not seen the old name.
    toDirectory.#listing.remove(toName);
    toDirectory.#listing.add(toName, child.ino, IFTODT(child.mode));
    if ((flags & RENAME_EXCHANGE) !== 0) {
      if (replaced !== null) {
        this.#listing.add(name, replaced.ino, IFTODT(replaced.mode));
      }
    } else if (replaced instanceof GoferInode) {
      replaced.loseName();
    }
    this.markStale();
    toDirectory.markStale();
    for (const moved of [child, replaced]) {
      if (moved instanceof GoferInode) moved.markStale();
    }
    return null;
  }

  override readDirectory(cookie: number, sink: DirectorySink): Errno | null {
    const isStart = cookie <= FIRST_COOKIE;
    if (!this.#listing.isLoaded || (isStart && this.gofer.isShared)) {
      const failure = this.#load();
      if (failure !== null) return failure;
    }
    this.#isRead = true;
    this.#listing.list(cookie, sink);
    return null;
  }

  #load(): Errno | null {
    const parent = this.gofer.isShared ? null : this.#listedIn;
    if (parent !== null && this.#listing.loadAhead(parent)) return null;
    return this.#listing.load(Infinity);
  }

  protected override evict(): void {
    this.#listing.dispose();
    super.evict();
  }

  override open(
    path: VfsPath,
    flags: number,
    _caller: Caller,
  ): FileDescription | Errno {
    return new GoferDirectoryDescription(path, flags, this.node, this.gofer);
  }
}

/** An open directory that fsync(2) works on. */
class GoferDirectoryDescription extends DirectoryDescription {
  readonly #node: GoferNodeId;
  readonly #gofer: GoferContext;

  constructor(
    path: VfsPath,
    flags: number,
    node: GoferNodeId,
    gofer: GoferContext,
  ) {
    super(path, flags);
    this.#node = node;
    this.#gofer = gofer;
  }

  override sync(dataOnly = false): Errno | null {
    return errnoOrNull(this.#gofer.client.fsync(this.#node, { dataOnly }));
  }
}
