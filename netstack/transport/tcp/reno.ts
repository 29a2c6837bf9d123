/**
 * Reno: slow start, then a segment more each round trip, half after a loss.
 * Source: RFC 5681, with the byte counting of RFC 3465.
 * @module
 */
import type { Millis } from "../../clock.ts";
import {
  type AckSample,
  type CongestionControl,
  initialWindow,
} from "./congestion.ts";

export class Reno implements CongestionControl {
  readonly name: string = "reno";
  cwnd: number;
  ssthresh = Infinity;
  protected mss: number;
  #credit = 0;
  #previous = { cwnd: 0, ssthresh: Infinity };

  constructor(mss: number) {
    this.mss = mss;
    this.cwnd = initialWindow(mss);
  }

  onAck(sample: AckSample): void {
    if (!sample.isCwndLimited) return;
    if (this.cwnd < this.ssthresh) this.slowStart(sample.ackedBytes);
    else this.increase(sample.ackedBytes);
  }

  /** RFC 3465 §2.3 with L = 2 segments an acknowledgment, or what one
   * acknowledgment of a large segment covers. */
  protected slowStart(ackedBytes: number): void {
    this.cwnd = Math.min(
      this.cwnd + ackedBytes,
      Math.max(this.ssthresh, this.cwnd),
    );
  }

  /** A segment more when a window has been acknowledged. */
  protected increase(ackedBytes: number): void {
    this.#credit += ackedBytes;
    if (this.#credit >= this.cwnd) {
      this.#credit -= this.cwnd;
      this.cwnd += this.mss;
    }
  }

  protected remember(): void {
    this.#previous = { cwnd: this.cwnd, ssthresh: this.ssthresh };
  }

  onCongestion(inFlight: number, _now: Millis): void {
    this.remember();
    this.ssthresh = Math.max(inFlight / 2, 2 * this.mss);
    this.#credit = 0;
  }

  onTimeout(inFlight: number, now: Millis): void {
    this.onCongestion(inFlight, now);
    this.cwnd = this.mss;
  }

  undo(): void {
    this.cwnd = Math.max(this.cwnd, this.#previous.cwnd);
    this.ssthresh = Math.max(this.ssthresh, this.#previous.ssthresh);
  }

  onIdle(): void {
    this.cwnd = Math.min(this.cwnd, initialWindow(this.mss));
  }

  setMss(mss: number): void {
    this.mss = mss;
  }
}
