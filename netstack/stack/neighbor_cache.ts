/**
 * Which hardware address a neighbour on the link has, for ARP and neighbour
 * discovery alike: the states of RFC 4861 §7.3.2. Packets for a neighbour that
 * is being looked for wait here, a few of them.
 * @module
 */
import { type Millis, NEVER } from "../clock.ts";
import {
  addressText,
  type IpAddress,
  type MacAddress,
  sameAddress,
} from "../wire/address.ts";
import type { PacketBuffer } from "./packet_buffer.ts";

/** Spelled as in RFC 4861. */
export type NeighborState =
  | "INCOMPLETE"
  | "REACHABLE"
  | "STALE"
  | "DELAY"
  | "PROBE"
  | "PERMANENT";

/** Entries; the longest unused goes (Linux's gc_thresh3). */
export const MAX_NEIGHBORS = 1024;
/** Packets that wait for one neighbour; the oldest goes. */
const MAX_PENDING = 64;
const REACHABLE_MS = 30_000;
const RETRANSMIT_MS = 1000;
const DELAY_MS = 5000;
const MAX_SOLICITATIONS = 3;

export interface Neighbor {
  readonly address: IpAddress;
  mac: MacAddress | undefined;
  state: NeighborState;
  isRouter: boolean;
  solicitations: number;
  deadline: Millis;
  /** Packets that wait, oldest first. */
  pending: PacketBuffer[];
}

/** What the cache asks of the NIC that it belongs to. */
export interface NeighborLink {
  /** Asks who has an address: everybody, or the one who had it. */
  solicit(address: IpAddress, mac: MacAddress | undefined): void;
  /** Sends a packet to a neighbour whose address has become known. */
  transmit(packet: PacketBuffer, mac: MacAddress): void;
  /** Nobody answered for this packet's neighbour. */
  unreachable(packet: PacketBuffer): void;
}

export class NeighborCache {
  /** By text; the longest unused first. */
  readonly #entries = new Map<string, Neighbor>();
  readonly #link: NeighborLink;
  /** The neighbour asked for last, to spare the text on a busy path. */
  #last: Neighbor | undefined;

  constructor(link: NeighborLink) {
    this.#link = link;
  }

  get entries(): IterableIterator<Neighbor> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  find(address: IpAddress): Neighbor | undefined {
    if (
      this.#last !== undefined && sameAddress(this.#last.address, address)
    ) return this.#last;
    return this.#entries.get(addressText(address));
  }

  /** Sends a packet now, or when the neighbour has answered. */
  send(address: IpAddress, packet: PacketBuffer, now: Millis): void {
    const entry = this.find(address) ?? this.#create(address);
    this.#last = entry;
    if (entry.mac !== undefined && entry.state !== "INCOMPLETE") {
      if (entry.state === "STALE") {
        entry.state = "DELAY";
        entry.deadline = now + DELAY_MS;
      }
      this.#link.transmit(packet, entry.mac);
      return;
    }
    if (entry.pending.length >= MAX_PENDING) entry.pending.shift();
    entry.pending.push(packet);
    if (entry.deadline === NEVER) {
      entry.solicitations = 1;
      entry.deadline = now + RETRANSMIT_MS;
      this.#link.solicit(address, undefined);
    }
  }

  /** Someone said in passing what address it has: in a request, a router
   * advertisement. Only `isWanted` makes a new entry. */
  learn(address: IpAddress, mac: MacAddress, isWanted: boolean): void {
    let entry = this.find(address);
    if (entry === undefined) {
      if (!isWanted) return;
      entry = this.#create(address);
    }
    if (entry.state === "PERMANENT") return;
    if (entry.mac !== undefined && sameAddress(entry.mac, mac)) {
      if (entry.state !== "INCOMPLETE") return;
    }
    entry.mac = mac;
    entry.state = "STALE";
    entry.deadline = NEVER;
    this.#flush(entry);
  }

  /** An answer: RFC 4861 §7.2.5. ARP replies are solicited and override. */
  confirm(
    address: IpAddress,
    mac: MacAddress | undefined,
    flags: { readonly solicited: boolean; readonly override: boolean },
    now: Millis,
  ): void {
    const entry = this.find(address);
    if (entry === undefined || entry.state === "PERMANENT") return;
    if (entry.state === "INCOMPLETE") {
      if (mac === undefined) return;
      entry.mac = mac;
      this.#setReachable(entry, flags.solicited, now);
      this.#flush(entry);
      return;
    }
    const isOther = mac !== undefined && !sameAddress(entry.mac!, mac);
    if (isOther && !flags.override) {
      if (entry.state === "REACHABLE") {
        entry.state = "STALE";
        entry.deadline = NEVER;
      }
      return;
    }
    if (isOther) entry.mac = mac;
    if (flags.solicited || isOther) {
      this.#setReachable(entry, flags.solicited, now);
    }
  }

  /** A transport saw the neighbour make progress (RFC 4861 §7.3.1). */
  reached(address: IpAddress, now: Millis): void {
    const entry = this.find(address);
    if (
      entry === undefined || entry.mac === undefined ||
      entry.state === "PERMANENT" || entry.state === "INCOMPLETE"
    ) return;
    this.#setReachable(entry, true, now);
  }

  /** An entry that an administrator gives. */
  setPermanent(address: IpAddress, mac: MacAddress): void {
    const entry = this.find(address) ?? this.#create(address);
    entry.mac = mac;
    entry.state = "PERMANENT";
    entry.deadline = NEVER;
    this.#flush(entry);
  }

  remove(address: IpAddress): boolean {
    this.#last = undefined;
    return this.#entries.delete(addressText(address));
  }

  clear(): void {
    this.#last = undefined;
    this.#entries.clear();
  }

  nextDeadline(): Millis {
    let least = NEVER;
    for (const entry of this.#entries.values()) {
      if (entry.deadline < least) least = entry.deadline;
    }
    return least;
  }

  /** Asks again, gives up, or notes that time has passed. */
  expire(now: Millis): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.deadline > now) continue;
      switch (entry.state) {
        case "REACHABLE":
          entry.state = "STALE";
          entry.deadline = NEVER;
          break;
        case "DELAY":
          entry.state = "PROBE";
          entry.solicitations = 0;
          this.#solicitAgain(entry, now);
          break;
        case "INCOMPLETE":
        case "PROBE":
          this.#solicitAgain(entry, now);
          break;
        case "STALE":
        case "PERMANENT":
          entry.deadline = NEVER;
      }
    }
  }

  #solicitAgain(entry: Neighbor, now: Millis): void {
    if (entry.solicitations >= MAX_SOLICITATIONS) {
      this.remove(entry.address);
      const { pending } = entry;
      entry.pending = [];
      for (const packet of pending) this.#link.unreachable(packet);
      return;
    }
    entry.solicitations++;
    entry.deadline = now + RETRANSMIT_MS;
    this.#link.solicit(entry.address, entry.mac);
  }

  #setReachable(entry: Neighbor, isReachable: boolean, now: Millis): void {
    entry.state = isReachable ? "REACHABLE" : "STALE";
    entry.deadline = isReachable ? now + REACHABLE_MS : NEVER;
    entry.solicitations = 0;
  }

  #flush(entry: Neighbor): void {
    const { pending } = entry;
    if (pending.length === 0) return;
    entry.pending = [];
    for (const packet of pending) this.#link.transmit(packet, entry.mac!);
  }

  #create(address: IpAddress): Neighbor {
    if (this.#entries.size >= MAX_NEIGHBORS) {
      for (const [key, entry] of this.#entries) {
        if (entry.state === "PERMANENT") continue;
        this.#entries.delete(key);
        if (this.#last === entry) this.#last = undefined;
        break;
      }
    }
    const entry: Neighbor = {
      address,
      mac: undefined,
      state: "INCOMPLETE",
      isRouter: false,
      solicitations: 0,
      deadline: NEVER,
      pending: [],
    };
    this.#entries.set(addressText(address), entry);
    return entry;
  }
}
