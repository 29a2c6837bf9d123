/**
 * Round trip times and the retransmission timeout made of them. Source:
 * RFC 6298; the least timeout is Linux's 200 ms, not the RFC's second.
 * @module
 */
import type { Millis } from "../../clock.ts";

const INITIAL_RTO_MS = 1000;
const MIN_RTO_MS = 200;
export const MAX_RTO_MS = 120_000;
/** The least round trip is looked for in windows of this length (RFC 8985
 * §6.2 step 1 asks for a recent one). */
const MIN_RTT_WINDOW_MS = 300_000;

export class RttEstimator {
  /** Smoothed; 0: nothing measured yet. */
  smoothedMs: Millis = 0;
  variationMs: Millis = 0;
  minMs: Millis = Infinity;
  latestMs: Millis = 0;
  #minAt: Millis = 0;
  #backoff = 0;

  /** With exponential backoff (§5.5). */
  get rtoMs(): Millis {
    const base = this.smoothedMs === 0
      ? INITIAL_RTO_MS
      : this.smoothedMs + Math.max(MIN_RTO_MS, 4 * this.variationMs);
    return Math.min(MAX_RTO_MS, base * 2 ** this.#backoff);
  }

  get backoffs(): number {
    return this.#backoff;
  }

  backOff(): void {
    if (this.#backoff < 16) this.#backoff++;
  }

  resetBackoff(): void {
    this.#backoff = 0;
  }

  /** §2.2 and §2.3. */
  sample(rttMs: Millis, now: Millis): void {
    const rtt = Math.max(rttMs, 0.001);
    this.latestMs = rtt;
    if (rtt <= this.minMs || now - this.#minAt > MIN_RTT_WINDOW_MS) {
      this.minMs = rtt;
      this.#minAt = now;
    }
    if (this.smoothedMs === 0) {
      this.smoothedMs = rtt;
      this.variationMs = rtt / 2;
      return;
    }
    const error = Math.abs(this.smoothedMs - rtt);
    this.variationMs += (error - this.variationMs) / 4;
    this.smoothedMs += (rtt - this.smoothedMs) / 8;
  }
}
