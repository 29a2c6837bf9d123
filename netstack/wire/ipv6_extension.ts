/**
 * IPv6 extension headers: hop-by-hop and destination options, routing,
 * fragment. Source: RFC 8200 §4; RFC 8504 §5.3 allows a limit on their number;
 * RFC 2711 for the router alert option.
 * @module
 */
import type { Malformed } from "./malformed.ts";
import { Protocol } from "./protocol.ts";

export const FRAGMENT_HEADER_SIZE = 8;
/** More are refused, so that no packet keeps us walking. */
const MAX_HEADERS = 8;
const MAX_OPTIONS = 16;
const OPTION_PAD1 = 0;
const OPTION_PADN = 1;
const OPTION_ROUTER_ALERT = 5;

/** What stands in a fragment header. */
export interface FragmentHeader {
  /** Bytes; a multiple of 8. */
  readonly offset: number;
  readonly moreFragments: boolean;
  readonly identification: number;
  readonly nextHeader: number;
}

/** The chain as far as we may look: to the upper layer, or to a fragment. */
export interface ExtensionChain {
  /** Of what follows; the fragmented part's if `fragment` is given. */
  readonly protocol: number;
  /** Where the upper layer (or the fragment's data) begins. */
  readonly offset: number;
  readonly fragment: FragmentHeader | undefined;
  readonly hasRouterAlert: boolean;
}

/** A header that must be answered by ICMPv6 parameter problem, or dropped. */
export interface ExtensionProblem {
  /** 0: erroneous field, 1: unrecognised next header, 2: unrecognised option. */
  readonly code: number;
  /** Offset of the culprit from the start of the IPv6 header. */
  readonly pointer: number;
  /** `always` even for a multicast destination, `unicast` only, or `never`. */
  readonly report: "always" | "unicast" | "never";
}

export function isExtensionProblem(
  value: ExtensionChain | ExtensionProblem | Malformed,
): value is ExtensionProblem {
  return typeof value === "object" && "pointer" in value;
}

/** Walks `packet` (from its IPv6 header) beginning with header `first` at
 * `start`. `packet` ends where the payload length says. */
export function walkExtensions(
  packet: Uint8Array,
  first: number,
  start: number,
): ExtensionChain | ExtensionProblem | Malformed {
  let protocol = first;
  let at = start;
  let hasRouterAlert = false;
  for (let count = 0; count <= MAX_HEADERS; count++) {
    if (protocol === Protocol.HOP_BY_HOP && count !== 0) {
      // Only straight after the IPv6 header (§4.1).
      return { code: 1, pointer: at, report: "unicast" };
    }
    switch (protocol) {
      case Protocol.HOP_BY_HOP:
      case Protocol.ROUTING:
      case Protocol.DESTINATION_OPTIONS: {
        if (at + 8 > packet.length) return "truncated";
        const size = 8 * (packet[at + 1]! + 1);
        if (at + size > packet.length) return "truncated";
        if (protocol === Protocol.ROUTING) {
          // A routing type we do not know, with segments left (§4.4). Type 0
          // is such a type (RFC 5095).
          if (packet[at + 3] !== 0) {
            return { code: 0, pointer: at + 2, report: "unicast" };
          }
        } else {
          const bad = checkOptions(packet, at + 2, at + size);
          if (typeof bad !== "boolean") return bad;
          hasRouterAlert ||= bad;
        }
        protocol = packet[at]!;
        at += size;
        break;
      }
      case Protocol.FRAGMENT: {
        if (at + FRAGMENT_HEADER_SIZE > packet.length) return "truncated";
        const field = (packet[at + 2]! << 8) | packet[at + 3]!;
        const fragment: FragmentHeader = {
          offset: field & 0xfff8,
          moreFragments: (field & 1) !== 0,
          identification: ((packet[at + 4]! << 24) | (packet[at + 5]! << 16) |
            (packet[at + 6]! << 8) | packet[at + 7]!) >>> 0,
          nextHeader: packet[at]!,
        };
        at += FRAGMENT_HEADER_SIZE;
        // An atomic fragment is a whole packet (RFC 6946).
        if (fragment.offset !== 0 || fragment.moreFragments) {
          const next = fragment.nextHeader;
          return { protocol: next, offset: at, fragment, hasRouterAlert };
        }
        protocol = fragment.nextHeader;
        break;
      }
      default:
        return { protocol, offset: at, fragment: undefined, hasRouterAlert };
    }
  }
  return "limit";
}

/** True if a router alert is among the options. The two highest bits of an
 * unknown option say what to do (§4.2). */
function checkOptions(
  packet: Uint8Array,
  start: number,
  end: number,
): boolean | ExtensionProblem | Malformed {
  let at = start;
  let hasRouterAlert = false;
  for (let count = 0; at < end; count++) {
    if (count >= MAX_OPTIONS) return "limit";
    const type = packet[at]!;
    if (type === OPTION_PAD1) {
      at++;
      continue;
    }
    if (at + 2 > end) return "option";
    const length = packet[at + 1]!;
    if (at + 2 + length > end) return "option";
    if (type === OPTION_ROUTER_ALERT) hasRouterAlert = true;
    else if (type !== OPTION_PADN) {
      switch (type >> 6) {
        case 0:
          break;
        case 1:
          return { code: 2, pointer: at, report: "never" };
        case 2:
          return { code: 2, pointer: at, report: "always" };
        default:
          return { code: 2, pointer: at, report: "unicast" };
      }
    }
    at += 2 + length;
  }
  return hasRouterAlert;
}

/** Precondition: `into` has FRAGMENT_HEADER_SIZE bytes at `at`. */
export function emitFragmentHeader(
  header: FragmentHeader,
  into: Uint8Array,
  at: number,
): void {
  into[at] = header.nextHeader;
  into[at + 1] = 0;
  into[at + 2] = header.offset >> 8;
  into[at + 3] = (header.offset & 0xf8) | (header.moreFragments ? 1 : 0);
  const id = header.identification;
  into[at + 4] = id >>> 24;
  into[at + 5] = (id >>> 16) & 255;
  into[at + 6] = (id >>> 8) & 255;
  into[at + 7] = id & 255;
}

/** Eight bytes of hop-by-hop options with a router alert for MLD. */
export function routerAlertHeader(nextHeader: number): Uint8Array {
  return Uint8Array.of(nextHeader, 0, OPTION_ROUTER_ALERT, 2, 0, 0, 1, 0);
}
