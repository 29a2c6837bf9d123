/**
 * Routes: which NIC and which neighbour a destination is reached by. The
 * longest prefix wins, then the smallest metric, then the oldest.
 * @module
 */
import { inPrefix, type IpAddress, sameAddress } from "../wire/address.ts";

export interface RouteEntry {
  readonly destination: IpAddress;
  readonly prefixBits: number;
  /** Absent: the destination is on the link. */
  readonly gateway?: IpAddress;
  readonly nicIndex: number;
  readonly metric?: number;
  /** Preferred source address. */
  readonly source?: IpAddress;
}

/** Routes; more are refused, whoever adds them. */
const MAX_ROUTES = 16_384;

export class RouteTable {
  #entries: RouteEntry[] = [];
  #generation = 0;

  /** Changes when the table does: a route found before may be wrong then. */
  get generation(): number {
    return this.#generation;
  }

  get entries(): readonly RouteEntry[] {
    return this.#entries;
  }

  /** "exists": the same prefix with the same metric by the same way. */
  add(entry: RouteEntry): "exists" | "no-buffers" | undefined {
    if (this.#entries.some((other) => isSameRoute(entry, other))) {
      return "exists";
    }
    if (this.#entries.length >= MAX_ROUTES) return "no-buffers";
    const metric = entry.metric ?? 0;
    let at = this.#entries.findIndex((other) =>
      other.prefixBits < entry.prefixBits ||
      other.prefixBits === entry.prefixBits && (other.metric ?? 0) > metric
    );
    if (at < 0) at = this.#entries.length;
    this.#entries.splice(at, 0, entry);
    this.#generation++;
    return undefined;
  }

  /** Removes every entry that is chosen; says how many. */
  remove(isChosen: (entry: RouteEntry) => boolean): number {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => !isChosen(entry));
    if (this.#entries.length !== before) this.#generation++;
    return before - this.#entries.length;
  }

  /** Routes found so far must be looked up again: an address or NIC changed. */
  invalidate(): void {
    this.#generation++;
  }

  /** The best entry; by one NIC only if `nicIndex` is not 0. */
  find(destination: IpAddress, nicIndex: number): RouteEntry | undefined {
    for (const entry of this.#entries) {
      if (entry.destination.length !== destination.length) continue;
      if (nicIndex !== 0 && entry.nicIndex !== nicIndex) continue;
      if (inPrefix(destination, entry.destination, entry.prefixBits)) {
        return entry;
      }
    }
    return undefined;
  }
}

function isSameRoute(a: RouteEntry, b: RouteEntry): boolean {
  return a.prefixBits === b.prefixBits && a.nicIndex === b.nicIndex &&
    (a.metric ?? 0) === (b.metric ?? 0) &&
    sameAddress(a.destination, b.destination) &&
    (a.gateway === undefined) === (b.gateway === undefined) &&
    (a.gateway === undefined || sameAddress(a.gateway, b.gateway!));
}
