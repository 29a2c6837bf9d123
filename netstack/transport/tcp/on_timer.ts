/**
 * What is due when a connection's timer fires. Source: RFC 6298 §5, RFC 8985
 * §7.3 (probes), RFC 9293 §3.8.3 (giving up), §3.8.4 (keep-alive) and §3.8.6.1
 * (zero windows), RFC 5482 (user timeout).
 * @module
 */
import { NEVER } from "../../clock.ts";
import type { ControlBlock } from "./control_block.ts";
import { terminate } from "./lifecycle.ts";
import { detectLosses, onRetransmitTimeout } from "./recovery.ts";
import { output, resend, sendProbe, sendReset, sendSyn } from "./send.ts";
import {
  persistTimeout,
  restartSendTimer,
  setSendTimer,
  updateTimers,
} from "./timers.ts";

/** Linux's tcp_retries2, tcp_synack_retries, tcp_orphan_retries. */
const MAX_RETRANSMISSIONS = 15;
const MAX_SYN_ACKS = 5;
const MAX_ORPHAN_RETRIES = 8;

export function onTimer(block: ControlBlock): void {
  const { now } = block;
  if (block.state === "CLOSED") return;
  if (block.endAt <= now) {
    terminate(block, undefined); // TIME-WAIT or FIN-WAIT-2 is over
    return;
  }
  if (block.ackAt <= now) {
    block.ackAt = NEVER;
    block.mustAck = true;
    block.quickAcks = 0;
  }
  if (block.keepAliveAt <= now && !onKeepAlive(block)) return;
  if (block.sendTimerAt <= now && !onSendTimer(block)) return;
  output(block);
}

/** False: the connection is over. */
function onSendTimer(block: ControlBlock): boolean {
  const kind = block.sendTimer;
  restartSendTimer(block);
  switch (kind) {
    case "reorder":
      detectLosses(block);
      return true;
    case "probe": {
      // RFC 8985 §7.3: the last segment again brings SACKs of what is missing.
      block.isProbeOut = true;
      block.host.layer.count("TcpLossProbes");
      const last = block.sent.last;
      if (last !== undefined) resend(block, last);
      setSendTimer(block, "retransmit", block.now + block.rtt.rtoMs);
      return true;
    }
    case "persist":
      return onPersist(block);
    case "retransmit":
      return block.isSynchronized ? onRetransmit(block) : onSynTimeout(block);
    case "none":
      return true;
  }
}

function onSynTimeout(block: ControlBlock): boolean {
  const limit = block.state === "SYN-SENT"
    ? block.options.synRetries
    : MAX_SYN_ACKS;
  if (block.retransmissions >= limit || isTooLong(block)) {
    terminate(block, "timed-out");
    return false;
  }
  block.retransmissions++;
  block.rtt.backOff();
  const { lastSentAt } = block;
  sendSyn(block);
  if (block.retransmissions > 1) block.lastSentAt = lastSentAt;
  setSendTimer(block, "retransmit", block.now + block.rtt.rtoMs);
  updateTimers(block);
  return true;
}

function onRetransmit(block: ControlBlock): boolean {
  if (block.sent.length === 0) return true;
  const limit = block.isOrphan ? MAX_ORPHAN_RETRIES : MAX_RETRANSMISSIONS;
  if (block.retransmissions >= limit || isTooLong(block)) {
    terminate(block, "timed-out");
    return false;
  }
  onRetransmitTimeout(block);
  return true;
}

/** The user timeout counts from the oldest byte without an answer. */
function isTooLong(block: ControlBlock): boolean {
  const { userTimeoutMs } = block.options;
  if (userTimeoutMs === 0) return false;
  const since = block.sent.first?.firstSentAt ?? block.lastReceivedAt;
  return block.now - since >= userTimeoutMs;
}

function onPersist(block: ControlBlock): boolean {
  const isDead = block.isOrphan && block.persistCount >= MAX_ORPHAN_RETRIES ||
    isTooLong(block) ||
    block.persistCount >= MAX_RETRANSMISSIONS &&
      block.now - block.lastReceivedAt > 2 * persistTimeout(block);
  if (isDead) {
    terminate(block, "timed-out");
    return false;
  }
  block.persistCount++;
  sendProbe(block);
  setSendTimer(block, "persist", block.now + persistTimeout(block));
  return true;
}

function onKeepAlive(block: ControlBlock): boolean {
  const { options, now } = block;
  if (!options.keepAlive || !block.isSynchronized) {
    block.keepAliveAt = NEVER;
    return true;
  }
  const idle = now - block.lastReceivedAt;
  if (idle < options.keepIdleMs || block.sent.length > 0) {
    block.keepAliveAt = Math.max(
      now + 1,
      block.lastReceivedAt + options.keepIdleMs,
    );
    return true;
  }
  if (block.keepAliveProbes >= options.keepCount) {
    sendReset(block);
    terminate(block, "timed-out");
    return false;
  }
  block.keepAliveProbes++;
  sendProbe(block);
  block.keepAliveAt = now + options.keepIntervalMs;
  return true;
}
