/**
 * A stack: NICs, addresses, routes and the protocols above them, joined.
 *
 * Nothing happens by itself: poll(now) takes what devices have received and
 * fires timers, pollAt() says when to call again. An operation of an endpoint
 * that sends puts packets into devices at once; loopback packets arrive with
 * the next poll. `now` of the last call is the time of operations in between.
 * @module
 */
import { type Millis, NEVER } from "../clock.ts";
import type { NetError } from "../errors.ts";
import type { LinkDevice } from "../link/device.ts";
import { Loopback } from "../link/loopback.ts";
import { announceArp, receiveArp, solicitArp } from "../network/arp.ts";
import { Reassembler } from "../network/fragmentation.ts";
import { sendIcmpv4Error, sendIcmpv6Error } from "../network/icmp_errors.ts";
import type {
  IcmpReport,
  IpLayer,
  Route,
  SendOptions,
  Statistics,
} from "../network/ip_layer.ts";
import { receiveIpv4, sendIpv4 } from "../network/ipv4.ts";
import { receiveIpv6, sendIpv6 } from "../network/ipv6.ts";
import { probeNdp, solicitNdp } from "../network/ndp.ts";
import type { Random } from "../random.ts";
import {
  broadcastOf,
  type IpAddress,
  IPV4_LOOPBACK,
  IPV6_LOOPBACK,
  isLimitedBroadcast,
  isLoopback,
  isMulticast,
  isUnspecified,
  MAC_BROADCAST,
  type MacAddress,
  maskAddress,
  multicastMac,
  sameAddress,
} from "../wire/address.ts";
import { ETHERNET_HEADER_SIZE, EtherType } from "../wire/ethernet.ts";
import { Icmpv4Type, Icmpv6Type, Unreachable } from "../wire/icmp.ts";
import { Nic } from "./nic.ts";
import type { PacketBuffer } from "./packet_buffer.ts";
import { PathMtuCache } from "./path_mtu.ts";
import { RouteTable } from "./route_table.ts";
import {
  needsNoRoute,
  nicWithoutRoute,
  selectSource,
} from "./source_address.ts";
import { etherTypeOf, isAt, noteHeader } from "./own_header.ts";
import { Timer, TimerQueue } from "./timer_queue.ts";

/** Who takes packets of a protocol number. */
export interface Transport {
  /** False: nobody wants it, and the sender is told. */
  receive(nic: Nic, packet: PacketBuffer): boolean;
  onError(report: IcmpReport): void;
}

/** Sees every packet for us of a protocol before its transport. */
export type RawTap = (nic: Nic, packet: PacketBuffer) => void;

export interface StackOptions {
  readonly random: Random;
  readonly now?: Millis;
  readonly isForwarding?: boolean;
}

/** Packets taken from a device before the next device has its turn. */
const BATCH = 64;
/** Packets of one poll; what is left makes pollAt() say now. */
const POLL_BUDGET = 4096;
const REASSEMBLY_V4_MS = 30_000;
const REASSEMBLY_V6_MS = 60_000;
/** RFC 4862 §5.1: RetransTimer. */
const DAD_MS = 1000;

export class Stack implements IpLayer {
  readonly random: Random;
  readonly routes = new RouteTable();
  readonly statistics: Statistics = new Map();
  readonly loopback: Nic;
  isForwarding: boolean;
  #now: Millis;
  #nics: Nic[] = [];
  #nextIndex = 1;
  readonly #timers = new TimerQueue();
  readonly #transports = new Map<number, Transport>();
  readonly #taps = new Set<RawTap>();
  readonly #reassemblyV4 = new Reassembler(REASSEMBLY_V4_MS);
  readonly #reassemblyV6 = new Reassembler(REASSEMBLY_V6_MS);
  readonly #pathMtus = new PathMtuCache();
  /** Copies of our own multicast and broadcast packets, for us. */
  #looped: { readonly nic: Nic; readonly packet: PacketBuffer }[] = [];

  constructor(options: StackOptions) {
    this.random = options.random;
    this.#now = options.now ?? 0;
    this.isForwarding = options.isForwarding ?? false;
    this.loopback = this.addNic(new Loopback(), "lo");
    this.addAddress(this.loopback, IPV4_LOOPBACK, 8);
    this.addAddress(this.loopback, IPV6_LOOPBACK, 128);
  }

  get now(): Millis {
    return this.#now;
  }

  get nics(): readonly Nic[] {
    return this.#nics;
  }

  addNic(device: LinkDevice, name: string): Nic {
    const nic: Nic = new Nic(this.#nextIndex++, name, device, {
      solicit: (address, mac) =>
        address.length === 4
          ? solicitArp(this, nic, address, mac)
          : solicitNdp(this, nic, address, mac),
      transmit: (packet, mac) =>
        this.transmitFrame(nic, mac, etherTypeOf(packet), packet),
      unreachable: (packet) => this.#onNoNeighbor(packet),
    });
    this.#nics = [...this.#nics, nic];
    this.routes.invalidate();
    return nic;
  }

  removeNic(nic: Nic): void {
    this.#nics = this.#nics.filter((other) => other !== nic);
    this.routes.remove((entry) => entry.nicIndex === nic.index);
    this.routes.invalidate();
  }

  findNic(index: number): Nic | undefined {
    return this.#nics.find((nic) => nic.index === index);
  }

  /** Gives a NIC an address and the route to its link. An IPv6 address on
   * Ethernet is probed for a second first, unless `probe` is false. */
  addAddress(
    nic: Nic,
    address: IpAddress,
    prefixBits: number,
    options: { readonly probe?: boolean } = {},
  ): NetError | undefined {
    if (isMulticast(address) || isUnspecified(address)) {
      return "invalid-argument";
    }
    const isEthernet = nic.device.kind === "ethernet";
    const isProbed = address.length === 16 && isEthernet &&
      options.probe !== false;
    const state = isProbed ? "tentative" : "preferred";
    const failed = nic.addAddress({ address, prefixBits, state });
    if (failed !== undefined) return failed;
    if (!nic.isLoopback && prefixBits < 8 * address.length) {
      const nicIndex = nic.index;
      this.routes.add({
        destination: maskAddress(address, prefixBits),
        prefixBits,
        nicIndex,
        source: address,
      });
    }
    this.routes.invalidate();
    if (isProbed) {
      probeNdp(this, nic, address);
      const timer = new Timer(() => {
        const entry = nic.findAddress(address);
        if (entry?.state === "tentative") entry.state = "preferred";
        this.routes.invalidate();
      });
      this.armTimer(timer, this.#now + DAD_MS);
    } else if (isEthernet && address.length === 4) {
      announceArp(this, nic, address);
    }
    return undefined;
  }

  removeAddress(nic: Nic, address: IpAddress): NetError | undefined {
    const entry = nic.removeAddress(address);
    if (entry === undefined) return "address-not-available";
    this.routes.remove((route) =>
      route.nicIndex === nic.index && route.source !== undefined &&
      sameAddress(route.source, address)
    );
    this.routes.invalidate();
    return undefined;
  }

  /** Precondition: a protocol has one transport. */
  register(protocol: number, transport: Transport): void {
    this.#transports.set(protocol, transport);
  }

  addTap(tap: RawTap): void {
    this.#taps.add(tap);
  }

  removeTap(tap: RawTap): void {
    this.#taps.delete(tap);
  }

  /** Takes what has arrived and fires what is due. Packets come first: an
   * answer that waited for us must not count as lost. */
  poll(now: Millis): void {
    this.#now = Math.max(now, this.#now);
    const rest = this.#receiveAll(POLL_BUDGET);
    this.#timers.fire(this.#now);
    this.#receiveAll(rest);
    this.#expire();
  }

  /** Takes packets, at most about `budget`; what is left of it. */
  #receiveAll(budget: number): number {
    let hasMore = true;
    while (hasMore && budget > 0) {
      hasMore = this.#looped.length > 0;
      this.#receiveLooped();
      for (const nic of this.#nics) {
        for (let i = 0; i < BATCH; i++) {
          const packet = nic.device.receive(this.#now);
          if (packet === undefined) break;
          hasMore = true;
          budget--;
          this.#receive(nic, packet);
        }
      }
    }
    return budget;
  }

  /** When poll() has something to do: at once if it is not after `now`. */
  pollAt(): Millis {
    const now = this.#now;
    if (this.#looped.length > 0) return now;
    let at = Math.min(
      this.#timers.nextDeadline(),
      this.#reassemblyV4.nextDeadline() ?? NEVER,
      this.#reassemblyV6.nextDeadline() ?? NEVER,
    );
    for (const nic of this.#nics) {
      at = Math.min(at, nic.device.pollAt(now), nic.neighbors.nextDeadline());
    }
    return at;
  }

  count(event: string): void {
    this.statistics.set(event, (this.statistics.get(event) ?? 0) + 1);
  }

  armTimer(timer: Timer, deadline: Millis): void {
    this.#timers.arm(timer, deadline);
  }

  disarmTimer(timer: Timer): void {
    this.#timers.disarm(timer);
  }

  isLocal(address: IpAddress): boolean {
    if (address.length === 4 && isLoopback(address)) return true;
    for (const nic of this.#nics) {
      const entry = nic.findAddress(address);
      if (entry !== undefined && entry.state !== "tentative") return true;
    }
    return false;
  }

  isBroadcast(address: IpAddress): boolean {
    if (address.length !== 4) return false;
    if (isLimitedBroadcast(address)) return true;
    for (const nic of this.#nics) {
      for (const entry of nic.addresses) {
        if (entry.address.length !== 4 || entry.prefixBits >= 31) continue;
        if (
          sameAddress(broadcastOf(entry.address, entry.prefixBits), address)
        ) return true;
      }
    }
    return false;
  }

  pathMtu(route: Route): number {
    const known = this.#pathMtus.get(route.destination, this.#now);
    return Math.min(route.nic.mtu, known);
  }

  lowerPathMtu(destination: IpAddress, mtu: number): void {
    this.#pathMtus.lower(destination, mtu, this.#now);
  }

  findRoute(
    destination: IpAddress,
    options: { readonly source?: IpAddress; readonly nicIndex?: number } = {},
  ): Route | NetError {
    const generation = this.routes.generation;
    const wanted = options.source;
    if (!isMulticast(destination) && this.isLocal(destination)) {
      // What is sent to ourselves never leaves by a wire.
      return {
        nic: this.loopback,
        source: wanted ?? destination,
        destination,
        nextHop: destination,
        generation,
      };
    }
    const entry = this.routes.find(destination, options.nicIndex ?? 0);
    const byCaller = options.nicIndex ?? 0;
    const nic = entry !== undefined
      ? this.findNic(entry.nicIndex)
      : byCaller !== 0
      ? needsNoRoute(destination) ? this.findNic(byCaller) : undefined
      : nicWithoutRoute(this.#nics, destination);
    if (nic === undefined) return "network-unreachable";
    if (!nic.isUp) return "network-unreachable";
    const nextHop = entry?.gateway ?? destination;
    const source = wanted ?? entry?.source ??
      selectSource(nic, this.#nics, nextHop, destination);
    if (source === undefined) return "address-not-available";
    return { nic, source, destination, nextHop, generation };
  }

  send(
    route: Route,
    packet: PacketBuffer,
    options: SendOptions,
  ): NetError | undefined {
    if (route.nic.device.isReliable) packet.isChecksumRight = true;
    return route.destination.length === 4
      ? sendIpv4(this, route, packet, options)
      : sendIpv6(this, route, packet, options);
  }

  transmit(nic: Nic, nextHop: IpAddress, packet: PacketBuffer): void {
    const isGroup = isMulticast(nextHop);
    const isBroadcast = !isGroup && !nic.isLoopback &&
      this.isBroadcast(nextHop);
    if ((isGroup && nic.isMember(nextHop) || isBroadcast) && !nic.isLoopback) {
      if (this.#looped.length < BATCH) {
        this.#looped.push({ nic, packet: packet.clone() });
      }
    }
    if (nic.device.kind !== "ethernet") this.#hand(nic, packet);
    else if (isGroup) {
      const mac = multicastMac(nextHop);
      this.transmitFrame(nic, mac, etherTypeOf(packet), packet);
    } else if (isBroadcast) {
      this.transmitFrame(nic, MAC_BROADCAST, EtherType.IPV4, packet);
    } else nic.neighbors.send(nextHop, packet, this.#now);
  }

  transmitFrame(
    nic: Nic,
    mac: MacAddress,
    etherType: number,
    packet: PacketBuffer,
  ): void {
    if (nic.device.kind === "ethernet") {
      const header = packet.prepend(ETHERNET_HEADER_SIZE);
      header.set(mac, 0);
      header.set(nic.device.mac, 6);
      header[12] = etherType >> 8;
      header[13] = etherType & 255;
    } else if (etherType === EtherType.ARP) return;
    this.#hand(nic, packet);
  }

  #hand(nic: Nic, packet: PacketBuffer): void {
    const size = packet.size;
    if (nic.isUp && nic.device.send(packet, this.#now)) {
      nic.counters.sentPackets++;
      nic.counters.sentBytes += size;
    } else nic.counters.sendDropped++;
  }

  #receive(nic: Nic, packet: PacketBuffer): void {
    nic.counters.receivedPackets++;
    nic.counters.receivedBytes += packet.size;
    if (!nic.isUp) {
      nic.counters.receiveDropped++;
      return;
    }
    packet.nicIndex = nic.index;
    packet.isMulticast = false;
    if (nic.device.kind !== "ethernet") {
      if (packet.size === 0) return;
      if (!nic.isLoopback) packet.isChecksumRight = nic.device.isReliable;
      this.#receiveIp(nic, packet, packet.bytes[packet.start]! >> 4);
      return;
    }
    const { bytes, start } = packet;
    if (packet.size < ETHERNET_HEADER_SIZE) {
      nic.counters.receiveErrors++;
      return;
    }
    packet.isChecksumRight = nic.device.isReliable;
    if ((bytes[start]! & 1) !== 0) packet.isMulticast = true;
    else if (!isAt(bytes, start, nic.device.mac)) return;
    packet.start += ETHERNET_HEADER_SIZE;
    switch ((bytes[start + 12]! << 8) | bytes[start + 13]!) {
      case EtherType.IPV4:
        return this.#receiveIp(nic, packet, 4);
      case EtherType.IPV6:
        return this.#receiveIp(nic, packet, 6);
      case EtherType.ARP:
        return receiveArp(this, nic, packet);
      default:
        nic.counters.receiveDropped++;
    }
  }

  #receiveIp(nic: Nic, packet: PacketBuffer, version: number): void {
    if (version === 4) receiveIpv4(this, nic, packet, this.#reassemblyV4);
    else if (version === 6) receiveIpv6(this, nic, packet, this.#reassemblyV6);
    else nic.counters.receiveErrors++;
  }

  #receiveLooped(): void {
    const looped = this.#looped;
    if (looped.length === 0) return;
    this.#looped = [];
    for (const { nic, packet } of looped) {
      packet.nicIndex = nic.index;
      packet.isMulticast = true;
      packet.isChecksumRight = true;
      packet.start += noteHeader(packet);
      this.deliver(nic, packet);
    }
  }

  deliver(nic: Nic, packet: PacketBuffer): void {
    for (const tap of this.#taps) tap(nic, packet);
    const transport = this.#transports.get(packet.protocol);
    if (transport !== undefined && transport.receive(nic, packet)) return;
    if (transport !== undefined) return;
    const isV4 = packet.source.length === 4;
    this.count(isV4 ? "IpInUnknownProtos" : "Ip6InUnknownProtos");
    if (isV4) {
      const type = Icmpv4Type.DESTINATION_UNREACHABLE;
      sendIcmpv4Error(this, packet, type, Unreachable.PROTOCOL, 0);
    } else if (packet.protocol !== 59) {
      // The pointer is to the next header field of an IPv6 header alone.
      sendIcmpv6Error(this, packet, Icmpv6Type.PARAMETER_PROBLEM, 1, 6);
    }
  }

  deliverError(report: IcmpReport): void {
    this.#transports.get(report.protocol)?.onError(report);
  }

  /** Nobody has the address of a packet's next hop. */
  #onNoNeighbor(packet: PacketBuffer): void {
    this.count("NeighborFailures");
    const headerSize = noteHeader(packet);
    const { source, destination, bytes, start } = packet;
    const isV4 = source.length === 4;
    const type = isV4
      ? Icmpv4Type.DESTINATION_UNREACHABLE
      : Icmpv6Type.DESTINATION_UNREACHABLE;
    const code = isV4 ? Unreachable.HOST : 3;
    if (!this.isLocal(source)) {
      if (isV4) sendIcmpv4Error(this, packet, type, code, 0);
      else sendIcmpv6Error(this, packet, type, code, 0);
      return;
    }
    this.deliverError({
      error: "host-unreachable",
      type,
      code,
      info: 0,
      offender: source,
      source,
      destination,
      protocol: packet.protocol,
      quoted: bytes.subarray(start + headerSize, packet.end),
    });
  }

  #expire(): void {
    const now = this.#now;
    for (const nic of this.#nics) {
      if (nic.neighbors.nextDeadline() <= now) nic.neighbors.expire(now);
    }
    if ((this.#reassemblyV4.nextDeadline() ?? NEVER) <= now) {
      for (const { first } of this.#reassemblyV4.expire(now)) {
        this.count("IpReasmFails");
        if (first === undefined) continue;
        sendIcmpv4Error(this, first, Icmpv4Type.TIME_EXCEEDED, 1, 0);
      }
    }
    if ((this.#reassemblyV6.nextDeadline() ?? NEVER) <= now) {
      for (const { first } of this.#reassemblyV6.expire(now)) {
        this.count("Ip6ReasmFails");
        if (first === undefined) continue;
        sendIcmpv6Error(this, first, Icmpv6Type.TIME_EXCEEDED, 1, 0);
      }
    }
  }
}
