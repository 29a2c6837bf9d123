/**
 * The file calls of the file server; binds native/gofer_files.c, which says
 * what each does. Names and targets are byte strings (one UTF-16 unit per
 * byte) without NUL. Results are >= 0 or a negative errno. Works with an ffi
 * permission for the library's path alone.
 * @module
 */
import { GOFER_STAT_SIZE } from "./gofer_stat.ts";
import { must, nativePath } from "./library.ts";

const NAME = "buffer";
const STAT = "buffer";

const SYMBOLS = {
  rsg_umask_clear: { parameters: [], result: "void" },
  rsg_close: { parameters: ["i32"], result: "void" },
  rsg_proc_open: { parameters: [], result: "i32" },
  rsg_root: { parameters: [NAME], result: "i32" },
  rsg_stat: { parameters: ["i32", STAT], result: "i32" },
  rsg_stat_at: { parameters: ["i32", NAME, STAT], result: "i32" },
  rsg_lookup: { parameters: ["i32", NAME, STAT], result: "i32" },
  rsg_reopen: { parameters: ["i32", "i32", "i32"], result: "i32" },
  rsg_open_directory: { parameters: ["i32"], result: "i32" },
  rsg_getdents: {
    parameters: ["i32", "u32", "u32", "buffer", "i32"],
    result: "i32",
  },
  rsg_create: {
    parameters: [
      "i32",
      "i32",
      NAME,
      "i32",
      "u32",
      "u32",
      "u32",
      STAT,
      "buffer",
    ],
    result: "i32",
  },
  rsg_mkdir: {
    parameters: ["i32", "i32", NAME, "u32", "u32", "u32", STAT],
    result: "i32",
  },
  rsg_mknod: {
    parameters: ["i32", "i32", NAME, "u32", "u32", "u32", STAT],
    result: "i32",
  },
  rsg_symlink: {
    parameters: ["i32", "i32", NAME, NAME, "u32", "u32", STAT],
    result: "i32",
  },
  rsg_link: { parameters: ["i32", "i32", "i32", NAME], result: "i32" },
  rsg_unlink: { parameters: ["i32", NAME, "i32"], result: "i32" },
  rsg_rename: {
    parameters: ["i32", NAME, "i32", NAME, "u32"],
    result: "i32",
  },
  rsg_readlink: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  rsg_chmod: { parameters: ["i32", "i32", "u32"], result: "i32" },
  rsg_chown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  rsg_truncate: { parameters: ["i32", "i32", "f64"], result: "i32" },
  rsg_utimes: {
    parameters: ["i32", "i32", "f64", "u32", "f64", "u32"],
    result: "i32",
  },
  rsg_statfs: { parameters: ["i32", "buffer"], result: "i32" },
  rsg_fsync: { parameters: ["i32", "i32", "i32"], result: "i32" },
  rsg_getxattr: {
    parameters: ["i32", "i32", NAME, "buffer", "i32"],
    result: "i32",
  },
  rsg_setxattr: {
    parameters: ["i32", "i32", NAME, "buffer", "i32", "i32"],
    result: "i32",
  },
  rsg_listxattr: {
    parameters: ["i32", "i32", "buffer", "i32"],
    result: "i32",
  },
  rsg_removexattr: { parameters: ["i32", "i32", NAME], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Longest name or target in bytes, its NUL included. */
const TEXT_MAX = 4096;
const ENAMETOOLONG_CODE = -36;

type Bytes = Uint8Array<ArrayBuffer>;

/** Owner and mode of a file to be made. */
export interface FileOwner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Host files as O_PATH descriptors ("nodes"). Methods that return a node or
 * change one leave its attributes in `stat`. */
export class GoferFiles implements Disposable {
  readonly #calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  /** The private copy of /proc/self/fd; -1 until openProc(). */
  #proc = -1;
  readonly #text: Bytes = new Uint8Array(TEXT_MAX);
  readonly #otherText: Bytes = new Uint8Array(TEXT_MAX);
  readonly #node = new Int32Array(1);

  /** The descriptor that openat(2), fchmodat(2), utimensat(2) and the first
   * half of linkat(2) work from, and no other. */
  get procFd(): number {
    return this.#proc;
  }

  /** Attributes (layout: gofer_stat.ts) of the last node, as bytes. */
  readonly stat: Bytes = new Uint8Array(GOFER_STAT_SIZE);
  /** The same, for reading fields. */
  readonly statView: DataView = new DataView(this.stat.buffer);
  /** The node that create() made. */
  get createdNode(): number {
    return this.#node[0]!;
  }

  /** Loads the host library; throws if it can't. */
  constructor() {
    this.#library = Deno.dlopen(nativePath("libhost.so"), SYMBOLS);
    this.#calls = this.#library.symbols;
  }

  /** Prepares the process: no umask, and a way to reopen nodes that survives
   * chroot(2). Call once, before confinement. Throws a HostError. */
  prepare(): void {
    this.#calls.rsg_umask_clear();
    this.#proc = must("open /proc/self/fd", this.#calls.rsg_proc_open());
  }

  /** Closes what prepare() opened, and the library. */
  [Symbol.dispose](): void {
    if (this.#proc >= 0) this.close(this.#proc);
    this.#library.close();
  }

  /** Writes `text` and a NUL; false if it is too long. */
  #encode(text: string, into: Bytes): boolean {
    const length = text.length;
    if (length >= TEXT_MAX) return false;
    for (let i = 0; i < length; i++) into[i] = text.charCodeAt(i);
    into[length] = 0;
    return true;
  }

  close(fd: number): void {
    this.#calls.rsg_close(fd);
  }

  /** Opens the root of a mount by the operator's path. */
  root(path: string): number {
    if (!this.#encode(path, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_root(this.#text);
  }

  refresh(node: number): number {
    return this.#calls.rsg_stat(node, this.stat);
  }

  /** Attributes of a name, without opening it. */
  statAt(dir: number, name: string): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_stat_at(dir, this.#text, this.stat);
  }

  lookup(dir: number, name: string): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_lookup(dir, this.#text, this.stat);
  }

  /** Opens a node for I/O; `flags` are O_*. */
  reopen(node: number, flags: number): number {
    return this.#calls.rsg_reopen(this.#proc, node, flags);
  }

  openDirectory(node: number): number {
    return this.#calls.rsg_open_directory(node);
  }

  /** linux_dirent64 records of a directory opened by openDirectory(), from the
   * d_off given in two halves on; bytes stored, 0 at the end. */
  getdents(directory: number, low: number, high: number, into: Bytes): number {
    return this.#calls.rsg_getdents(directory, low, high, into, into.length);
  }

  /** Makes a regular file, nameless if `name` is ""; its descriptor for I/O.
   * The node is `createdNode`. */
  create(dir: number, name: string, flags: number, owner: FileOwner): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_create(
      this.#proc,
      dir,
      this.#text,
      flags,
      owner.mode,
      owner.uid,
      owner.gid,
      this.stat,
      this.#node,
    );
  }

  mkdir(dir: number, name: string, owner: FileOwner): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_mkdir(
      this.#proc,
      dir,
      this.#text,
      owner.mode,
      owner.uid,
      owner.gid,
      this.stat,
    );
  }

  /** `owner.mode` has the type. */
  mknod(dir: number, name: string, owner: FileOwner): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_mknod(
      this.#proc,
      dir,
      this.#text,
      owner.mode,
      owner.uid,
      owner.gid,
      this.stat,
    );
  }

  symlink(
    dir: number,
    name: string,
    target: string,
    uid: number,
    gid: number,
  ): number {
    if (
      !this.#encode(name, this.#text) || !this.#encode(target, this.#otherText)
    ) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_symlink(
      this.#proc,
      dir,
      this.#text,
      this.#otherText,
      uid,
      gid,
      this.stat,
    );
  }

  link(node: number, dir: number, name: string): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_link(this.#proc, node, dir, this.#text);
  }

  /** `flags`: 0 or AT_REMOVEDIR. */
  unlink(dir: number, name: string, flags: number): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_unlink(dir, this.#text, flags);
  }

  rename(
    from: number,
    name: string,
    to: number,
    newName: string,
    flags: number,
  ): number {
    if (
      !this.#encode(name, this.#text) || !this.#encode(newName, this.#otherText)
    ) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_rename(
      from,
      this.#text,
      to,
      this.#otherText,
      flags,
    );
  }

  /** Bytes of the target stored; `into` should hold PATH_MAX. */
  readlink(node: number, into: Bytes): number {
    return this.#calls.rsg_readlink(node, into, into.length);
  }

  chmod(node: number, mode: number): number {
    return this.#calls.rsg_chmod(this.#proc, node, mode);
  }

  /** 0xffffffff leaves an id as it is. */
  chown(node: number, uid: number, gid: number): number {
    return this.#calls.rsg_chown(node, uid, gid);
  }

  truncate(node: number, size: number): number {
    return this.#calls.rsg_truncate(this.#proc, node, size);
  }

  /** Nanoseconds may be UTIME_NOW or UTIME_OMIT. */
  utimes(
    node: number,
    atimeSec: number,
    atimeNsec: number,
    mtimeSec: number,
    mtimeNsec: number,
  ): number {
    return this.#calls.rsg_utimes(
      this.#proc,
      node,
      atimeSec,
      atimeNsec,
      mtimeSec,
      mtimeNsec,
    );
  }

  /** Stores nine numbers: type, bsize, blocks, bfree, bavail, files, ffree,
   * namelen, frsize. */
  statfs(node: number, into: Float64Array<ArrayBuffer>): number {
    return this.#calls.rsg_statfs(node, into);
  }

  /** Precondition: a regular file or a directory. */
  fsync(node: number, dataOnly: boolean): number {
    return this.#calls.rsg_fsync(this.#proc, node, dataOnly ? 1 : 0);
  }

  // Precondition of the four: a regular file or a directory.
  getxattr(node: number, name: string, into: Bytes): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_getxattr(
      this.#proc,
      node,
      this.#text,
      into,
      into.length,
    );
  }
  setxattr(node: number, name: string, value: Bytes, flags: number): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_setxattr(
      this.#proc,
      node,
      this.#text,
      value,
      value.length,
      flags,
    );
  }
  listxattr(node: number, into: Bytes): number {
    return this.#calls.rsg_listxattr(this.#proc, node, into, into.length);
  }
  removexattr(node: number, name: string): number {
    if (!this.#encode(name, this.#text)) return ENAMETOOLONG_CODE;
    return this.#calls.rsg_removexattr(this.#proc, node, this.#text);
  }
}
