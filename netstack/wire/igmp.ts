/**
 * IGMP: which groups the hosts of a link listen to. Versions 1 and 2 have eight
 * bytes, version 3 adds sources and reports of many records. Source: RFC 1112
 * appendix I, RFC 2236 §2, RFC 3376 §4.
 * @module
 */
import { checksum } from "./checksum.ts";
import type { Malformed } from "./malformed.ts";

export const IgmpType = {
  QUERY: 0x11,
  V1_REPORT: 0x12,
  V2_REPORT: 0x16,
  V2_LEAVE: 0x17,
  V3_REPORT: 0x22,
} as const;

/** Records of a version 3 report (RFC 3376 §4.2.12); MLDv2 has the same. */
export const GroupRecord = {
  MODE_IS_INCLUDE: 1,
  MODE_IS_EXCLUDE: 2,
  CHANGE_TO_INCLUDE: 3,
  CHANGE_TO_EXCLUDE: 4,
  ALLOW_NEW: 5,
  BLOCK_OLD: 6,
} as const;

/** More are refused. */
const MAX_RECORDS = 256;

export interface MembershipRecord {
  readonly type: number;
  readonly group: Uint8Array;
  readonly sources: readonly Uint8Array[];
}

export type IgmpMessage =
  | {
    readonly kind: "query";
    readonly version: 1 | 2 | 3;
    /** Milliseconds within which to answer; version 1 means 10 seconds. */
    readonly maxResponseMs: number;
    /** Zeros: a general query. */
    readonly group: Uint8Array;
  }
  | {
    readonly kind: "report" | "leave";
    readonly version: 1 | 2;
    readonly group: Uint8Array;
  }
  | {
    readonly kind: "report3";
    readonly records: readonly MembershipRecord[];
  };

/** A code of 128 or more is a small floating point number (RFC 3376 §4.1.1). */
function decodeTenths(code: number): number {
  if (code < 128) return code;
  return ((code & 15) | 16) << (((code >> 4) & 7) + 3);
}

export function parseIgmp(bytes: Uint8Array): IgmpMessage | Malformed {
  if (bytes.length < 8) return "truncated";
  if (checksum(bytes, 0, bytes.length) !== 0) return "checksum";
  const group = bytes.slice(4, 8);
  switch (bytes[0]) {
    case IgmpType.QUERY: {
      const code = bytes[1]!;
      if (bytes.length >= 12) {
        const maxResponseMs = 100 * decodeTenths(code);
        return { kind: "query", version: 3, maxResponseMs, group };
      }
      return code === 0
        ? { kind: "query", version: 1, maxResponseMs: 10_000, group }
        : { kind: "query", version: 2, maxResponseMs: 100 * code, group };
    }
    case IgmpType.V1_REPORT:
      return { kind: "report", version: 1, group };
    case IgmpType.V2_REPORT:
      return { kind: "report", version: 2, group };
    case IgmpType.V2_LEAVE:
      return { kind: "leave", version: 2, group };
    case IgmpType.V3_REPORT: {
      const count = (bytes[6]! << 8) | bytes[7]!;
      const records = parseRecords(bytes, 8, count, 4);
      return typeof records === "string"
        ? records
        : { kind: "report3", records };
    }
    default:
      return "type";
  }
}

/** Records of IGMPv3 and MLDv2, whose addresses have `addressSize` bytes. */
export function parseRecords(
  bytes: Uint8Array,
  start: number,
  count: number,
  addressSize: number,
): MembershipRecord[] | Malformed {
  if (count > MAX_RECORDS) return "limit";
  const records: MembershipRecord[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 4 + addressSize > bytes.length) return "truncated";
    const type = bytes[at]!;
    const auxiliary = 4 * bytes[at + 1]!;
    const sourceCount = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const group = bytes.slice(at + 4, at + 4 + addressSize);
    at += 4 + addressSize;
    const end = at + sourceCount * addressSize;
    if (end + auxiliary > bytes.length) return "truncated";
    const sources: Uint8Array[] = [];
    for (; at < end; at += addressSize) {
      sources.push(bytes.slice(at, at + addressSize));
    }
    at += auxiliary;
    records.push({ type, group, sources });
  }
  return records;
}

/** Bytes of records, without the message around them. */
export function emitRecords(
  records: readonly MembershipRecord[],
): Uint8Array {
  const out: number[] = [];
  for (const { type, group, sources } of records) {
    out.push(type, 0, sources.length >> 8, sources.length & 255, ...group);
    for (const source of sources) out.push(...source);
  }
  return Uint8Array.from(out);
}

/** A whole message. */
export function emitIgmp(message: IgmpMessage): Uint8Array {
  let bytes: Uint8Array;
  switch (message.kind) {
    case "query":
      bytes = new Uint8Array(message.version === 3 ? 12 : 8);
      bytes[0] = IgmpType.QUERY;
      bytes[1] = message.version === 1
        ? 0
        : Math.min(127, Math.ceil(message.maxResponseMs / 100));
      bytes.set(message.group, 4);
      break;
    case "report3": {
      const records = emitRecords(message.records);
      bytes = new Uint8Array(8 + records.length);
      bytes[0] = IgmpType.V3_REPORT;
      bytes[6] = message.records.length >> 8;
      bytes[7] = message.records.length & 255;
      bytes.set(records, 8);
      break;
    }
    case "report":
    case "leave":
      bytes = new Uint8Array(8);
      bytes[0] = message.kind === "leave"
        ? IgmpType.V2_LEAVE
        : message.version === 1
        ? IgmpType.V1_REPORT
        : IgmpType.V2_REPORT;
      bytes.set(message.group, 4);
  }
  const value = checksum(bytes, 0, bytes.length);
  bytes[2] = value >> 8;
  bytes[3] = value & 255;
  return bytes;
}
