/**
 * An open directory of any file system whose Inode implements readDirectory():
 * adds "." and "..", keeps the position. Source: getdents(2), lseek(2).
 * @module
 */
import { DT_DIR } from "../abi/dirent.ts";
import { EINVAL, EISDIR, ENOENT, type Errno } from "../abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../abi/fcntl.ts";
import { IN_ACCESS } from "../abi/inotify.ts";
import type { ByteString } from "../mm/user_memory.ts";
import type { Caller } from "./caller.ts";
import { FIRST_COOKIE } from "./directory_index.ts";
import { FileDescription } from "./file_description.ts";
import type { DirectorySink } from "./inode.ts";
import { notifyPlace } from "./watches.ts";

/** Offsets: 0 before ".", 1 before "..", 2 before the first entry. */
const AFTER_DOT = 1;
const AFTER_DOTDOT = 2;

export class DirectoryDescription extends FileDescription {
  override read(): Errno {
    return EISDIR;
  }
  override readAt(): Errno {
    return EISDIR;
  }

  override readDirectory(
    sink: DirectorySink,
    _caller: Caller,
  ): Errno | null {
    const { dentry } = this.path;
    if (dentry.isDeleted) return ENOENT;
    notifyPlace(dentry, IN_ACCESS);
    const counting = new CountingSink(sink, this);
    if (this.offset === 0) {
      if (!counting.emit(".", this.inode.ino, DT_DIR, AFTER_DOT)) return null;
    }
    if (this.offset === AFTER_DOT) {
      const ino = this.#parentIno();
      if (!counting.emit("..", ino, DT_DIR, AFTER_DOTDOT)) return null;
    }
    const cookie = Math.max(this.offset, FIRST_COOKIE);
    return this.inode.readDirectory(cookie, counting);
  }

  #parentIno(): number {
    let { mount, dentry } = this.path;
    while (dentry === mount.root && mount.parent && mount.mountpoint) {
      dentry = mount.mountpoint;
      mount = mount.parent;
    }
    return (dentry.parent ?? dentry).inode!.ino;
  }

  override seek(offset: number, whence: number): number | Errno {
    let target: number;
    if (whence === SEEK_SET) target = offset;
    else if (whence === SEEK_CUR) target = this.offset + offset;
    else return EINVAL;
    if (target < 0) return EINVAL;
    this.offset = target;
    return target;
  }

  override sync(): Errno | null {
    return null;
  }
}

/** Remembers how far the listing got. */
class CountingSink implements DirectorySink {
  readonly #sink: DirectorySink;
  readonly #file: DirectoryDescription;

  constructor(sink: DirectorySink, file: DirectoryDescription) {
    this.#sink = sink;
    this.#file = file;
  }
  emit(name: ByteString, ino: number, type: number, cookie: number): boolean {
    if (!this.#sink.emit(name, ino, type, cookie)) return false;
    this.#file.offset = cookie;
    return true;
  }
}
