/**
 * UDP headers, over IPv4 or IPv6. Source: RFC 768; RFC 8200 §8.1 (over IPv6 the
 * checksum is mandatory).
 * @module
 */
import { foldChecksum, pseudoHeaderSum, sumBytes } from "./checksum.ts";
import type { Malformed } from "./malformed.ts";
import { Protocol } from "./protocol.ts";

export const UDP_HEADER_SIZE = 8;

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Bytes of header and payload. */
  readonly length: number;
}

/** Checks lengths and checksum. Addresses have four or sixteen bytes; bytes
 * beyond the length field's are not part of the datagram. `isTrusted`: the
 * checksum is not looked at. */
export function parseUdp(
  datagram: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
  options: { readonly isTrusted?: boolean } = {},
): UdpHeader | Malformed {
  if (datagram.length < UDP_HEADER_SIZE) return "truncated";
  const view = new DataView(
    datagram.buffer,
    datagram.byteOffset,
    datagram.length,
  );
  const length = view.getUint16(4);
  if (length < UDP_HEADER_SIZE) return "length";
  if (datagram.length < length) return "truncated";
  const isTrusted = options.isTrusted === true;
  const isChecked = view.getUint16(6) !== 0;
  if (!isChecked && !isTrusted && source.length > 4) return "checksum";
  if (isChecked && !isTrusted) {
    const sum = pseudoHeaderSum(source, destination, Protocol.UDP, length);
    if (foldChecksum(sumBytes(datagram, 0, length, sum)) !== 0) {
      return "checksum";
    }
  }
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    length,
  };
}

/** Writes the header before a payload that stands at UDP_HEADER_SIZE already,
 * with its checksum. Precondition: `into` has `header.length` bytes. */
export function emitUdp(
  header: UdpHeader,
  into: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  const view = new DataView(into.buffer, into.byteOffset, header.length);
  view.setUint16(0, header.sourcePort);
  view.setUint16(2, header.destinationPort);
  view.setUint16(4, header.length);
  view.setUint16(6, 0);
  const sum = pseudoHeaderSum(source, destination, Protocol.UDP, header.length);
  const value = foldChecksum(sumBytes(into, 0, header.length, sum));
  // Zero means "no checksum"; its other representation is sent instead.
  view.setUint16(6, value === 0 ? 0xffff : value);
}
