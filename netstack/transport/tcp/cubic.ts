/**
 * CUBIC: after a loss the window grows along a cubic curve of time that levels
 * off where the loss was, so that long paths are filled too. Source: RFC 9438;
 * leaving slow start early: HyStart++ (RFC 9406, delay part).
 * @module
 */
import type { Millis } from "../../clock.ts";
import type { AckSample } from "./congestion.ts";
import { Reno } from "./reno.ts";

/** RFC 9438 §4.1 and §4.6; windows in segments, time in seconds. */
const C = 0.4;
const BETA = 0.7;
/** RFC 9406 §4.3. */
const MIN_RTT_THRESHOLD_MS = 4;
const MAX_RTT_THRESHOLD_MS = 16;
const RTT_SAMPLES = 8;

export class Cubic extends Reno {
  override readonly name = "cubic";
  #maxWindow = 0;
  #epochStart: Millis = -1;
  #k = 0;
  #origin = 0;
  /** What Reno would have, in bytes (§4.3). */
  #renoWindow = 0;
  // HyStart++: the least round trip of this round and of the last.
  #roundMin = Infinity;
  #lastRoundMin = Infinity;
  #roundSamples = 0;
  #roundEnd: Millis = 0;

  override onAck(sample: AckSample): void {
    if (this.cwnd < this.ssthresh) this.#watchDelay(sample);
    if (!sample.isCwndLimited) return;
    if (this.cwnd < this.ssthresh) this.slowStart(sample.ackedBytes);
    else this.#follow(sample);
  }

  #watchDelay(sample: AckSample): void {
    const { now, rttMs } = sample;
    if (now >= this.#roundEnd) {
      this.#lastRoundMin = this.#roundMin;
      this.#roundMin = Infinity;
      this.#roundSamples = 0;
      this.#roundEnd = now + sample.smoothedRttMs;
    }
    if (rttMs <= 0) return;
    this.#roundMin = Math.min(this.#roundMin, rttMs);
    this.#roundSamples++;
    if (this.#roundSamples < RTT_SAMPLES) return;
    if (this.#lastRoundMin === Infinity) return;
    const threshold = Math.max(
      MIN_RTT_THRESHOLD_MS,
      Math.min(this.#lastRoundMin / 8, MAX_RTT_THRESHOLD_MS),
    );
    // The queue grows: the path is full.
    if (this.#roundMin >= this.#lastRoundMin + threshold) {
      this.ssthresh = this.cwnd;
    }
  }

  #follow(sample: AckSample): void {
    const { mss } = this;
    const window = this.cwnd / mss;
    if (this.#epochStart < 0) {
      this.#epochStart = sample.now;
      this.#renoWindow = this.cwnd;
      if (window < this.#maxWindow) {
        this.#k = Math.cbrt((this.#maxWindow - window) / C);
        this.#origin = this.#maxWindow;
      } else {
        this.#k = 0;
        this.#origin = window;
      }
    }
    const ahead = sample.now + sample.minRttMs - this.#epochStart;
    const offset = ahead / 1000 - this.#k;
    const cubic = this.#origin + C * offset ** 3;
    const target = Math.min(Math.max(cubic, window), 1.5 * window);
    const acked = sample.ackedBytes / mss;
    let next = window + (target - window) / window * acked;
    // §4.3: never slower than Reno would be.
    const alpha = this.#renoWindow / mss >= this.#maxWindow
      ? 1
      : 3 * (1 - BETA) / (1 + BETA);
    this.#renoWindow += alpha * mss * sample.ackedBytes / this.cwnd;
    next = Math.max(next, this.#renoWindow / mss);
    this.cwnd = Math.max(this.cwnd, Math.floor(next * mss));
  }

  override onCongestion(inFlight: number, now: Millis): void {
    super.onCongestion(inFlight, now);
    const window = this.cwnd / this.mss;
    // §4.7: fast convergence.
    this.#maxWindow = window < this.#maxWindow
      ? window * (1 + BETA) / 2
      : window;
    this.ssthresh = Math.max(this.cwnd * BETA, 2 * this.mss);
    this.#epochStart = -1;
  }

  override onTimeout(inFlight: number, now: Millis): void {
    this.onCongestion(inFlight, now);
    this.cwnd = this.mss;
  }
}
