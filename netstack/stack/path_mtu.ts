/**
 * What routers said about the size of packets to a destination. Source:
 * RFC 1191 §6.3, RFC 8201 §5.3 (forgotten after ten minutes).
 * @module
 */
import type { Millis } from "../clock.ts";
import { addressText, type IpAddress } from "../wire/address.ts";

const LIFETIME_MS: Millis = 600_000;
/** Destinations; the oldest goes. Whoever sends errors must not fill memory. */
const MAX_ENTRIES = 1024;

export class PathMtuCache {
  readonly #entries = new Map<string, { mtu: number; expiresAt: Millis }>();

  /** Infinity if nobody has said anything. */
  get(destination: IpAddress, now: Millis): number {
    if (this.#entries.size === 0) return Infinity;
    const key = addressText(destination);
    const entry = this.#entries.get(key);
    if (entry === undefined) return Infinity;
    if (entry.expiresAt > now) return entry.mtu;
    this.#entries.delete(key);
    return Infinity;
  }

  /** Never raises what is known. */
  lower(destination: IpAddress, mtu: number, now: Millis): void {
    if (mtu >= this.get(destination, now)) return;
    const key = addressText(destination);
    this.#entries.delete(key);
    if (this.#entries.size >= MAX_ENTRIES) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, { mtu, expiresAt: now + LIFETIME_MS });
  }
}
