/**
 * The Internet checksum: one's complement of the one's complement sum of
 * 16-bit words in network order. Source: RFC 1071; RFC 8200 §8.1 for the
 * pseudo header.
 * @module
 */

/** Adds `length` bytes from `start` to a running sum; an odd last byte counts
 * as if a zero followed. Sums of up to 2^16 words fit a double exactly. */
export function sumBytes(
  bytes: Uint8Array,
  start: number,
  length: number,
  sum = 0,
): number {
  const end = start + length;
  let at = start;
  let total = 0;
  // Four words at a time; 2^13 rounds of them cannot leave 31 bits, which
  // keeps the loop in small integers.
  while (end - at >= 8) {
    const stop = Math.min(end - 7, at + 32768);
    let part = 0;
    for (; at < stop; at += 8) {
      part += (((bytes[at]! << 8) | bytes[at + 1]!) +
        ((bytes[at + 2]! << 8) | bytes[at + 3]!) +
        ((bytes[at + 4]! << 8) | bytes[at + 5]!) +
        ((bytes[at + 6]! << 8) | bytes[at + 7]!)) | 0;
    }
    total += part;
  }
  for (; at + 1 < end; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) total += bytes[at]! << 8;
  return sum + total;
}

/** Folds a sum into 16 bits and complements it. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) {
    folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  }
  return ~folded & 0xffff;
}

/** The checksum of a range; 0 for a range that contains a right one. */
export function checksum(
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  return foldChecksum(sumBytes(bytes, start, length));
}

/** Sum of the pseudo header: both addresses (four or sixteen bytes), protocol
 * and length of header with payload. */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  const addresses = sumBytes(
    destination,
    0,
    destination.length,
    sumBytes(source, 0, source.length),
  );
  return addresses + protocol + length;
}
