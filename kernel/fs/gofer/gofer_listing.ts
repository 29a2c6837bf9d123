/**
 * GoferListing: the names of a directory of the host, with cookies that stay
 * what they are when it is read again. In an exclusive directory a loaded
 * listing is the truth about which names exist; and whoever reads one and then
 * looks at each name (ls -l, find, tar) gets the attributes of all of them in a
 * few messages.
 *
 * A prefetched node is a file that no inode stands for yet, and that has no
 * other name: so nothing of ours can change it before its name is looked up,
 * which takes it from here.
 * @module
 */
import type { Errno } from "../../abi/errno.ts";
import type {
  GoferDirChunk,
  GoferDirCookie,
  GoferNode,
  GoferNodeId,
} from "../../../gofer/client.ts";
import { S_ISDIR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import { DirectoryIndex } from "../../vfs/directory_index.ts";
import type { DirectorySink } from "../../vfs/inode.ts";
import { type GoferContext, goferErrno } from "./gofer_context.ts";

/** Names whose attributes are prefetched at most. */
const MAX_PREFETCHED = 4096;

interface Entry {
  readonly ino: number;
  /** DT_*. */
  readonly type: number;
}

export class GoferListing {
  readonly #gofer: GoferContext;
  readonly #node: GoferNodeId;
  /** Added to inode numbers that the host reports. */
  readonly #inoBase: number;
  readonly #index = new DirectoryIndex<Entry>();
  readonly #prefetched = new Map<ByteString, GoferNode>();
  isLoaded = false;

  /** Of the directory `node`. */
  constructor(gofer: GoferContext, node: GoferNodeId, inoBase: number) {
    this.#gofer = gofer;
    this.#node = node;
    this.#inoBase = inoBase;
  }

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
    const node = this.take(name);
    if (node !== null) this.#gofer.client.forget(node.node, 1);
  }

  /** The prefetched node of a name, which is the caller's from now on. */
  take(name: ByteString): GoferNode | null {
    const node = this.#prefetched.get(name);
    if (node === undefined) return null;
    this.#prefetched.delete(name);
    return node;
  }

  /** Reads all names from the file server. Gives up, and returns null with
   * isLoaded false, beyond `maxEntries`. ENOENT, EACCES, EIO, ... */
  load(maxEntries: number): Errno | null {
    this.isLoaded = false;
    const seen = new Set<ByteString>();
    const failure = this.#read(false, (chunk) => {
      for (const { name, ino, type } of chunk.entries) {
        seen.add(name);
        this.#index.set(name, { ino: this.#inoBase + ino, type });
      }
      return seen.size <= maxEntries;
    });
    if (failure !== null || seen.size > maxEntries) return failure;
    if (this.#index.size > seen.size) {
      for (const name of [...this.#index.names()]) {
        if (!seen.has(name)) this.remove(name);
      }
    }
    this.isLoaded = true;
    return null;
  }

  /** Gets attributes of names, for take(). Precondition: exclusive. What can't
   * be had is asked for when it is looked up. */
  prefetch(): void {
    const { client } = this.#gofer;
    this.#read(true, (chunk) => {
      for (const { name, node } of chunk.entries) {
        if (node === null) continue;
        const hasOneName = node.stat.nlink === 1 || S_ISDIR(node.stat.mode);
        if (
          hasOneName && !this.#gofer.isKnown(node.node) &&
          !this.#prefetched.has(name)
        ) this.#prefetched.set(name, node);
        else client.forget(node.node, 1);
      }
      return this.#prefetched.size <= MAX_PREFETCHED;
    });
  }

  /** Gives prefetched nodes back. */
  dispose(): void {
    for (const { node } of this.#prefetched.values()) {
      this.#gofer.client.forget(node, 1);
    }
    this.#prefetched.clear();
  }

  /** Hands out all chunks, until `visit` returns false. */
  #read(
    attributes: boolean,
    visit: (chunk: GoferDirChunk) => boolean,
  ): Errno | null {
    let cookie: GoferDirCookie | null = null;
    do {
      const chunk: GoferDirChunk | number = this.#gofer.client.readdir(
        this.#node,
        cookie,
        { attributes },
      );
      if (typeof chunk === "number") return goferErrno(chunk);
      if (!visit(chunk)) return null;
      cookie = chunk.cookie;
    } while (cookie !== null);
    return null;
  }

  list(cookie: number, sink: DirectorySink): void {
    this.#index.list(
      cookie,
      (name, { ino, type }, next) => sink.emit(name, ino, type, next),
    );
  }
}
