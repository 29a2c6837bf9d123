/**
 * ARP for IPv4 over Ethernet. Source: RFC 826; RFC 5227 for probes and
 * announcements.
 * @module
 */
import type { Malformed } from "./malformed.ts";

export const ARP_SIZE = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

export interface ArpPacket {
  readonly operation: number;
  /** Six bytes each; addresses below have four. */
  readonly senderMac: Uint8Array;
  readonly senderAddress: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetAddress: Uint8Array;
}

/** Hardware type 1 (Ethernet), protocol 0x0800, lengths 6 and 4. */
const FIXED = Uint8Array.of(0, 1, 8, 0, 6, 4);

export function parseArp(bytes: Uint8Array): ArpPacket | Malformed {
  if (bytes.length < ARP_SIZE) return "truncated";
  for (let i = 0; i < FIXED.length; i++) {
    if (bytes[i] !== FIXED[i]) return "type";
  }
  return {
    operation: (bytes[6]! << 8) | bytes[7]!,
    senderMac: bytes.slice(8, 14),
    senderAddress: bytes.slice(14, 18),
    targetMac: bytes.slice(18, 24),
    targetAddress: bytes.slice(24, 28),
  };
}

/** Precondition: `into` has ARP_SIZE bytes. */
export function emitArp(packet: ArpPacket, into: Uint8Array): void {
  into.set(FIXED, 0);
  into[6] = packet.operation >> 8;
  into[7] = packet.operation & 255;
  into.set(packet.senderMac, 8);
  into.set(packet.senderAddress, 14);
  into.set(packet.targetMac, 18);
  into.set(packet.targetAddress, 24);
}
