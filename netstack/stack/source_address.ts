/**
 * Which of our addresses a packet to a destination gets. Source: RFC 6724 §5
 * for IPv6 (rules 1, 2, 3, 5, 8); for IPv4 the address on the next hop's
 * network, then any of the NIC, then any at all, as Linux.
 * @module
 */
import {
  inPrefix,
  type IpAddress,
  isLimitedBroadcast,
  isLinkLocal,
  isLoopback,
  isMulticast,
} from "../wire/address.ts";
import type { Nic, NicAddress } from "./nic.ts";

/** True for destinations that are on whatever link they are sent to. */
export function needsNoRoute(destination: IpAddress): boolean {
  return isMulticast(destination) || isLinkLocal(destination) ||
    isLimitedBroadcast(destination);
}

/** The NIC for a destination that no route names; undefined: unreachable. */
export function nicWithoutRoute(
  nics: readonly Nic[],
  destination: IpAddress,
): Nic | undefined {
  if (!needsNoRoute(destination)) return undefined;
  return nics.find((nic) => nic.isUp && !nic.isLoopback) ??
    (isMulticast(destination)
      ? nics.find((nic) => nic.isUp && nic.isLoopback)
      : undefined);
}

/** Our address for a way to a destination; undefined: there is none. */
export function selectSource(
  nic: Nic,
  nics: readonly Nic[],
  nextHop: IpAddress,
  destination: IpAddress,
): IpAddress | undefined {
  const size = destination.length;
  if (size === 4) {
    const own = nic.addresses.filter((entry) => entry.address.length === 4);
    const near = own.find((entry) =>
      inPrefix(nextHop, entry.address, entry.prefixBits)
    );
    if (near !== undefined) return near.address;
    if (own.length > 0) return own[0]!.address;
    for (const other of nics) {
      if (other.isLoopback) continue;
      for (const { address } of other.addresses) {
        if (address.length === 4) return address;
      }
    }
    return undefined;
  }
  let best: NicAddress | undefined;
  for (const entry of nic.addresses) {
    if (entry.address.length !== size || entry.state === "tentative") continue;
    if (best === undefined || isBetter(entry, best, destination)) best = entry;
  }
  return best?.address;
}

function isBetter(a: NicAddress, b: NicAddress, to: IpAddress): boolean {
  const wanted = scopeOf(to);
  const [scopeA, scopeB] = [scopeOf(a.address), scopeOf(b.address)];
  if (scopeA !== scopeB) {
    // Rule 2: the smallest scope that is large enough.
    if (scopeA < scopeB) return scopeA >= wanted;
    return scopeB < wanted;
  }
  if (a.state !== b.state) return a.state === "preferred"; // rule 3
  return commonBits(a.address, to) > commonBits(b.address, to); // rule 8
}

/** RFC 4291 §2.7: 1 interface-local, 2 link-local, 14 global; of a group, its
 * own. */
function scopeOf(address: IpAddress): number {
  if (address[0] === 0xff) return address[1]! & 15;
  if (isLinkLocal(address) || isLoopback(address)) return 2;
  return 14;
}

function commonBits(a: IpAddress, b: IpAddress): number {
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return 8 * a.length;
}
