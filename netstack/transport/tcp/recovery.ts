/**
 * Acknowledgments in: what they free, what they say about losses, and how the
 * congestion window follows. Source: RFC 5681, RFC 6582 (without SACK),
 * RFC 6675, RFC 8985 (RACK), RFC 6937 (proportional rate reduction).
 * @module
 */
import { Ready } from "../readiness.ts";
import { TcpFlag, type TcpHeader } from "../../wire/tcp.ts";
import type { ControlBlock } from "./control_block.ts";
import { seqAdd, seqDiff, seqLess, seqMax } from "./sequence.ts";
import type { SentSegment } from "./sent_queue.ts";
import { restartSendTimer, setSendTimer } from "./timers.ts";

const DUPLICATE_THRESHOLD = 3;

/** Takes the acknowledgment of an acceptable segment. Precondition: it is not
 * after sndNxt. `isBare`: no data and no change of the window. */
export function onAcknowledgment(
  block: ControlBlock,
  header: TcpHeader,
  isBare: boolean,
): void {
  const { now, sent, rtt } = block;
  const ack = header.acknowledgment;
  const isNew = seqLess(block.sndUna, ack);
  const inFlightBefore = sent.inFlight;
  let delivered = 0;
  let newestRtt = 0;

  const learn = (segment: SentSegment) => {
    delivered += seqDiff(segment.end, segment.start);
    const age = now - segment.sentAt;
    if (segment.retransmissions === 0) newestRtt = Math.max(age, 0.001);
    else if (age < rtt.minMs) return; // the first sending was acknowledged
    if (
      segment.sentAt > block.rackSentAt ||
      segment.sentAt === block.rackSentAt && seqLess(block.rackEnd, segment.end)
    ) {
      block.rackSentAt = segment.sentAt;
      block.rackEnd = segment.end;
      block.rackRttMs = age;
    } else if (
      segment.retransmissions === 0 && seqLess(segment.end, block.rackEnd)
    ) block.hasReordering = true;
  };

  if (block.hasSack && header.sackBlocks.length > 0) {
    noteSacks(block, header.sackBlocks, learn);
  }
  let isUndone = false;
  if (isNew) {
    const bytes = seqDiff(ack, block.sndUna);
    sent.acknowledge(ack, (segment) => {
      if (!segment.isSacked) learn(segment);
      // Eifel (RFC 3522): what was answered was sent before the timeout.
      if (
        block.isTimeoutRecovery && segment.retransmissions === 1 &&
        header.hasTimestamps && block.hasTimestamps &&
        seqLess(
          header.tsEcho,
          (Math.floor(segment.sentAt) + block.tsOffset) >>> 0,
        )
      ) isUndone = true;
    });
    const data = Math.min(bytes, block.sendBuffer.size);
    block.sendBuffer.drop(data);
    block.sndUna = ack;
    if (block.hasUrgent && !seqLess(ack, block.sndUp)) block.hasUrgent = false;
    block.duplicateAcks = 0;
    block.retransmissions = 0;
    block.isProbeOut = false;
    rtt.resetBackoff();
    restartSendTimer(block);
    if (data > 0) block.notify(Ready.WRITABLE);
  }
  if (newestRtt > 0) rtt.sample(newestRtt, now);
  else if (isNew && header.hasTimestamps && header.tsEcho !== 0) {
    // Only what was sent twice: the echo says which sending it was.
    const age = seqDiff(block.tsNow, header.tsEcho);
    if (age >= 0 && age < 600_000) rtt.sample(Math.max(age, 1), now);
  }
  if (isUndone) undo(block);

  if (!isNew && isBare && sent.length > 0 && header.sackBlocks.length === 0) {
    block.duplicateAcks++;
  }
  if (block.inRecovery || block.isTimeoutRecovery) {
    if (!seqLess(ack, block.recoveryPoint)) leaveRecovery(block);
    else if (isNew && !block.hasSack && sent.first !== undefined) {
      // RFC 6582 §3.2 step 3: a partial acknowledgment names the next loss.
      if (block.inRecovery) sent.markLost(sent.first);
    }
  }
  detectLosses(block);
  if (block.inRecovery) reduceProportionally(block, delivered);
  else if (isNew && delivered > 0) {
    block.congestion.onAck({
      ackedBytes: delivered,
      now,
      rttMs: newestRtt,
      minRttMs: rtt.minMs === Infinity ? 0 : rtt.minMs,
      smoothedRttMs: rtt.smoothedMs,
      isCwndLimited: block.isCwndLimited || block.isTimeoutRecovery ||
        inFlightBefore * 2 >= block.congestion.cwnd,
    });
  }
  if (block.hasEcn && (header.flags & TcpFlag.ECE) !== 0) onEcho(block);
}

/** Blocks outside what is outstanding say nothing, or of a duplicate. */
function noteSacks(
  block: ControlBlock,
  edges: readonly number[],
  learn: (segment: SentSegment) => void,
): void {
  for (let i = 0; i + 1 < edges.length; i += 2) {
    const left = edges[i]!;
    const right = edges[i + 1]!;
    if (!seqLess(left, right) || seqLess(block.sndNxt, right)) continue;
    if (!seqLess(block.sndUna, right) || seqLess(left, block.sndUna)) {
      // DSACK: something was sent twice for nothing (RFC 8985 §6.2 step 4).
      if (block.reorderRounds < 16) block.reorderRounds++;
      continue;
    }
    block.sent.sack(left, right, learn);
  }
}

/** RFC 8985 §6.2 steps 4 and 5; without SACK, RFC 6582. */
export function detectLosses(block: ControlBlock): void {
  const { sent, now, rtt } = block;
  if (sent.length === 0) return;
  if (!block.hasSack) {
    if (block.duplicateAcks >= DUPLICATE_THRESHOLD && !block.inRecovery) {
      const first = sent.first!;
      if (!block.isTimeoutRecovery) {
        sent.markLost(first);
        enterRecovery(block);
      }
    }
    return;
  }
  if (sent.sackedBytes === 0 && !block.inRecovery && !block.isTimeoutRecovery) {
    return;
  }
  const isSure = !block.hasReordering &&
    (block.inRecovery || block.isTimeoutRecovery ||
      sent.sackedBytes >= DUPLICATE_THRESHOLD * block.sndMss);
  const slack = isSure ? 0 : Math.min(
    block.reorderRounds * (rtt.minMs === Infinity ? 0 : rtt.minMs) / 4,
    rtt.smoothedMs,
  );
  let wait = Infinity;
  let hasLost = false;
  for (const segment of sent) {
    if (segment.isSacked || segment.isLost) continue;
    if (
      segment.sentAt > block.rackSentAt ||
      segment.sentAt === block.rackSentAt &&
        !seqLess(segment.end, block.rackEnd)
    ) continue;
    const remaining = segment.sentAt + block.rackRttMs + slack - now;
    if (remaining <= 0) {
      sent.markLost(segment);
      hasLost = true;
    } else if (remaining < wait) wait = remaining;
  }
  if (hasLost && !block.inRecovery && !block.isTimeoutRecovery) {
    enterRecovery(block);
  }
  if (wait !== Infinity && block.sendTimer !== "retransmit") {
    setSendTimer(block, "reorder", now + wait);
  }
}

function enterRecovery(block: ControlBlock): void {
  const { sent, congestion } = block;
  block.host.layer.count("TcpRecoveries");
  block.inRecovery = true;
  block.recoveryPoint = block.sndNxt;
  block.recoverFlightSize = Math.max(
    seqDiff(block.sndNxt, block.sndUna),
    block.sndMss,
  );
  block.prrDelivered = 0;
  block.prrSent = 0;
  congestion.onCongestion(sent.inFlight + sent.lostBytes, block.now);
  if (block.hasEcn) block.mustSayReduced = true;
  // Fast retransmit: the first loss goes at once (RFC 6937 §3).
  congestion.cwnd = sent.inFlight + block.sndMss;
  if (block.sendTimer === "probe") restartSendTimer(block);
}

/** RFC 6937 §3, with the slow start reduction bound. */
function reduceProportionally(block: ControlBlock, delivered: number): void {
  const { congestion, sent, sndMss } = block;
  block.prrDelivered += delivered;
  const { ssthresh } = congestion;
  let count: number;
  if (sent.inFlight > ssthresh) {
    const share = block.prrDelivered * ssthresh / block.recoverFlightSize;
    count = Math.ceil(share) - block.prrSent;
  } else {
    const limit = Math.max(block.prrDelivered - block.prrSent, delivered);
    count = Math.min(ssthresh - sent.inFlight, limit + sndMss);
  }
  // A fast retransmit when recovery has begun with this acknowledgment.
  if (block.prrSent === 0) count = Math.max(count, sndMss);
  congestion.cwnd = sent.inFlight + Math.max(0, count);
}

function leaveRecovery(block: ControlBlock): void {
  if (block.inRecovery) {
    block.congestion.cwnd = Math.max(block.congestion.ssthresh, block.sndMss);
  }
  block.inRecovery = false;
  block.isTimeoutRecovery = false;
  block.duplicateAcks = 0;
}

function undo(block: ControlBlock): void {
  block.host.layer.count("TcpSpuriousTimeouts");
  block.congestion.undo();
  block.isTimeoutRecovery = false;
  block.inRecovery = false;
  for (const segment of block.sent) {
    // They are on their way after all.
    if (segment.isLost && segment.retransmissions === 0) {
      block.sent.resent(segment, segment.sentAt);
      segment.retransmissions = 0;
    }
  }
}

/** RFC 3168 §6.1.2: as a loss, once a window. */
function onEcho(block: ControlBlock): void {
  if (block.inRecovery || block.isTimeoutRecovery) return;
  block.inRecovery = true;
  block.recoveryPoint = block.sndNxt;
  block.recoverFlightSize = Math.max(
    seqDiff(block.sndNxt, block.sndUna),
    block.sndMss,
  );
  block.prrDelivered = 0;
  block.prrSent = 0;
  block.congestion.onCongestion(block.sent.inFlight, block.now);
  block.mustSayReduced = true;
}

/** The retransmission timer fired (RFC 6298 §5.4 to §5.6). */
export function onRetransmitTimeout(block: ControlBlock): void {
  const { sent, congestion } = block;
  block.host.layer.count("TcpTimeouts");
  const outstanding = sent.inFlight + sent.lostBytes;
  if (!block.isTimeoutRecovery || block.retransmissions === 0) {
    congestion.onTimeout(outstanding, block.now);
  }
  congestion.cwnd = block.sndMss;
  block.inRecovery = false;
  block.isTimeoutRecovery = true;
  block.recoveryPoint = seqMax(block.sndNxt, seqAdd(block.sndUna, 1));
  block.duplicateAcks = 0;
  sent.markAllLost();
  block.retransmissions++;
  block.rtt.backOff();
}
