/**
 * The Internet checksum: one's complement of the one's complement sum of
 * 16-bit words in network order. Source: RFC 1071.
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
  let total = sum;
  let at = start;
  for (; at + 1 < end; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) total += bytes[at]! << 8;
  return total;
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
