/**
 * A ping endpoint: echo requests out, their answers in, for programs without
 * privileges. Source: icmp(7), Linux's IPPROTO_ICMP datagram sockets: the port
 * is the identifier.
 * @module
 */
import type { NetError } from "../../errors.ts";
import type { IcmpReport } from "../../network/ip_layer.ts";
import { PacketBuffer } from "../../stack/packet_buffer.ts";
import {
  emitIcmpv4,
  emitIcmpv6,
  ICMP_HEADER_SIZE,
  Icmpv4Type,
  Icmpv6Type,
} from "../../wire/icmp.ts";
import { Protocol } from "../../wire/protocol.ts";
import {
  type ReadinessObserver,
  Ready,
  type SocketAddress,
} from "../readiness.ts";
import type { Datagram } from "../udp/endpoint.ts";
import type { Icmp } from "./icmp.ts";

/** Answers that wait to be read. */
const QUEUE_LIMIT = 256;

export class PingEndpoint {
  readonly family: 4 | 6;
  hopLimit = 64;
  observer: ReadinessObserver = () => {};
  readonly #icmp: Icmp;
  #identifier = 0;
  #queue: Datagram[] = [];
  #error: NetError | undefined;

  constructor(icmp: Icmp, family: 4 | 6) {
    this.#icmp = icmp;
    this.family = family;
  }

  get identifier(): number {
    return this.#identifier;
  }

  /** Takes an identifier; 0: any. */
  bind(identifier: number): NetError | undefined {
    if (this.#identifier !== 0) return "invalid-argument";
    for (let attempt = 0; attempt < 64; attempt++) {
      const wanted = identifier !== 0
        ? identifier
        : 1 + this.#icmp.stack.random.next32() % 65535;
      if (this.#icmp.claim(wanted, this)) {
        this.#identifier = wanted;
        return undefined;
      }
      if (identifier !== 0) break;
    }
    return "address-in-use";
  }

  /** Sends an ICMP message that must be an echo request; its identifier is
   * replaced by ours. */
  send(message: Uint8Array, to: SocketAddress): number | NetError {
    if (message.length < ICMP_HEADER_SIZE) return "invalid-argument";
    const type = this.family === 4
      ? Icmpv4Type.ECHO_REQUEST
      : Icmpv6Type.ECHO_REQUEST;
    if (message[0] !== type || message[1] !== 0) return "invalid-argument";
    if (to.address.length !== (this.family === 4 ? 4 : 16)) {
      return "address-family";
    }
    if (this.#identifier === 0) {
      const failed = this.bind(0);
      if (failed !== undefined) return failed;
    }
    const { stack } = this.#icmp;
    const nicIndex = to.nicIndex ?? 0;
    const route = stack.findRoute(to.address, { nicIndex });
    if (typeof route === "string") return route;
    const sequence = (message[6]! << 8) | message[7]!;
    const packet = PacketBuffer.allocate(message.length);
    const echo = {
      type,
      code: 0,
      rest: ((this.#identifier << 16) | sequence) >>> 0,
      body: message.subarray(ICMP_HEADER_SIZE),
    };
    if (this.family === 4) emitIcmpv4(echo, packet.view());
    else emitIcmpv6(echo, packet.view(), route.source, route.destination);
    const failed = stack.send(route, packet, {
      protocol: this.family === 4 ? Protocol.ICMP : Protocol.ICMPV6,
      hopLimit: this.hopLimit,
      trafficClass: 0,
      dontFragment: false,
    });
    return failed ?? message.length;
  }

  /** The next answer, ICMP header included. */
  receive(): Datagram | NetError {
    const error = this.#error;
    this.#error = undefined;
    return error ?? this.#queue.shift() ?? "would-block";
  }

  get readiness(): number {
    let bits: number = Ready.WRITABLE;
    if (this.#queue.length > 0) bits |= Ready.READABLE;
    if (this.#error !== undefined) bits |= Ready.ERROR | Ready.READABLE;
    return bits;
  }

  close(): void {
    if (this.#identifier !== 0) this.#icmp.release(this.#identifier);
    this.#identifier = 0;
    this.#queue = [];
  }

  enqueue(packet: PacketBuffer): void {
    if (this.#queue.length >= QUEUE_LIMIT) return;
    this.#queue.push({
      payload: packet.view().slice(),
      from: { address: packet.source, port: 0, nicIndex: packet.nicIndex },
      to: packet.destination,
      nicIndex: packet.nicIndex,
      hopLimit: packet.hopLimit,
      trafficClass: packet.trafficClass,
    });
    this.observer(Ready.READABLE);
  }

  onError(report: IcmpReport): void {
    this.#error = report.error;
    this.observer(Ready.ERROR);
  }
}
