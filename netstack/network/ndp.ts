/**
 * Neighbour discovery at work: questions answered, answers learnt, addresses
 * probed before use (DAD) and made from router advertisements (SLAAC). Source:
 * RFC 4861 §7 and §6.3, RFC 4862 §5.
 * @module
 */
import type { Nic } from "../stack/nic.ts";
import { PacketBuffer } from "../stack/packet_buffer.ts";
import {
  eui64Address,
  type IpAddress,
  IPV6_ALL_NODES,
  IPV6_ALL_ROUTERS,
  IPV6_ANY,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  MAC_NONE,
  type MacAddress,
  multicastMac,
  sameAddress,
  solicitedNode,
} from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import { emitIcmpv6, type IcmpMessage, Icmpv6Type } from "../wire/icmp.ts";
import { emitIpv6, IPV6_HEADER_SIZE } from "../wire/ipv6.ts";
import {
  emitNdpOptions,
  emitNeighborBody,
  NA_OVERRIDE,
  NA_ROUTER,
  NA_SOLICITED,
  type NdpOptions,
  parseNdpOptions,
  parseNeighborBody,
  parseRouterAdvertisement,
} from "../wire/ndp.ts";
import { Protocol } from "../wire/protocol.ts";
import type { IpLayer } from "./ip_layer.ts";

/** What none but a neighbour on this link can have set (RFC 4861 §11.2). */
const HOP_LIMIT = 255;
const MIN_MTU = 1280;

/** What discovery asks of the stack beyond IP. */
export interface NdpEvents {
  /** Another host has, or wants, an address that we were probing. */
  onDuplicate(nic: Nic, address: IpAddress): void;
  /** A router offers itself, for `lifetimeSeconds`; 0: no longer. */
  onRouter(nic: Nic, router: IpAddress, lifetimeSeconds: number): void;
  /** A prefix is on this link. */
  onPrefix(nic: Nic, prefix: IpAddress, bits: number, seconds: number): void;
  /** An address that we may make for ourselves. */
  onAddress(nic: Nic, address: IpAddress, bits: number, seconds: number): void;
}

function options(value: Partial<NdpOptions>): NdpOptions {
  return { prefixes: [], dnsServers: [], ...value };
}

/** Takes a discovery message (checksum verified). */
export function receiveNdp(
  layer: IpLayer,
  events: NdpEvents,
  nic: Nic,
  packet: PacketBuffer,
  message: IcmpMessage,
): void {
  if (packet.hopLimit !== HOP_LIMIT || message.code !== 0) {
    layer.count("Icmp6InErrors");
    return;
  }
  switch (message.type) {
    case Icmpv6Type.NEIGHBOR_SOLICITATION:
      onSolicitation(layer, events, nic, packet, message.body);
      break;
    case Icmpv6Type.NEIGHBOR_ADVERTISEMENT:
      onAdvertisement(layer, events, nic, packet, message);
      break;
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      onRouterAdvertisement(layer, events, nic, packet, message);
      break;
    case Icmpv6Type.ROUTER_SOLICITATION: {
      const found = parseNdpOptions(message.body, 0);
      if (typeof found === "string" || found.sourceMac === undefined) return;
      nic.neighbors.learn(packet.source, found.sourceMac, false);
    }
  }
}

function onSolicitation(
  layer: IpLayer,
  events: NdpEvents,
  nic: Nic,
  packet: PacketBuffer,
  bytes: Uint8Array,
): void {
  const body = parseNeighborBody(bytes);
  if (typeof body === "string" || isMulticast(body.target)) return;
  const { target } = body;
  const own = nic.findAddress(target);
  if (own === undefined) return;
  const isProbe = isUnspecified(packet.source);
  if (own.state === "tentative") {
    // RFC 4862 §5.4.3: somebody else is probing it too.
    if (isProbe) events.onDuplicate(nic, target);
    return;
  }
  const { sourceMac } = body.options;
  if (!isProbe && sourceMac !== undefined) {
    nic.neighbors.learn(packet.source, sourceMac, true);
  }
  const rest = ((layer.isForwarding ? NA_ROUTER : 0) | NA_OVERRIDE |
    (isProbe ? 0 : NA_SOLICITED)) >>> 0;
  sendNdp(layer, nic, target, isProbe ? IPV6_ALL_NODES : packet.source, {
    type: Icmpv6Type.NEIGHBOR_ADVERTISEMENT,
    code: 0,
    rest,
    body: emitNeighborBody({
      target,
      options: options({ targetMac: nic.device.mac }),
    }),
  }, isProbe ? undefined : sourceMac);
}

function onAdvertisement(
  layer: IpLayer,
  events: NdpEvents,
  nic: Nic,
  packet: PacketBuffer,
  message: IcmpMessage,
): void {
  const body = parseNeighborBody(message.body);
  if (typeof body === "string" || isMulticast(body.target)) return;
  const solicited = (message.rest & NA_SOLICITED) !== 0;
  if (solicited && packet.isMulticast) return; // §7.1.2
  const own = nic.findAddress(body.target);
  if (own !== undefined) {
    if (own.state === "tentative") events.onDuplicate(nic, body.target);
    return;
  }
  const override = (message.rest & NA_OVERRIDE) !== 0;
  const mac = body.options.targetMac;
  const flags = { solicited, override };
  nic.neighbors.confirm(body.target, mac, flags, layer.now);
  const entry = nic.neighbors.find(body.target);
  if (entry !== undefined) entry.isRouter = (message.rest & NA_ROUTER) !== 0;
}

function onRouterAdvertisement(
  layer: IpLayer,
  events: NdpEvents,
  nic: Nic,
  packet: PacketBuffer,
  message: IcmpMessage,
): void {
  if (layer.isForwarding || !isLinkLocal(packet.source)) return; // §6.1.2
  const advert = parseRouterAdvertisement(message.rest, message.body);
  if (typeof advert === "string") {
    layer.count("Icmp6InErrors");
    return;
  }
  const { sourceMac, mtu, prefixes } = advert.options;
  if (sourceMac !== undefined) {
    nic.neighbors.learn(packet.source, sourceMac, true);
  }
  if (mtu !== undefined && mtu >= MIN_MTU && mtu <= nic.device.mtu) {
    nic.mtu = mtu;
  }
  events.onRouter(nic, packet.source, advert.lifetimeSeconds);
  for (const { prefix, bits, ...info } of prefixes) {
    if (isLinkLocal(prefix) || isMulticast(prefix)) continue;
    const { validSeconds, preferredSeconds } = info;
    if (preferredSeconds > validSeconds) continue; // RFC 4862 §5.5.3 (c)
    if (info.isOnLink) events.onPrefix(nic, prefix, bits, validSeconds);
    if (info.isAutonomous && bits === 64) {
      const address = eui64Address(prefix, nic.device.mac);
      events.onAddress(nic, address, bits, validSeconds);
    }
  }
}

/** Asks who has `target`: its group, or `mac` only. */
export function solicitNdp(
  layer: IpLayer,
  nic: Nic,
  target: IpAddress,
  mac: MacAddress | undefined,
): void {
  const own =
    nic.addresses.find((entry) =>
      entry.address.length === 16 && entry.state !== "tentative" &&
      isLinkLocal(entry.address) === isLinkLocal(target)
    ) ?? nic.addresses.find((entry) =>
      entry.address.length === 16 && entry.state !== "tentative"
    );
  if (own === undefined) return;
  const to = mac === undefined ? solicitedNode(target) : target;
  const sourceMac = nic.device.mac;
  sendNdp(layer, nic, own.address, to, {
    type: Icmpv6Type.NEIGHBOR_SOLICITATION,
    code: 0,
    rest: 0,
    body: emitNeighborBody({ target, options: options({ sourceMac }) }),
  }, mac);
}

/** Asks whether anybody has an address that we want (RFC 4862 §5.4.2). */
export function probeNdp(layer: IpLayer, nic: Nic, target: IpAddress): void {
  sendNdp(layer, nic, IPV6_ANY, solicitedNode(target), {
    type: Icmpv6Type.NEIGHBOR_SOLICITATION,
    code: 0,
    rest: 0,
    body: emitNeighborBody({ target, options: options({}) }),
  });
}

/** Asks routers to advertise themselves (RFC 4861 §6.3.7). */
export function solicitRouters(
  layer: IpLayer,
  nic: Nic,
  source: IpAddress,
): void {
  const isKnown = !sameAddress(source, IPV6_ANY);
  sendNdp(layer, nic, source, IPV6_ALL_ROUTERS, {
    type: Icmpv6Type.ROUTER_SOLICITATION,
    code: 0,
    rest: 0,
    body: emitNdpOptions(options(isKnown ? { sourceMac: nic.device.mac } : {})),
  });
}

/** Discovery makes its own IPv6 header: it must not need discovery. */
function sendNdp(
  layer: IpLayer,
  nic: Nic,
  source: IpAddress,
  destination: IpAddress,
  message: IcmpMessage,
  mac?: MacAddress,
): void {
  const size = 8 + message.body.length;
  const packet = PacketBuffer.allocate(size);
  emitIcmpv6(message, packet.view(), source, destination);
  emitIpv6({
    trafficClass: 0,
    flowLabel: 0,
    payloadLength: size,
    nextHeader: Protocol.ICMPV6,
    hopLimit: HOP_LIMIT,
    source,
    destination,
  }, packet.prepend(IPV6_HEADER_SIZE));
  layer.count(`Icmp6OutType${message.type}`);
  const known = mac ?? nic.neighbors.find(destination)?.mac;
  if (isMulticast(destination)) {
    const group = multicastMac(destination);
    layer.transmitFrame(nic, group, EtherType.IPV6, packet);
  } else if (nic.device.kind !== "ethernet") {
    layer.transmitFrame(nic, MAC_NONE, EtherType.IPV6, packet);
  } else if (known !== undefined) {
    layer.transmitFrame(nic, known, EtherType.IPV6, packet);
  } else layer.transmit(nic, destination, packet);
}
