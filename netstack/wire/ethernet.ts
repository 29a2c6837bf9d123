/**
 * Ethernet II frames: destination, source, type. Source: RFC 894, IEEE 802.3
 * clause 3.2.6 (a field below 0x600 is a length, which we refuse).
 * @module
 */
import type { Malformed } from "./malformed.ts";

export const ETHERNET_HEADER_SIZE = 14;

/** What a frame carries; others are passed on as their number. */
export const EtherType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  IPV6: 0x86dd,
} as const;

/** The smallest value that is a type and not a length. */
const FIRST_TYPE = 0x600;

export interface EthernetHeader {
  /** Six bytes each. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly type: number;
}

export function parseEthernet(
  frame: Uint8Array,
): EthernetHeader | Malformed {
  if (frame.length < ETHERNET_HEADER_SIZE) return "truncated";
  const type = (frame[12]! << 8) | frame[13]!;
  if (type < FIRST_TYPE) return "length";
  return { destination: frame.slice(0, 6), source: frame.slice(6, 12), type };
}

/** Precondition: `into` has ETHERNET_HEADER_SIZE bytes, addresses have six. */
export function emitEthernet(header: EthernetHeader, into: Uint8Array): void {
  into.set(header.destination, 0);
  into.set(header.source, 6);
  into[12] = header.type >> 8;
  into[13] = header.type & 0xff;
}
