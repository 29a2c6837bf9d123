/**
 * Bodies of neighbour discovery messages and their options; the ICMPv6 header
 * around them is in `icmp.ts`. Source: RFC 4861 §4, RFC 4862 §5.5.3, RFC 8106
 * for DNS servers.
 * @module
 */
import type { Malformed } from "./malformed.ts";

const OPTION_SOURCE_LINK = 1;
const OPTION_TARGET_LINK = 2;
const OPTION_PREFIX = 3;
const OPTION_MTU = 5;
const OPTION_RDNSS = 25;
/** More options than this are not looked at. */
const MAX_OPTIONS = 32;
/** Flags of a neighbour advertisement, in the ICMPv6 header's last word. */
export const NA_ROUTER = 0x80000000;
export const NA_SOLICITED = 0x40000000;
export const NA_OVERRIDE = 0x20000000;

export interface PrefixInformation {
  readonly bits: number;
  readonly isOnLink: boolean;
  readonly isAutonomous: boolean;
  /** Seconds; 0xffffffff is for ever. */
  readonly validSeconds: number;
  readonly preferredSeconds: number;
  readonly prefix: Uint8Array;
}

/** What the options said; absent ones are undefined or empty. */
export interface NdpOptions {
  readonly sourceMac?: Uint8Array;
  readonly targetMac?: Uint8Array;
  readonly mtu?: number;
  readonly prefixes: readonly PrefixInformation[];
  readonly dnsServers: readonly Uint8Array[];
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) |
    bytes[at + 3]!) >>> 0;
}

/** Reads options from `at` to the end; unknown ones are skipped (§4.6). */
export function parseNdpOptions(
  body: Uint8Array,
  at: number,
): NdpOptions | Malformed {
  let sourceMac: Uint8Array | undefined;
  let targetMac: Uint8Array | undefined;
  let mtu: number | undefined;
  const prefixes: PrefixInformation[] = [];
  const dnsServers: Uint8Array[] = [];
  for (let count = 0; at < body.length; count++) {
    if (count >= MAX_OPTIONS) return "limit";
    if (at + 2 > body.length) return "truncated";
    const size = 8 * body[at + 1]!;
    if (size === 0) return "option";
    if (at + size > body.length) return "truncated";
    switch (body[at]) {
      case OPTION_SOURCE_LINK:
        sourceMac = body.slice(at + 2, at + 8);
        break;
      case OPTION_TARGET_LINK:
        targetMac = body.slice(at + 2, at + 8);
        break;
      case OPTION_PREFIX:
        if (size !== 32 || body[at + 2]! > 128) return "option";
        prefixes.push({
          bits: body[at + 2]!,
          isOnLink: (body[at + 3]! & 0x80) !== 0,
          isAutonomous: (body[at + 3]! & 0x40) !== 0,
          validSeconds: u32(body, at + 4),
          preferredSeconds: u32(body, at + 8),
          prefix: body.slice(at + 16, at + 32),
        });
        break;
      case OPTION_MTU:
        if (size !== 8) return "option";
        mtu = u32(body, at + 4);
        break;
      case OPTION_RDNSS:
        if (size < 24) return "option";
        for (let i = at + 8; i + 16 <= at + size; i += 16) {
          dnsServers.push(body.slice(i, i + 16));
        }
        break;
      default:
    }
    at += size;
  }
  return {
    ...(sourceMac === undefined ? {} : { sourceMac }),
    ...(targetMac === undefined ? {} : { targetMac }),
    ...(mtu === undefined ? {} : { mtu }),
    prefixes,
    dnsServers,
  };
}

/** Bytes of the options of a value. */
export function emitNdpOptions(options: NdpOptions): Uint8Array {
  const out: number[] = [];
  const word = (value: number) => {
    out.push(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255);
    out.push(value & 255);
  };
  if (options.sourceMac !== undefined) {
    out.push(OPTION_SOURCE_LINK, 1, ...options.sourceMac);
  }
  if (options.targetMac !== undefined) {
    out.push(OPTION_TARGET_LINK, 1, ...options.targetMac);
  }
  if (options.mtu !== undefined) {
    out.push(OPTION_MTU, 1, 0, 0);
    word(options.mtu);
  }
  for (const prefix of options.prefixes) {
    const flags = (prefix.isOnLink ? 0x80 : 0) |
      (prefix.isAutonomous ? 0x40 : 0);
    out.push(OPTION_PREFIX, 4, prefix.bits, flags);
    word(prefix.validSeconds);
    word(prefix.preferredSeconds);
    word(0);
    out.push(...prefix.prefix);
  }
  if (options.dnsServers.length > 0) {
    out.push(OPTION_RDNSS, 1 + 2 * options.dnsServers.length, 0, 0);
    word(0xffffffff);
    for (const server of options.dnsServers) out.push(...server);
  }
  return Uint8Array.from(out);
}

/** Body of a neighbour solicitation or advertisement: target and options. */
export interface NeighborBody {
  readonly target: Uint8Array;
  readonly options: NdpOptions;
}

export function parseNeighborBody(body: Uint8Array): NeighborBody | Malformed {
  if (body.length < 16) return "truncated";
  const options = parseNdpOptions(body, 16);
  if (typeof options === "string") return options;
  return { target: body.slice(0, 16), options };
}

export function emitNeighborBody(value: NeighborBody): Uint8Array {
  const options = emitNdpOptions(value.options);
  const body = new Uint8Array(16 + options.length);
  body.set(value.target);
  body.set(options, 16);
  return body;
}

/** A router advertisement: the header's last word and the body. */
export interface RouterAdvertisement {
  /** 0: unspecified. */
  readonly hopLimit: number;
  readonly isManaged: boolean;
  readonly hasOtherConfig: boolean;
  /** Of the default route; 0: not a default router. */
  readonly lifetimeSeconds: number;
  readonly reachableMs: number;
  readonly retransmitMs: number;
  readonly options: NdpOptions;
}

/** `rest` is the ICMPv6 header's last word. */
export function parseRouterAdvertisement(
  rest: number,
  body: Uint8Array,
): RouterAdvertisement | Malformed {
  if (body.length < 8) return "truncated";
  const options = parseNdpOptions(body, 8);
  if (typeof options === "string") return options;
  return {
    hopLimit: rest >>> 24,
    isManaged: (rest & 0x800000) !== 0,
    hasOtherConfig: (rest & 0x400000) !== 0,
    lifetimeSeconds: rest & 0xffff,
    reachableMs: u32(body, 0),
    retransmitMs: u32(body, 4),
    options,
  };
}

export function emitRouterAdvertisement(
  value: RouterAdvertisement,
): { readonly rest: number; readonly body: Uint8Array } {
  const options = emitNdpOptions(value.options);
  const body = new Uint8Array(8 + options.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, value.reachableMs);
  view.setUint32(4, value.retransmitMs);
  body.set(options, 8);
  const rest = ((value.hopLimit << 24) | (value.isManaged ? 0x800000 : 0) |
    (value.hasOtherConfig ? 0x400000 : 0) | value.lifetimeSeconds) >>> 0;
  return { rest, body };
}
