/**
 * Multicast listener discovery: IGMP's work for IPv6, in ICMPv6 messages whose
 * header is in `icmp.ts`. Source: RFC 2710 §3, RFC 3810 §5.
 * @module
 */
import { emitRecords, type MembershipRecord, parseRecords } from "./igmp.ts";
import type { Malformed } from "./malformed.ts";

export interface MldQuery {
  readonly version: 1 | 2;
  readonly maxResponseMs: number;
  /** Zeros: a general query. */
  readonly group: Uint8Array;
}

/** `rest` is the ICMPv6 header's last word. */
export function parseMldQuery(
  rest: number,
  body: Uint8Array,
): MldQuery | Malformed {
  if (body.length < 16) return "truncated";
  const group = body.slice(0, 16);
  const code = rest >>> 16;
  if (body.length < 20) return { version: 1, maxResponseMs: code, group };
  // 32768 and more: a small floating point number (RFC 3810 §5.1.3).
  const maxResponseMs = code < 32768
    ? code
    : ((code & 0xfff) | 0x1000) * 2 ** (((code >> 12) & 7) + 3);
  return { version: 2, maxResponseMs, group };
}

/** Body of a version 2 report. */
export function parseMldReport(
  rest: number,
  body: Uint8Array,
): MembershipRecord[] | Malformed {
  return parseRecords(body, 0, rest & 0xffff, 16);
}

/** The last word of the ICMPv6 header, and the body. */
export function emitMldReport(
  records: readonly MembershipRecord[],
): { readonly rest: number; readonly body: Uint8Array } {
  return { rest: records.length, body: emitRecords(records) };
}
