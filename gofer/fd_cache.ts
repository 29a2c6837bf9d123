/**
 * FdCache: which files of a client have a descriptor open. There are at most so
 * many; the one used longest ago is closed first, but none that the present
 * request uses, and none that is pinned, because it could not be had again.
 * @module
 */
import type { GoferFiles } from "../ffi/gofer_files.ts";

/** Something that may have a descriptor; the fields are FdCache's. */
export class FdHolder {
  /** -1: not open now. */
  fd = -1;
  isPinned = false;
  /** The descriptor is somebody else's to close. */
  isBorrowed = false;
  /** The request that uses the descriptor, or used it last. */
  usedBy = 0;
  // Neighbours among the unpinned ones with a descriptor, by time of use.
  newer: FdHolder | null = null;
  older: FdHolder | null = null;
}

export class FdCache {
  readonly #files: GoferFiles;
  readonly #limit: number;
  #newest: FdHolder | null = null;
  #oldest: FdHolder | null = null;
  /** Unpinned descriptors. */
  #count = 0;
  #pinned = 0;
  #request = 1;

  /** `limit`: descriptors kept open besides pinned ones, at least 16. */
  constructor(files: GoferFiles, limit: number) {
    this.#files = files;
    this.#limit = Math.max(limit, 16);
  }

  /** Descriptors held. */
  get size(): number {
    return this.#count + this.#pinned;
  }

  /** The holder, which has none, gets a descriptor. */
  open(holder: FdHolder, fd: number): void {
    holder.fd = fd;
    this.#link(holder);
    this.#trim(holder);
  }

  /** The present request uses the holder's descriptor: it stays open until
   * endRequest(). */
  use(holder: FdHolder): void {
    holder.usedBy = this.#request;
    if (holder.isPinned || this.#newest === holder) return;
    this.#unlink(holder);
    this.#link(holder);
  }

  endRequest(): void {
    this.#request++;
    this.#trim(null);
  }

  /** Keeps the descriptor open for the holder's life, or until unpin(). */
  pin(holder: FdHolder): void {
    if (holder.isPinned) return;
    this.#unlink(holder);
    holder.isPinned = true;
    this.#pinned++;
  }

  unpin(holder: FdHolder): void {
    if (!holder.isPinned || holder.isBorrowed) return;
    holder.isPinned = false;
    this.#pinned--;
    this.#link(holder);
  }

  close(holder: FdHolder): void {
    if (holder.fd < 0) return;
    if (holder.isPinned) {
      this.#pinned--;
      holder.isPinned = false;
    } else {
      this.#unlink(holder);
    }
    if (!holder.isBorrowed) this.#files.close(holder.fd);
    holder.fd = -1;
  }

  #trim(keep: FdHolder | null): void {
    let holder = this.#oldest;
    while (holder !== null && this.#count > this.#limit) {
      const next: FdHolder | null = holder.newer;
      if (holder.usedBy !== this.#request && holder !== keep) {
        this.close(holder);
      }
      holder = next;
    }
  }

  #link(holder: FdHolder): void {
    this.#count++;
    holder.older = this.#newest;
    holder.newer = null;
    if (this.#newest !== null) this.#newest.newer = holder;
    else this.#oldest = holder;
    this.#newest = holder;
  }

  #unlink(holder: FdHolder): void {
    this.#count--;
    if (holder.newer !== null) holder.newer.older = holder.older;
    else this.#newest = holder.older;
    if (holder.older !== null) holder.older.newer = holder.newer;
    else this.#oldest = holder.newer;
    holder.newer = null;
    holder.older = null;
  }
}
