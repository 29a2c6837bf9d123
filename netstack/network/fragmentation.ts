/**
 * Pieces of packets: cutting is in ipv4.ts and ipv6.ts, here they are put
 * together again, within limits that strangers cannot exceed. Source: RFC 791
 * §3.2, RFC 8200 §4.5, RFC 5722 (overlaps end a datagram; Linux does the same
 * for IPv4).
 * @module
 */
import type { Millis } from "../clock.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import { addressText } from "../wire/address.ts";

/** Of the datagrams that wait, headers included (Linux's ipfrag_high_thresh). */
export const REASSEMBLY_LIMIT_BYTES = 4 * 1024 * 1024;
/** Pieces of one datagram; a link of 576 bytes needs 120. */
const MAX_PIECES = 512;
const MAX_DATAGRAMS = 1024;
const MAX_PAYLOAD = 65535;
/** What a piece costs beyond its bytes. */
const PIECE_OVERHEAD = 256;

/** A fragment as the network layer has found it. */
export interface Fragment {
  readonly packet: PacketBuffer;
  readonly identification: number;
  /** Bytes of payload before this piece. */
  readonly offset: number;
  readonly moreFragments: boolean;
  readonly protocol: number;
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly packet: PacketBuffer;
}

class Datagram {
  readonly pieces: Piece[] = [];
  /** Bytes that have arrived, and that there will be; -1: not known. */
  received = 0;
  total = -1;
  cost = 0;
  readonly expiresAt: Millis;

  constructor(expiresAt: Millis) {
    this.expiresAt = expiresAt;
  }
}

/** A datagram whose time is over; its first piece, if it had arrived, so that
 * the sender can be told. */
export interface Expired {
  readonly first: PacketBuffer | undefined;
}

export class Reassembler {
  readonly #timeoutMs: Millis;
  /** In the order of arrival, which is that of expiry. */
  readonly #datagrams = new Map<string, Datagram>();
  #bytes = 0;

  constructor(timeoutMs: Millis) {
    this.#timeoutMs = timeoutMs;
  }

  /** Bytes that wait, with overhead; at most REASSEMBLY_LIMIT_BYTES. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a fragment (packet.start at its payload). The first piece's packet
   * and the whole payload when it was the last one missing. */
  add(
    fragment: Fragment,
    now: Millis,
  ):
    | { readonly first: PacketBuffer; readonly payload: Uint8Array }
    | undefined {
    const { packet, offset } = fragment;
    const size = packet.size;
    const end = offset + size;
    if (end > MAX_PAYLOAD || size === 0) return undefined;
    if (fragment.moreFragments && size % 8 !== 0) return undefined;

    const key = `${addressText(packet.source)}|` +
      `${addressText(packet.destination)}|${fragment.identification}|` +
      `${packet.destination.length === 4 ? fragment.protocol : ""}`;
    let datagram = this.#datagrams.get(key);
    if (datagram === undefined) {
      datagram = new Datagram(now + this.#timeoutMs);
      this.#datagrams.set(key, datagram);
    }
    const at = place(datagram, offset, end);
    if (at === "duplicate") return undefined;
    if (
      at === "overlap" || datagram.pieces.length >= MAX_PIECES ||
      contradicts(datagram, end, fragment.moreFragments)
    ) {
      this.#forget(key, datagram);
      return undefined;
    }
    if (!fragment.moreFragments) datagram.total = end;
    const cost = packet.bytes.length + PIECE_OVERHEAD;
    datagram.pieces.splice(at, 0, { start: offset, end, packet });
    datagram.received += size;
    datagram.cost += cost;
    this.#bytes += cost;
    if (datagram.received === datagram.total) {
      this.#forget(key, datagram);
      return join(datagram);
    }
    this.#makeRoom();
    return undefined;
  }

  /** When the oldest datagram expires. */
  nextDeadline(): Millis | undefined {
    for (const datagram of this.#datagrams.values()) return datagram.expiresAt;
    return undefined;
  }

  /** Drops what is too old and says so. */
  expire(now: Millis): Expired[] {
    const expired: Expired[] = [];
    for (const [key, datagram] of this.#datagrams) {
      if (datagram.expiresAt > now) break;
      this.#forget(key, datagram);
      const first = datagram.pieces[0];
      expired.push({ first: first?.start === 0 ? first.packet : undefined });
    }
    return expired;
  }

  /** The oldest goes first. */
  #makeRoom(): void {
    for (const [key, datagram] of this.#datagrams) {
      if (
        this.#bytes <= REASSEMBLY_LIMIT_BYTES &&
        this.#datagrams.size <= MAX_DATAGRAMS
      ) return;
      this.#forget(key, datagram);
    }
  }

  #forget(key: string, datagram: Datagram): void {
    this.#datagrams.delete(key);
    this.#bytes -= datagram.cost;
  }
}

/** Where a piece belongs among those there. */
function place(
  datagram: Datagram,
  start: number,
  end: number,
): number | "duplicate" | "overlap" {
  const { pieces } = datagram;
  let at = pieces.length;
  while (at > 0 && pieces[at - 1]!.start >= start) at--;
  const before = pieces[at - 1];
  const after = pieces[at];
  if (after !== undefined && after.start === start && after.end === end) {
    return "duplicate";
  }
  if (before !== undefined && before.end > start) return "overlap";
  if (after !== undefined && after.start < end) return "overlap";
  return at;
}

/** True if the piece says another total length than an earlier one. */
function contradicts(
  datagram: Datagram,
  end: number,
  moreFragments: boolean,
): boolean {
  if (datagram.total >= 0) {
    return moreFragments ? end > datagram.total : end !== datagram.total;
  }
  const last = datagram.pieces.at(-1);
  return !moreFragments && last !== undefined && last.end > end;
}

function join(
  datagram: Datagram,
): { readonly first: PacketBuffer; readonly payload: Uint8Array } {
  const payload = new Uint8Array(datagram.total);
  for (const { start, packet } of datagram.pieces) {
    payload.set(packet.view(), start);
  }
  return { first: datagram.pieces[0]!.packet, payload };
}
