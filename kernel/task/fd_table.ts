/**
 * struct files_struct: descriptors of a process; shared by CLONE_FILES. Each
 * entry holds one reference on its FileDescription.
 * @module
 */
import { EBADF, EMFILE, type Errno } from "../abi/errno.ts";
import type { Caller, LockOwner } from "../vfs/caller.ts";
import type { FileDescription } from "../vfs/file_description.ts";

/** Linux's fs.nr_open: no RLIMIT_NOFILE goes beyond it. */
export const NR_OPEN = 1048576;

/** Numbers that were found free but name no file yet. */
export class ReservedFds implements Disposable {
  #isInstalled = false;
  constructor(readonly table: FdTable, readonly fds: readonly number[]) {}

  /** Takes a reference on each file. */
  install(
    files: readonly FileDescription[],
    options: { readonly closeOnExec: boolean },
  ): void {
    for (const [i, file] of files.entries()) {
      this.table.installAt(this.fds[i]!, file.acquire(), options);
    }
    this.#isInstalled = true;
  }
  [Symbol.dispose](): void {
    if (!this.#isInstalled) this.table.unreserve(this.fds);
  }
}

export class FdTable implements LockOwner {
  /** Kept by vfs/file_lock.ts: this table owns the process's record locks. */
  waitsFor: LockOwner | null = null;
  #files: (FileDescription | null)[] = [];
  #closeOnExec = new Set<number>();
  #reserved = new Set<number>();
  /** No descriptor below it is free. */
  #lowestFree = 0;
  #users = 1;

  get(fd: number): FileDescription | null {
    return fd >= 0 && fd < this.#files.length ? this.#files[fd]! : null;
  }

  /** The file, or EBADF; the reference stays the table's. */
  file(fd: number): FileDescription | Errno {
    const file = fd >= 0 && fd < this.#files.length ? this.#files[fd]! : null;
    return file ?? EBADF;
  }

  /** One more than the highest descriptor ever used. */
  get length(): number {
    return this.#files.length;
  }

  #findFree(minimum: number, limit: number): number | Errno {
    let fd = Math.max(minimum, this.#lowestFree);
    while (
      fd < this.#files.length &&
      (this.#files[fd] !== null || this.#reserved.has(fd))
    ) fd++;
    while (this.#reserved.has(fd)) fd++;
    return fd < Math.min(limit, NR_OPEN) ? fd : EMFILE;
  }

  /** Finds `count` free numbers; EMFILE at RLIMIT_NOFILE (`limit`). */
  reserve(count: number, limit: number): ReservedFds | Errno {
    const fds: number[] = [];
    for (let i = 0; i < count; i++) {
      const fd = this.#findFree(0, limit);
      if (typeof fd !== "number") {
        this.unreserve(fds);
        return fd;
      }
      this.#reserved.add(fd);
      fds.push(fd);
    }
    return new ReservedFds(this, fds);
  }

  unreserve(fds: readonly number[]): void {
    for (const fd of fds) {
      this.#reserved.delete(fd);
      if (fd < this.#lowestFree) this.#lowestFree = fd;
    }
  }

  /** Puts the file at the lowest free number >= minimum. Takes over the
   * caller's reference on success only. EMFILE. */
  install(
    file: FileDescription,
    options: {
      readonly closeOnExec: boolean;
      readonly limit: number;
      readonly minimum?: number;
    },
  ): number | Errno {
    const minimum = options.minimum ?? 0;
    const fd = this.#findFree(minimum, options.limit);
    if (typeof fd !== "number") return fd;
    this.installAt(fd, file, options);
    if (minimum <= this.#lowestFree) this.#lowestFree = fd + 1;
    return fd;
  }

  /** Puts the file at `fd`, which must be free or reserved; takes over the
   * reference. */
  installAt(
    fd: number,
    file: FileDescription,
    options: { readonly closeOnExec: boolean },
  ): void {
    while (this.#files.length <= fd) this.#files.push(null);
    this.#files[fd] = file;
    this.#reserved.delete(fd);
    if (options.closeOnExec) this.#closeOnExec.add(fd);
    else this.#closeOnExec.delete(fd);
  }

  /** dup2(2): replaces what is at `fd`, silently closing it. */
  replace(
    fd: number,
    file: FileDescription,
    options: { readonly closeOnExec: boolean },
    caller: Caller,
  ): void {
    const old = this.get(fd);
    this.installAt(fd, file, options);
    if (old !== null) {
      old.flush(caller);
      old.release();
    }
  }

  isCloseOnExec(fd: number): boolean {
    return this.#closeOnExec.has(fd);
  }
  setCloseOnExec(fd: number, closeOnExec: boolean): void {
    if (closeOnExec) this.#closeOnExec.add(fd);
    else this.#closeOnExec.delete(fd);
  }

  /** close(2). EBADF, or what flush says; the number is free in any case. */
  close(fd: number, caller: Caller): Errno | null {
    const file = this.get(fd);
    if (file === null) return EBADF;
    this.#files[fd] = null;
    this.#closeOnExec.delete(fd);
    if (fd < this.#lowestFree) this.#lowestFree = fd;
    const result = file.flush(caller);
    file.release();
    return result;
  }

  /** Descriptors in use, ascending. */
  *fds(): Generator<number> {
    for (let fd = 0; fd < this.#files.length; fd++) {
      if (this.#files[fd] !== null) yield fd;
    }
  }

  get isShared(): boolean {
    return this.#users > 1;
  }
  acquire(): FdTable {
    this.#users++;
    return this;
  }

  copy(): FdTable {
    const copy = new FdTable();
    copy.#files = this.#files.map((file) => file?.acquire() ?? null);
    copy.#closeOnExec = new Set(this.#closeOnExec);
    copy.#lowestFree = 0;
    return copy;
  }

  /** Closes what execve(2) must not pass on. */
  closeForExec(caller: Caller): void {
    for (const fd of [...this.#closeOnExec]) this.close(fd, caller);
  }

  /** Drops a user; the last one closes every file. */
  release(caller: Caller): void {
    if (--this.#users > 0) return;
    for (const fd of this.fds()) this.close(fd, caller);
  }
}
