/**
 * Segments that were sent and are not yet acknowledged, with what the peer's
 * SACK blocks said of them and when they were sent: the scoreboard of RFC 6675
 * with the times that RFC 8985 (RACK) needs.
 * @module
 */
import type { Millis } from "../../clock.ts";
import { seqDiff, seqLess } from "./sequence.ts";

export interface SentSegment {
  start: number;
  end: number;
  sentAt: Millis;
  /** When it was sent first: the age of what is outstanding. */
  readonly firstSentAt: Millis;
  retransmissions: number;
  isSacked: boolean;
  isLost: boolean;
  /** Counted in `inFlight`. */
  isInFlight: boolean;
}

export class SentQueue {
  #segments: SentSegment[] = [];
  #head = 0;
  /** Bytes believed to be on the way ("pipe"). */
  inFlight = 0;
  /** Bytes that wait to be sent again. */
  lostBytes = 0;
  sackedBytes = 0;

  get length(): number {
    return this.#segments.length - this.#head;
  }

  get first(): SentSegment | undefined {
    return this.#segments[this.#head];
  }

  get last(): SentSegment | undefined {
    return this.length === 0 ? undefined : this.#segments.at(-1);
  }

  *[Symbol.iterator](): Iterator<SentSegment> {
    for (let i = this.#head; i < this.#segments.length; i++) {
      yield this.#segments[i]!;
    }
  }

  push(start: number, end: number, now: Millis): void {
    this.#segments.push({
      start,
      end,
      sentAt: now,
      firstSentAt: now,
      retransmissions: 0,
      isSacked: false,
      isLost: false,
      isInFlight: true,
    });
    this.inFlight += seqDiff(end, start);
  }

  /** Removes what is acknowledged; each segment is shown to `onAcked`. */
  acknowledge(ack: number, onAcked: (segment: SentSegment) => void): void {
    for (;;) {
      const segment = this.#segments[this.#head];
      if (segment === undefined || !seqLess(segment.start, ack)) break;
      if (seqLess(ack, segment.end)) {
        // A part of it, as when the peer cut it or probed.
        const part = { ...segment, end: ack };
        this.#subtract(segment, seqDiff(ack, segment.start));
        segment.start = ack;
        onAcked(part);
        break;
      }
      this.#subtract(segment, seqDiff(segment.end, segment.start));
      this.#head++;
      onAcked(segment);
    }
    if (this.#head === this.#segments.length) {
      this.#segments.length = 0;
      this.#head = 0;
    } else if (this.#head > 64 && 2 * this.#head > this.#segments.length) {
      this.#segments = this.#segments.slice(this.#head);
      this.#head = 0;
    }
  }

  #subtract(segment: SentSegment, bytes: number): void {
    if (segment.isInFlight) this.inFlight -= bytes;
    if (segment.isSacked) this.sackedBytes -= bytes;
    else if (segment.isLost) this.lostBytes -= bytes;
  }

  /** Notes a SACK block; bytes that are new to us. */
  sack(
    left: number,
    right: number,
    onSacked: (segment: SentSegment) => void,
  ): number {
    let bytes = 0;
    for (let i = this.#head; i < this.#segments.length; i++) {
      const segment = this.#segments[i]!;
      if (!seqLess(segment.start, right)) break;
      if (segment.isSacked || seqLess(segment.start, left)) continue;
      if (seqLess(right, segment.end)) continue;
      const length = seqDiff(segment.end, segment.start);
      if (segment.isInFlight) {
        segment.isInFlight = false;
        this.inFlight -= length;
      }
      if (segment.isLost) {
        segment.isLost = false;
        this.lostBytes -= length;
      }
      segment.isSacked = true;
      this.sackedBytes += length;
      bytes += length;
      onSacked(segment);
    }
    return bytes;
  }

  markLost(segment: SentSegment): void {
    if (segment.isLost || segment.isSacked) return;
    const length = seqDiff(segment.end, segment.start);
    segment.isLost = true;
    this.lostBytes += length;
    if (segment.isInFlight) {
      segment.isInFlight = false;
      this.inFlight -= length;
    }
  }

  /** After a timeout nothing counts as on its way; SACKs may be taken back by
   * the peer (RFC 2018 §8), so that they are kept only as long as the first
   * segment is not among them. */
  markAllLost(): void {
    if (this.first?.isSacked === true) this.forgetSacks();
    for (const segment of this) this.markLost(segment);
  }

  forgetSacks(): void {
    for (const segment of this) {
      if (!segment.isSacked) continue;
      segment.isSacked = false;
      this.sackedBytes -= seqDiff(segment.end, segment.start);
    }
  }

  /** The first that is lost and must be sent again. */
  firstLost(): SentSegment | undefined {
    if (this.lostBytes === 0) return undefined;
    for (let i = this.#head; i < this.#segments.length; i++) {
      if (this.#segments[i]!.isLost) return this.#segments[i];
    }
    return undefined;
  }

  /** Cuts a segment so that at most `size` bytes remain in it; the rest is a
   * segment after it. */
  split(segment: SentSegment, size: number): void {
    const middle = (segment.start + size) >>> 0;
    if (!seqLess(middle, segment.end)) return;
    const index = this.#segments.indexOf(segment, this.#head);
    this.#segments.splice(index + 1, 0, { ...segment, start: middle });
    segment.end = middle;
  }

  /** Notes that a segment has been sent again. */
  resent(segment: SentSegment, now: Millis): void {
    const length = seqDiff(segment.end, segment.start);
    if (segment.isLost) {
      segment.isLost = false;
      this.lostBytes -= length;
    }
    if (!segment.isInFlight) {
      segment.isInFlight = true;
      this.inFlight += length;
    }
    segment.retransmissions++;
    segment.sentAt = now;
  }

  clear(): void {
    this.#segments = [];
    this.#head = 0;
    this.inFlight = 0;
    this.lostBytes = 0;
    this.sackedBytes = 0;
  }
}
