/**
 * WalkAhead: the names of a path that is being walked, asked for in one message
 * and kept until the VFS steps through them: for a few microseconds if others
 * change the files, too, otherwise until something is changed. What is not used
 * in that time is given back, and asked for again. A file that will be opened
 * is opened by the same message.
 *
 * The answers bypass no check: the VFS still judges every directory on the way.
 * @module
 */
import type {
  GoferClient,
  GoferNode,
  GoferNodeId,
} from "../../../gofer/client.ts";
import { ENOENT } from "../../abi/errno.ts";
import { O_RDONLY } from "../../abi/fcntl.ts";
import { NAME_MAX } from "../../abi/limits.ts";
import type { HostFd, HostFiles } from "../../host.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Clock } from "../../time/clock.ts";

/** Names per message; longer paths take another one. */
const MAX_NAMES = 16;
/** How long an answer counts: for the rest of the system call, if it does
 * nothing else. */
const FRESH_NS = 50_000;

/** What a name leads to; null: nowhere. The taker owns the reference. */
export interface WalkedName {
  readonly node: GoferNode | null;
  /** Of a symlink, "" otherwise. */
  readonly target: ByteString;
  /** A descriptor for reading, which is the taker's, too. */
  readonly opened: HostFd | null;
}

interface Step extends WalkedName {
  readonly from: GoferNodeId;
  readonly name: ByteString;
}

export class WalkAhead {
  readonly #client: GoferClient;
  readonly #clock: Clock;
  readonly #files: HostFiles;
  readonly #isShared: boolean;
  #steps: Step[] = [];
  #walkedAtNs = 0;

  // The path that is being walked: where, and from which byte on.
  #from: GoferNodeId | null = null;
  #path: ByteString = "";
  #start = 0;
  #opensLast = false;

  constructor(
    client: GoferClient,
    clock: Clock,
    files: HostFiles,
    isShared: boolean,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#files = files;
    this.#isShared = isShared;
  }

  /** The names in `path` from `start` on will be wanted, one after another,
   * and the last one opened for reading if `opensLast`. */
  expect(
    from: GoferNodeId,
    path: ByteString,
    start: number,
    opensLast: boolean,
  ): void {
    // Of a shared file we may have a descriptor, and ask for attributes only.
    this.#opensLast = opensLast && !this.#isShared;
    this.#from = from;
    this.#path = path;
    this.#start = start;
  }

  /** The answer for a name, once; null: ask for that name alone. */
  take(from: GoferNodeId, name: ByteString): WalkedName | null {
    if (this.#steps.length > 0) {
      if (
        this.#isShared &&
        this.#clock.monotonicNs() - this.#walkedAtNs >= FRESH_NS
      ) {
        this.clear();
      } else {
        const step = this.#takeStep(from, name);
        if (step !== null) return step;
      }
    }
    if (this.#from !== from || !this.#path.startsWith(name, this.#start)) {
      return null;
    }
    const names = namesIn(this.#path, this.#start);
    const isWhole = names.end === this.#path.length;
    const opensLast = this.#opensLast && isWhole;
    this.#from = null;
    if (names.names[0] !== name) return null;
    if (names.names.length < 2 && !opensLast) return null;
    this.#walk(from, names.names, opensLast);
    return this.#takeStep(from, name);
  }

  #walk(
    from: GoferNodeId,
    names: readonly ByteString[],
    opensLast: boolean,
  ): void {
    this.clear();
    const walk = this.#client.walk(
      from,
      names,
      opensLast ? { open: O_RDONLY } : undefined,
    );
    if (typeof walk === "number") return;
    if (this.#isShared) this.#walkedAtNs = this.#clock.monotonicNs();
    let at = from;
    for (const [i, node] of walk.nodes.entries()) {
      const isLast = i === walk.nodes.length - 1;
      const target = isLast ? walk.target : "";
      // A failure to open is asked for again, by whoever opens.
      const opened = isLast && walk.opened >= 0 ? walk.opened as HostFd : null;
      this.#steps.push({ from: at, name: names[i]!, node, target, opened });
      at = node.node;
    }
    const missing = names[walk.nodes.length];
    if (walk.error === -ENOENT.code && missing !== undefined) {
      this.#steps.push({
        from: at,
        name: missing,
        node: null,
        target: "",
        opened: null,
      });
    }
  }

  #takeStep(from: GoferNodeId, name: ByteString): Step | null {
    const index = this.#steps.findIndex((step) =>
      step.from === from && step.name === name
    );
    return index < 0 ? null : this.#steps.splice(index, 1)[0]!;
  }

  /** Gives back what was not used; something has changed, or time passed. */
  clear(): void {
    if (this.#steps.length === 0) return;
    for (const { node, opened } of this.#steps) {
      if (node !== null) this.#client.forget(node.node, 1);
      if (opened !== null) this.#files.close(opened);
    }
    this.#steps = [];
  }
}

/** Names from `start` on, up to one that is not simply a step down, and where
 * that begins. */
function namesIn(
  path: ByteString,
  start: number,
): { readonly names: ByteString[]; readonly end: number } {
  const names: ByteString[] = [];
  let at = start;
  while (at < path.length && names.length < MAX_NAMES) {
    let end = path.indexOf("/", at);
    if (end < 0) end = path.length;
    const name = path.slice(at, end);
    if (name === "." || name === ".." || name.length > NAME_MAX) break;
    if (name !== "") names.push(name);
    at = end < path.length ? end + 1 : end;
  }
  return { names, end: at };
}
