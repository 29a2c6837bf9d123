/**
 * TCP headers and options. Source: RFC 9293 §3.1 and §3.2, RFC 7323 (window
 * scale, timestamps), RFC 2018 (SACK), RFC 3168 (ECE, CWR).
 * @module
 */
import { foldChecksum, pseudoHeaderSum, sumBytes } from "./checksum.ts";
import type { Malformed } from "./malformed.ts";
import { Protocol } from "./protocol.ts";

export const TCP_MIN_HEADER_SIZE = 20;
export const TCP_MAX_OPTIONS_SIZE = 40;

export const TcpFlag = {
  FIN: 1,
  SYN: 2,
  RST: 4,
  PSH: 8,
  ACK: 16,
  URG: 32,
  ECE: 64,
  CWR: 128,
} as const;

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_PERMITTED = 4;
const OPTION_SACK = 5;
const OPTION_TIMESTAMPS = 8;
/** RFC 7323 §2.3: a larger shift counts as this one. */
const MAX_WINDOW_SCALE = 14;
const NO_BLOCKS: readonly number[] = [];

export interface TcpOptions {
  /** 0: absent. */
  readonly mss: number;
  /** -1: absent. */
  readonly windowScale: number;
  readonly sackPermitted: boolean;
  readonly hasTimestamps: boolean;
  readonly tsValue: number;
  readonly tsEcho: number;
  /** Left and right edges in turn: two numbers a block, at most four blocks. */
  readonly sackBlocks: readonly number[];
}

export interface TcpHeader extends TcpOptions {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** As on the wire: not scaled. */
  readonly window: number;
  readonly urgentPointer: number;
  /** Bytes, options included. */
  readonly headerSize: number;
}

/** No options. */
export const NO_TCP_OPTIONS: TcpOptions = {
  mss: 0,
  windowScale: -1,
  sackPermitted: false,
  hasTimestamps: false,
  tsValue: 0,
  tsEcho: 0,
  sackBlocks: NO_BLOCKS,
};

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) |
    bytes[at + 3]!) >>> 0;
}

/** True if the checksum of a whole segment is right. */
export function isTcpChecksumRight(
  segment: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): boolean {
  return tcpChecksum(segment, source, destination) === 0;
}

function tcpChecksum(
  segment: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  const size = segment.length;
  const sum = pseudoHeaderSum(source, destination, Protocol.TCP, size);
  return foldChecksum(sumBytes(segment, 0, size, sum));
}

/** Reads a header; the checksum is the caller's, who may know it is right. An
 * option with a wrong length ends the options, as in Linux: what stood before
 * it counts. */
export function parseTcp(bytes: Uint8Array): TcpHeader | Malformed {
  if (bytes.length < TCP_MIN_HEADER_SIZE) return "truncated";
  const headerSize = (bytes[12]! >> 4) * 4;
  if (headerSize < TCP_MIN_HEADER_SIZE) return "length";
  if (bytes.length < headerSize) return "truncated";
  let mss = 0;
  let windowScale = -1;
  let sackPermitted = false;
  let hasTimestamps = false;
  let tsValue = 0;
  let tsEcho = 0;
  let sackBlocks = NO_BLOCKS;
  let at = TCP_MIN_HEADER_SIZE;
  while (at < headerSize) {
    const kind = bytes[at]!;
    if (kind === OPTION_END) break;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    if (at + 1 >= headerSize) break;
    const size = bytes[at + 1]!;
    if (size < 2 || at + size > headerSize) break;
    if (kind === OPTION_TIMESTAMPS) {
      if (size === 10) {
        hasTimestamps = true;
        tsValue = u32(bytes, at + 2);
        tsEcho = u32(bytes, at + 6);
      }
    } else if (kind === OPTION_SACK) {
      if (size >= 10 && (size - 2) % 8 === 0) {
        const blocks: number[] = [];
        for (let i = at + 2; i < at + size; i += 4) blocks.push(u32(bytes, i));
        sackBlocks = blocks;
      }
    } else if (kind === OPTION_MSS) {
      if (size === 4) mss = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    } else if (kind === OPTION_WINDOW_SCALE) {
      if (size === 3) windowScale = Math.min(bytes[at + 2]!, MAX_WINDOW_SCALE);
    } else if (kind === OPTION_SACK_PERMITTED) {
      if (size === 2) sackPermitted = true;
    }
    at += size;
  }
  return {
    sourcePort: (bytes[0]! << 8) | bytes[1]!,
    destinationPort: (bytes[2]! << 8) | bytes[3]!,
    sequence: u32(bytes, 4),
    acknowledgment: u32(bytes, 8),
    flags: bytes[13]!,
    window: (bytes[14]! << 8) | bytes[15]!,
    urgentPointer: (bytes[18]! << 8) | bytes[19]!,
    headerSize,
    mss,
    windowScale,
    sackPermitted,
    hasTimestamps,
    tsValue,
    tsEcho,
    sackBlocks,
  };
}

/** Bytes that options take, padded to a multiple of four. */
export function tcpOptionsSize(options: TcpOptions): number {
  let size = 0;
  if (options.mss !== 0) size += 4;
  if (options.windowScale >= 0) size += 4;
  if (options.hasTimestamps) size += 12;
  else if (options.sackPermitted) size += 4;
  if (options.sackBlocks.length > 0) size += 4 + 4 * options.sackBlocks.length;
  return size;
}

/** Writes header and options; the checksum field is left zero for
 * setTcpChecksum(). Precondition: `into` has `header.headerSize` bytes at
 * `at`, which is TCP_MIN_HEADER_SIZE + tcpOptionsSize(). */
export function emitTcp(
  header: TcpHeader,
  into: Uint8Array,
  at: number,
): void {
  into[at] = header.sourcePort >> 8;
  into[at + 1] = header.sourcePort & 255;
  into[at + 2] = header.destinationPort >> 8;
  into[at + 3] = header.destinationPort & 255;
  put32(into, at + 4, header.sequence);
  put32(into, at + 8, header.acknowledgment);
  into[at + 12] = (header.headerSize / 4) << 4;
  into[at + 13] = header.flags;
  into[at + 14] = header.window >> 8;
  into[at + 15] = header.window & 255;
  into[at + 16] = 0;
  into[at + 17] = 0;
  into[at + 18] = header.urgentPointer >> 8;
  into[at + 19] = header.urgentPointer & 255;
  if (header.headerSize > TCP_MIN_HEADER_SIZE) {
    emitOptions(header, into, at + TCP_MIN_HEADER_SIZE);
  }
}

/** In Linux's order, which other stacks are known to accept. */
function emitOptions(options: TcpOptions, into: Uint8Array, from: number) {
  let at = from;
  if (options.mss !== 0) {
    into[at++] = OPTION_MSS;
    into[at++] = 4;
    into[at++] = options.mss >> 8;
    into[at++] = options.mss & 255;
  }
  if (options.hasTimestamps) {
    // SACK-permitted fits where the padding would be.
    into[at++] = options.sackPermitted ? OPTION_SACK_PERMITTED : OPTION_NOP;
    into[at++] = options.sackPermitted ? 2 : OPTION_NOP;
    into[at++] = OPTION_TIMESTAMPS;
    into[at++] = 10;
    put32(into, at, options.tsValue);
    put32(into, at + 4, options.tsEcho);
    at += 8;
  } else if (options.sackPermitted) {
    into[at++] = OPTION_NOP;
    into[at++] = OPTION_NOP;
    into[at++] = OPTION_SACK_PERMITTED;
    into[at++] = 2;
  }
  if (options.windowScale >= 0) {
    into[at++] = OPTION_NOP;
    into[at++] = OPTION_WINDOW_SCALE;
    into[at++] = 3;
    into[at++] = options.windowScale;
  }
  const { sackBlocks } = options;
  if (sackBlocks.length > 0) {
    into[at++] = OPTION_NOP;
    into[at++] = OPTION_NOP;
    into[at++] = OPTION_SACK;
    into[at++] = 2 + 4 * sackBlocks.length;
    for (const edge of sackBlocks) {
      put32(into, at, edge);
      at += 4;
    }
  }
}

function put32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = (value >>> 16) & 255;
  into[at + 2] = (value >>> 8) & 255;
  into[at + 3] = value & 255;
}

/** Completes a segment whose checksum field is zero. */
export function setTcpChecksum(
  segment: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  const value = tcpChecksum(segment, source, destination);
  segment[16] = value >> 8;
  segment[17] = value & 255;
}
