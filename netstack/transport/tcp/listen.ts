/**
 * Listening: handshakes that are open, connections that wait to be accepted,
 * and cookies when there are too many of the first. Source: RFC 9293
 * §3.10.7.2, RFC 4987, listen(2).
 * @module
 */
import { NO_TCP_OPTIONS, TcpFlag, type TcpHeader } from "../../wire/tcp.ts";
import type { PacketBuffer } from "../../stack/packet_buffer.ts";
import { Ready } from "../readiness.ts";
import type { ControlBlock } from "./control_block.ts";
import { abort, startAccept } from "./lifecycle.ts";

/** Linux's net.core.somaxconn. */
export const MAX_BACKLOG = 4096;

/** What a listener asks of the protocol. */
export interface ListenHost {
  /** A block in the tables for the flow of a packet, CLOSED. */
  makeChild(packet: PacketBuffer, header: TcpHeader): ControlBlock;
  nextSequence(packet: PacketBuffer, header: TcpHeader): number;
  /** Answers with a cookie and remembers nothing. */
  sendCookie(packet: PacketBuffer, header: TcpHeader): void;
  /** The segment size if an ACK brings a cookie back; else 0. */
  checkCookie(packet: PacketBuffer, header: TcpHeader): number;
}

export class Listener {
  backlog: number;
  readonly #host: ListenHost;
  readonly #notify: (bits: number) => void;
  readonly #handshakes = new Set<ControlBlock>();
  readonly #ready: ControlBlock[] = [];
  #isClosed = false;

  constructor(
    host: ListenHost,
    backlog: number,
    notify: (bits: number) => void,
  ) {
    this.#host = host;
    this.backlog = clampBacklog(backlog);
    this.#notify = notify;
  }

  /** Connections that wait, and handshakes that are open. */
  get waiting(): number {
    return this.#ready.length;
  }

  get handshakes(): number {
    return this.#handshakes.size;
  }

  get #isFull(): boolean {
    return this.#ready.length > this.backlog;
  }

  /** Takes a segment of no connection; false: a RST is the answer. */
  onSegment(packet: PacketBuffer, header: TcpHeader): boolean {
    const { flags } = header;
    if ((flags & TcpFlag.RST) !== 0) return true;
    if ((flags & TcpFlag.ACK) !== 0) {
      return (flags & TcpFlag.SYN) === 0 && this.#onCookie(packet, header);
    }
    if ((flags & TcpFlag.SYN) === 0 || (flags & TcpFlag.FIN) !== 0) return true;
    if (this.#isFull) return true; // the peer will try again
    if (this.#handshakes.size > this.backlog) {
      this.#host.sendCookie(packet, header);
      return true;
    }
    const child = this.#host.makeChild(packet, header);
    this.#handshakes.add(child);
    child.notify = () => this.#onChild(child);
    startAccept(child, header, this.#host.nextSequence(packet, header));
    return true;
  }

  /** A handshake has been completed or has failed. */
  #onChild(child: ControlBlock): void {
    if (child.state === "SYN-RECEIVED") return;
    if (!this.#handshakes.delete(child)) return;
    if (child.state === "CLOSED") return;
    if (this.#isFull || this.#isClosed) {
      // As Linux with tcp_abort_on_overflow would; cookies make this rare.
      child.notify = () => {};
      abort(child);
      return;
    }
    child.notify = () => this.#onWaiting(child);
    this.#ready.push(child);
    this.#notify(Ready.READABLE);
  }

  /** One that waits was reset: it is accepted all the same, and fails then. */
  #onWaiting(_child: ControlBlock): void {
    this.#notify(Ready.READABLE);
  }

  #onCookie(packet: PacketBuffer, header: TcpHeader): boolean {
    const mss = this.#host.checkCookie(packet, header);
    if (mss === 0) return false;
    if (this.#isFull) return true;
    const child = this.#host.makeChild(packet, header);
    const iss = (header.acknowledgment - 1) >>> 0;
    this.#handshakes.add(child);
    child.notify = () => this.#onChild(child);
    const syn: TcpHeader = {
      ...header,
      ...NO_TCP_OPTIONS,
      mss,
      sequence: (header.sequence - 1) >>> 0,
      flags: TcpFlag.SYN,
    };
    startAccept(child, syn, iss, { isAnswered: true });
    return true;
  }

  accept(): ControlBlock | undefined {
    return this.#ready.shift();
  }

  close(): void {
    this.#isClosed = true;
    for (const child of this.#handshakes) {
      child.notify = () => {};
      abort(child);
    }
    this.#handshakes.clear();
    for (const child of this.#ready) {
      child.notify = () => {};
      abort(child);
    }
    this.#ready.length = 0;
  }
}

export function clampBacklog(backlog: number): number {
  return Math.max(0, Math.min(backlog, MAX_BACKLOG));
}
