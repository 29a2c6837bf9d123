/**
 * Segments out: what may be sent now, and making it. Source: RFC 9293 §3.8.6
 * (windows, silly window avoidance), RFC 1122 §4.2.3.4 (Nagle), RFC 5681,
 * RFC 3168 §6.1.
 * @module
 */
import type { Millis } from "../../clock.ts";
import type { Route } from "../../network/ip_layer.ts";
import { HEADROOM_BYTES, PacketBuffer } from "../../stack/packet_buffer.ts";
import type { IpAddress } from "../../wire/address.ts";
import { Protocol } from "../../wire/protocol.ts";
import {
  emitTcp,
  NO_TCP_OPTIONS,
  setTcpChecksum,
  TCP_MIN_HEADER_SIZE,
  TcpFlag,
  type TcpHeader,
  type TcpOptions,
  tcpOptionsSize,
} from "../../wire/tcp.ts";
import { type ControlBlock, WINDOW_SCALE } from "./control_block.ts";
import { Cubic } from "./cubic.ts";
import { Reno } from "./reno.ts";
import { seqAdd, seqDiff, seqLess } from "./sequence.ts";
import type { SentSegment } from "./sent_queue.ts";
import { updateTimers } from "./timers.ts";

const ECN_CAPABLE = 2;
/** A packet's length field has 16 bits, whatever the link's MTU is. */
const MAX_PACKET = 65535;

/** Finds the way again if routes have changed. */
export function currentRoute(block: ControlBlock): Route | undefined {
  const { layer } = block.host;
  if (block.route?.generation !== layer.routes.generation) {
    const found = layer.findRoute(block.remote, { source: block.local });
    block.route = typeof found === "string" ? undefined : found;
  }
  return block.route;
}

/** Bytes of payload that a packet to a route's destination takes at most,
 * TCP options not counted (RFC 6691). */
export function segmentLimit(block: ControlBlock): number {
  const route = currentRoute(block);
  const header = block.remote.length === 4 ? 40 : 60;
  if (route === undefined) return 536;
  const mtu = Math.min(block.host.layer.pathMtu(route), MAX_PACKET);
  const limit = mtu - header;
  const { maxSegment } = block.options;
  return maxSegment > 0 ? Math.min(limit, maxSegment) : limit;
}

/** Sets the size of segments from what the peer and the path take. */
export function setSegmentSize(block: ControlBlock, peerMss: number): void {
  const limit = Math.min(segmentLimit(block), peerMss);
  block.sndMss = Math.max(48, limit - (block.hasTimestamps ? 12 : 0));
  block.congestion.setMss(block.sndMss);
}

/** A fresh congestion control for the segment size, when connected. */
export function startCongestion(block: ControlBlock): void {
  block.congestion = block.options.congestion === "reno"
    ? new Reno(block.sndMss)
    : new Cubic(block.sndMss);
}

/** The window to offer: never back, and no silly steps (§3.8.6.2.2). */
function windowToOffer(block: ControlBlock): number {
  const used = block.received.size + block.ahead.size;
  const room = Math.max(0, block.receiveLimit - used);
  const offered = Math.max(0, seqDiff(block.rcvAdv, block.rcvNxt));
  if (room <= offered) return offered;
  const step = Math.min(block.receiveLimit / 2, block.rcvMss);
  return room - offered >= step ? room : offered;
}

/** True if telling the peer of the room that reading made is worth a packet. */
export function isWindowUpdateDue(block: ControlBlock): boolean {
  const offered = Math.max(0, seqDiff(block.rcvAdv, block.rcvNxt));
  const next = windowToOffer(block);
  if (next === offered) return false;
  return next >= 2 * offered || next - offered >= block.receiveLimit / 2;
}

interface SegmentSpec {
  readonly sequence: number;
  readonly flags: number;
  /** From sendBuffer. */
  readonly offset: number;
  readonly length: number;
  readonly options?: TcpOptions;
}

/** Makes one segment and sends it. */
function emit(block: ControlBlock, spec: SegmentSpec): void {
  const route = currentRoute(block);
  if (route === undefined) return;
  let { flags } = spec;
  const options = spec.options ?? dataOptions(block);
  const isSyn = (flags & TcpFlag.SYN) !== 0;
  let window = windowToOffer(block);
  const scale = isSyn ? 0 : block.rcvScale;
  const onWire = Math.min(65535, Math.ceil(window / 2 ** scale));
  window = Math.min(window, onWire * 2 ** scale);
  const edge = seqAdd(block.rcvNxt, window);
  if (seqLess(block.rcvAdv, edge)) block.rcvAdv = edge;
  let trafficClass = block.options.trafficClass;
  if (block.hasEcn && !isSyn) {
    if (block.mustEcho) flags |= TcpFlag.ECE;
    if (spec.length > 0) {
      trafficClass = (trafficClass & ~3) | ECN_CAPABLE;
      if (block.mustSayReduced) {
        flags |= TcpFlag.CWR;
        block.mustSayReduced = false;
      }
    }
  }
  let urgentPointer = 0;
  if (block.hasUrgent && seqLess(spec.sequence, block.sndUp)) {
    flags |= TcpFlag.URG;
    urgentPointer = Math.min(65535, seqDiff(block.sndUp, spec.sequence));
  }
  const headerSize = TCP_MIN_HEADER_SIZE + tcpOptionsSize(options);
  const packet = PacketBuffer.allocate(headerSize + spec.length);
  emitTcp(
    {
      sourcePort: block.localPort,
      destinationPort: block.remotePort,
      sequence: spec.sequence,
      acknowledgment: (flags & TcpFlag.ACK) !== 0 ? block.rcvNxt : 0,
      flags,
      window: onWire,
      urgentPointer,
      headerSize,
      ...options,
    },
    packet.bytes,
    HEADROOM_BYTES,
  );
  if (spec.length > 0) {
    const at = HEADROOM_BYTES + headerSize;
    block.sendBuffer.copy(spec.offset, spec.length, packet.bytes, at);
  }
  block.mustAck = false;
  block.unackedBytes = 0;
  block.ackAt = Infinity;
  block.lastAckSent = block.rcvNxt;
  if (block.quickAcks > 0) block.quickAcks--;
  block.dsack = undefined;
  block.lastSentAt = block.now;
  hand(block, route, packet, trafficClass);
}

function hand(
  block: ControlBlock,
  route: Route,
  packet: PacketBuffer,
  trafficClass: number,
): void {
  const { layer } = block.host;
  layer.count("TcpOutSegs");
  if (!route.nic.device.isReliable) {
    setTcpChecksum(packet.view(), route.source, route.destination);
  }
  const failed = layer.send(route, packet, {
    protocol: Protocol.TCP,
    hopLimit: block.options.hopLimit,
    trafficClass,
    dontFragment: route.destination.length === 4,
  });
  // The path has become narrower: what was cut for it comes again.
  if (failed === "message-too-long") setSegmentSize(block, block.sndMss);
}

/** Timestamps and SACK blocks, with a DSACK block first (RFC 2883 §4). */
function dataOptions(block: ControlBlock): TcpOptions {
  if (!block.hasTimestamps && block.ahead.isEmpty && !block.dsack) {
    return NO_TCP_OPTIONS;
  }
  let sackBlocks: number[] = [];
  if (block.hasSack && (!block.ahead.isEmpty || block.dsack !== undefined)) {
    const limit = block.hasTimestamps ? 3 : 4;
    if (block.dsack !== undefined) sackBlocks.push(...block.dsack);
    sackBlocks = sackBlocks.concat(
      block.ahead.blocks(limit - sackBlocks.length / 2),
    );
  }
  return {
    mss: 0,
    windowScale: -1,
    sackPermitted: false,
    hasTimestamps: block.hasTimestamps,
    tsValue: block.hasTimestamps ? block.tsNow : 0,
    tsEcho: block.hasTimestamps ? block.tsRecent : 0,
    sackBlocks,
  };
}

/** SYN of connect(), or SYN with ACK. */
export function sendSyn(block: ControlBlock): void {
  const isActive = block.state === "SYN-SENT";
  const isAnswer = !isActive;
  let flags = TcpFlag.SYN | (isAnswer ? TcpFlag.ACK : 0);
  // RFC 3168 §6.1.1; without ECN after the first try, for old middleboxes.
  if (isAnswer && block.hasEcn) flags |= TcpFlag.ECE;
  emit(block, {
    sequence: block.iss,
    flags,
    offset: 0,
    length: 0,
    options: {
      mss: segmentLimit(block),
      windowScale: isActive || block.hasScaling ? WINDOW_SCALE : -1,
      sackPermitted: isActive || block.hasSack,
      hasTimestamps: isActive || block.hasTimestamps,
      tsValue: isActive || block.hasTimestamps ? block.tsNow : 0,
      tsEcho: isAnswer && block.hasTimestamps ? block.tsRecent : 0,
      sackBlocks: [],
    },
  });
}

/** An ACK without data. */
export function sendAck(block: ControlBlock): void {
  emit(block, {
    sequence: block.sndNxt,
    flags: TcpFlag.ACK,
    offset: 0,
    length: 0,
  });
}

/** A byte that the peer has already, to make it answer (RFC 1122 §4.2.3.6;
 * without data, as Linux). */
export function sendProbe(block: ControlBlock): void {
  emit(block, {
    sequence: seqAdd(block.sndUna, -1),
    flags: TcpFlag.ACK,
    offset: 0,
    length: 0,
  });
}

/** Ends the connection for the peer. */
export function sendReset(block: ControlBlock): void {
  emit(block, {
    sequence: block.sndNxt,
    flags: TcpFlag.RST | TcpFlag.ACK,
    offset: 0,
    length: 0,
  });
}

/** RFC 1122 §4.2.3.4, and corking: a small segment waits for more. */
function isNagleHolding(block: ControlBlock, length: number): boolean {
  if (length >= block.sndMss) return false;
  const { options } = block;
  if (options.cork && !block.isWriteShut) return true;
  if (options.noDelay || block.hasUrgent) return false;
  return block.sndNxt !== block.sndUna;
}

/** Sends all that may be sent now: losses first, then new data, then a bare
 * ACK if one is due. `flush`: a small rest too. */
export function output(
  block: ControlBlock,
  options: { readonly flush?: boolean } = {},
): void {
  if (block.isSynchronized && block.state !== "TIME-WAIT") {
    const hasResent = resendLost(block);
    const hasSent = sendNew(block, options.flush === true);
    if (!hasResent && !hasSent && block.mustAck) sendAck(block);
  } else if (block.mustAck && block.state !== "CLOSED") sendAck(block);
  updateTimers(block);
}

function resendLost(block: ControlBlock): boolean {
  const { sent } = block;
  let hasResent = false;
  while (sent.lostBytes > 0) {
    const segment = sent.firstLost();
    if (segment === undefined) break;
    const room = block.congestion.cwnd - sent.inFlight;
    // One segment at least when nothing is on its way.
    if (room < block.sndMss && sent.inFlight > 0) break;
    resend(block, segment);
    hasResent = true;
  }
  return hasResent;
}

/** Sends a segment again, cut to today's segment size. */
export function resend(block: ControlBlock, segment: SentSegment): void {
  const { sent, now } = block;
  const isFin = endsWithFin(block, segment);
  if (seqDiff(segment.end, segment.start) > block.sndMss + (isFin ? 1 : 0)) {
    sent.split(segment, block.sndMss);
  }
  const hasFin = endsWithFin(block, segment);
  const length = seqDiff(segment.end, segment.start) - (hasFin ? 1 : 0);
  block.host.layer.count("TcpRetransSegs");
  sent.resent(segment, now);
  if (block.inRecovery) block.prrSent += length;
  emit(block, {
    sequence: segment.start,
    flags: TcpFlag.ACK | (hasFin ? TcpFlag.FIN : 0) |
      (length > 0 ? TcpFlag.PSH : 0),
    offset: seqDiff(segment.start, block.sndUna),
    length,
  });
}

function endsWithFin(block: ControlBlock, segment: SentSegment): boolean {
  return block.isFinSent && segment.end === block.sndNxt;
}

function sendNew(block: ControlBlock, flush: boolean): boolean {
  const { sendBuffer, sent, now } = block;
  if (block.isFinSent) return false;
  let hasSent = false;
  block.isCwndLimited = false;
  for (;;) {
    const offset = seqDiff(block.sndNxt, block.sndUna);
    const waiting = sendBuffer.size - offset;
    const isLast = block.isWriteShut;
    if (waiting === 0 && !isLast) break;
    if (sent.lostBytes > 0) break; // what is lost goes first
    const window = block.sndWnd - offset;
    let length = Math.min(waiting, window, block.sndMss);
    if (waiting > 0 && length <= 0) break; // closed: persist (timers.ts)
    if (waiting > 0) {
      const room = block.congestion.cwnd - sent.inFlight;
      if (room < length) {
        block.isCwndLimited = true;
        if (sent.inFlight > 0) break;
        length = Math.min(length, Math.max(room, block.sndMss));
      }
      if (length < waiting && length < block.sndMss) {
        // The window allows a part only (§3.8.6.2.1): wait for more, unless
        // it is half of what the peer ever offered.
        if (length < block.maxSndWnd / 2 && sent.length > 0) break;
      } else if (!isLast && !flush && isNagleHolding(block, length)) break;
    }
    const withFin = isLast && length === waiting;
    let flags = TcpFlag.ACK | (withFin ? TcpFlag.FIN : 0);
    if (length > 0 && length === waiting) flags |= TcpFlag.PSH;
    const sequence = block.sndNxt;
    block.sndNxt = seqAdd(sequence, length + (withFin ? 1 : 0));
    if (withFin) block.isFinSent = true;
    startFlight(block, now);
    sent.push(sequence, block.sndNxt, now);
    if (block.inRecovery) block.prrSent += length;
    emit(block, { sequence, flags, offset, length });
    hasSent = true;
    if (withFin) break;
  }
  return hasSent;
}

/** RFC 5681 §4.1: after a pause the window says nothing about the path. */
function startFlight(block: ControlBlock, now: Millis): void {
  if (block.sent.length === 0 && now - block.lastSentAt > block.rtt.rtoMs) {
    block.congestion.onIdle();
  }
}

/** A segment that belongs to no connection's state: RST answers, SYN cookies.
 * Header fields come ready. */
export function sendStateless(
  block: Pick<ControlBlock, "host">,
  source: IpAddress,
  destination: IpAddress,
  header: TcpHeader,
): void {
  const { layer } = block.host;
  const route = layer.findRoute(destination, { source });
  if (typeof route === "string") return;
  const packet = PacketBuffer.allocate(header.headerSize);
  emitTcp(header, packet.bytes, HEADROOM_BYTES);
  if (!route.nic.device.isReliable) {
    setTcpChecksum(packet.view(), route.source, route.destination);
  }
  layer.count("TcpOutSegs");
  layer.send(route, packet, {
    protocol: Protocol.TCP,
    hopLimit: 64,
    trafficClass: 0,
    dontFragment: destination.length === 4,
  });
}
