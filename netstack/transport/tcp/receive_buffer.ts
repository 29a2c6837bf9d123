/**
 * Bytes that have arrived: those in order wait to be read in the packets that
 * brought them, those ahead of a gap wait for it to close. Source: RFC 9293
 * §3.10.7.4, RFC 2018 §4 for the order of SACK blocks, RFC 2883 for DSACK.
 * @module
 */
import { seqAdd, seqDiff, seqLess } from "./sequence.ts";

interface Chunk {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Ours, with room after `end`. */
  isOwn: boolean;
}

/** Payloads up to this size are copied together, so that a small one does not
 * keep a large array. */
const COPY_LIMIT = 2048;
const OWN_CHUNK = 16_384;
/** Runs of bytes ahead of gaps. */
const MAX_RUNS = 1024;
/** Payloads ahead of gaps, however small; more are dropped, to come again. */
const MAX_PIECES = 16_384;

/** Bytes in order. */
export class ReceiveQueue {
  #chunks: Chunk[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length === 0) return;
    this.#size += length;
    if (length > COPY_LIMIT && bytes.buffer.byteLength <= 2 * length) {
      this.#chunks.push({ bytes, start: 0, end: length, isOwn: false });
      return;
    }
    const last = this.#chunks.at(-1);
    if (last?.isOwn === true && last.bytes.length - last.end >= length) {
      last.bytes.set(bytes, last.end);
      last.end += length;
      return;
    }
    // The first is as small as it can be: most connections hold one message.
    const room = this.#head === this.#chunks.length
      ? length
      : Math.max(length, OWN_CHUNK);
    const own = new Uint8Array(room);
    own.set(bytes);
    this.#chunks.push({ bytes: own, start: 0, end: length, isOwn: true });
  }

  /** Copies up to into.length bytes out; with `peek` they stay. */
  read(into: Uint8Array, options: { readonly peek?: boolean } = {}): number {
    const isPeek = options.peek === true;
    let done = 0;
    let index = this.#head;
    while (done < into.length && index < this.#chunks.length) {
      const chunk = this.#chunks[index]!;
      const length = Math.min(chunk.end - chunk.start, into.length - done);
      const { bytes, start } = chunk;
      into.set(bytes.subarray(start, start + length), done);
      done += length;
      if (isPeek) index++;
      else {
        chunk.start += length;
        if (chunk.start < chunk.end) break;
        index = ++this.#head;
      }
    }
    if (!isPeek) {
      this.#size -= done;
      if (this.#head === this.#chunks.length) {
        this.#chunks.length = 0;
        this.#head = 0;
      } else if (this.#head > 64 && 2 * this.#head > this.#chunks.length) {
        this.#chunks = this.#chunks.slice(this.#head);
        this.#head = 0;
      }
    }
    return done;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#size = 0;
  }
}

interface Run {
  start: number;
  end: number;
  readonly pieces: { readonly start: number; readonly bytes: Uint8Array }[];
  /** When it last grew: the latest is reported first. */
  order: number;
}

/** Bytes ahead of gaps, as runs that do not touch. */
export class OutOfOrderQueue {
  #runs: Run[] = [];
  #order = 0;
  #size = 0;
  #pieces = 0;

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Keeps a payload; what was there already is given back as a DSACK block. */
  insert(
    start: number,
    bytes: Uint8Array,
  ): readonly [number, number] | undefined {
    const end = seqAdd(start, bytes.length);
    if (this.#pieces >= MAX_PIECES) return undefined;
    let at = 0;
    while (at < this.#runs.length && seqLess(this.#runs[at]!.end, start)) at++;
    const first = this.#runs[at];
    if (first === undefined || seqLess(end, first.start)) {
      if (this.#runs.length >= MAX_RUNS) return undefined;
      const own = compact(bytes);
      const pieces = [{ start, bytes: own }];
      this.#runs.splice(at, 0, { start, end, pieces, order: ++this.#order });
      this.#note(bytes.length);
      return undefined;
    }
    if (!seqLess(start, first.start) && !seqLess(first.end, end)) {
      first.order = ++this.#order;
      return [start, end];
    }
    // Cut to what is new; runs that are bridged become one, the first.
    first.order = ++this.#order;
    if (seqLess(start, first.start)) {
      const piece = bytes.subarray(0, seqDiff(first.start, start));
      first.pieces.unshift({ start, bytes: compact(piece) });
      this.#note(piece.length);
      first.start = start;
    }
    let last = at + 1;
    while (
      last < this.#runs.length && !seqLess(end, this.#runs[last]!.start)
    ) {
      const run = this.#runs[last]!;
      this.#extend(first, run.start, start, bytes);
      for (const piece of run.pieces) first.pieces.push(piece);
      first.end = run.end;
      last++;
    }
    this.#extend(first, end, start, bytes);
    this.#runs.splice(at + 1, last - at - 1);
    return undefined;
  }

  /** Continues a run up to `to` with what a payload has of it. */
  #extend(run: Run, to: number, start: number, bytes: Uint8Array): void {
    const length = seqDiff(to, run.end);
    if (length <= 0) return;
    const offset = seqDiff(run.end, start);
    const piece = bytes.subarray(offset, offset + length);
    run.pieces.push({ start: run.end, bytes: compact(piece) });
    run.end = to;
    this.#note(length);
  }

  #note(bytes: number): void {
    this.#size += bytes;
    this.#pieces++;
  }

  /** Hands over what has become in order after `next`; the new next. */
  take(next: number, queue: ReceiveQueue): number {
    let reached = next;
    while (this.#runs.length > 0 && !seqLess(reached, this.#runs[0]!.start)) {
      const run = this.#runs.shift()!;
      for (const { start, bytes } of run.pieces) {
        this.#size -= bytes.length;
        this.#pieces--;
        const old = seqDiff(reached, start);
        if (old >= bytes.length) continue;
        queue.push(old > 0 ? bytes.subarray(old) : bytes);
        reached = seqAdd(start, bytes.length);
      }
    }
    return reached;
  }

  /** Edges for SACK, the latest first. */
  blocks(limit: number): number[] {
    const edges: number[] = [];
    const latest = this.#runs.length <= 1
      ? this.#runs
      : [...this.#runs].sort((a, b) => b.order - a.order);
    for (let i = 0; i < latest.length && i < limit; i++) {
      edges.push(latest[i]!.start, latest[i]!.end);
    }
    return edges;
  }

  clear(): void {
    this.#runs = [];
    this.#size = 0;
    this.#pieces = 0;
  }
}

/** A small part of a large array becomes an array of its own. */
function compact(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.length ? bytes.slice() : bytes;
}
