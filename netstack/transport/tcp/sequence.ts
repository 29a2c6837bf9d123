/**
 * Arithmetic on sequence numbers, which wrap at 2^32. Source: RFC 9293 §3.4.
 * @module
 */

/** Bytes from b to a; negative if a is before b. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

export function seqAdd(a: number, bytes: number): number {
  return (a + bytes) >>> 0;
}

export function seqLess(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function seqMax(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? b : a;
}
