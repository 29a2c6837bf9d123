/**
 * How proc writes numbers.
 * @module
 */
import type { ByteString } from "../../mm/user_memory.ts";

/** USER_HZ: 100 ticks a second. */
const NS_PER_TICK = 10_000_000;

/** Nanoseconds as clock ticks (USER_HZ). */
export function ticks(ns: number): number {
  return Math.max(0, Math.floor(ns / NS_PER_TICK));
}

/** An address or word in hexadecimal, at least `width` digits. */
export function hex(value: number, width = 0): string {
  return value.toString(16).padStart(width, "0");
}

/** A pair of 32-bit words as 16 hexadecimal digits. */
export function hex64(low: number, high: number): string {
  return hex(high >>> 0, 8) + hex(low >>> 0, 8);
}

/** A limit or mask in decimal; Infinity is all ones in 64 bits. */
export function unsigned64(value: number): string {
  return value === Infinity ? "18446744073709551615" : `${value}`;
}

/** "Name:      1234 kB" of meminfo, status and smaps: the label as given, the
 * value 8 wide. */
export function kilobytes(label: string, bytes: number): string {
  return `${label}${`${Math.floor(bytes / 1024)}`.padStart(8)} kB\n`;
}

/** Seconds with two digits behind the point, as in uptime. */
export function hundredths(ns: number): string {
  const total = Math.floor(ns / NS_PER_TICK);
  const sec = Math.floor(total / 100);
  return `${sec}.${`${total % 100}`.padStart(2, "0")}`;
}

/** Characters of `special` as three octal digits behind a backslash
 * (seq_escape()). */
export function escape(text: ByteString, special: string): ByteString {
  let isPlain = true;
  for (const c of special) isPlain &&= !text.includes(c);
  if (isPlain) return text;
  let escaped = "";
  for (const c of text) {
    escaped += special.includes(c)
      ? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`
      : c;
  }
  return escaped;
}
