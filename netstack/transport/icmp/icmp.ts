/**
 * ICMP of both versions: echo is answered, errors go to the transports whose
 * packets they quote, discovery to network/ndp.ts; answers to echo requests of
 * ours reach the endpoint that asked. Source: RFC 792, RFC 1122 §3.2.2,
 * RFC 4443; icmp(7) on ping endpoints.
 * @module
 */
import {
  receiveIcmpv4Error,
  receiveIcmpv6Error,
} from "../../network/icmp_errors.ts";
import type { IcmpReport } from "../../network/ip_layer.ts";
import { Autoconfiguration } from "../../network/autoconfiguration.ts";
import { receiveNdp } from "../../network/ndp.ts";
import type { Nic } from "../../stack/nic.ts";
import { PacketBuffer } from "../../stack/packet_buffer.ts";
import type { Stack, Transport } from "../../stack/stack.ts";
import {
  emitIcmpv4,
  emitIcmpv6,
  type IcmpMessage,
  icmpSize,
  Icmpv4Type,
  Icmpv6Type,
  isIcmpv4Error,
  parseIcmpv4,
  parseIcmpv6,
} from "../../wire/icmp.ts";
import { Protocol } from "../../wire/protocol.ts";
import type { PingEndpoint } from "./ping.ts";

const HOP_LIMIT = 64;
/** Answers to echo requests: this many at once, then this many a second, so
 * that we cannot be used to flood somebody. */
const ECHO_BURST = 1000;
const ECHO_PER_MS = 1;

export class Icmp {
  readonly stack: Stack;
  readonly #configuration: Autoconfiguration;
  readonly #pings = new Map<number, PingEndpoint>();
  #tokens = ECHO_BURST;
  #tokensAt = 0;

  constructor(stack: Stack) {
    this.stack = stack;
    this.#configuration = new Autoconfiguration(stack);
    stack.register(Protocol.ICMP, transport(this, "receiveV4"));
    stack.register(Protocol.ICMPV6, transport(this, "receiveV6"));
  }

  /** Gives a ping endpoint its identifier; false: it is taken. */
  claim(identifier: number, endpoint: PingEndpoint): boolean {
    if (this.#pings.has(identifier)) return false;
    this.#pings.set(identifier, endpoint);
    return true;
  }

  release(identifier: number): void {
    this.#pings.delete(identifier);
  }

  receiveV4(_nic: Nic, packet: PacketBuffer): void {
    const { stack } = this;
    const message = parseIcmpv4(packet.view());
    if (typeof message === "string") {
      stack.count("IcmpInErrors");
      return;
    }
    stack.count(`IcmpInType${message.type}`);
    if (isIcmpv4Error(message.type)) {
      receiveIcmpv4Error(stack, packet, message);
    } else if (message.type === Icmpv4Type.ECHO_REPLY) {
      this.#toPing(packet, message);
    } else if (message.type === Icmpv4Type.ECHO_REQUEST) {
      // Linux's icmp_echo_ignore_broadcasts.
      if (packet.isMulticast || !this.#mayAnswer()) return;
      this.#reply(packet, { ...message, type: Icmpv4Type.ECHO_REPLY });
    }
  }

  receiveV6(nic: Nic, packet: PacketBuffer): void {
    const { stack } = this;
    const { source, destination } = packet;
    const message = parseIcmpv6(packet.view(), source, destination);
    if (typeof message === "string") {
      stack.count("Icmp6InErrors");
      return;
    }
    stack.count(`Icmp6InType${message.type}`);
    if (message.type < 128) receiveIcmpv6Error(stack, packet, message);
    else if (message.type === Icmpv6Type.ECHO_REPLY) {
      this.#toPing(packet, message);
    } else if (message.type === Icmpv6Type.ECHO_REQUEST) {
      if (!this.#mayAnswer()) return;
      this.#reply(packet, { ...message, type: Icmpv6Type.ECHO_REPLY });
    } else receiveNdp(stack, this.#configuration, nic, packet, message);
  }

  onError(report: IcmpReport): void {
    if (report.quoted.length < 8) return;
    const identifier = (report.quoted[4]! << 8) | report.quoted[5]!;
    this.#pings.get(identifier)?.onError(report);
  }

  #toPing(packet: PacketBuffer, message: IcmpMessage): void {
    const endpoint = this.#pings.get(message.rest >>> 16);
    if (endpoint?.family === (packet.source.length === 4 ? 4 : 6)) {
      endpoint.enqueue(packet);
    }
  }

  #mayAnswer(): boolean {
    const { now } = this.stack;
    const gained = (now - this.#tokensAt) * ECHO_PER_MS;
    this.#tokens = Math.min(ECHO_BURST, this.#tokens + gained);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #reply(packet: PacketBuffer, message: IcmpMessage): void {
    const { stack } = this;
    const isV4 = packet.source.length === 4;
    const route = stack.findRoute(packet.source, {
      ...(packet.isMulticast ? {} : { source: packet.destination }),
      nicIndex: packet.nicIndex === stack.loopback.index ? 0 : packet.nicIndex,
    });
    if (typeof route === "string") return;
    const reply = PacketBuffer.allocate(icmpSize(message));
    if (isV4) emitIcmpv4(message, reply.view());
    else emitIcmpv6(message, reply.view(), route.source, route.destination);
    stack.send(route, reply, {
      protocol: isV4 ? Protocol.ICMP : Protocol.ICMPV6,
      hopLimit: HOP_LIMIT,
      trafficClass: packet.trafficClass,
      dontFragment: false,
    });
  }
}

function transport(
  icmp: Icmp,
  receive: "receiveV4" | "receiveV6",
): Transport {
  return {
    receive: (nic, packet) => {
      icmp[receive](nic, packet);
      return true;
    },
    onError: (report) => icmp.onError(report),
  };
}
