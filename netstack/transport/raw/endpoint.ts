/**
 * A raw endpoint: packets of one protocol as they come, IPv4 with its header,
 * IPv6 without; what it sends gets a header of ours. Source: raw(7), RFC 3542
 * §3 for IPv6.
 * @module
 */
import type { NetError } from "../../errors.ts";
import type { Nic } from "../../stack/nic.ts";
import { PacketBuffer } from "../../stack/packet_buffer.ts";
import type { RawTap, Stack } from "../../stack/stack.ts";
import {
  type IpAddress,
  isMulticast,
  sameAddress,
} from "../../wire/address.ts";
import { icmpv6Checksum } from "../../wire/icmp.ts";
import { Protocol } from "../../wire/protocol.ts";
import {
  type ReadinessObserver,
  Ready,
  type SocketAddress,
} from "../readiness.ts";
import type { Datagram } from "../udp/endpoint.ts";

/** As Linux's net.core.rmem_default. */
const RECEIVE_BUFFER_BYTES = 212_992;
const PACKET_OVERHEAD = 256;
const MAX_PAYLOAD = 65_515;

export class RawEndpoint {
  readonly family: 4 | 6;
  /** Protocol.RAW: sends only. */
  readonly protocol: number;
  hopLimit = 64;
  trafficClass = 0;
  observer: ReadinessObserver = () => {};
  readonly #stack: Stack;
  readonly #tap: RawTap;
  #local: IpAddress | undefined;
  #remote: SocketAddress | undefined;
  #queue: Datagram[] = [];
  #queuedBytes = 0;

  constructor(stack: Stack, family: 4 | 6, protocol: number) {
    this.#stack = stack;
    this.family = family;
    this.protocol = protocol;
    this.#tap = (nic, packet) => this.#take(nic, packet);
    stack.addTap(this.#tap);
  }

  /** Only packets to this address are taken. */
  bind(local: IpAddress): NetError | undefined {
    if (local.length !== (this.family === 4 ? 4 : 16)) return "address-family";
    if (!this.#stack.isLocal(local) && !isMulticast(local)) {
      return "address-not-available";
    }
    this.#local = local;
    return undefined;
  }

  /** Only packets from this address are taken; undefined: from all. */
  connect(remote: SocketAddress | undefined): void {
    this.#remote = remote;
  }

  /** Sends a payload; ICMPv6's checksum is filled in (RFC 3542 §3.1). */
  send(payload: Uint8Array, to?: SocketAddress): number | NetError {
    const remote = to ?? this.#remote;
    if (remote === undefined) return "destination-required";
    const size = this.family === 4 ? 4 : 16;
    if (remote.address.length !== size) return "address-family";
    if (payload.length > MAX_PAYLOAD) return "message-too-long";
    const route = this.#stack.findRoute(remote.address, {
      nicIndex: remote.nicIndex ?? 0,
      ...(this.#local === undefined ? {} : { source: this.#local }),
    });
    if (typeof route === "string") return route;
    const packet = PacketBuffer.from(payload);
    if (this.protocol === Protocol.ICMPV6 && payload.length >= 4) {
      const bytes = packet.view();
      bytes[2] = 0;
      bytes[3] = 0;
      const sum = icmpv6Checksum(bytes, route.source, route.destination);
      bytes[2] = sum >> 8;
      bytes[3] = sum & 255;
    }
    const failed = this.#stack.send(route, packet, {
      protocol: this.protocol,
      hopLimit: this.hopLimit,
      trafficClass: this.trafficClass,
      dontFragment: false,
    });
    return failed ?? payload.length;
  }

  receive(): Datagram | NetError {
    const first = this.#queue.shift();
    if (first === undefined) return "would-block";
    this.#queuedBytes -= first.payload.length + PACKET_OVERHEAD;
    return first;
  }

  get readiness(): number {
    return Ready.WRITABLE | (this.#queue.length > 0 ? Ready.READABLE : 0);
  }

  close(): void {
    this.#stack.removeTap(this.#tap);
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #take(_nic: Nic, packet: PacketBuffer): void {
    const isV4 = packet.source.length === 4;
    if (isV4 !== (this.family === 4)) return;
    if (packet.protocol !== this.protocol) return;
    const local = this.#local;
    if (local !== undefined && !sameAddress(local, packet.destination)) return;
    const remote = this.#remote?.address;
    if (remote !== undefined && !sameAddress(remote, packet.source)) return;
    const start = isV4 ? packet.networkStart : packet.start;
    const payload = packet.bytes.slice(start, packet.end);
    const cost = payload.length + PACKET_OVERHEAD;
    if (this.#queuedBytes + cost > RECEIVE_BUFFER_BYTES) return;
    this.#queuedBytes += cost;
    this.#queue.push({
      payload,
      from: { address: packet.source, port: 0, nicIndex: packet.nicIndex },
      to: packet.destination,
      nicIndex: packet.nicIndex,
      hopLimit: packet.hopLimit,
      trafficClass: packet.trafficClass,
    });
    this.observer(Ready.READABLE);
  }
}
