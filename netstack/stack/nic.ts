/**
 * A NIC: a link device with the addresses, groups and neighbours that the stack
 * has on it. State only; packets are handled in network/.
 * @module
 */
import type { LinkDevice } from "../link/device.ts";
import {
  addressText,
  type IpAddress,
  IPV4_ALL_SYSTEMS,
  IPV6_ALL_NODES,
  sameAddress,
  solicitedNode,
} from "../wire/address.ts";
import { NeighborCache, type NeighborLink } from "./neighbor_cache.ts";

/** Addresses of a NIC; router advertisements cannot add more. */
export const MAX_ADDRESSES = 256;
/** Groups of a NIC (Linux's igmp_max_memberships is per socket, 20). */
const MAX_GROUPS = 1024;

export interface NicAddress {
  readonly address: IpAddress;
  readonly prefixBits: number;
  /** Tentative: not used until no other host has claimed it (RFC 4862 §5.4). */
  state: "tentative" | "preferred" | "deprecated";
}

/** As in /proc/net/dev. */
export interface NicCounters {
  receivedPackets: number;
  receivedBytes: number;
  receiveDropped: number;
  receiveErrors: number;
  multicast: number;
  sentPackets: number;
  sentBytes: number;
  sendDropped: number;
}

export class Nic {
  /** From 1, never used twice in a stack. */
  readonly index: number;
  readonly name: string;
  readonly device: LinkDevice;
  /** Bytes of the largest IP packet; at most the device's. */
  mtu: number;
  isUp = true;
  isPromiscuous = false;
  readonly neighbors: NeighborCache;
  readonly counters: NicCounters = {
    receivedPackets: 0,
    receivedBytes: 0,
    receiveDropped: 0,
    receiveErrors: 0,
    multicast: 0,
    sentPackets: 0,
    sentBytes: 0,
    sendDropped: 0,
  };
  #addresses: NicAddress[] = [];
  /** How many have joined a group, by its text. */
  readonly #groups = new Map<string, { group: IpAddress; members: number }>();

  constructor(
    index: number,
    name: string,
    device: LinkDevice,
    link: NeighborLink,
  ) {
    this.index = index;
    this.name = name;
    this.device = device;
    this.mtu = device.mtu;
    this.neighbors = new NeighborCache(link);
    this.joinGroup(IPV4_ALL_SYSTEMS);
    this.joinGroup(IPV6_ALL_NODES);
  }

  get isLoopback(): boolean {
    return this.device.kind === "loopback";
  }

  get addresses(): readonly NicAddress[] {
    return this.#addresses;
  }

  addAddress(entry: NicAddress): "exists" | "no-buffers" | undefined {
    if (this.findAddress(entry.address) !== undefined) return "exists";
    if (this.#addresses.length >= MAX_ADDRESSES) return "no-buffers";
    this.#addresses = [...this.#addresses, entry];
    if (entry.address.length === 16) {
      this.joinGroup(solicitedNode(entry.address));
    }
    return undefined;
  }

  removeAddress(address: IpAddress): NicAddress | undefined {
    const entry = this.findAddress(address);
    if (entry === undefined) return undefined;
    this.#addresses = this.#addresses.filter((other) => other !== entry);
    if (address.length === 16) this.leaveGroup(solicitedNode(address));
    return entry;
  }

  findAddress(address: IpAddress): NicAddress | undefined {
    for (const entry of this.#addresses) {
      if (sameAddress(entry.address, address)) return entry;
    }
    return undefined;
  }

  /** True if it was not a member before; false too if there are too many. */
  joinGroup(group: IpAddress): boolean {
    const key = addressText(group);
    const entry = this.#groups.get(key);
    if (entry !== undefined) {
      entry.members++;
      return false;
    }
    if (this.#groups.size >= MAX_GROUPS) return false;
    this.#groups.set(key, { group, members: 1 });
    return true;
  }

  /** True if nobody here is a member any more. */
  leaveGroup(group: IpAddress): boolean {
    const key = addressText(group);
    const entry = this.#groups.get(key);
    if (entry === undefined || --entry.members > 0) return false;
    this.#groups.delete(key);
    return true;
  }

  isMember(group: IpAddress): boolean {
    return this.#groups.has(addressText(group));
  }

  get groups(): IpAddress[] {
    return Array.from(this.#groups.values(), (entry) => entry.group);
  }
}
