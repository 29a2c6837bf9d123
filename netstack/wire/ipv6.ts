/**
 * IPv6 headers. Source: RFC 8200 §3; extension headers are in
 * `ipv6_extension.ts`.
 * @module
 */
import type { Malformed } from "./malformed.ts";

export const IPV6_HEADER_SIZE = 40;

export interface Ipv6Header {
  /** DSCP and ECN. */
  readonly trafficClass: number;
  /** 20 bits. */
  readonly flowLabel: number;
  /** Bytes after this header, extension headers included. */
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  /** Sixteen bytes each. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** A packet that is longer than it says is padded by the link. */
export function parseIpv6(packet: Uint8Array): Ipv6Header | Malformed {
  if (packet.length < IPV6_HEADER_SIZE) return "truncated";
  if (packet[0]! >> 4 !== 6) return "version";
  const payloadLength = (packet[4]! << 8) | packet[5]!;
  if (packet.length < IPV6_HEADER_SIZE + payloadLength) return "truncated";
  return {
    trafficClass: ((packet[0]! & 15) << 4) | (packet[1]! >> 4),
    flowLabel: ((packet[1]! & 15) << 16) | (packet[2]! << 8) | packet[3]!,
    payloadLength,
    nextHeader: packet[6]!,
    hopLimit: packet[7]!,
    source: packet.slice(8, 24),
    destination: packet.slice(24, 40),
  };
}

/** Precondition: `into` has IPV6_HEADER_SIZE bytes. */
export function emitIpv6(header: Ipv6Header, into: Uint8Array): void {
  into[0] = 0x60 | (header.trafficClass >> 4);
  into[1] = ((header.trafficClass & 15) << 4) | (header.flowLabel >> 16);
  into[2] = (header.flowLabel >> 8) & 255;
  into[3] = header.flowLabel & 255;
  into[4] = header.payloadLength >> 8;
  into[5] = header.payloadLength & 255;
  into[6] = header.nextHeader;
  into[7] = header.hopLimit;
  into.set(header.source, 8);
  into.set(header.destination, 24);
}
