/**
 * What a congestion control algorithm decides: how much may be in flight.
 * Loss detection and recovery are in recovery.ts. Sizes are bytes.
 * @module
 */
import type { Millis } from "../../clock.ts";

/** A measurement that an acknowledgment brings. */
export interface AckSample {
  readonly ackedBytes: number;
  readonly now: Millis;
  readonly rttMs: Millis;
  readonly minRttMs: Millis;
  readonly smoothedRttMs: Millis;
  readonly isCwndLimited: boolean;
}

export interface CongestionControl {
  readonly name: string;
  cwnd: number;
  ssthresh: number;
  /** New data was acknowledged, outside recovery. */
  onAck(sample: AckSample): void;
  /** Loss or ECN: sets ssthresh for the recovery that begins. */
  onCongestion(inFlight: number, now: Millis): void;
  /** The retransmission timer fired: sets ssthresh and one segment. */
  onTimeout(inFlight: number, now: Millis): void;
  /** The congestion was none: back to what was before it. */
  undo(): void;
  /** Nothing was sent for a timeout (RFC 5681 §4.1). */
  onIdle(): void;
  setMss(mss: number): void;
}

/** RFC 6928: ten segments, at most 14600 bytes or two segments. */
export function initialWindow(mss: number): number {
  return Math.min(10 * mss, Math.max(2 * mss, 14_600));
}
