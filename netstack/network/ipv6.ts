/**
 * IPv6 at work: what arrives is checked, its extension headers walked, put
 * together, delivered or forwarded; what leaves gets its header and is cut to
 * the path's size. Source: RFC 8200, RFC 4443, RFC 4291.
 * @module
 */
import type { NetError } from "../errors.ts";
import type { Nic } from "../stack/nic.ts";
import { HEADROOM_BYTES, PacketBuffer } from "../stack/packet_buffer.ts";
import {
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
} from "../wire/address.ts";
import { Icmpv6Type, Unreachable6 } from "../wire/icmp.ts";
import { emitIpv6, IPV6_HEADER_SIZE, parseIpv6 } from "../wire/ipv6.ts";
import {
  emitFragmentHeader,
  FRAGMENT_HEADER_SIZE,
  isExtensionProblem,
  walkExtensions,
} from "../wire/ipv6_extension.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Reassembler } from "./fragmentation.ts";
import { sendIcmpv6Error } from "./icmp_errors.ts";
import type { IpLayer, Route, SendOptions } from "./ip_layer.ts";

const MAX_PAYLOAD = 65535;

/** Takes a packet that starts at its IPv6 header. */
export function receiveIpv6(
  layer: IpLayer,
  nic: Nic,
  packet: PacketBuffer,
  reassembler: Reassembler,
): void {
  layer.count("Ip6InReceives");
  const header = parseIpv6(packet.view());
  if (typeof header === "string") {
    layer.count("Ip6InHdrErrors");
    nic.counters.receiveErrors++;
    return;
  }
  const { source, destination } = header;
  packet.networkStart = packet.start;
  packet.end = packet.start + IPV6_HEADER_SIZE + header.payloadLength;
  packet.source = source;
  packet.destination = destination;
  packet.protocol = header.nextHeader;
  packet.hopLimit = header.hopLimit;
  packet.trafficClass = header.trafficClass;
  if (
    isMulticast(source) || isUnspecified(destination) ||
    !nic.isLoopback &&
      (isLoopback(source) || isLoopback(destination) || layer.isLocal(source))
  ) {
    layer.count("Ip6InAddrErrors");
    return;
  }
  if (isMulticast(destination)) {
    packet.isMulticast = true;
    nic.counters.multicast++;
    if (!nic.isMember(destination)) return;
  } else if (!isOurs(layer, nic, packet)) {
    if (!packet.isMulticast) forward(layer, nic, packet);
    return;
  }
  deliver(layer, nic, packet, reassembler);
}

/** Tentative addresses take neighbour discovery only, which goes to groups. */
function isOurs(layer: IpLayer, nic: Nic, packet: PacketBuffer): boolean {
  const { destination } = packet;
  if (isLinkLocal(destination) && !nic.isLoopback) {
    const entry = nic.findAddress(destination);
    return entry !== undefined && entry.state !== "tentative";
  }
  return layer.isLocal(destination);
}

function deliver(
  layer: IpLayer,
  nic: Nic,
  packet: PacketBuffer,
  reassembler: Reassembler,
): void {
  const whole = packet.view();
  const chain = walkExtensions(whole, packet.protocol, IPV6_HEADER_SIZE);
  if (typeof chain === "string") {
    layer.count("Ip6InHdrErrors");
    return;
  }
  if (isExtensionProblem(chain)) {
    layer.count("Ip6InHdrErrors");
    if (chain.report === "never") return;
    const type = Icmpv6Type.PARAMETER_PROBLEM;
    const groups = chain.report === "always" ? "to-groups" : "not-to-groups";
    sendIcmpv6Error(layer, packet, type, chain.code, chain.pointer, groups);
    return;
  }
  packet.protocol = chain.protocol;
  packet.start += chain.offset;
  if (chain.fragment === undefined) {
    layer.deliver(nic, packet);
    return;
  }
  layer.count("Ip6ReasmReqds");
  const { offset, moreFragments, identification } = chain.fragment;
  if (moreFragments && packet.size % 8 !== 0) {
    const type = Icmpv6Type.PARAMETER_PROBLEM;
    sendIcmpv6Error(layer, packet, type, 0, 4); // RFC 8200 §4.5
    return;
  }
  const joined = reassembler.add({
    packet,
    identification,
    offset,
    moreFragments,
    protocol: chain.protocol,
  }, layer.now);
  if (joined === undefined) return;
  const rebuilt = rebuild(joined.first, joined.payload);
  if (rebuilt === undefined) {
    layer.count("Ip6ReasmFails");
    return;
  }
  layer.count("Ip6ReasmOKs");
  deliver(layer, nic, rebuilt, reassembler);
}

/** An IPv6 header in front of the whole payload. The headers before the
 * fragment header have been looked at and are left out. */
function rebuild(
  first: PacketBuffer,
  payload: Uint8Array,
): PacketBuffer | undefined {
  if (payload.length > MAX_PAYLOAD) return undefined;
  const bytes = new Uint8Array(IPV6_HEADER_SIZE + payload.length);
  const start = first.networkStart;
  bytes.set(first.bytes.subarray(start, start + IPV6_HEADER_SIZE));
  bytes.set(payload, IPV6_HEADER_SIZE);
  bytes[4] = payload.length >> 8;
  bytes[5] = payload.length & 255;
  // A fragment within a reassembled packet would come round again.
  if (first.protocol === Protocol.FRAGMENT) return undefined;
  if (first.protocol === Protocol.HOP_BY_HOP) return undefined;
  bytes[6] = first.protocol;
  const packet = new PacketBuffer(bytes);
  packet.source = first.source;
  packet.destination = first.destination;
  packet.protocol = first.protocol;
  packet.hopLimit = first.hopLimit;
  packet.trafficClass = first.trafficClass;
  packet.nicIndex = first.nicIndex;
  packet.isMulticast = first.isMulticast;
  return packet;
}

function forward(layer: IpLayer, nic: Nic, packet: PacketBuffer): void {
  const { source, destination } = packet;
  if (
    !layer.isForwarding || nic.isLoopback || isLinkLocal(source) ||
    isLinkLocal(destination) || isUnspecified(source)
  ) {
    layer.count("Ip6InAddrErrors");
    return;
  }
  if (packet.hopLimit <= 1) {
    sendIcmpv6Error(layer, packet, Icmpv6Type.TIME_EXCEEDED, 0, 0);
    return;
  }
  const route = layer.findRoute(destination);
  if (typeof route === "string") {
    layer.count("Ip6OutNoRoutes");
    const type = Icmpv6Type.DESTINATION_UNREACHABLE;
    sendIcmpv6Error(layer, packet, type, Unreachable6.NO_ROUTE, 0);
    return;
  }
  if (packet.size > route.nic.mtu) {
    const type = Icmpv6Type.PACKET_TOO_BIG;
    sendIcmpv6Error(layer, packet, type, 0, route.nic.mtu, "to-groups");
    return;
  }
  layer.count("Ip6OutForwDatagrams");
  const copy = packet.start >= HEADROOM_BYTES ? packet : packet.clone();
  copy.bytes[copy.start + 7]!--;
  layer.transmit(route.nic, route.nextHop, copy);
}

/** Puts a header before the payload and sends it. */
export function sendIpv6(
  layer: IpLayer,
  route: Route,
  packet: PacketBuffer,
  options: SendOptions,
): NetError | undefined {
  const mtu = layer.pathMtu(route);
  const size = packet.size;
  const isTooBig = IPV6_HEADER_SIZE + size > mtu;
  if (isTooBig && (options.dontFragment || size > MAX_PAYLOAD - 8)) {
    return "message-too-long";
  }
  layer.count("Ip6OutRequests");
  if (!isTooBig) {
    emit(route, packet, options, options.protocol);
    layer.transmit(route.nic, route.nextHop, packet);
    return undefined;
  }
  const identification = layer.random.next32();
  const room = (mtu - IPV6_HEADER_SIZE - FRAGMENT_HEADER_SIZE) & ~7;
  const payload = packet.view();
  for (let at = 0; at < size; at += room) {
    const piece = PacketBuffer.from(
      payload.subarray(at, Math.min(size, at + room)),
    );
    emitFragmentHeader(
      {
        nextHeader: options.protocol,
        offset: at,
        moreFragments: at + room < size,
        identification,
      },
      piece.prepend(FRAGMENT_HEADER_SIZE),
      0,
    );
    emit(route, piece, options, Protocol.FRAGMENT);
    layer.count("Ip6FragCreates");
    layer.transmit(route.nic, route.nextHop, piece);
  }
  layer.count("Ip6FragOKs");
  return undefined;
}

function emit(
  route: Route,
  packet: PacketBuffer,
  options: SendOptions,
  nextHeader: number,
): void {
  const payloadLength = Math.min(packet.size, MAX_PAYLOAD);
  emitIpv6({
    trafficClass: options.trafficClass,
    flowLabel: 0,
    payloadLength,
    nextHeader,
    hopLimit: options.hopLimit,
    source: route.source,
    destination: route.destination,
  }, packet.prepend(IPV6_HEADER_SIZE));
}
