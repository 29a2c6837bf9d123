/**
 * How a connection begins and ends: what both sides do on the way to
 * ESTABLISHED and on the way out. Source: RFC 9293 §3.5 and §3.6, RFC 7323,
 * RFC 2018, RFC 3168 §6.1.1.
 * @module
 */
import { NEVER } from "../../clock.ts";
import type { NetError } from "../../errors.ts";
import { TcpFlag, type TcpHeader } from "../../wire/tcp.ts";
import { Ready } from "../readiness.ts";
import {
  type ControlBlock,
  DEFAULT_MSS_V4,
  DEFAULT_MSS_V6,
  WINDOW_SCALE,
} from "./control_block.ts";
import {
  output,
  segmentLimit,
  sendReset,
  sendSyn,
  setSegmentSize,
  startCongestion,
} from "./send.ts";
import { seqAdd } from "./sequence.ts";
import { restartSendTimer, setSendTimer, updateTimers } from "./timers.ts";

const SYN_WINDOW = 65535;

/** Begins to connect: SYN goes out. Precondition: CLOSED, with a route. */
export function startConnect(block: ControlBlock, iss: number): void {
  block.state = "SYN-SENT";
  beginSending(block, iss);
  block.rcvScale = WINDOW_SCALE;
  sendSyn(block);
  setSendTimer(block, "retransmit", block.now + block.rtt.rtoMs);
  updateTimers(block);
}

/** Answers a SYN, unless a cookie has answered it. Precondition: CLOSED. */
export function startAccept(
  block: ControlBlock,
  syn: TcpHeader,
  iss: number,
  options: { readonly isAnswered?: boolean } = {},
): void {
  block.state = "SYN-RECEIVED";
  noteSyn(block, syn);
  beginSending(block, iss);
  if (options.isAnswered !== true) sendSyn(block);
  setSendTimer(block, "retransmit", block.now + block.rtt.rtoMs);
  updateTimers(block);
}

function beginSending(block: ControlBlock, iss: number): void {
  block.iss = iss;
  block.sndUna = iss;
  block.sndNxt = seqAdd(iss, 1);
  block.lastSentAt = block.now;
  // A SYN's window is not scaled: no more than fits is offered.
  block.rcvAdv = seqAdd(
    block.rcvNxt,
    Math.min(SYN_WINDOW, block.receiveLimit),
  );
}

/** Takes over what a peer's SYN says. */
export function noteSyn(block: ControlBlock, syn: TcpHeader): void {
  block.irs = syn.sequence;
  block.rcvNxt = seqAdd(syn.sequence, 1);
  block.rcvAdv = seqAdd(
    block.rcvNxt,
    Math.min(SYN_WINDOW, block.receiveLimit),
  );
  block.lastAckSent = block.rcvNxt;
  block.hasTimestamps = syn.hasTimestamps;
  block.tsRecent = syn.hasTimestamps ? syn.tsValue : 0;
  block.tsRecentAt = block.now;
  block.hasSack = syn.sackPermitted;
  block.hasScaling = syn.windowScale >= 0;
  block.sndScale = Math.max(0, syn.windowScale);
  block.rcvScale = block.hasScaling ? WINDOW_SCALE : 0;
  const isAsking = (syn.flags & (TcpFlag.ECE | TcpFlag.CWR)) ===
    (TcpFlag.ECE | TcpFlag.CWR);
  block.hasEcn = isAsking && (syn.flags & TcpFlag.ACK) === 0;
  const fallback = block.remote.length === 4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
  block.rcvMss = segmentLimit(block);
  block.sndWnd = syn.window; // never scaled in a SYN
  block.maxSndWnd = syn.window;
  block.sndWl1 = syn.sequence;
  block.sndWl2 = syn.acknowledgment;
  setSegmentSize(block, syn.mss === 0 ? fallback : syn.mss);
  startCongestion(block);
}

/** The handshake is complete. */
export function establish(block: ControlBlock): void {
  const { now, options } = block;
  block.state = "ESTABLISHED";
  if (block.retransmissions === 0) {
    const handshake = now - block.lastSentAt;
    if (handshake > 0) block.rtt.sample(handshake, now);
  }
  block.retransmissions = 0;
  block.rtt.resetBackoff();
  block.lastReceivedAt = now;
  block.tuneAt = now;
  restartSendTimer(block);
  if (options.keepAlive) block.keepAliveAt = now + options.keepIdleMs;
  block.host.layer.count("TcpEstablished");
  block.notify(Ready.WRITABLE);
}

/** Nothing more is sent or received: buffers go, the owner is told. */
export function terminate(
  block: ControlBlock,
  error: NetError | undefined,
): void {
  if (block.state === "CLOSED") return;
  block.state = "CLOSED";
  block.error = error;
  block.sendBuffer.clear();
  block.sent.clear();
  block.ahead.clear();
  if (error !== undefined) block.received.clear();
  block.sendTimer = "none";
  block.sendTimerAt = NEVER;
  block.ackAt = NEVER;
  block.keepAliveAt = NEVER;
  block.endAt = NEVER;
  block.host.layer.disarmTimer(block.timer);
  block.host.forget(block);
  block.notify(
    Ready.READABLE | Ready.WRITABLE | Ready.HANGUP |
      (error === undefined ? 0 : Ready.ERROR),
  );
}

/** Ends a connection at once and tells the peer (RFC 9293 §3.10.5). */
export function abort(block: ControlBlock): void {
  if (block.isSynchronized && block.state !== "TIME-WAIT") sendReset(block);
  else if (block.state === "SYN-RECEIVED") sendReset(block);
  terminate(block, undefined);
}

/** Sends FIN after what is still to send (§3.10.4). */
export function shutdownWrite(block: ControlBlock): void {
  if (block.isWriteShut) return;
  block.isWriteShut = true;
  switch (block.state) {
    case "SYN-SENT":
      terminate(block, undefined);
      return;
    case "ESTABLISHED":
      block.state = "FIN-WAIT-1";
      break;
    case "CLOSE-WAIT":
      block.state = "LAST-ACK";
      break;
    default:
      return;
  }
  output(block, { flush: true });
}

/** The owner has gone: unread data ends the connection at once (RFC 2525
 * §2.17), else it closes in order. */
export function orphan(block: ControlBlock): void {
  block.isOrphan = true;
  block.isReadShut = true;
  block.notify = () => {};
  if (block.state === "CLOSED") return;
  if (block.received.size > 0 || block.state === "SYN-RECEIVED") {
    abort(block);
    return;
  }
  if (block.state === "FIN-WAIT-2") {
    block.endAt = block.now + block.options.lingerMs;
    updateTimers(block);
    return;
  }
  shutdownWrite(block);
}
