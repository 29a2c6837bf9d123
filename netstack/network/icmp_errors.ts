/**
 * ICMP errors that we send about packets that came to us, and reading those
 * that come about packets of ours. Source: RFC 1122 §3.2.2, RFC 1812 §4.3,
 * RFC 4443 §2.4 and §3, RFC 1191, RFC 8201.
 * @module
 */
import type { NetError } from "../errors.ts";
import { PacketBuffer } from "../stack/packet_buffer.ts";
import {
  isLimitedBroadcast,
  isMulticast,
  isUnspecified,
} from "../wire/address.ts";
import {
  emitIcmpv4,
  emitIcmpv6,
  ICMP_HEADER_SIZE,
  type IcmpMessage,
  Icmpv4Type,
  Icmpv6Type,
  isIcmpv4Error,
  Unreachable,
  Unreachable6,
} from "../wire/icmp.ts";
import { isExtensionProblem, walkExtensions } from "../wire/ipv6_extension.ts";
import { Protocol } from "../wire/protocol.ts";
import type { IpLayer } from "./ip_layer.ts";

/** RFC 1812 §4.3.2.3: as much as fits 576 bytes; RFC 4443: 1280. */
const MAX_ERROR_V4 = 576 - 20 - ICMP_HEADER_SIZE;
const MAX_ERROR_V6 = 1280 - 40 - ICMP_HEADER_SIZE;
/** The smallest MTU that a router may claim (Linux's min_pmtu). */
const MIN_PATH_MTU_V4 = 552;
const MIN_PATH_MTU_V6 = 1280;
const HOP_LIMIT = 64;

/** Tells the sender of `packet` (networkStart is known) what is wrong. */
export function sendIcmpv4Error(
  layer: IpLayer,
  packet: PacketBuffer,
  type: number,
  code: number,
  rest: number,
): void {
  const { bytes, networkStart } = packet;
  // RFC 1122 §3.2.2: never about errors, groups, later fragments.
  if (packet.isMulticast || isUnspecified(packet.source)) return;
  if (isMulticast(packet.source) || isLimitedBroadcast(packet.source)) return;
  const fragment = (bytes[networkStart + 6]! << 8) | bytes[networkStart + 7]!;
  if ((fragment & 0x1fff) !== 0) return;
  if (packet.protocol === Protocol.ICMP) {
    const inner = networkStart + (bytes[networkStart]! & 15) * 4;
    if (inner >= packet.end || isIcmpv4Error(bytes[inner]!)) return;
  }
  const end = Math.min(packet.end, networkStart + MAX_ERROR_V4);
  const body = bytes.subarray(networkStart, end);
  const source = layer.isLocal(packet.destination)
    ? { source: packet.destination }
    : {};
  const route = layer.findRoute(packet.source, source);
  if (typeof route === "string") return;
  const reply = PacketBuffer.allocate(ICMP_HEADER_SIZE + body.length);
  emitIcmpv4({ type, code, rest, body }, reply.view());
  layer.count("IcmpOutErrorsSent");
  layer.send(route, reply, {
    protocol: Protocol.ICMP,
    hopLimit: HOP_LIMIT,
    trafficClass: 0xc0, // internetwork control (RFC 1812 §4.3.2.5)
    dontFragment: false,
  });
}

/** As above for ICMPv6. `toGroups`: packet too big and one kind of parameter
 * problem are sent about multicast packets too (RFC 4443 §2.4 (e)). */
export function sendIcmpv6Error(
  layer: IpLayer,
  packet: PacketBuffer,
  type: number,
  code: number,
  rest: number,
  toGroups: "to-groups" | "not-to-groups" = "not-to-groups",
): void {
  if (packet.isMulticast && toGroups === "not-to-groups") return;
  if (isUnspecified(packet.source) || isMulticast(packet.source)) return;
  const { bytes, networkStart } = packet;
  const whole = bytes.subarray(networkStart, packet.end);
  const chain = walkExtensions(whole, whole[6]!, 40);
  if (typeof chain === "object" && !isExtensionProblem(chain)) {
    if (
      chain.protocol === Protocol.ICMPV6 &&
      (chain.offset >= whole.length || whole[chain.offset]! < 128 ||
        whole[chain.offset] === Icmpv6Type.REDIRECT)
    ) return;
  }
  const body = whole.subarray(0, MAX_ERROR_V6);
  const source = layer.isLocal(packet.destination)
    ? { source: packet.destination }
    : {};
  const route = layer.findRoute(packet.source, {
    ...source,
    nicIndex: packet.nicIndex,
  });
  if (typeof route === "string") return;
  const reply = PacketBuffer.allocate(ICMP_HEADER_SIZE + body.length);
  const message = { type, code, rest, body };
  emitIcmpv6(message, reply.view(), route.source, route.destination);
  layer.count("Icmp6OutErrorsSent");
  layer.send(route, reply, {
    protocol: Protocol.ICMPV6,
    hopLimit: HOP_LIMIT,
    trafficClass: 0,
    dontFragment: false,
  });
}

/** Reads an ICMPv4 error and hands it to the transport that it concerns. */
export function receiveIcmpv4Error(
  layer: IpLayer,
  packet: PacketBuffer,
  message: IcmpMessage,
): void {
  const { body } = message;
  if (body.length < 28 || body[0]! >> 4 !== 4) return;
  const headerSize = (body[0]! & 15) * 4;
  if (headerSize < 20 || body.length < headerSize + 8) return;
  if ((((body[6]! << 8) | body[7]!) & 0x1fff) !== 0) return;
  const source = body.slice(12, 16);
  const destination = body.slice(16, 20);
  if (!layer.isLocal(source)) return;
  let info = 0;
  let error: NetError;
  if (message.type === Icmpv4Type.DESTINATION_UNREACHABLE) {
    error = unreachableV4(message.code);
    if (message.code === Unreachable.FRAGMENTATION_NEEDED) {
      const total = (body[2]! << 8) | body[3]!;
      const claimed = message.rest & 0xffff;
      // Old routers say nothing (RFC 1191 §5); nobody may raise it.
      const mtu = Math.max(MIN_PATH_MTU_V4, claimed || Math.floor(total / 2));
      info = mtu;
      if (mtu < total) layer.lowerPathMtu(destination, mtu);
    }
  } else if (message.type === Icmpv4Type.TIME_EXCEEDED) {
    error = "host-unreachable";
  } else if (message.type === Icmpv4Type.PARAMETER_PROBLEM) {
    error = "protocol-unreachable";
  } else return;
  layer.deliverError({
    error,
    type: message.type,
    code: message.code,
    info,
    offender: packet.source,
    source,
    destination,
    protocol: body[9]!,
    quoted: body.subarray(headerSize),
  });
}

function unreachableV4(code: number): NetError {
  switch (code) {
    case Unreachable.NETWORK:
    case Unreachable.NETWORK_UNKNOWN:
    case Unreachable.NETWORK_PROHIBITED:
      return "network-unreachable";
    case Unreachable.PROTOCOL:
      return "protocol-unreachable";
    case Unreachable.PORT:
      return "connection-refused";
    case Unreachable.FRAGMENTATION_NEEDED:
      return "message-too-long";
    default:
      return "host-unreachable";
  }
}

/** As above for ICMPv6. */
export function receiveIcmpv6Error(
  layer: IpLayer,
  packet: PacketBuffer,
  message: IcmpMessage,
): void {
  const { body } = message;
  if (body.length < 48 || body[0]! >> 4 !== 6) return;
  const chain = walkExtensions(body, body[6]!, 40);
  if (typeof chain === "string" || isExtensionProblem(chain)) return;
  if (chain.fragment !== undefined && chain.fragment.offset !== 0) return;
  if (body.length < chain.offset + 8) return;
  const source = body.slice(8, 24);
  const destination = body.slice(24, 40);
  if (!layer.isLocal(source)) return;
  let error: NetError;
  let info = 0;
  switch (message.type) {
    case Icmpv6Type.DESTINATION_UNREACHABLE:
      error = message.code === Unreachable6.PORT
        ? "connection-refused"
        : message.code === Unreachable6.NO_ROUTE
        ? "network-unreachable"
        : message.code === Unreachable6.PROHIBITED
        ? "permission-denied"
        : "host-unreachable";
      break;
    case Icmpv6Type.PACKET_TOO_BIG: {
      error = "message-too-long";
      info = Math.max(MIN_PATH_MTU_V6, message.rest);
      const total = 40 + ((body[4]! << 8) | body[5]!);
      if (info < total) layer.lowerPathMtu(destination, info);
      break;
    }
    case Icmpv6Type.TIME_EXCEEDED:
      error = "host-unreachable";
      break;
    case Icmpv6Type.PARAMETER_PROBLEM:
      error = "protocol-unreachable";
      break;
    default:
      return;
  }
  layer.deliverError({
    error,
    type: message.type,
    code: message.code,
    info,
    offender: packet.source,
    source,
    destination,
    protocol: chain.protocol,
    quoted: body.subarray(chain.offset),
  });
}
