/**
 * GoferListing: the names of a directory of the host, with cookies that stay
 * what they are when it is read again. In an exclusive directory a loaded
 * listing is the truth about which names exist; and whoever reads one and then
 * looks at each name (ls -l, find, tar) gets the attributes of all of them in a
 * few messages.
 *
 * A prefetched node is a file that no inode stands for yet, and that has no
 * other name: so nothing of ours can change it before its name is looked up,
 * which takes it from here. A directory among them may bring its contents along
 * (read_ahead.ts).
 * @module
 */
import type { Errno } from "../../abi/errno.ts";
import type {
  GoferDirChunk,
  GoferDirCookie,
  GoferNodeId,
} from "../../../gofer/client.ts";
import { S_ISDIR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import { DirectoryIndex } from "../../vfs/directory_index.ts";
import type { DirectorySink } from "../../vfs/inode.ts";
import { type GoferContext, goferErrno } from "./gofer_context.ts";
import type { DirectoryContents, Prefetched } from "./read_ahead.ts";

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
  #prefetched = new Map<ByteString, Prefetched>();
  /** Where this listing came from, if it came as a whole. */
  #contents: DirectoryContents | null = null;
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
  /** DT_* of a name, undefined if there is none. */
  typeOf(name: ByteString): number | undefined {
    return this.#index.get(name)?.type;
  }
  /** A name was made through us. */
  add(name: ByteString, ino: number, type: number): void {
    if (this.isLoaded) this.#index.set(name, { ino, type });
  }
  /** A name was removed through us. */
  remove(name: ByteString): void {
    this.#index.delete(name);
    const holder = this.#prefetched.get(name);
    if (holder === undefined) return;
    this.#prefetched.delete(name);
    this.#gofer.readAhead.discard(new Map([[name, holder]]));
  }

  /** The prefetched node of a name, which is the caller's from now on. */
  take(name: ByteString): Prefetched | null {
    const holder = this.#prefetched.get(name);
    if (holder === undefined) return null;
    this.#prefetched.delete(name);
    if (this.#contents !== null && !S_ISDIR(holder.node.stat.mode)) {
      this.#contents.filesTaken++;
    }
    return holder;
  }

  /** Takes over everything that is in the directory. Precondition: nothing is
   * loaded. */
  fill(contents: DirectoryContents): void {
    for (const { name, ino, type } of contents.entries) {
      this.#index.set(name, { ino: this.#inoBase + ino, type });
    }
    this.#prefetched = contents.prefetched;
    this.#contents = contents;
    this.isLoaded = true;
  }

  /** Reads the whole directory, and others that the reader will want: those
   * that `parent` lists, and some below. False: load() it. Precondition:
   * exclusive, nothing is loaded. */
  loadAhead(parent: GoferListing): boolean {
    const contents = this.#gofer.readAhead.read(
      this.#node,
      parent.#prefetched.values(),
    );
    if (contents === null) return false;
    this.fill(contents);
    return true;
  }

  /** Gets attributes of subdirectories, for take(). Precondition: exclusive. */
  prefetchDirectories(): void {
    const { readAhead } = this.#gofer;
    const contents = readAhead.read(this.#node, []);
    if (contents === null) return;
    for (const [name, holder] of contents.prefetched) {
      if (this.#prefetched.has(name) || !this.#index.has(name)) continue;
      contents.prefetched.delete(name);
      this.#prefetched.set(name, holder);
    }
    readAhead.discard(contents.prefetched);
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
    const { client, readAhead } = this.#gofer;
    readAhead.noteFilesWanted();
    this.#read(true, (chunk) => {
      for (const { name, node } of chunk.entries) {
        if (node === null) continue;
        const hasOneName = node.stat.nlink === 1 || S_ISDIR(node.stat.mode);
        if (
          hasOneName && !this.#gofer.isKnown(node.node) &&
          !this.#prefetched.has(name)
        ) this.#prefetched.set(name, { node, contents: null });
        else client.forget(node.node, 1);
      }
      return this.#prefetched.size <= MAX_PREFETCHED;
    });
  }

  /** Gives prefetched nodes back. */
  dispose(): void {
    this.#gofer.readAhead.discard(this.#prefetched);
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
