/**
 * ICMP messages of both versions: type, code, four bytes whose meaning depends
 * on the type, and a body. Source: RFC 792, RFC 1191, RFC 4443. Neighbour
 * discovery is in `ndp.ts`, multicast listeners in `mld.ts`.
 * @module
 */
import {
  checksum,
  foldChecksum,
  pseudoHeaderSum,
  sumBytes,
} from "./checksum.ts";
import type { Malformed } from "./malformed.ts";
import { Protocol } from "./protocol.ts";

export const ICMP_HEADER_SIZE = 8;

/** Types of ICMP for IPv4. */
export const Icmpv4Type = {
  ECHO_REPLY: 0,
  DESTINATION_UNREACHABLE: 3,
  REDIRECT: 5,
  ECHO_REQUEST: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
  TIMESTAMP: 13,
  TIMESTAMP_REPLY: 14,
} as const;

/** Codes of IPv4's destination unreachable. */
export const Unreachable = {
  NETWORK: 0,
  HOST: 1,
  PROTOCOL: 2,
  PORT: 3,
  FRAGMENTATION_NEEDED: 4,
  SOURCE_ROUTE: 5,
  NETWORK_UNKNOWN: 6,
  HOST_UNKNOWN: 7,
  NETWORK_PROHIBITED: 9,
  HOST_PROHIBITED: 10,
  PROHIBITED: 13,
} as const;

/** Types of ICMPv6. */
export const Icmpv6Type = {
  DESTINATION_UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
  MLD_QUERY: 130,
  MLD_REPORT: 131,
  MLD_DONE: 132,
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOR_SOLICITATION: 135,
  NEIGHBOR_ADVERTISEMENT: 136,
  REDIRECT: 137,
  MLDV2_REPORT: 143,
} as const;

/** Codes of ICMPv6's destination unreachable. */
export const Unreachable6 = {
  NO_ROUTE: 0,
  PROHIBITED: 1,
  BEYOND_SCOPE: 2,
  ADDRESS: 3,
  PORT: 4,
} as const;

export interface IcmpMessage {
  readonly type: number;
  readonly code: number;
  /** Bytes 4 to 7: identifier and sequence number, next hop MTU, pointer. */
  readonly rest: number;
  /** A view, not a copy. */
  readonly body: Uint8Array;
}

/** True for errors, which must not be answered by errors (RFC 1122 §3.2.2). */
export function isIcmpv4Error(type: number): boolean {
  return type === Icmpv4Type.DESTINATION_UNREACHABLE || type === 4 ||
    type === Icmpv4Type.REDIRECT || type === Icmpv4Type.TIME_EXCEEDED ||
    type === Icmpv4Type.PARAMETER_PROBLEM;
}

function read(bytes: Uint8Array): IcmpMessage {
  return {
    type: bytes[0]!,
    code: bytes[1]!,
    rest: ((bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) |
      bytes[7]!) >>> 0,
    body: bytes.subarray(ICMP_HEADER_SIZE),
  };
}

function write(message: IcmpMessage, into: Uint8Array): void {
  const { rest } = message;
  into[0] = message.type;
  into[1] = message.code;
  into[2] = 0;
  into[3] = 0;
  into[4] = rest >>> 24;
  into[5] = (rest >>> 16) & 255;
  into[6] = (rest >>> 8) & 255;
  into[7] = rest & 255;
  into.set(message.body, ICMP_HEADER_SIZE);
}

export function parseIcmpv4(bytes: Uint8Array): IcmpMessage | Malformed {
  if (bytes.length < ICMP_HEADER_SIZE) return "truncated";
  if (checksum(bytes, 0, bytes.length) !== 0) return "checksum";
  return read(bytes);
}

/** Bytes of the message. */
export function icmpSize(message: IcmpMessage): number {
  return ICMP_HEADER_SIZE + message.body.length;
}

/** Precondition: `into` has icmpSize() bytes. */
export function emitIcmpv4(message: IcmpMessage, into: Uint8Array): void {
  write(message, into);
  setChecksum(into, checksum(into, 0, icmpSize(message)));
}

export function parseIcmpv6(
  bytes: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): IcmpMessage | Malformed {
  if (bytes.length < ICMP_HEADER_SIZE) return "truncated";
  if (icmpv6Checksum(bytes, source, destination) !== 0) return "checksum";
  return read(bytes);
}

/** Precondition: `into` has icmpSize() bytes, no more. */
export function emitIcmpv6(
  message: IcmpMessage,
  into: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  write(message, into);
  setChecksum(into, icmpv6Checksum(into, source, destination));
}

/** Of a whole message whose checksum field is zero, or right. */
export function icmpv6Checksum(
  bytes: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  const size = bytes.length;
  const sum = pseudoHeaderSum(source, destination, Protocol.ICMPV6, size);
  return foldChecksum(sumBytes(bytes, 0, size, sum));
}

function setChecksum(into: Uint8Array, value: number): void {
  into[2] = value >> 8;
  into[3] = value & 255;
}
