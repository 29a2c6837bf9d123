/**
 * UDP: which endpoint a datagram is for. The one that fits most closely has it,
 * all members of a group do. Source: RFC 1122 §4.1, udp(7).
 * @module
 */
import type { NetError } from "../../errors.ts";
import { sendIcmpv4Error, sendIcmpv6Error } from "../../network/icmp_errors.ts";
import type { IcmpReport } from "../../network/ip_layer.ts";
import { KeyedHash } from "../../stack/keyed_hash.ts";
import type { Nic } from "../../stack/nic.ts";
import type { PacketBuffer } from "../../stack/packet_buffer.ts";
import { PortTable } from "../../stack/port_table.ts";
import type { Stack, Transport } from "../../stack/stack.ts";
import { isMulticast, sameAddress } from "../../wire/address.ts";
import {
  Icmpv4Type,
  Icmpv6Type,
  Unreachable,
  Unreachable6,
} from "../../wire/icmp.ts";
import { Protocol } from "../../wire/protocol.ts";
import { parseUdp, UDP_HEADER_SIZE } from "../../wire/udp.ts";
import { UdpEndpoint, type UdpHost } from "./endpoint.ts";

export class Udp implements Transport, UdpHost {
  readonly layer: Stack;
  readonly #ports: PortTable;
  readonly #hash: KeyedHash;
  readonly #endpoints = new Map<number, UdpEndpoint[]>();

  constructor(stack: Stack) {
    this.layer = stack;
    this.#ports = new PortTable(stack.random);
    this.#hash = new KeyedHash(stack.random);
    stack.register(Protocol.UDP, this);
  }

  open(family: 4 | 6): UdpEndpoint {
    return new UdpEndpoint(this, family);
  }

  claim(endpoint: UdpEndpoint, port: number): number | NetError {
    let claimed = port;
    if (port === 0) {
      claimed = this.#ports.bindEphemeral(endpoint);
      if (claimed === 0) return "address-in-use";
    } else if (!this.#ports.bind(port, endpoint)) return "address-in-use";
    const there = this.#endpoints.get(claimed);
    if (there === undefined) this.#endpoints.set(claimed, [endpoint]);
    else there.push(endpoint);
    return claimed;
  }

  release(endpoint: UdpEndpoint): void {
    const port = endpoint.localPort;
    this.#ports.release(port, endpoint);
    const rest = (this.#endpoints.get(port) ?? [])
      .filter((other) => other !== endpoint);
    if (rest.length === 0) this.#endpoints.delete(port);
    else this.#endpoints.set(port, rest);
  }

  receive(_nic: Nic, packet: PacketBuffer): boolean {
    const { layer } = this;
    layer.count("UdpInDatagrams");
    const bytes = packet.view();
    const isV6 = packet.source.length === 16;
    const header = parseUdp(bytes, packet.source, packet.destination, {
      isTrusted: packet.isChecksumRight,
    });
    if (typeof header === "string") {
      layer.count(header === "checksum" ? "UdpInCsumErrors" : "UdpInErrors");
      return true;
    }
    packet.end = packet.start + header.length;
    const { sourcePort, destinationPort } = header;
    const there = this.#endpoints.get(destinationPort) ?? [];
    if (packet.isMulticast) {
      packet.start += UDP_HEADER_SIZE;
      for (const endpoint of there) {
        if (
          score(endpoint, packet, sourcePort) >= 0 && hears(endpoint, packet)
        ) endpoint.enqueue(packet, sourcePort);
      }
      return true;
    }
    const endpoint = this.#best(there, packet, sourcePort, destinationPort);
    if (endpoint === undefined) {
      layer.count("UdpNoPorts");
      if (isV6) {
        const type = Icmpv6Type.DESTINATION_UNREACHABLE;
        sendIcmpv6Error(layer, packet, type, Unreachable6.PORT, 0);
      } else {
        const type = Icmpv4Type.DESTINATION_UNREACHABLE;
        sendIcmpv4Error(layer, packet, type, Unreachable.PORT, 0);
      }
      return true;
    }
    packet.start += UDP_HEADER_SIZE;
    endpoint.enqueue(packet, sourcePort);
    return true;
  }

  /** Those that fit equally well share by a hash of the flow. */
  #best(
    there: readonly UdpEndpoint[],
    packet: PacketBuffer,
    sourcePort: number,
    port: number,
  ): UdpEndpoint | undefined {
    let best: UdpEndpoint | undefined;
    let bestScore = -1;
    let equals = 0;
    for (const endpoint of there) {
      const value = score(endpoint, packet, sourcePort);
      if (value < 0 || value < bestScore) continue;
      if (value > bestScore) {
        [best, bestScore, equals] = [endpoint, value, 1];
      } else if (endpoint.reusePort) equals++;
      else best = endpoint;
    }
    if (equals < 2) return best;
    const { source, destination } = packet;
    const hash = this.#hash.ofFlow(source, sourcePort, destination, port, 0);
    let turn = hash % equals;
    for (const endpoint of there) {
      if (score(endpoint, packet, sourcePort) !== bestScore) continue;
      if (turn-- === 0) return endpoint;
    }
    return best;
  }

  onError(report: IcmpReport): void {
    const { quoted } = report;
    if (quoted.length < 4) return;
    const localPort = (quoted[0]! << 8) | quoted[1]!;
    const remotePort = (quoted[2]! << 8) | quoted[3]!;
    for (const endpoint of this.#endpoints.get(localPort) ?? []) {
      const { remote } = endpoint;
      if (
        remote !== undefined && remote.port === remotePort &&
        sameAddress(remote.address, report.destination)
      ) endpoint.onError(report);
    }
  }
}

/** How closely an endpoint fits; below 0: not at all. */
function score(
  endpoint: UdpEndpoint,
  packet: PacketBuffer,
  sourcePort: number,
): number {
  let value = 0;
  const isV4 = packet.source.length === 4;
  if (isV4 ? !endpoint.hasIpv4 : !endpoint.hasIpv6) return -1;
  if ((endpoint.family === 4) === isV4) value++;
  const { localAddress, remote, boundNic } = endpoint;
  if (localAddress !== undefined) {
    const isThere = sameAddress(localAddress, packet.destination);
    if (!isThere) return -1;
    value += 4;
  }
  if (remote !== undefined) {
    if (remote.port !== sourcePort) return -1;
    if (!sameAddress(remote.address, packet.source)) return -1;
    value += 4;
  }
  if (boundNic !== 0) {
    if (boundNic !== packet.nicIndex) return -1;
    value += 4;
  }
  return value;
}

/** Broadcasts are for all, a group's packets for its members. */
function hears(endpoint: UdpEndpoint, packet: PacketBuffer): boolean {
  return !isMulticast(packet.destination) ||
    endpoint.isMember(packet.destination, packet.nicIndex);
}
