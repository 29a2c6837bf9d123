/**
 * What a host makes of router advertisements and of claims to its addresses:
 * routes, on-link prefixes and addresses of its own. Source: RFC 4861 §6.3.4,
 * RFC 4862 §5.4.5 and §5.5.3.
 * @module
 */
import type { Millis } from "../clock.ts";
import type { NetError } from "../errors.ts";
import type { Nic } from "../stack/nic.ts";
import type { RouteEntry, RouteTable } from "../stack/route_table.ts";
import { Timer } from "../stack/timer_queue.ts";
import {
  addressText,
  type IpAddress,
  maskAddress,
  sameAddress,
} from "../wire/address.ts";
import type { NdpEvents } from "./ndp.ts";

/** The part of a stack that is configured. */
export interface Configured {
  readonly now: Millis;
  readonly routes: RouteTable;
  count(event: string): void;
  armTimer(timer: Timer, deadline: Millis): void;
  disarmTimer(timer: Timer): void;
  addAddress(
    nic: Nic,
    address: IpAddress,
    prefixBits: number,
  ): NetError | undefined;
  removeAddress(nic: Nic, address: IpAddress): NetError | undefined;
}

/** As Linux's metrics for routes that it has been told of. */
const ROUTER_METRIC = 1024;
const PREFIX_METRIC = 256;
const FOR_EVER = 0xffffffff;
/** Routers, prefixes and addresses of all NICs that advertisements may make;
 * more are not taken. */
const MAX_LEARNT = 64;

export class Autoconfiguration implements NdpEvents {
  readonly #stack: Configured;
  /** What has been learnt, by name, with the timer that ends it. */
  readonly #learnt = new Map<string, Timer>();

  constructor(stack: Configured) {
    this.#stack = stack;
  }

  onDuplicate(nic: Nic, address: IpAddress): void {
    this.#stack.count("DuplicateAddress");
    this.#stack.removeAddress(nic, address);
  }

  onRouter(nic: Nic, router: IpAddress, lifetimeSeconds: number): void {
    const isIt = (entry: RouteEntry) =>
      entry.prefixBits === 0 && entry.nicIndex === nic.index &&
      entry.gateway !== undefined && sameAddress(entry.gateway, router);
    const { routes } = this.#stack;
    const name = `router ${nic.index} ${addressText(router)}`;
    const isTaken = this.#keep(name, lifetimeSeconds, () => {
      routes.remove(isIt);
    });
    if (!isTaken) return;
    routes.add({
      destination: new Uint8Array(16),
      prefixBits: 0,
      gateway: router,
      nicIndex: nic.index,
      metric: ROUTER_METRIC,
    });
  }

  onPrefix(nic: Nic, prefix: IpAddress, bits: number, seconds: number): void {
    if (bits === 0) return;
    const destination = maskAddress(prefix, bits);
    const { routes } = this.#stack;
    const name = `prefix ${nic.index} ${addressText(destination)}/${bits}`;
    const isTaken = this.#keep(name, seconds, () => {
      routes.remove((entry) =>
        entry.nicIndex === nic.index && entry.prefixBits === bits &&
        entry.metric === PREFIX_METRIC &&
        sameAddress(entry.destination, destination)
      );
    });
    if (!isTaken) return;
    const nicIndex = nic.index;
    const metric = PREFIX_METRIC;
    routes.add({ destination, prefixBits: bits, nicIndex, metric });
  }

  onAddress(nic: Nic, address: IpAddress, bits: number, seconds: number): void {
    const name = `address ${nic.index} ${addressText(address)}`;
    // An address that an administrator gave is none of ours to end.
    const isOther = nic.findAddress(address) !== undefined &&
      !this.#learnt.has(name);
    if (isOther) return;
    const isTaken = this.#keep(name, seconds, () => {
      this.#stack.removeAddress(nic, address);
    });
    if (isTaken && nic.findAddress(address) === undefined) {
      this.#stack.addAddress(nic, address, bits);
    }
  }

  /** Notes that something is good for so long; false if it is over, or if too
   * much has been learnt already. */
  #keep(name: string, seconds: number, onEnd: () => void): boolean {
    const known = this.#learnt.get(name);
    if (seconds === 0) {
      if (known === undefined) return false;
      this.#stack.disarmTimer(known);
      this.#learnt.delete(name);
      onEnd();
      return false;
    }
    if (known === undefined && this.#learnt.size >= MAX_LEARNT) return false;
    const timer = known ?? new Timer(() => {
      this.#learnt.delete(name);
      onEnd();
    });
    this.#learnt.set(name, timer);
    if (seconds === FOR_EVER) this.#stack.disarmTimer(timer);
    else this.#stack.armTimer(timer, this.#stack.now + 1000 * seconds);
    return true;
  }
}
