/**
 * ReadAhead: directories that a guest will probably read next, with what is in
 * them, before it asks: whoever walks down a tree that nobody else changes
 * (find, du, cp -r, git status) needs one message for some dozens of
 * directories.
 *
 * What is read ahead hangs in the listing of the parent directory, name by
 * name, until the name is looked up or the listing ends. A directory is read
 * ahead only while no inode stands for it: to change it the guest must look it
 * up first, and that takes it from here.
 * @module
 */
import type {
  GoferClient,
  GoferDirEntry,
  GoferNode,
  GoferNodeId,
} from "../../../gofer/client.ts";
import { S_ISDIR } from "../../abi/stat.ts";
import type { ByteString } from "../../mm/user_memory.ts";

/** A node that came before anybody asked; its reference is the holder's. */
export interface Prefetched {
  readonly node: GoferNode;
  /** Of a directory, if they were read. */
  contents: DirectoryContents | null;
}

/** Everything in a directory. */
export interface DirectoryContents {
  readonly entries: readonly GoferDirEntry[];
  readonly prefetched: Map<ByteString, Prefetched>;
  /** Attributes of so many files came with them; so many were wanted. */
  files: number;
  filesTaken: number;
}

/** Directories named in one message. */
const MAX_SIBLINGS = 64;
/** Names in directories that wait to be read: some MiB of heap at most. */
const MAX_HELD_NAMES = 65_536;

export class ReadAhead {
  readonly #client: GoferClient;
  readonly #isKnown: (node: GoferNodeId) => boolean;
  #heldNames = 0;
  /** The guest looks at files, too, not at directories only. */
  #wantsFiles = false;
  /** What the last read() was for. */
  #last: DirectoryContents | null = null;

  /** `isKnown`: whether an inode stands for a node. */
  constructor(client: GoferClient, isKnown: (node: GoferNodeId) => boolean) {
    this.#client = client;
    this.#isKnown = isKnown;
  }

  get wantsFiles(): boolean {
    return this.#wantsFiles;
  }
  /** The guest looks up files in the order of a listing. */
  noteFilesWanted(): void {
    this.#wantsFiles = true;
  }

  /**
   * The contents of `node`, or null: read it piece by piece. Directories of
   * `siblings` without contents may get theirs, as may some that are below.
   */
  read(
    node: GoferNodeId,
    siblings: Iterable<Prefetched>,
  ): DirectoryContents | null {
    if (this.#heldNames >= MAX_HELD_NAMES) return null;
    const last = this.#last;
    if (last !== null && last.files > 0 && last.filesTaken === 0) {
      this.#wantsFiles = false;
    }
    const nodes = [node];
    const byNode = new Map<GoferNodeId, Prefetched>();
    for (const sibling of siblings) {
      if (nodes.length === MAX_SIBLINGS) break;
      if (!S_ISDIR(sibling.node.stat.mode) || sibling.contents !== null) {
        continue;
      }
      nodes.push(sibling.node.node);
      byNode.set(sibling.node.node, sibling);
    }
    const reply = this.#client.readAhead(nodes, {
      attributes: this.#wantsFiles ? "all" : "directories",
    });
    if (typeof reply === "number") return null;
    let first: DirectoryContents | null = null;
    for (const { node: directory, entries } of reply) {
      const holder = byNode.get(directory);
      if (directory === node && first === null) {
        first = this.#accept(entries, byNode);
      } else if (holder !== undefined && holder.contents === null) {
        holder.contents = this.#accept(entries, byNode);
        this.#heldNames += entries.length;
      } else {
        this.#forgetAll(entries);
      }
    }
    this.#last = first;
    return first;
  }

  #accept(
    entries: readonly GoferDirEntry[],
    byNode: Map<GoferNodeId, Prefetched>,
  ): DirectoryContents {
    const prefetched = new Map<ByteString, Prefetched>();
    let files = 0;
    for (const { name, node } of entries) {
      if (node === null) continue;
      const isDirectory = S_ISDIR(node.stat.mode);
      if (
        (node.stat.nlink !== 1 && !isDirectory) || byNode.has(node.node) ||
        this.#isKnown(node.node)
      ) {
        this.#client.forget(node.node, 1);
        continue;
      }
      const holder: Prefetched = { node, contents: null };
      prefetched.set(name, holder);
      if (isDirectory) byNode.set(node.node, holder);
      else files++;
    }
    return { entries, prefetched, files, filesTaken: 0 };
  }

  #forgetAll(entries: readonly GoferDirEntry[]): void {
    for (const { node } of entries) {
      if (node !== null) this.#client.forget(node.node, 1);
    }
  }

  /** Somebody takes the node over, and with it its contents. */
  take(holder: Prefetched): DirectoryContents | null {
    const { contents } = holder;
    if (contents !== null) this.#heldNames -= contents.entries.length;
    holder.contents = null;
    return contents;
  }

  /** Gives back what nobody took. */
  discard(holders: Map<ByteString, Prefetched>): void {
    for (const holder of holders.values()) {
      const contents = this.take(holder);
      if (contents !== null) this.discard(contents.prefetched);
      this.#client.forget(holder.node.node, 1);
    }
    holders.clear();
  }
}
