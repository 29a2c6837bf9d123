/**
 * GoferRegular: a regular file of the host. Its data moves between the host's
 * descriptors and memory; see host_pages.ts.
 * @module
 */
import type { GoferStat } from "../../../gofer/client.ts";
import { type Errno, errnoFromCode, isErrno } from "../../abi/errno.ts";
import { O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import type { HostFd, HostStat } from "../../host.ts";
import type { Mappable } from "../../mm/mappable.ts";
import type { Timespec } from "../../time/clock.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import type { AttributeChange } from "../../vfs/inode.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { isSizeOnly } from "./gofer_attributes.ts";
import { goferErrno } from "./gofer_context.ts";
import { GoferDescription, type GoferFile } from "./gofer_description.ts";
import { GoferInode } from "./gofer_inode.ts";
import { HostHandles } from "./host_handles.ts";
import { HostPages } from "./host_pages.ts";

export class GoferRegular extends GoferInode implements GoferFile {
  // Rebuilt on restore, not saved.
  #handles: HostHandles | null = null;
  #pages: HostPages | null = null;
  /** The next change of mtime that we see is our own. */
  #wroteItself = false;

  get handles(): HostHandles {
    const { client, files, idleHandles } = this.gofer;
    this.#handles ??= new HostHandles(files, idleHandles, (flags) => {
      const fd = client.open(this.node, flags);
      return fd < 0 ? goferErrno(fd) : fd as HostFd;
    });
    return this.#handles;
  }

  get pages(): HostPages {
    const { gofer } = this;
    this.#pages ??= new HostPages(
      gofer.memoryFile,
      gofer.files,
      this.handles,
      {
        size: this.size,
        isShared: gofer.isShared,
      },
    );
    return this.#pages;
  }

  checkWrite(): Errno | null {
    return null;
  }

  onWritten(now: Timespec): void {
    this.size = this.pages.size;
    this.mtime = now;
    this.ctime = now;
    this.#wroteItself = true;
    this.markStale();
  }

  mappableFor(open: FileDescription): Mappable {
    return this.pages.mappableFor(open);
  }

  protected override askHost(): GoferStat | HostStat | number {
    const fd = this.#handles?.current ?? null;
    return fd !== null ? this.gofer.files.stat(fd) : super.askHost();
  }

  override update(stat: GoferStat | HostStat): void {
    const { mtime, size } = this;
    super.update(stat);
    const pages = this.#pages;
    if (pages === null) return;
    const isChanged = size !== this.size || mtime.sec !== this.mtime.sec ||
      mtime.nsec !== this.mtime.nsec;
    if (isChanged && this.gofer.isShared && !this.#wroteItself) {
      // Others wrote: what our mappings wrote goes to the host, what they show
      // comes from there anew.
      pages.sync(0, pages.size);
      pages.forget(0, pages.size);
    }
    this.#wroteItself = false;
    if (pages.size !== this.size) pages.truncate(this.size);
  }

  override open(
    path: VfsPath,
    flags: number,
    _caller: Caller,
  ): FileDescription | Errno {
    const failure = this.#openHost(flags & O_ACCMODE);
    if (failure !== null) return failure;
    return new GoferDescription(path, flags, this, this.gofer.files);
  }

  #openHost(mode: number): Errno | null {
    if (mode === O_RDWR) return this.handles.both();
    const fd = mode === O_WRONLY
      ? this.handles.writer()
      : mode === O_RDONLY
      ? this.handles.reader()
      : null;
    return isErrno(fd) ? fd : null;
  }

  override setAttributes(change: AttributeChange): Errno | null {
    if (isSizeOnly(change) && this.writers > 0) {
      return this.#truncateHost(change.size!);
    }
    this.#wroteItself = true;
    return super.setAttributes(change);
  }

  /** Sets the size by a descriptor for writing, without a message. */
  #truncateHost(size: number): Errno | null {
    const fd = this.handles.writer();
    if (isErrno(fd)) return fd;
    const result = this.gofer.files.truncate(fd, size);
    if (result < 0) return errnoFromCode(result);
    this.pages.truncate(size);
    this.onWritten(this.gofer.clock.realtime());
    return null;
  }

  override syncHost(): Errno | null {
    return this.#pages?.sync(0, this.#pages.size) ?? null;
  }

  protected override evict(): void {
    this.syncHost();
    this.#pages?.dispose();
    this.#handles?.close();
    super.evict();
  }
}
