/**
 * The transmission control block: all that one connection remembers. Data only;
 * segments are judged in receive.ts, acknowledgments and losses in recovery.ts,
 * segments made in send.ts, time in timers.ts. Names of variables follow
 * RFC 9293 §3.3.1 (SND.UNA is sndUna). RFCs to know before editing: 9293, 5681,
 * 5961, 6298, 7323, 8985, 9438.
 * @module
 */
import { type Millis, NEVER } from "../../clock.ts";
import type { NetError } from "../../errors.ts";
import type { IpLayer, Route } from "../../network/ip_layer.ts";
import { Timer } from "../../stack/timer_queue.ts";
import type { IpAddress } from "../../wire/address.ts";
import type { CongestionControl } from "./congestion.ts";
import { Cubic } from "./cubic.ts";
import { OutOfOrderQueue, ReceiveQueue } from "./receive_buffer.ts";
import { RttEstimator } from "./rtt.ts";
import { SendBuffer } from "./send_buffer.ts";
import { SentQueue } from "./sent_queue.ts";

/** Spelled as in RFC 9293 §3.3.2. */
export type TcpState =
  | "CLOSED"
  | "SYN-SENT"
  | "SYN-RECEIVED"
  | "ESTABLISHED"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSE-WAIT"
  | "CLOSING"
  | "LAST-ACK"
  | "TIME-WAIT";

/** What a connection asks of the protocol that it belongs to. */
export interface TcpHost {
  readonly layer: IpLayer;
  /** The connection is over: out of the tables with it. */
  forget(block: ControlBlock): void;
}

/** Options of the socket that owns the connection; they may change. */
export interface TcpOptionsSet {
  noDelay: boolean;
  cork: boolean;
  quickAck: boolean;
  keepAlive: boolean;
  keepIdleMs: Millis;
  keepIntervalMs: Millis;
  keepCount: number;
  /** 0: by the number of retransmissions. */
  userTimeoutMs: Millis;
  /** Of FIN-WAIT-2 without an owner. */
  lingerMs: Millis;
  synRetries: number;
  maxSegment: number;
  hopLimit: number;
  trafficClass: number;
  /** Bytes; 0: tuned by use. */
  sendBufferBytes: number;
  receiveBufferBytes: number;
  congestion: "cubic" | "reno";
}

export function defaultOptions(): TcpOptionsSet {
  return {
    noDelay: false,
    cork: false,
    quickAck: false,
    keepAlive: false,
    keepIdleMs: 7_200_000,
    keepIntervalMs: 75_000,
    keepCount: 9,
    userTimeoutMs: 0,
    lingerMs: 60_000,
    synRetries: 6,
    maxSegment: 0,
    hopLimit: 64,
    trafficClass: 0,
    sendBufferBytes: 0,
    receiveBufferBytes: 0,
    congestion: "cubic",
  };
}

/** Linux's tcp_wmem and tcp_rmem: what tuning starts with and ends at. */
export const SEND_BUFFER_START = 262_144;
export const SEND_BUFFER_MAX = 4_194_304;
export const RECEIVE_BUFFER_START = 131_072;
export const RECEIVE_BUFFER_MAX = 6_291_456;
/** The shift for RECEIVE_BUFFER_MAX. */
export const WINDOW_SCALE = 7;
/** RFC 9293 §3.7.1: 536 and 1220 when the peer says nothing. */
export const DEFAULT_MSS_V4 = 536;
export const DEFAULT_MSS_V6 = 1220;

/** What the one timer for sending waits for. */
export type SendTimer = "none" | "retransmit" | "probe" | "persist" | "reorder";

export class ControlBlock {
  // Fixed when the connection begins.
  readonly host: TcpHost;
  readonly options: TcpOptionsSet;
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  /** Tells the owner what may have become possible: bits of Ready. */
  notify: (bits: number) => void = () => {};

  state: TcpState = "CLOSED";
  /** Why it ended, until the owner has taken it. */
  error: NetError | undefined;
  route: Route | undefined;
  /** Nobody will read or write any more. */
  isOrphan = false;

  // Sending.
  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  /** Bytes that the peer takes after sndUna. */
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  maxSndWnd = 0;
  sndScale = 0;
  sndMss = DEFAULT_MSS_V4;
  readonly sendBuffer = new SendBuffer();
  readonly sent = new SentQueue();
  isWriteShut = false;
  isFinSent = false;
  /** After the last urgent byte; valid while hasUrgent. */
  sndUp = 0;
  hasUrgent = false;
  lastSentAt: Millis = 0;

  // Receiving.
  irs = 0;
  rcvNxt = 0;
  /** Right edge of the window that was last offered; it never goes back. */
  rcvAdv = 0;
  rcvScale = 0;
  readonly received = new ReceiveQueue();
  readonly ahead = new OutOfOrderQueue();
  isReadShut = false;
  isFinReceived = false;
  rcvUp = 0;
  hasReceivedUrgent = false;
  receiveLimit = RECEIVE_BUFFER_START;
  rcvMss = DEFAULT_MSS_V4;
  dsack: readonly [number, number] | undefined;
  mustAck = false;
  unackedBytes = 0;
  quickAcks = 16;
  lastReceivedAt: Millis = 0;
  // How much the owner read in a round trip, for tuning.
  tuneAt: Millis = 0;
  tuneBytes = 0;

  // Agreed options.
  hasTimestamps = false;
  hasSack = false;
  hasScaling = false;
  hasEcn = false;
  tsRecent = 0;
  tsRecentAt: Millis = 0;
  tsOffset = 0;
  lastAckSent = 0;

  // Congestion and loss.
  readonly rtt = new RttEstimator();
  congestion: CongestionControl;
  duplicateAcks = 0;
  inRecovery = false;
  isTimeoutRecovery = false;
  recoveryPoint = 0;
  prrDelivered = 0;
  prrSent = 0;
  recoverFlightSize = 0;
  rackSentAt: Millis = -1;
  rackEnd = 0;
  rackRttMs: Millis = 0;
  hasReordering = false;
  reorderRounds = 1;
  isCwndLimited = false;
  isProbeOut = false;
  /** ECN: echo until CWR comes, and say CWR once. */
  mustEcho = false;
  mustSayReduced = false;

  // Time.
  readonly timer: Timer;
  sendTimer: SendTimer = "none";
  sendTimerAt: Millis = NEVER;
  ackAt: Millis = NEVER;
  keepAliveAt: Millis = NEVER;
  endAt: Millis = NEVER;
  retransmissions = 0;
  persistCount = 0;
  keepAliveProbes = 0;
  challengeAt: Millis = -Infinity;

  constructor(
    host: TcpHost,
    options: TcpOptionsSet,
    local: { readonly address: IpAddress; readonly port: number },
    remote: { readonly address: IpAddress; readonly port: number },
    onTimer: (block: ControlBlock) => void,
  ) {
    this.host = host;
    this.options = options;
    this.local = local.address;
    this.localPort = local.port;
    this.remote = remote.address;
    this.remotePort = remote.port;
    this.timer = new Timer(() => onTimer(this));
    this.congestion = new Cubic(DEFAULT_MSS_V4);
    if (options.receiveBufferBytes > 0) {
      this.receiveLimit = options.receiveBufferBytes;
    }
  }

  get now(): Millis {
    return this.host.layer.now;
  }

  /** Bytes that may be written now. */
  get sendRoom(): number {
    const { sendBufferBytes } = this.options;
    // Twice the window keeps it full while acknowledgments are on their way.
    const limit = sendBufferBytes > 0 ? sendBufferBytes : Math.min(
      SEND_BUFFER_MAX,
      Math.max(SEND_BUFFER_START, 2 * this.congestion.cwnd),
    );
    return Math.max(0, limit - this.sendBuffer.size);
  }

  /** The wire's timestamp: milliseconds from an offset of our own. */
  get tsNow(): number {
    return (Math.floor(this.now) + this.tsOffset) >>> 0;
  }

  get isClosed(): boolean {
    return this.state === "CLOSED";
  }

  get isSynchronized(): boolean {
    return this.state !== "CLOSED" && this.state !== "SYN-SENT" &&
      this.state !== "SYN-RECEIVED";
  }
}
