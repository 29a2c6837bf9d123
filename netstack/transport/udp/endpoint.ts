/**
 * A UDP endpoint: datagrams in, datagrams out. Source: RFC 768, RFC 1122 §4.1,
 * udp(7). An endpoint of IPv6 takes IPv4 too unless it is `v6Only`; its
 * addresses are then v4-mapped.
 * @module
 */
import type { NetError } from "../../errors.ts";
import type { IcmpReport, IpLayer, Route } from "../../network/ip_layer.ts";
import type { Nic } from "../../stack/nic.ts";
import { PacketBuffer } from "../../stack/packet_buffer.ts";
import type { PortBinding } from "../../stack/port_table.ts";
import {
  type IpAddress,
  isLimitedBroadcast,
  isMulticast,
  isUnspecified,
  isV4Mapped,
  sameAddress,
  toV4Mapped,
} from "../../wire/address.ts";
import { Protocol } from "../../wire/protocol.ts";
import { emitUdp, UDP_HEADER_SIZE } from "../../wire/udp.ts";
import {
  type ReadinessObserver,
  Ready,
  type SocketAddress,
} from "../readiness.ts";

/** What an endpoint needs of the protocol that it belongs to. */
export interface UdpHost {
  readonly layer: IpLayer;
  /** Claims a port (0: any) for the endpoint; the port or an error. */
  claim(endpoint: UdpEndpoint, port: number): number | NetError;
  release(endpoint: UdpEndpoint): void;
}

export interface Datagram {
  readonly payload: Uint8Array;
  readonly from: SocketAddress;
  /** Where it was sent to, and how it came. */
  readonly to: IpAddress;
  readonly nicIndex: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
}

export interface UdpOptions {
  hopLimit: number;
  multicastHopLimit: number;
  multicastNic: number;
  trafficClass: number;
  isBroadcastAllowed: boolean;
  dontFragment: boolean;
  reuseAddress: boolean;
  reusePort: boolean;
  v6Only: boolean;
  boundNic: number;
  owner: number;
  receiveBufferBytes: number;
}

const MAX_PAYLOAD = 65507;
/** What a datagram costs beyond its bytes. */
const DATAGRAM_OVERHEAD = 256;
/** As Linux's net.core.rmem_default. */
const RECEIVE_BUFFER_BYTES = 212_992;
const MAX_GROUPS = 20;

export class UdpEndpoint implements PortBinding {
  readonly family: 4 | 6;
  readonly options: UdpOptions = {
    hopLimit: 64,
    multicastHopLimit: 1,
    multicastNic: 0,
    trafficClass: 0,
    isBroadcastAllowed: false,
    dontFragment: false,
    reuseAddress: false,
    reusePort: false,
    v6Only: false,
    boundNic: 0,
    owner: 0,
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
  };
  observer: ReadinessObserver = () => {};
  readonly isListening = false;
  localAddress: IpAddress | undefined;
  localPort = 0;
  remote: SocketAddress | undefined;
  readonly #host: UdpHost;
  #queue: Datagram[] = [];
  #queuedBytes = 0;
  #error: NetError | undefined;
  #route: Route | undefined;
  #isReadShut = false;
  #isWriteShut = false;
  #isClosed = false;
  #groups: { readonly group: IpAddress; readonly nic: Nic }[] = [];

  constructor(host: UdpHost, family: 4 | 6) {
    this.#host = host;
    this.family = family;
  }

  get hasIpv4(): boolean {
    return this.family === 4 || !this.options.v6Only;
  }

  get hasIpv6(): boolean {
    return this.family === 6;
  }

  get boundNic(): number {
    return this.options.boundNic;
  }

  get reuseAddress(): boolean {
    return this.options.reuseAddress;
  }

  get reusePort(): boolean {
    return this.options.reusePort;
  }

  get owner(): number {
    return this.options.owner;
  }

  /** An address as the stack has it: never mapped. */
  #inner(address: IpAddress): IpAddress | NetError {
    if (this.family === 4) {
      return address.length === 4 ? address : "address-family";
    }
    if (address.length === 4) {
      return this.options.v6Only ? "network-unreachable" : address;
    }
    if (!isV4Mapped(address)) return address;
    return this.options.v6Only ? "network-unreachable" : address.slice(12);
  }

  /** An address as the endpoint's family has it. */
  #outer(address: IpAddress): IpAddress {
    return this.family === 6 && address.length === 4
      ? toV4Mapped(address)
      : address;
  }

  bind(local: SocketAddress): NetError | undefined {
    if (this.localPort !== 0) return "invalid-argument";
    const address = this.#inner(local.address);
    if (typeof address === "string") return address;
    const { layer } = this.#host;
    if (!isUnspecified(address)) {
      if (
        !layer.isLocal(address) && !isMulticast(address) &&
        !layer.isBroadcast(address)
      ) return "address-not-available";
      this.localAddress = address;
    }
    const port = this.#host.claim(this, local.port);
    if (typeof port === "string") {
      this.localAddress = undefined;
      return port;
    }
    this.localPort = port;
    return undefined;
  }

  /** Sets the peer, or with undefined forgets it. */
  connect(remote: SocketAddress | undefined): NetError | undefined {
    this.#route = undefined;
    if (remote === undefined) {
      this.remote = undefined;
      return undefined;
    }
    const address = this.#inner(remote.address);
    if (typeof address === "string") return address;
    const { layer } = this.#host;
    if (layer.isBroadcast(address) && !this.options.isBroadcastAllowed) {
      return "permission-denied";
    }
    const route = this.#findRoute(address, remote.nicIndex ?? 0);
    if (typeof route === "string") return route;
    if (this.localPort === 0) {
      const port = this.#host.claim(this, 0);
      if (typeof port === "string") return port;
      this.localPort = port;
    }
    this.localAddress ??= route.source;
    this.remote = { ...remote, address };
    this.#route = route;
    return undefined;
  }

  /** Addresses as the endpoint's family has them. */
  get local(): SocketAddress {
    const any = new Uint8Array(this.family === 4 ? 4 : 16);
    const address = this.localAddress;
    return {
      address: address === undefined ? any : this.#outer(address),
      port: this.localPort,
    };
  }

  get peer(): SocketAddress | undefined {
    const { remote } = this;
    return remote === undefined
      ? undefined
      : { ...remote, address: this.#outer(remote.address) };
  }

  #findRoute(address: IpAddress, nicIndex: number): Route | NetError {
    const { options, localAddress } = this;
    const isGroup = isMulticast(address);
    const chosen = nicIndex !== 0
      ? nicIndex
      : options.boundNic !== 0
      ? options.boundNic
      : isGroup
      ? options.multicastNic
      : 0;
    const isUsable = localAddress !== undefined &&
      localAddress.length === address.length && !isMulticast(localAddress) &&
      !isLimitedBroadcast(localAddress);
    return this.#host.layer.findRoute(address, {
      nicIndex: chosen,
      ...(isUsable ? { source: localAddress } : {}),
    });
  }

  /** Sends one datagram; the count of its bytes. */
  send(payload: Uint8Array, to?: SocketAddress): number | NetError {
    const pending = this.takeError();
    if (pending !== undefined) return pending;
    if (this.#isWriteShut) return "broken-pipe";
    if (payload.length > MAX_PAYLOAD) return "message-too-long";
    const { layer } = this.#host;
    let route: Route | NetError;
    let port: number;
    if (to === undefined) {
      if (this.remote === undefined) return "destination-required";
      port = this.remote.port;
      route = this.#route?.generation === layer.routes.generation
        ? this.#route
        : this.#findRoute(this.remote.address, this.remote.nicIndex ?? 0);
      if (typeof route !== "string") this.#route = route;
    } else {
      const address = this.#inner(to.address);
      if (typeof address === "string") return address;
      if (to.port === 0) return "invalid-argument";
      port = to.port;
      if (layer.isBroadcast(address) && !this.options.isBroadcastAllowed) {
        return "permission-denied";
      }
      route = this.#findRoute(address, to.nicIndex ?? 0);
    }
    if (typeof route === "string") return route;
    if (this.localPort === 0) {
      const claimed = this.#host.claim(this, 0);
      if (typeof claimed === "string") return claimed;
      this.localPort = claimed;
    }
    return this.#emit(route, port, payload);
  }

  #emit(route: Route, port: number, payload: Uint8Array): number | NetError {
    const length = UDP_HEADER_SIZE + payload.length;
    const packet = PacketBuffer.allocate(length);
    packet.bytes.set(payload, packet.start + UDP_HEADER_SIZE);
    emitUdp(
      {
        sourcePort: this.localPort,
        destinationPort: port,
        length,
      },
      packet.view(),
      route.source,
      route.destination,
    );
    const { options } = this;
    const failed = this.#host.layer.send(route, packet, {
      protocol: Protocol.UDP,
      hopLimit: isMulticast(route.destination)
        ? options.multicastHopLimit
        : options.hopLimit,
      trafficClass: options.trafficClass,
      dontFragment: options.dontFragment,
    });
    return failed ?? payload.length;
  }

  /** Takes the next datagram, or with `peek` looks at it. */
  receive(options: { readonly peek?: boolean } = {}): Datagram | NetError {
    const pending = this.takeError();
    if (pending !== undefined) return pending;
    const first = this.#queue[0];
    if (first === undefined) {
      if (this.#isReadShut) return "not-connected";
      return "would-block";
    }
    if (options.peek !== true) {
      this.#queue.shift();
      this.#queuedBytes -= first.payload.length + DATAGRAM_OVERHEAD;
    }
    return first;
  }

  /** Bytes of the next datagram; 0: none. */
  get nextSize(): number {
    return this.#queue[0]?.payload.length ?? 0;
  }

  /** An error that an earlier datagram met; it is reported once. */
  takeError(): NetError | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  get readiness(): number {
    let bits = this.#isWriteShut ? 0 : Ready.WRITABLE;
    if (this.#queue.length > 0 || this.#isReadShut) bits |= Ready.READABLE;
    if (this.#isReadShut) bits |= Ready.READ_HANGUP;
    if (this.#isReadShut && this.#isWriteShut) bits |= Ready.HANGUP;
    if (this.#error !== undefined) bits |= Ready.ERROR | Ready.READABLE;
    return bits;
  }

  shutdown(how: { read: boolean; write: boolean }): NetError | undefined {
    if (this.remote === undefined) return "not-connected";
    if (how.read) this.#isReadShut = true;
    if (how.write) this.#isWriteShut = true;
    this.observer(this.readiness);
    return undefined;
  }

  /** Adds a membership on a NIC (0: the one that a route chooses). */
  joinGroup(group: IpAddress, nicIndex: number): NetError | undefined {
    if (!isMulticast(group)) return "invalid-argument";
    const nic = this.#groupNic(group, nicIndex);
    if (nic === undefined) return "no-such-device";
    if (this.#groups.length >= MAX_GROUPS) return "no-buffers";
    if (this.isMember(group, nic.index)) return "address-in-use";
    nic.joinGroup(group);
    this.#groups.push({ group, nic });
    return undefined;
  }

  leaveGroup(group: IpAddress, nicIndex: number): NetError | undefined {
    const index = this.#groups.findIndex((entry) =>
      sameAddress(entry.group, group) &&
      (nicIndex === 0 || entry.nic.index === nicIndex)
    );
    if (index < 0) return "address-not-available";
    const [entry] = this.#groups.splice(index, 1);
    entry!.nic.leaveGroup(group);
    return undefined;
  }

  #groupNic(group: IpAddress, nicIndex: number): Nic | undefined {
    const { layer } = this.#host;
    if (nicIndex !== 0) return layer.findNic(nicIndex);
    const route = layer.findRoute(group);
    return typeof route === "string" ? undefined : route.nic;
  }

  isMember(group: IpAddress, nicIndex: number): boolean {
    return this.#groups.some((entry) =>
      entry.nic.index === nicIndex && sameAddress(entry.group, group)
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReadShut = true;
    this.#isWriteShut = true;
    for (const { group, nic } of this.#groups) nic.leaveGroup(group);
    this.#groups = [];
    this.#queue = [];
    if (this.localPort !== 0) this.#host.release(this);
  }

  /** Called by the protocol. A copy is kept, for the packet may be one small
   * part of a large buffer. */
  enqueue(packet: PacketBuffer, fromPort: number): void {
    if (this.#isReadShut) return;
    const cost = packet.size + DATAGRAM_OVERHEAD;
    if (this.#queuedBytes + cost > this.options.receiveBufferBytes) {
      this.#host.layer.count("UdpRcvbufErrors");
      return;
    }
    this.#queuedBytes += cost;
    this.#queue.push({
      payload: packet.view().slice(),
      from: {
        address: this.#outer(packet.source),
        port: fromPort,
        nicIndex: packet.nicIndex,
      },
      to: this.#outer(packet.destination),
      nicIndex: packet.nicIndex,
      hopLimit: packet.hopLimit,
      trafficClass: packet.trafficClass,
    });
    this.observer(Ready.READABLE);
  }

  /** Called by the protocol; errors count for a connected endpoint only. */
  onError(report: IcmpReport): void {
    if (this.remote === undefined) return;
    if (report.error === "message-too-long") return; // the path MTU is noted
    this.#error = report.error;
    this.observer(Ready.ERROR);
  }
}
