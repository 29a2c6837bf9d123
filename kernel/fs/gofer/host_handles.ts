/**
 * The host descriptors of one regular file: at most one for reading and one
 * for writing, donated by the file server on demand. While no open file uses
 * them they may be closed, and are opened again when needed.
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import { O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import type { HostFd, HostFiles } from "../../host.ts";

/** Asks the file server; `flags` is an access mode. */
export type OpenHost = (flags: number) => HostFd | Errno;

export class HostHandles {
  readonly #files: HostFiles;
  readonly #idle: IdleHandles;
  readonly #open: OpenHost;
  #reader: HostFd | null = null;
  #writer: HostFd | null = null;
  #users = 0;

  constructor(files: HostFiles, idle: IdleHandles, open: OpenHost) {
    this.#files = files;
    this.#idle = idle;
    this.#open = open;
  }

  /** Any descriptor that is open now. */
  get current(): HostFd | null {
    return this.#reader ?? this.#writer;
  }

  /** Takes over a descriptor opened with these flags. */
  adopt(fd: HostFd, flags: number): void {
    const mode = flags & O_ACCMODE;
    if (mode !== O_WRONLY) this.#reader ??= fd;
    if (mode !== O_RDONLY) this.#writer ??= fd;
    if (this.#reader !== fd && this.#writer !== fd) this.#files.close(fd);
    this.#note();
  }

  /** A descriptor for reading. EACCES, ESTALE, EIO, ... */
  reader(): HostFd | Errno {
    if (this.#reader !== null) return this.#reader;
    const fd = this.#open(O_RDONLY);
    if (!isErrno(fd)) this.adopt(fd, O_RDONLY);
    return fd;
  }

  /** A descriptor for writing. EACCES, EROFS, ESTALE, EIO, ... */
  writer(): HostFd | Errno {
    if (this.#writer !== null) return this.#writer;
    const fd = this.#open(O_WRONLY);
    if (!isErrno(fd)) this.adopt(fd, O_WRONLY);
    return fd;
  }

  /** Both, with one message if neither is there. */
  both(): Errno | null {
    if (this.#reader === null && this.#writer === null) {
      const fd = this.#open(O_RDWR);
      if (isErrno(fd)) return fd;
      this.adopt(fd, O_RDWR);
    }
    const reader = this.reader();
    if (isErrno(reader)) return reader;
    const writer = this.writer();
    return isErrno(writer) ? writer : null;
  }

  /** An open file begins to use the descriptors. */
  acquire(): void {
    this.#users++;
    this.#idle.remove(this);
  }
  /** Undoes one acquire(). */
  release(): void {
    this.#users--;
    this.#note();
  }

  #note(): void {
    if (this.#users === 0 && this.current !== null) this.#idle.add(this);
  }

  close(): void {
    this.#idle.remove(this);
    const { current } = this;
    if (current !== null) this.#files.close(current);
    if (this.#writer !== null && this.#writer !== current) {
      this.#files.close(this.#writer);
    }
    this.#reader = null;
    this.#writer = null;
  }
}

/** Files whose descriptors nobody uses, in order of their last use. */
export class IdleHandles {
  readonly #handles = new Set<HostHandles>();
  readonly #limit: number;

  /** Keeps the descriptors of at most `limit` files. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#handles.size;
  }

  add(handles: HostHandles): void {
    this.#handles.delete(handles);
    this.#handles.add(handles);
    if (this.#handles.size <= this.#limit) return;
    for (const oldest of this.#handles) {
      oldest.close();
      return;
    }
  }

  remove(handles: HostHandles): void {
    this.#handles.delete(handles);
  }
}
