/**
 * A TCP endpoint as its owner sees it: first nothing, then a listener or a
 * connection. Operations do not wait: they say "would-block", and the observer
 * says when to try again. Source: tcp(7), socket(7), RFC 9293 §3.9.1.
 * @module
 */
import { isNetError, type NetError } from "../../errors.ts";
import type { PacketBuffer } from "../../stack/packet_buffer.ts";
import type { PortBinding } from "../../stack/port_table.ts";
import {
  type IpAddress,
  IPV4_LOOPBACK,
  IPV6_LOOPBACK,
  isMulticast,
  isUnspecified,
  isV4Mapped,
  toV4Mapped,
} from "../../wire/address.ts";
import type { TcpHeader } from "../../wire/tcp.ts";
import {
  type ReadinessObserver,
  Ready,
  type SocketAddress,
} from "../readiness.ts";
import {
  type ControlBlock,
  defaultOptions,
  type TcpHost,
  type TcpState,
} from "./control_block.ts";
import { abort, orphan, shutdownWrite } from "./lifecycle.ts";
import { clampBacklog, Listener } from "./listen.ts";
import { tuneReceiveBuffer } from "./receive.ts";
import { isWindowUpdateDue, output, sendAck } from "./send.ts";
import { seqAdd, seqDiff } from "./sequence.ts";

/** What an endpoint asks of tcp.ts. */
export interface EndpointHost extends TcpHost {
  claimPort(endpoint: TcpEndpoint, port: number): number | NetError;
  canListen(endpoint: TcpEndpoint): boolean;
  releasePort(endpoint: TcpEndpoint): void;
  addListener(endpoint: TcpEndpoint): void;
  removeListener(endpoint: TcpEndpoint): void;
  connect(
    endpoint: TcpEndpoint,
    local: IpAddress,
    remote: { readonly address: IpAddress; readonly port: number },
    notify: (bits: number) => void,
  ): ControlBlock | NetError;
  makeChild(
    endpoint: TcpEndpoint,
    packet: PacketBuffer,
    header: TcpHeader,
  ): ControlBlock;
  nextSequence(packet: PacketBuffer, header: TcpHeader): number;
  sendCookie(packet: PacketBuffer, header: TcpHeader): void;
  checkCookie(packet: PacketBuffer, header: TcpHeader): number;
}

export class TcpEndpoint implements PortBinding {
  readonly family: 4 | 6;
  options = defaultOptions();
  v6Only = false;
  boundNic = 0;
  reuseAddress = false;
  reusePort = false;
  owner = 0;
  observer: ReadinessObserver = () => {};
  localAddress: IpAddress | undefined;
  localPort = 0;
  readonly #host: EndpointHost;
  #listener: Listener | undefined;
  #block: ControlBlock | undefined;
  /** It claimed its port itself; accepted ones share the listener's. */
  #hasPort = false;
  #isClosed = false;

  constructor(host: EndpointHost, family: 4 | 6) {
    this.#host = host;
    this.family = family;
  }

  get hasIpv4(): boolean {
    return this.family === 4 || !this.v6Only;
  }

  get hasIpv6(): boolean {
    return this.family === 6;
  }

  get isListening(): boolean {
    return this.#listener !== undefined;
  }

  get state(): TcpState | "LISTEN" {
    return this.#listener !== undefined
      ? "LISTEN"
      : this.#block?.state ?? "CLOSED";
  }

  /** For statistics and tests; undefined before connect() or accept(). */
  get block(): ControlBlock | undefined {
    return this.#block;
  }

  #inner(address: IpAddress): IpAddress | NetError {
    if (this.family === 4) {
      return address.length === 4 ? address : "address-family";
    }
    if (address.length === 4 || isV4Mapped(address)) {
      if (this.v6Only) return "network-unreachable";
      return address.length === 4 ? address : address.slice(12);
    }
    return address;
  }

  #outer(address: IpAddress): IpAddress {
    return this.family === 6 && address.length === 4
      ? toV4Mapped(address)
      : address;
  }

  get local(): SocketAddress {
    const address = this.#block?.local ?? this.localAddress ??
      new Uint8Array(this.family === 4 ? 4 : 16);
    return { address: this.#outer(address), port: this.localPort };
  }

  get peer(): SocketAddress | undefined {
    const block = this.#block;
    if (block === undefined || block.state === "CLOSED") return undefined;
    if (block.state === "SYN-SENT") return undefined;
    return { address: this.#outer(block.remote), port: block.remotePort };
  }

  bind(local: SocketAddress): NetError | undefined {
    if (this.localPort !== 0 || this.#block !== undefined) {
      return "invalid-argument";
    }
    const address = this.#inner(local.address);
    if (isNetError(address)) return address;
    if (!isUnspecified(address)) {
      if (!this.#host.layer.isLocal(address)) return "address-not-available";
      this.localAddress = address;
    }
    const failed = this.#claim(local.port);
    if (failed !== undefined) this.localAddress = undefined;
    return failed;
  }

  #claim(port: number): NetError | undefined {
    const claimed = this.#host.claimPort(this, port);
    if (isNetError(claimed)) return claimed;
    this.localPort = claimed;
    this.#hasPort = true;
    return undefined;
  }

  /** Begins to listen, or changes the backlog. */
  listen(backlog: number): NetError | undefined {
    if (this.#listener !== undefined) {
      this.#listener.backlog = clampBacklog(backlog);
      return undefined;
    }
    if (this.#block !== undefined) return "invalid-argument";
    if (this.localPort === 0) {
      const failed = this.#claim(0);
      if (failed !== undefined) return failed;
    }
    const host = this.#host;
    this.#listener = new Listener(
      {
        makeChild: (packet, header) => host.makeChild(this, packet, header),
        nextSequence: (packet, header) => host.nextSequence(packet, header),
        sendCookie: (packet, header) => host.sendCookie(packet, header),
        checkCookie: (packet, header) => host.checkCookie(packet, header),
      },
      backlog,
      (bits) => this.observer(bits),
    );
    if (!host.canListen(this)) {
      this.#listener = undefined;
      return "address-in-use";
    }
    host.addListener(this);
    return undefined;
  }

  /** Called by tcp.ts. */
  onSegment(packet: PacketBuffer, header: TcpHeader): boolean {
    return this.#listener?.onSegment(packet, header) ?? false;
  }

  accept(): TcpEndpoint | NetError {
    if (this.#listener === undefined) return "invalid-argument";
    const block = this.#listener.accept();
    if (block === undefined) return "would-block";
    const endpoint = new TcpEndpoint(this.#host, this.family);
    endpoint.options = block.options;
    endpoint.v6Only = this.v6Only;
    endpoint.localPort = this.localPort;
    endpoint.localAddress = block.local;
    endpoint.#adopt(block);
    return endpoint;
  }

  #adopt(block: ControlBlock): void {
    this.#block = block;
    block.notify = (bits) => this.observer(bits);
  }

  /** Begins to connect: "in-progress"; later says how it went. */
  connect(remote: SocketAddress): NetError | undefined {
    if (this.#listener !== undefined) return "already-connected";
    const block = this.#block;
    if (block !== undefined) {
      if (block.state === "SYN-SENT" || block.state === "SYN-RECEIVED") {
        return "already-connecting";
      }
      const error = this.takeError();
      if (error !== undefined) return error;
      if (block.state !== "CLOSED") return "already-connected";
      this.#block = undefined;
    }
    let address = this.#inner(remote.address);
    if (isNetError(address)) return address;
    if (isMulticast(address)) return "network-unreachable";
    const { layer } = this.#host;
    if (layer.isBroadcast(address)) return "network-unreachable";
    if (isUnspecified(address)) {
      address = address.length === 4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
    }
    const route = layer.findRoute(address, {
      nicIndex: remote.nicIndex ?? this.boundNic,
      ...(this.localAddress === undefined ? {} : { source: this.localAddress }),
    });
    if (isNetError(route)) return route;
    if (this.localPort === 0) {
      const failed = this.#claim(0);
      if (failed !== undefined) return failed;
    }
    const started = this.#host.connect(
      this,
      route.source,
      { address, port: remote.port },
      (bits) => this.observer(bits),
    );
    if (isNetError(started)) return started;
    this.#block = started;
    return "in-progress";
  }

  /** Takes as many bytes as there is room for; the count. */
  write(bytes: Uint8Array): number | NetError {
    const block = this.#block;
    if (block === undefined) return "broken-pipe";
    const error = this.takeError();
    if (error !== undefined) return error;
    if (block.isWriteShut || block.state === "CLOSED") return "broken-pipe";
    if (!block.isSynchronized) return "would-block";
    const count = Math.min(bytes.length, block.sendRoom);
    if (count === 0) return bytes.length === 0 ? 0 : "would-block";
    block.sendBuffer.append(
      count === bytes.length ? bytes : bytes.subarray(0, count),
    );
    output(block);
    return count;
  }

  /** As write(); the last byte is urgent (MSG_OOB). */
  writeUrgent(bytes: Uint8Array): number | NetError {
    const block = this.#block;
    if (block === undefined || !block.isSynchronized) return "broken-pipe";
    if (block.sendRoom < bytes.length) return "would-block";
    block.sndUp = seqAdd(block.sndUna, block.sendBuffer.size + bytes.length);
    block.hasUrgent = bytes.length > 0;
    return this.write(bytes);
  }

  /** Copies bytes out; 0: the peer has sent all that it will. */
  read(
    into: Uint8Array,
    options: { readonly peek?: boolean } = {},
  ): number | NetError {
    const block = this.#block;
    if (block === undefined) return "not-connected";
    if (block.received.size === 0) {
      const error = this.takeError();
      if (error !== undefined) return error;
      if (block.isFinReceived || block.isReadShut) return 0;
      if (block.state === "CLOSED") return 0;
      return "would-block";
    }
    const count = block.received.read(into, options);
    if (options.peek !== true && count > 0) {
      tuneReceiveBuffer(block, count);
      if (block.isSynchronized && isWindowUpdateDue(block)) sendAck(block);
    }
    return count;
  }

  /** Bytes that can be read (FIONREAD), and that are unsent or without an
   * acknowledgment (SIOCOUTQ). */
  get readableBytes(): number {
    return this.#block?.received.size ?? 0;
  }

  get unsentBytes(): number {
    return this.#block?.sendBuffer.size ?? 0;
  }

  /** True if what is read next comes after the urgent mark (SIOCATMARK). */
  get isAtMark(): boolean {
    const block = this.#block;
    if (block === undefined || !block.hasReceivedUrgent) return false;
    const next = seqAdd(block.rcvNxt, -block.received.size);
    return seqDiff(block.rcvUp, next) === 1;
  }

  /** Why the connection failed; it is reported once. */
  takeError(): NetError | undefined {
    const block = this.#block;
    if (block === undefined) return undefined;
    const { error } = block;
    block.error = undefined;
    return error;
  }

  get readiness(): number {
    if (this.#listener !== undefined) {
      return this.#listener.waiting > 0 ? Ready.READABLE : 0;
    }
    const block = this.#block;
    if (block === undefined) return Ready.WRITABLE | Ready.HANGUP;
    let bits = 0;
    const isReadOver = block.isFinReceived || block.isReadShut ||
      block.state === "CLOSED";
    const isWriteOver = block.isWriteShut || block.state === "CLOSED";
    if (block.received.size > 0 || isReadOver) bits |= Ready.READABLE;
    if (isReadOver) bits |= Ready.READ_HANGUP;
    if (isReadOver && isWriteOver) bits |= Ready.HANGUP;
    if (isWriteOver || block.isSynchronized && hasRoom(block)) {
      bits |= Ready.WRITABLE;
    }
    if (block.error !== undefined) bits |= Ready.ERROR;
    if (
      block.hasReceivedUrgent &&
      seqDiff(block.rcvUp, seqAdd(block.rcvNxt, -block.received.size)) > 0
    ) bits |= Ready.PRIORITY;
    return bits;
  }

  shutdown(how: { read: boolean; write: boolean }): NetError | undefined {
    const block = this.#block;
    if (this.#listener !== undefined && how.read) {
      this.#stopListening();
      return undefined;
    }
    if (block === undefined || block.state === "CLOSED") return "not-connected";
    if (how.read) block.isReadShut = true;
    if (how.write) shutdownWrite(block);
    this.observer(this.readiness);
    return undefined;
  }

  /** Sends what options had held back, after one of them has changed. */
  flush(): void {
    const block = this.#block;
    if (block === undefined) return;
    if (block.options.keepAlive && block.keepAliveAt === Infinity) {
      block.keepAliveAt = block.now + block.options.keepIdleMs;
    }
    if (block.isSynchronized) output(block);
  }

  #stopListening(): void {
    this.#host.removeListener(this);
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Lets go; the connection closes in order by itself, or with `isAbrupt`
   * (SO_LINGER of zero) ends at once. */
  close(options: { readonly isAbrupt?: boolean } = {}): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.observer = () => {};
    if (this.#listener !== undefined) this.#stopListening();
    if (this.#block !== undefined) {
      if (options.isAbrupt === true) abort(this.#block);
      else orphan(this.#block);
    }
    if (this.#hasPort) this.#host.releasePort(this);
  }
}

/** Linux: a third of the buffer must be free before a writer is woken. */
function hasRoom(block: ControlBlock): boolean {
  return block.sendRoom * 2 >= block.sendBuffer.size;
}
