/**
 * Which ports are bound, by whom, and which are free: for one transport
 * protocol. Source: socket(7) on SO_REUSEADDR and SO_REUSEPORT; RFC 6056 §3.3
 * for ephemeral ports that strangers cannot guess.
 * @module
 */
import type { Random } from "../random.ts";
import { type IpAddress, sameAddress } from "../wire/address.ts";

/** As Linux's ip_local_port_range. */
export const FIRST_EPHEMERAL = 32768;
export const LAST_EPHEMERAL = 60999;

/** A claim to a port; the table looks at it again with every question, so its
 * flags may change. */
export interface PortBinding {
  /** undefined: every address of the families below. */
  readonly localAddress: IpAddress | undefined;
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
  /** 0: every NIC. */
  readonly boundNic: number;
  readonly reuseAddress: boolean;
  readonly reusePort: boolean;
  /** Who may share with reusePort: the same owner only. */
  readonly owner: number;
  /** A listener shares with nobody on account of reuseAddress. */
  readonly isListening: boolean;
}

export class PortTable {
  readonly #ports = new Map<number, PortBinding[]>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Claims a port; false: it conflicts with another claim. */
  bind(port: number, binding: PortBinding): boolean {
    if (!this.canBind(port, binding)) return false;
    const there = this.#ports.get(port);
    if (there === undefined) this.#ports.set(port, [binding]);
    else there.push(binding);
    return true;
  }

  canBind(port: number, binding: PortBinding): boolean {
    const there = this.#ports.get(port);
    if (there === undefined) return true;
    return !there.some((other) =>
      other !== binding && overlap(other, binding) && !share(other, binding)
    );
  }

  /** Claims a free ephemeral port that `isUsable` agrees with; 0: none. */
  bindEphemeral(
    binding: PortBinding,
    isUsable: (port: number) => boolean = () => true,
  ): number {
    const range = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;
    const first = this.#random.next32() % range;
    for (let i = 0; i < range; i++) {
      const port = FIRST_EPHEMERAL + (first + i) % range;
      // A port chosen for somebody is shared with nobody.
      if (this.#ports.has(port) || !isUsable(port)) continue;
      this.#ports.set(port, [binding]);
      return port;
    }
    return 0;
  }

  release(port: number, binding: PortBinding): void {
    const there = this.#ports.get(port);
    if (there === undefined) return;
    const rest = there.filter((other) => other !== binding);
    if (rest.length === 0) this.#ports.delete(port);
    else this.#ports.set(port, rest);
  }
}

function overlap(a: PortBinding, b: PortBinding): boolean {
  if (a.boundNic !== 0 && b.boundNic !== 0 && a.boundNic !== b.boundNic) {
    return false;
  }
  if (!(a.hasIpv4 && b.hasIpv4) && !(a.hasIpv6 && b.hasIpv6)) return false;
  if (a.localAddress === undefined || b.localAddress === undefined) return true;
  return sameAddress(a.localAddress, b.localAddress);
}

function share(a: PortBinding, b: PortBinding): boolean {
  if (a.reusePort && b.reusePort && a.owner === b.owner) return true;
  return a.reuseAddress && b.reuseAddress && !a.isListening && !b.isListening;
}
