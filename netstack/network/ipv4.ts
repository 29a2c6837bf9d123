/**
 * IPv4 at work: what arrives is checked, put together and delivered or
 * forwarded; what leaves gets its header and is cut to the link's size. Source:
 * RFC 791, RFC 1122 §3.2, RFC 1812 §5 for forwarding, RFC 6864.
 * @module
 */
import type { NetError } from "../errors.ts";
import type { Nic } from "../stack/nic.ts";
import { HEADROOM_BYTES, PacketBuffer } from "../stack/packet_buffer.ts";
import {
  isLimitedBroadcast,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
} from "../wire/address.ts";
import { checksum } from "../wire/checksum.ts";
import { Icmpv4Type, Unreachable } from "../wire/icmp.ts";
import {
  emitIpv4,
  IPV4_MIN_HEADER_SIZE,
  type Ipv4Header,
  parseIpv4,
} from "../wire/ipv4.ts";
import type { Reassembler } from "./fragmentation.ts";
import { sendIcmpv4Error } from "./icmp_errors.ts";
import type { IpLayer, Route, SendOptions } from "./ip_layer.ts";

const NO_OPTIONS = new Uint8Array(0);
const MAX_PACKET = 65535;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_LSRR = 131;
const OPTION_SSRR = 137;

/** Takes a packet that starts at its IPv4 header. */
export function receiveIpv4(
  layer: IpLayer,
  nic: Nic,
  packet: PacketBuffer,
  reassembler: Reassembler,
): void {
  layer.count("IpInReceives");
  const header = parseIpv4(packet.view());
  if (typeof header === "string") {
    layer.count(header === "checksum" ? "IpInCsumErrors" : "IpInHdrErrors");
    nic.counters.receiveErrors++;
    return;
  }
  note(packet, header);
  if (!isPlausible(layer, nic, header)) {
    layer.count("IpInAddrErrors");
    return;
  }
  // Source routes are how strangers get past filters; Linux's default too.
  if (header.options.length > 0 && hasSourceRoute(header.options)) {
    layer.count("IpInHdrErrors");
    return;
  }
  const { destination } = header;
  if (isMulticast(destination)) {
    packet.isMulticast = true;
    nic.counters.multicast++;
    if (!nic.isMember(destination)) return;
  } else if (layer.isBroadcast(destination)) {
    packet.isMulticast = true;
  } else if (!layer.isLocal(destination)) {
    if (!packet.isMulticast) forward(layer, nic, packet, header);
    return;
  }
  if (!header.moreFragments && header.fragmentOffset === 0) {
    packet.start += IPV4_MIN_HEADER_SIZE + header.options.length;
    layer.deliver(nic, packet);
    return;
  }
  layer.count("IpReasmReqds");
  packet.start += IPV4_MIN_HEADER_SIZE + header.options.length;
  const whole = reassembler.add({
    packet,
    identification: header.identification,
    offset: header.fragmentOffset,
    moreFragments: header.moreFragments,
    protocol: header.protocol,
  }, layer.now);
  if (whole === undefined) return;
  const rebuilt = rebuild(whole.first, whole.payload);
  if (rebuilt === undefined) {
    layer.count("IpReasmFails");
    return;
  }
  layer.count("IpReasmOKs");
  layer.deliver(nic, rebuilt);
}

function note(packet: PacketBuffer, header: Ipv4Header): void {
  packet.networkStart = packet.start;
  packet.end = packet.start + header.totalLength;
  packet.source = header.source;
  packet.destination = header.destination;
  packet.protocol = header.protocol;
  packet.hopLimit = header.timeToLive;
  packet.trafficClass = header.trafficClass;
}

/** Addresses that no packet from a link may have (RFC 1122 §3.2.1.3). */
function isPlausible(layer: IpLayer, nic: Nic, header: Ipv4Header): boolean {
  const { source, destination } = header;
  if (isMulticast(source) || isLimitedBroadcast(source)) return false;
  if (isUnspecified(destination)) return false;
  if (nic.isLoopback) return true;
  if (isLoopback(source) || isLoopback(destination)) return false;
  // Our own address as a source: a loop, or a lie.
  return isUnspecified(source) ||
    !layer.isLocal(source) && !layer.isBroadcast(source);
}

function hasSourceRoute(options: Uint8Array): boolean {
  let at = 0;
  while (at < options.length) {
    const type = options[at]!;
    if (type === OPTION_END) return false;
    if (type === OPTION_NOP) {
      at++;
      continue;
    }
    if (type === OPTION_LSRR || type === OPTION_SSRR) return true;
    const size = options[at + 1] ?? 0;
    if (size < 2) return false;
    at += size;
  }
  return false;
}

/** The first piece's header in front of the whole payload. */
function rebuild(
  first: PacketBuffer,
  payload: Uint8Array,
): PacketBuffer | undefined {
  const headerSize = first.start - first.networkStart;
  const total = headerSize + payload.length;
  if (total > MAX_PACKET) return undefined;
  const bytes = new Uint8Array(total);
  const header = first.bytes.subarray(first.networkStart, first.start);
  bytes.set(header);
  bytes.set(payload, headerSize);
  bytes[2] = total >> 8;
  bytes[3] = total & 255;
  bytes.fill(0, 6, 8);
  refreshChecksum(bytes, headerSize);
  const packet = new PacketBuffer(bytes, headerSize);
  packet.source = first.source;
  packet.destination = first.destination;
  packet.protocol = first.protocol;
  packet.hopLimit = first.hopLimit;
  packet.trafficClass = first.trafficClass;
  packet.nicIndex = first.nicIndex;
  packet.isMulticast = first.isMulticast;
  return packet;
}

function refreshChecksum(bytes: Uint8Array, headerSize: number): void {
  bytes.fill(0, 10, 12);
  const value = checksum(bytes, 0, headerSize);
  bytes[10] = value >> 8;
  bytes[11] = value & 255;
}

/** RFC 1812 §5.2: one hop further, or an error to the sender. */
function forward(
  layer: IpLayer,
  nic: Nic,
  packet: PacketBuffer,
  header: Ipv4Header,
): void {
  if (!layer.isForwarding || nic.isLoopback || isLinkLocal(header.source)) {
    layer.count("IpInAddrErrors");
    return;
  }
  if (header.timeToLive <= 1) {
    layer.count("IpInHdrErrors");
    sendIcmpv4Error(layer, packet, Icmpv4Type.TIME_EXCEEDED, 0, 0);
    return;
  }
  const route = layer.findRoute(header.destination);
  if (typeof route === "string") {
    layer.count("IpOutNoRoutes");
    const code = Unreachable.NETWORK;
    const type = Icmpv4Type.DESTINATION_UNREACHABLE;
    sendIcmpv4Error(layer, packet, type, code, 0);
    return;
  }
  const headerSize = IPV4_MIN_HEADER_SIZE + header.options.length;
  if (packet.size > route.nic.mtu && header.dontFragment) {
    const type = Icmpv4Type.DESTINATION_UNREACHABLE;
    const code = Unreachable.FRAGMENTATION_NEEDED;
    sendIcmpv4Error(layer, packet, type, code, route.nic.mtu);
    return;
  }
  layer.count("IpForwDatagrams");
  // A packet with room in front: the device may need a longer link header.
  const copy = packet.start >= HEADROOM_BYTES ? packet : packet.clone();
  copy.bytes[copy.start + 8]!--;
  refreshChecksum(copy.view(), headerSize);
  if (copy.size <= route.nic.mtu) {
    layer.transmit(route.nic, route.nextHop, copy);
  } else cut(layer, route, copy, headerSize);
}

/** Puts a header before the payload and sends it. */
export function sendIpv4(
  layer: IpLayer,
  route: Route,
  packet: PacketBuffer,
  options: SendOptions,
): NetError | undefined {
  const totalLength = IPV4_MIN_HEADER_SIZE + packet.size;
  const mtu = layer.pathMtu(route);
  if (totalLength > MAX_PACKET) return "message-too-long";
  if (totalLength > mtu && options.dontFragment) return "message-too-long";
  layer.count("IpOutRequests");
  emitIpv4({
    trafficClass: options.trafficClass,
    totalLength,
    // An identification matters only if the packet can be cut (RFC 6864 §4).
    identification: options.dontFragment ? 0 : layer.random.next32() & 0xffff,
    dontFragment: options.dontFragment,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: options.hopLimit,
    protocol: options.protocol,
    source: route.source,
    destination: route.destination,
    options: NO_OPTIONS,
  }, packet.prepend(IPV4_MIN_HEADER_SIZE));
  if (totalLength <= mtu) layer.transmit(route.nic, route.nextHop, packet);
  else cut(layer, route, packet, IPV4_MIN_HEADER_SIZE);
  return undefined;
}

/** Sends a packet in pieces; options stay with the first (RFC 791 allows a
 * host to send none). */
function cut(
  layer: IpLayer,
  route: Route,
  packet: PacketBuffer,
  headerSize: number,
): void {
  const header = parseIpv4(packet.view());
  if (typeof header === "string") return;
  const mtu = Math.min(layer.pathMtu(route), route.nic.mtu);
  const room = (mtu - headerSize) & ~7;
  const payload = packet.view().subarray(headerSize);
  for (let at = 0; at < payload.length; at += room) {
    const size = Math.min(room, payload.length - at);
    const piece = PacketBuffer.from(payload.subarray(at, at + size));
    const options = at === 0 ? header.options : NO_OPTIONS;
    const ownSize = IPV4_MIN_HEADER_SIZE + options.length;
    emitIpv4({
      ...header,
      options,
      totalLength: ownSize + size,
      fragmentOffset: header.fragmentOffset + at,
      moreFragments: header.moreFragments || at + size < payload.length,
    }, piece.prepend(ownSize));
    layer.count("IpFragCreates");
    layer.transmit(route.nic, route.nextHop, piece);
  }
  layer.count("IpFragOKs");
}
