/**
 * TCP teardown, the states after our own FIN: RFC 9293 §3.6, §3.10.7.4.
 *
 * `receive.ts` has already dropped unacceptable segments and handled RST and
 * SYN. Pure: time comes in, the work to do goes out, nothing happens here.
 * @module
 */
import type { Millis } from "../../clock.ts";

/** Spelled as in RFC 9293 §3.3.2, so that our logs and the RFC agree. */
export type ClosingState =
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSING"
  | "LAST-ACK"
  | "TIME-WAIT";

/** 2×MSL (RFC 9293, MUST-13); we keep Linux's fixed TCP_TIMEWAIT_LEN. */
export const TIME_WAIT_MS: Millis = 60_000;

export interface Step {
  readonly next: ClosingState | "CLOSED";
  /** Acknowledge the peer's FIN now. */
  readonly sendAck: boolean;
  /** Re-arm the TIME-WAIT timer for this monotonic instant. */
  readonly expireAt?: Millis;
}

/** Advances on an acceptable segment; `finAcked`: it acknowledges our FIN. */
export function onClosingSegment(
  state: ClosingState,
  { fin, finAcked, now }: { fin: boolean; finAcked: boolean; now: Millis },
): Step {
  const stay: Step = { next: state, sendAck: false };
  const expireAt = now + TIME_WAIT_MS;
  const timeWait: Step = { next: "TIME-WAIT", sendAck: fin, expireAt };
  switch (state) {
    case "FIN-WAIT-1":
      if (fin && finAcked) return timeWait;
      if (fin) return { next: "CLOSING", sendAck: true }; // §3.6, case 3
      return finAcked ? { next: "FIN-WAIT-2", sendAck: false } : stay;
    case "FIN-WAIT-2":
    case "TIME-WAIT": // its FIN again: our ACK was lost, so wait anew
      return fin ? timeWait : stay;
    case "CLOSING":
      return finAcked ? timeWait : stay;
    case "LAST-ACK":
      return finAcked ? { next: "CLOSED", sendAck: false } : stay;
  }
}
