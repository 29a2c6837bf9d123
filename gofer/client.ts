/**
 * What the kernel sees of a file server: synchronous typed calls on nodes.
 * remote_gofer.ts implements it over a connection; tests may implement it in
 * memory. Knows nothing of the VFS.
 *
 * Names are single path components and, like symlink targets, byte strings
 * (one UTF-16 unit 0..255 per byte). A call returns its result, or a negative
 * Linux errno; calls without a result return 0. -EREMOTEIO (-121) means that
 * the connection is lost: then every later call fails so, too.
 * @module
 */

/** A file of the server. Valid until forget() took back every reference. */
export type GoferNodeId = number & { readonly __brand: "GoferNodeId" };

/** A descriptor that the server donated; the receiver closes it. It is the
 * kernel's HostFd. */
export type DonatedFd = number & { readonly __brand: "HostFd" };

/** Attributes as statx(2) reports them. `dev`, `rdev` are Linux's new_encode
 * numbers: (minor & 0xff) | major << 8 | (minor & ~0xff) << 12. */
export interface GoferStat {
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly blocks: number;
  readonly blksize: number;
  readonly atimeSec: number;
  readonly atimeNsec: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
  /** Birth time; both 0 where the host file system keeps none. */
  readonly btimeSec: number;
  readonly btimeNsec: number;
}

/** A node with one reference that the receiver owes back through forget(). */
export interface GoferNode {
  readonly node: GoferNodeId;
  readonly stat: GoferStat;
}

/** What a mount offers. */
export interface GoferRoot extends GoferNode {
  readonly isReadOnly: boolean;
}

export interface GoferWalk {
  /** The nodes found, in order; shorter than the names if the walk stopped. */
  readonly nodes: readonly GoferNode[];
  /** 0, or why the name after the last node was not found: -ENOENT, -EACCES,
   * ... A walk also stops, with 0, behind a symlink or another
   * non-directory. */
  readonly error: number;
  /** Target, if the last node is a symlink; empty otherwise. */
  readonly target: string;
  /** With `open`: the descriptor or why there is none; -EBADF if not asked. */
  readonly opened: DonatedFd | number;
}

/** A node that was made and, for create(), opened. */
export interface GoferCreated extends GoferNode {
  readonly opened: DonatedFd;
}

export interface GoferDirEntry {
  readonly name: string;
  /** Attributes and a reference, or null where they could not be had. */
  readonly node: GoferNode | null;
  readonly ino: number;
  /** DT_* type. */
  readonly type: number;
}

export interface GoferDirChunk {
  readonly entries: readonly GoferDirEntry[];
  /** Where the next chunk begins; opaque. Null: that was the last one. */
  readonly cookie: GoferDirCookie | null;
}

/** A directory with everything in it. */
export interface GoferContents {
  readonly node: GoferNodeId;
  readonly entries: readonly GoferDirEntry[];
}

/** A position in a directory stream, as two halves of the host's d_off. */
export interface GoferDirCookie {
  readonly low: number;
  readonly high: number;
}

/** Attributes to change; absent ones stay. "now" lets the host stamp. */
export interface GoferSetAttr {
  /** Permission bits including set-id and sticky (07777). */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: GoferTime | "now";
  readonly mtime?: GoferTime | "now";
}

export interface GoferTime {
  readonly sec: number;
  readonly nsec: number;
}

export interface GoferStatfs {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly namelen: number;
  readonly frsize: number;
}

/** Owner of a new file, and its mode: permission bits, umask applied. */
export interface GoferOwner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The most names that one walk() takes. */
export const MAX_WALK_NAMES = 64;

export interface GoferClient {
  /** Set by the owner of the mounts; called once if the connection is lost. */
  onConnectionLost: ((reason: string) => void) | null;

  /** The root of a mount of this connection. -ENOENT: no such mount. */
  attach(mount: string): GoferRoot | number;
  /**
   * Resolves 1..MAX_WALK_NAMES names from a directory without following any
   * symlink; see GoferWalk for where it stops. `open`: O_* access mode and
   * O_TRUNC to open the last name with if it is a regular file. Fails only
   * where `from` itself does: -ENOTDIR, -ESTALE.
   */
  walk(
    from: GoferNodeId,
    names: readonly string[],
    options?: { readonly open?: number },
  ): GoferWalk | number;
  /** -ESTALE: the file is gone from where the server could reach it. */
  getattr(node: GoferNodeId): GoferStat | number;
  /** The attributes after the change. -EPERM, -EROFS, -EINVAL, -EFBIG... */
  setattr(node: GoferNodeId, change: GoferSetAttr): GoferStat | number;
  /** `flags`: O_* access mode and O_TRUNC. -EISDIR, -ELOOP (symlink), -ENXIO
   * (socket, FIFO), -EACCES (device), -EROFS; -EMFILE: this process can have
   * no more descriptors. */
  open(node: GoferNodeId, flags: number): DonatedFd | number;
  /** Makes and opens a regular file. -EEXIST: the name is taken, always. */
  create(
    parent: GoferNodeId,
    name: string,
    flags: number,
    owner: GoferOwner,
  ): GoferCreated | number;
  /** Makes and opens a nameless regular file, which link() can name.
   * -EOPNOTSUPP: the host's file system can't. */
  createTemporary(
    parent: GoferNodeId,
    flags: number,
    owner: GoferOwner,
  ): GoferCreated | number;
  mkdir(
    parent: GoferNodeId,
    name: string,
    owner: GoferOwner,
  ): GoferNode | number;
  /** `owner.mode` has the type: S_IFREG, S_IFIFO or S_IFSOCK; -EPERM: a
   * device. */
  mknod(
    parent: GoferNodeId,
    name: string,
    owner: GoferOwner,
  ): GoferNode | number;
  symlink(
    parent: GoferNodeId,
    name: string,
    target: string,
    owner: { readonly uid: number; readonly gid: number },
  ): GoferNode | number;
  /** A further name for `node`; its new attributes. */
  link(
    node: GoferNodeId,
    parent: GoferNodeId,
    name: string,
  ): GoferStat | number;
  /** `flags`: 0 or AT_REMOVEDIR. */
  unlink(parent: GoferNodeId, name: string, flags: number): number;
  /** `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE. Nodes keep their ids. */
  rename(
    fromParent: GoferNodeId,
    fromName: string,
    toParent: GoferNodeId,
    toName: string,
    flags: number,
  ): number;
  readlink(node: GoferNodeId): string | number;
  /** Entries from `cookie` (null: the beginning) on, without "." and "..".
   * `attributes`: look each one up, too, as walk() would. */
  readdir(
    node: GoferNodeId,
    cookie: GoferDirCookie | null,
    options: { readonly attributes: boolean },
  ): GoferDirChunk | number;
  /**
   * Whole directories: of the 1..64 in `nodes` the first ones, and then some
   * that are in them, as many as fit into a reply; maybe none. Attributes and
   * references come with subdirectories, or with everything (`attributes`).
   */
  readAhead(
    nodes: readonly GoferNodeId[],
    options: { readonly attributes: "all" | "directories" },
  ): readonly GoferContents[] | number;
  statfs(node: GoferNodeId): GoferStatfs | number;
  /** Writes a directory (or a file without a descriptor) to stable storage. */
  fsync(node: GoferNodeId, options: { readonly dataOnly: boolean }): number;
  /** -ENODATA, -ERANGE (longer than `maxLength`). */
  getxattr(
    node: GoferNodeId,
    name: string,
    maxLength: number,
  ): Uint8Array | number;
  /** `flags`: XATTR_CREATE, XATTR_REPLACE. */
  setxattr(
    node: GoferNodeId,
    name: string,
    value: Uint8Array,
    flags: number,
  ): number;
  listxattr(node: GoferNodeId): readonly string[] | number;
  removexattr(node: GoferNodeId, name: string): number;
  /** Gives back `count` references. Collected, and sent with a later call. */
  forget(node: GoferNodeId, count: number): void;
  /** Sends what forget() has collected. */
  flush(): void;
}
