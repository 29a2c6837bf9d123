/**
 * Segments in, in the order of RFC 9293 §3.10.7: is it acceptable, RST, SYN,
 * ACK, urgent data, data, FIN. With RFC 5961 (challenge ACKs) and RFC 7323
 * (PAWS).
 * @module
 */
import type { PacketBuffer } from "../../stack/packet_buffer.ts";
import { TcpFlag, type TcpHeader } from "../../wire/tcp.ts";
import { Ready } from "../readiness.ts";
import { type ClosingState, onClosingSegment } from "./close.ts";
import { type ControlBlock, RECEIVE_BUFFER_MAX } from "./control_block.ts";
import { establish, noteSyn, terminate } from "./lifecycle.ts";
import { onAcknowledgment } from "./recovery.ts";
import { output, sendAck, sendReset, sendSyn } from "./send.ts";
import { seqAdd, seqDiff, seqLess, seqMax } from "./sequence.ts";
import { updateTimers } from "./timers.ts";

/** RFC 7323 §5.5: a timestamp is trusted for 24 days. */
const PAWS_LIFETIME_MS = 24 * 86_400_000;
/** RFC 5961 §7: challenges of one connection (Linux's
 * tcp_invalid_ratelimit). */
const CHALLENGE_INTERVAL_MS = 500;
const ACK_DELAY_MS = 40;

/** Takes a segment (packet.start at its payload); `isCongested`: its packet was
 * marked on the way. */
export function onSegment(
  block: ControlBlock,
  header: TcpHeader,
  packet: PacketBuffer,
  isCongested: boolean,
): void {
  block.lastReceivedAt = block.now;
  block.keepAliveProbes = 0;
  if (block.state === "SYN-SENT") onSynSent(block, header);
  else if (block.state !== "CLOSED") {
    onSynchronized(block, header, packet, isCongested);
  }
}

/** §3.10.7.3. */
function onSynSent(block: ControlBlock, header: TcpHeader): void {
  const { flags, acknowledgment } = header;
  const hasAck = (flags & TcpFlag.ACK) !== 0;
  const isAckRight = hasAck && acknowledgment === block.sndNxt;
  if (hasAck && !isAckRight) {
    // An old connection of the peer: tell it, and go on trying.
    if ((flags & TcpFlag.RST) === 0) {
      const { sndNxt } = block;
      block.sndNxt = acknowledgment;
      sendReset(block);
      block.sndNxt = sndNxt;
    }
    return;
  }
  if ((flags & TcpFlag.RST) !== 0) {
    if (hasAck) terminate(block, "connection-refused");
    return;
  }
  if ((flags & TcpFlag.SYN) === 0) return;
  noteSyn(block, header);
  if (!hasAck) {
    block.state = "SYN-RECEIVED"; // both began at once (§3.5, figure 7)
    sendSyn(block);
    return;
  }
  block.sndUna = acknowledgment;
  establish(block);
  block.mustAck = true;
  output(block);
}

function challenge(block: ControlBlock): void {
  if (block.now - block.challengeAt < CHALLENGE_INTERVAL_MS) return;
  block.challengeAt = block.now;
  block.host.layer.count("TcpChallengeAcks");
  sendAck(block);
}

function onSynchronized(
  block: ControlBlock,
  header: TcpHeader,
  packet: PacketBuffer,
  isCongested: boolean,
): void {
  const { flags, sequence } = header;
  const isReset = (flags & TcpFlag.RST) !== 0;
  let end = seqAdd(sequence, packet.size);
  if ((flags & TcpFlag.FIN) !== 0) end = seqAdd(end, 1);
  // RFC 7323 §5.3: PAWS.
  if (
    block.hasTimestamps && header.hasTimestamps && !isReset &&
    seqLess(header.tsValue, block.tsRecent) &&
    block.now - block.tsRecentAt < PAWS_LIFETIME_MS
  ) {
    block.host.layer.count("TcpPawsDrops");
    challenge(block);
    return;
  }
  if (isReset) {
    onReset(block, sequence);
    return;
  }
  if ((flags & TcpFlag.SYN) !== 0) {
    if (block.state === "SYN-RECEIVED" && sequence === block.irs) {
      if ((flags & TcpFlag.ACK) === 0) {
        sendSyn(block); // our answer was lost
        return;
      }
    } else {
      challenge(block); // RFC 5961 §4
      return;
    }
  } else if (!isAcceptable(block, sequence, end)) {
    block.host.layer.count("TcpOutOfWindow");
    if (packet.size > 0 && seqLess(sequence, block.rcvNxt)) {
      block.dsack = block.hasSack
        ? [sequence, seqAdd(sequence, packet.size)]
        : undefined;
    }
    if (end === sequence) challenge(block);
    else sendAck(block);
    if (block.state === "TIME-WAIT" && (flags & TcpFlag.FIN) !== 0) {
      finish(block, header, true);
    }
    return;
  }
  if ((flags & TcpFlag.ACK) === 0) return;
  if (!takeAck(block, header, packet)) return;
  if (block.hasEcn) {
    if ((flags & TcpFlag.CWR) !== 0) block.mustEcho = false;
    if (isCongested) block.mustEcho = true;
  }
  if ((flags & TcpFlag.URG) !== 0) takeUrgent(block, header);
  const hadFin = block.isFinReceived;
  if (packet.size > 0) takeData(block, header, packet);
  if (block.isClosed) return; // data for nobody
  const fin = takeFin(block, header, packet) && !hadFin;
  finish(block, header, fin);
  if (block.isClosed) return;
  output(block);
}

/** RFC 5961 §3.2: only the very next byte's RST is believed. */
function onReset(block: ControlBlock, sequence: number): void {
  if (sequence !== block.rcvNxt) {
    const isInside = !seqLess(sequence, block.rcvNxt) &&
      seqLess(sequence, block.rcvAdv);
    if (isInside) challenge(block);
    return;
  }
  switch (block.state) {
    case "SYN-RECEIVED":
      terminate(block, "connection-refused");
      break;
    case "CLOSE-WAIT":
      terminate(block, "broken-pipe");
      break;
    case "TIME-WAIT":
    case "CLOSING":
    case "LAST-ACK":
      terminate(block, undefined);
      break;
    default:
      terminate(block, "connection-reset");
  }
}

/** §3.10.7.4, first check; at a closed window the next byte's segment counts
 * for its ACK, its data is cut off. */
function isAcceptable(
  block: ControlBlock,
  sequence: number,
  end: number,
): boolean {
  const window = seqDiff(block.rcvAdv, block.rcvNxt);
  if (sequence === block.rcvNxt) return true;
  if (window <= 0) return false;
  if (sequence === end) {
    return !seqLess(sequence, block.rcvNxt) && !seqLess(block.rcvAdv, sequence);
  }
  return seqLess(block.rcvNxt, end) && seqLess(sequence, block.rcvAdv);
}

/** False: the segment goes no further. */
function takeAck(
  block: ControlBlock,
  header: TcpHeader,
  packet: PacketBuffer,
): boolean {
  const ack = header.acknowledgment;
  if (block.state === "SYN-RECEIVED") {
    if (!seqLess(block.sndUna, ack) || seqLess(block.sndNxt, ack)) {
      const { sndNxt } = block;
      block.sndNxt = ack;
      sendReset(block);
      block.sndNxt = sndNxt;
      return false;
    }
    block.sndUna = seqAdd(block.iss, 1);
    block.sndWnd = header.window * 2 ** block.sndScale;
    block.maxSndWnd = block.sndWnd;
    block.sndWl1 = header.sequence;
    block.sndWl2 = ack;
    establish(block);
    // The listener had no room: the peer will say it again.
    if (!block.isSynchronized) return false;
    if (block.isWriteShut) block.state = "FIN-WAIT-1";
  }
  // RFC 5961 §5.2.
  if (
    seqLess(block.sndNxt, ack) ||
    seqLess(ack, seqAdd(block.sndUna, -Math.max(block.maxSndWnd, 65535)))
  ) {
    challenge(block);
    return false;
  }
  if (
    block.hasTimestamps && header.hasTimestamps &&
    !seqLess(block.lastAckSent, header.sequence) &&
    !seqLess(header.tsValue, block.tsRecent)
  ) {
    block.tsRecent = header.tsValue; // RFC 7323 §4.3
    block.tsRecentAt = block.now;
  }
  const window = header.window * 2 ** block.sndScale;
  const isSameWindow = window === block.sndWnd;
  if (!seqLess(ack, block.sndUna)) {
    if (
      seqLess(block.sndWl1, header.sequence) ||
      block.sndWl1 === header.sequence && !seqLess(ack, block.sndWl2)
    ) {
      if (window > block.sndWnd && block.sndWnd === 0) block.persistCount = 0;
      block.sndWnd = window;
      block.maxSndWnd = Math.max(block.maxSndWnd, window);
      block.sndWl1 = header.sequence;
      block.sndWl2 = ack;
    }
    const isBare = packet.size === 0 && isSameWindow &&
      (header.flags & TcpFlag.FIN) === 0;
    onAcknowledgment(block, header, isBare);
  }
  return true;
}

/** §3.8.5; the pointer is to the byte after the urgent ones (RFC 6093). */
function takeUrgent(block: ControlBlock, header: TcpHeader): void {
  const up = seqAdd(header.sequence, header.urgentPointer);
  if (!seqLess(block.rcvNxt, up)) return;
  if (block.hasReceivedUrgent && !seqLess(block.rcvUp, up)) return;
  block.rcvUp = up;
  block.hasReceivedUrgent = true;
  block.notify(Ready.PRIORITY);
}

function takeData(
  block: ControlBlock,
  header: TcpHeader,
  packet: PacketBuffer,
): void {
  const isWanted = block.state === "ESTABLISHED" ||
    block.state === "FIN-WAIT-1" || block.state === "FIN-WAIT-2";
  if (!isWanted || block.isFinReceived) {
    block.mustAck = true;
    return;
  }
  if (block.isOrphan) {
    // Nobody will read it: RFC 1122 §4.2.2.13.
    sendReset(block);
    terminate(block, undefined);
    return;
  }
  let bytes = packet.view();
  let start = header.sequence;
  const room = seqDiff(block.rcvAdv, start);
  if (bytes.length > room) {
    bytes = bytes.subarray(0, Math.max(0, room));
    block.mustAck = true;
  }
  const old = seqDiff(block.rcvNxt, start);
  if (old > 0) {
    if (old >= bytes.length) {
      block.mustAck = true;
      return;
    }
    bytes = bytes.subarray(old);
    start = block.rcvNxt;
  }
  if (bytes.length === 0) return;
  if (bytes.length > block.rcvMss) block.rcvMss = bytes.length;
  if (start !== block.rcvNxt) {
    const again = block.ahead.insert(start, bytes);
    if (again !== undefined && block.hasSack) block.dsack = again;
    block.mustAck = true; // RFC 5681 §4.2
    return;
  }
  const wasGap = !block.ahead.isEmpty;
  if (!block.isReadShut) block.received.push(bytes);
  block.rcvNxt = seqAdd(start, bytes.length);
  if (wasGap) {
    block.rcvNxt = block.ahead.take(block.rcvNxt, block.received);
    block.mustAck = true;
  }
  if (seqLess(block.rcvAdv, block.rcvNxt)) block.rcvAdv = block.rcvNxt;
  block.unackedBytes += bytes.length;
  scheduleAck(block);
  block.notify(Ready.READABLE);
}

/** RFC 5681 §4.2: every second full segment at once, others soon. */
function scheduleAck(block: ControlBlock): void {
  const isDue = block.unackedBytes >= 2 * block.rcvMss ||
    block.options.quickAck ||
    block.quickAcks > 0 && block.unackedBytes >= block.rcvMss;
  if (isDue) block.mustAck = true;
  else if (block.ackAt === Infinity) block.ackAt = block.now + ACK_DELAY_MS;
}

/** True if all up to the peer's FIN has arrived with this segment. */
function takeFin(
  block: ControlBlock,
  header: TcpHeader,
  packet: PacketBuffer,
): boolean {
  if ((header.flags & TcpFlag.FIN) === 0) return false;
  const at = seqAdd(header.sequence, packet.size);
  // Ahead of a gap it will come again.
  if (block.rcvNxt !== at || block.isFinReceived) return false;
  block.rcvNxt = seqAdd(at, 1);
  block.rcvAdv = seqMax(block.rcvAdv, block.rcvNxt);
  block.isFinReceived = true;
  block.mustAck = true;
  block.notify(Ready.READABLE | Ready.READ_HANGUP);
  return true;
}

/** State changes that FINs bring. */
function finish(block: ControlBlock, header: TcpHeader, fin: boolean): void {
  if (block.state === "ESTABLISHED") {
    if (fin) block.state = "CLOSE-WAIT";
    return;
  }
  if (block.state === "CLOSE-WAIT" || block.state === "SYN-RECEIVED") return;
  const finAcked = block.isFinSent && header.acknowledgment === block.sndNxt;
  const state = block.state as ClosingState;
  const step = onClosingSegment(state, { fin, finAcked, now: block.now });
  if (step.sendAck) block.mustAck = true;
  if (step.next === "CLOSED") {
    terminate(block, undefined);
    return;
  }
  if (step.next !== state) {
    block.state = step.next;
    if (step.next === "FIN-WAIT-2" && block.isOrphan) {
      block.endAt = block.now + block.options.lingerMs;
    }
    if (step.next === "TIME-WAIT") {
      block.keepAliveAt = Infinity;
      block.sendBuffer.clear();
      block.notify(Ready.HANGUP | Ready.READABLE | Ready.WRITABLE);
    }
  }
  if (step.expireAt !== undefined) block.endAt = step.expireAt;
  if (block.state === "TIME-WAIT") {
    if (block.mustAck) sendAck(block);
    updateTimers(block);
  }
}

/** The owner has read bytes: more room for the peer, and perhaps a larger
 * buffer if it read much of it in one round trip (dynamic right-sizing). */
export function tuneReceiveBuffer(block: ControlBlock, bytes: number): void {
  if (block.options.receiveBufferBytes > 0) return;
  block.tuneBytes += bytes;
  const elapsed = block.now - block.tuneAt;
  if (elapsed < Math.max(1, block.rtt.smoothedMs)) return;
  if (2 * block.tuneBytes > block.receiveLimit) {
    block.receiveLimit = Math.min(
      RECEIVE_BUFFER_MAX,
      Math.max(block.receiveLimit, 4 * block.tuneBytes),
    );
  }
  block.tuneAt = block.now;
  block.tuneBytes = 0;
}
