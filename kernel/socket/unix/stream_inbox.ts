/**
 * What a stream socket has received and not read: a ring of bytes, and for each
 * stretch of it who sent it and which files came with its first byte.
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import type { HostMemory } from "../../host.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import { MemoryRing, type RingPages } from "../../mm/memory_ring.ts";
import type { PeerCredentials } from "../socket.ts";
import type { Rights } from "./in_flight.ts";

const PAGE_SIZE = 4096;
/** Stretches of different senders or with files that an inbox may have; beyond
 * that it counts as full, so that tiny ones cost no more than their bytes. */
const MAX_SEGMENTS = 1024;

interface Segment {
  length: number;
  readonly sender: PeerCredentials;
  rights: Rights | null;
}

/** What came with bytes that were read. */
export interface Attachment {
  sender: PeerCredentials | null;
  rights: Rights | null;
}

export class StreamInbox {
  readonly #ring: MemoryRing;
  readonly #segments: Segment[] = [];

  constructor(memory: HostMemory, pages: RingPages) {
    this.#ring = new MemoryRing(memory, pages, PAGE_SIZE);
  }

  /** Bytes to read. */
  get used(): number {
    return this.#ring.used;
  }

  /** True if nothing more may be appended until some of it was read. */
  get isFragmented(): boolean {
    return this.#segments.length >= MAX_SEGMENTS;
  }
  /** True if poll(2) should not call a sender's turn yet. */
  get isHalfFragmented(): boolean {
    return this.#segments.length >= MAX_SEGMENTS / 2;
  }

  /** Appends up to `limit - used` bytes. EFAULT, ENOMEM. Preconditions:
   * used < limit, io.remaining > 0, not isFragmented. */
  append(
    io: IoBuffer,
    limit: number,
    sender: PeerCredentials,
    rights: Rights | null,
  ): number | Errno {
    if (limit > this.#ring.capacity) {
      const capacity = Math.ceil(limit / PAGE_SIZE) * PAGE_SIZE;
      const failed = this.#ring.resize(capacity);
      if (failed !== null) return failed;
    }
    const length = Math.min(io.remaining, limit - this.#ring.used);
    const moved = this.#ring.append(io, length);
    if (isErrno(moved)) return moved;
    const last = this.#segments.at(-1);
    // Reading stops behind bytes with files, so nothing may join those.
    const canJoin = last !== undefined && last.rights === null &&
      rights === null && isSame(last.sender, sender);
    if (canJoin) last.length += moved;
    else this.#segments.push({ length: moved, sender, rights });
    return moved;
  }

  /**
   * Reads up to io.remaining bytes; stops behind bytes that brought files and,
   * if `isBySender`, before another sender's. Precondition: used > 0.
   */
  read(
    io: IoBuffer,
    options: { readonly isPeek: boolean; readonly isBySender: boolean },
    into: Attachment,
  ): number | Errno {
    const first = this.#segments[0]!;
    into.sender = first.sender;
    into.rights = null;
    let total = 0;
    let index = 0;
    while (io.remaining > 0 && index < this.#segments.length) {
      const segment = this.#segments[index]!;
      if (options.isBySender && !isSame(segment.sender, first.sender)) break;
      const length = Math.min(segment.length, io.remaining);
      const moved = options.isPeek
        ? this.#ring.peek(io, length, total)
        : this.#ring.take(io, length);
      if (isErrno(moved)) return total > 0 ? total : moved;
      total += moved;
      const { rights } = segment;
      into.rights = rights;
      if (options.isPeek) index++;
      else {
        segment.rights = null;
        segment.length -= moved;
        if (segment.length === 0) this.#segments.shift();
      }
      if (rights !== null || moved < length) break;
    }
    return total;
  }

  /** Every message's files. */
  *rights(): Generator<Rights> {
    for (const { rights } of this.#segments) {
      if (rights !== null) yield rights;
    }
  }

  /** Drops everything; the caller has dealt with the rights. */
  clear(): void {
    this.#ring.clear();
    this.#segments.length = 0;
  }
}

function isSame(a: PeerCredentials, b: PeerCredentials): boolean {
  return a === b || (a.pid === b.pid && a.uid === b.uid && a.gid === b.gid);
}
