/**
 * IPv4 headers. Source: RFC 791; RFC 6864 on the identification field.
 * @module
 */
import { checksum } from "./checksum.ts";
import type { Malformed } from "./malformed.ts";

export const IPV4_MIN_HEADER_SIZE = 20;
const MAX_HEADER_SIZE = 60;
const VERSION = 4;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

export interface Ipv4Header {
  /** DSCP and ECN. */
  readonly trafficClass: number;
  /** Bytes of the whole packet. */
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes; a multiple of 8. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  readonly protocol: number;
  /** Four bytes each. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** 0 to 40 bytes, a multiple of 4. */
  readonly options: Uint8Array;
}

/** Checks lengths and checksum. A packet that is longer than its total length
 * is padded by the link: the rest is not part of it. */
export function parseIpv4(packet: Uint8Array): Ipv4Header | Malformed {
  if (packet.length < IPV4_MIN_HEADER_SIZE) return "truncated";
  if (packet[0]! >> 4 !== VERSION) return "version";
  const headerLength = (packet[0]! & 15) * 4;
  if (headerLength < IPV4_MIN_HEADER_SIZE) return "length";
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const totalLength = view.getUint16(2);
  if (totalLength < headerLength) return "length";
  if (packet.length < totalLength) return "truncated";
  if (checksum(packet, 0, headerLength) !== 0) return "checksum";
  const fragment = view.getUint16(6);
  return {
    trafficClass: packet[1]!,
    totalLength,
    identification: view.getUint16(4),
    dontFragment: (fragment & DONT_FRAGMENT) !== 0,
    moreFragments: (fragment & MORE_FRAGMENTS) !== 0,
    fragmentOffset: (fragment & OFFSET_MASK) * 8,
    timeToLive: packet[8]!,
    protocol: packet[9]!,
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    options: packet.slice(IPV4_MIN_HEADER_SIZE, headerLength),
  };
}

/** Bytes that the header takes with its options. */
export function ipv4HeaderSize(header: Ipv4Header): number {
  return IPV4_MIN_HEADER_SIZE + header.options.length;
}

/** Writes header and checksum. Precondition: `into` has ipv4HeaderSize() bytes,
 * at most 60. */
export function emitIpv4(header: Ipv4Header, into: Uint8Array): void {
  const size = ipv4HeaderSize(header);
  if (size > MAX_HEADER_SIZE || size % 4 !== 0) {
    throw new RangeError(`IPv4 options of ${header.options.length} bytes`);
  }
  const view = new DataView(into.buffer, into.byteOffset, size);
  view.setUint8(0, (VERSION << 4) | (size / 4));
  view.setUint8(1, header.trafficClass);
  view.setUint16(2, header.totalLength);
  view.setUint16(4, header.identification);
  view.setUint16(
    6,
    (header.dontFragment ? DONT_FRAGMENT : 0) |
      (header.moreFragments ? MORE_FRAGMENTS : 0) |
      (header.fragmentOffset / 8),
  );
  view.setUint8(8, header.timeToLive);
  view.setUint8(9, header.protocol);
  view.setUint16(10, 0);
  into.set(header.source, 12);
  into.set(header.destination, 16);
  into.set(header.options, IPV4_MIN_HEADER_SIZE);
  view.setUint16(10, checksum(into, 0, size));
}
