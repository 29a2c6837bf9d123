/**
 * When a connection must be looked at next. All deadlines of a connection share
 * one timer of the stack; what is due is found in on_timer.ts. Source: RFC 6298
 * §5, RFC 8985 §7.2 (probe timeout), RFC 9293 §3.8.6.1 (zero windows).
 * @module
 */
import { type Millis, NEVER } from "../../clock.ts";
import type { ControlBlock, SendTimer } from "./control_block.ts";
import { MAX_RTO_MS } from "./rtt.ts";
import { seqDiff } from "./sequence.ts";

/** The longest that a peer may keep an ACK back (Linux's TCP_RTO_MIN). */
const WORST_ACK_DELAY_MS = 200;
const FIRST_PROBE_MS = 1000;

/** RFC 8985 §7.2: twice the round trip. */
function probeTimeout(block: ControlBlock): Millis {
  const { smoothedMs, rtoMs } = block.rtt;
  if (smoothedMs === 0) return FIRST_PROBE_MS;
  const extra = block.sent.length === 1 ? WORST_ACK_DELAY_MS : 2;
  return Math.min(2 * smoothedMs + extra, rtoMs);
}

/** Starts the timer for what is outstanding anew (RFC 6298 §5.2, §5.3). */
export function restartSendTimer(block: ControlBlock): void {
  setSendTimer(block, "none", NEVER);
}

export function setSendTimer(
  block: ControlBlock,
  kind: SendTimer,
  at: Millis,
): void {
  block.sendTimer = kind;
  block.sendTimerAt = at;
}

/** Brings the timer in line with the state of the connection. */
export function updateTimers(block: ControlBlock): void {
  const { now, sent, rtt } = block;
  if (sent.length > 0) {
    if (block.sendTimer === "none" || block.sendTimer === "persist") {
      const mayProbe = block.hasSack && !block.inRecovery &&
        !block.isTimeoutRecovery && !block.isProbeOut && sent.sackedBytes === 0;
      if (mayProbe) setSendTimer(block, "probe", now + probeTimeout(block));
      else setSendTimer(block, "retransmit", now + rtt.rtoMs);
    }
  } else {
    const offset = seqDiff(block.sndNxt, block.sndUna);
    const isWaiting = block.isSynchronized && !block.isFinSent &&
      block.sendBuffer.size > offset && block.sndWnd <= offset;
    if (!isWaiting) {
      if (block.isSynchronized) setSendTimer(block, "none", NEVER);
    } else if (block.sendTimer !== "persist") {
      block.persistCount = 0;
      setSendTimer(block, "persist", now + persistTimeout(block));
    }
  }
  const at = Math.min(
    block.sendTimerAt,
    block.ackAt,
    block.keepAliveAt,
    block.endAt,
  );
  if (at === NEVER) block.host.layer.disarmTimer(block.timer);
  else block.host.layer.armTimer(block.timer, at);
}

/** Grows exponentially (§3.8.6.1, SHLD-30). */
export function persistTimeout(block: ControlBlock): Millis {
  const shift = Math.min(block.persistCount, 16);
  return Math.min(MAX_RTO_MS, block.rtt.rtoMs * 2 ** shift);
}
