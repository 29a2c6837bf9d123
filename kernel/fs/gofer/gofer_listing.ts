/**
 * GoferListing: the names of a directory of the host, with cookies that stay
 * what they are when it is read again. In an exclusive directory a loaded
 * listing is the truth about which names exist.
 * @module
 */
import type { Errno } from "../../abi/errno.ts";
import type {
  GoferDirChunk,
  GoferDirCookie,
  GoferNodeId,
} from "../../../gofer/client.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import { DirectoryIndex } from "../../vfs/directory_index.ts";
import type { DirectorySink } from "../../vfs/inode.ts";
import { type GoferContext, goferErrno } from "./gofer_context.ts";

interface Entry {
  readonly ino: number;
  /** DT_*. */
  readonly type: number;
}

export class GoferListing {
  readonly #index = new DirectoryIndex<Entry>();
  isLoaded = false;

  has(name: ByteString): boolean {
    return this.#index.has(name);
  }
  /** A name was made through us. */
  add(name: ByteString, ino: number, type: number): void {
    if (this.isLoaded) this.#index.set(name, { ino, type });
  }
  /** A name was removed through us. */
  remove(name: ByteString): void {
    this.#index.delete(name);
  }

  /** Reads all names of the directory `node` from the file server; `inoBase` is
   * added to their inode numbers. Gives up, and returns null with isLoaded
   * false, beyond `maxEntries`. ENOENT, EACCES, EIO, ... */
  load(
    gofer: GoferContext,
    node: GoferNodeId,
    inoBase: number,
    maxEntries: number,
  ): Errno | null {
    this.isLoaded = false;
    const seen = new Set<ByteString>();
    let cookie: GoferDirCookie | null = null;
    do {
      const chunk: GoferDirChunk | number = gofer.client.readdir(
        node,
        cookie,
        { attributes: false },
      );
      if (typeof chunk === "number") return goferErrno(chunk);
      for (const { name, ino, type } of chunk.entries) {
        seen.add(name);
        this.#index.set(name, { ino: inoBase + ino, type });
      }
      if (seen.size > maxEntries) return null;
      cookie = chunk.cookie;
    } while (cookie !== null);
    if (this.#index.size > seen.size) {
      for (const name of [...this.#index.names()]) {
        if (!seen.has(name)) this.#index.delete(name);
      }
    }
    this.isLoaded = true;
    return null;
  }

  list(cookie: number, sink: DirectorySink): void {
    this.#index.list(
      cookie,
      (name, { ino, type }, next) => sink.emit(name, ino, type, next),
    );
  }
}
