/**
 * What the protocols of this folder, and the transports above them, ask of the
 * stack that they are part of; stack.ts is the one that answers.
 * @module
 */
import type { Millis } from "../clock.ts";
import type { NetError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Nic } from "../stack/nic.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import type { RouteTable } from "../stack/route_table.ts";
import type { Timer } from "../stack/timer_queue.ts";
import type { IpAddress, MacAddress } from "../wire/address.ts";

/** A way to a destination, as found at one moment. */
export interface Route {
  readonly nic: Nic;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The destination itself or a gateway. */
  readonly nextHop: IpAddress;
  /** It was right while the route table has this generation. */
  readonly generation: number;
}

/** Fields of the IP header that the sender chooses. */
export interface SendOptions {
  readonly protocol: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly dontFragment: boolean;
}

/** Events that are counted by name; what is absent has not happened. */
export type Statistics = Map<string, number>;

export interface IpLayer {
  readonly now: Millis;
  readonly random: Random;
  readonly nics: readonly Nic[];
  readonly routes: RouteTable;
  readonly isForwarding: boolean;
  count(event: string): void;
  armTimer(timer: Timer, deadline: Millis): void;
  disarmTimer(timer: Timer): void;
  findNic(index: number): Nic | undefined;
  /** True for addresses of our own on any NIC, 127/8 included. */
  isLocal(address: IpAddress): boolean;
  /** True for a broadcast address of a NIC. */
  isBroadcast(address: IpAddress): boolean;
  /** Bytes of the largest packet that the way to a destination takes. */
  pathMtu(route: Route): number;
  /** A router said that packets to `destination` must be smaller. */
  lowerPathMtu(destination: IpAddress, mtu: number): void;
  findRoute(
    destination: IpAddress,
    options?: { readonly source?: IpAddress; readonly nicIndex?: number },
  ): Route | NetError;
  /** Puts an IP header before a payload and sends it, in pieces if need be. */
  send(
    route: Route,
    packet: PacketBuffer,
    options: SendOptions,
  ): NetError | undefined;
  /** Sends an IP packet as it is, to a neighbour. */
  transmit(nic: Nic, nextHop: IpAddress, packet: PacketBuffer): void;
  /** Sends a packet below IP. */
  transmitFrame(
    nic: Nic,
    mac: MacAddress,
    etherType: number,
    packet: PacketBuffer,
  ): void;
  /** Hands a packet for us (start at its payload) to transports. */
  deliver(nic: Nic, packet: PacketBuffer): void;
  /** An ICMP error says what became of a packet of ours. `quoted` starts at
   * its transport header. */
  deliverError(error: IcmpReport): void;
}

/** What an ICMP error means to the transport whose packet it quotes. */
export interface IcmpReport {
  readonly error: NetError;
  /** Type, code and last word as received, for error queues. */
  readonly type: number;
  readonly code: number;
  readonly info: number;
  /** Who sent the error. */
  readonly offender: IpAddress;
  /** Of the quoted packet: we are `source`. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly quoted: Uint8Array;
}
