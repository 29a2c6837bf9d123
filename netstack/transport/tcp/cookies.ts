/**
 * SYN cookies: when too many handshakes are open, the answer's sequence number
 * is all that is remembered of a SYN. Source: RFC 4987 §3.6; layout after
 * D. J. Bernstein: 5 bits of time, 3 of segment size, 24 of hash. Window scale
 * and SACK are not offered then.
 * @module
 */
import type { Millis } from "../../clock.ts";
import type { Random } from "../../random.ts";
import { KeyedHash } from "../../stack/keyed_hash.ts";
import type { IpAddress } from "../../wire/address.ts";

/** A cookie is good for this long, and as long again. */
const PERIOD_MS: Millis = 64_000;
const SIZES = [536, 1220, 1300, 1360, 1400, 1440, 1460, 8960] as const;

interface Flow {
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
}

export class SynCookies {
  readonly #hash: KeyedHash;

  constructor(random: Random) {
    this.#hash = new KeyedHash(random);
  }

  /** The sequence number that answers a SYN. */
  make(flow: Flow, theirs: number, mss: number, now: Millis): number {
    let index = 0;
    for (let i = 0; i < SIZES.length; i++) if (SIZES[i]! <= mss) index = i;
    const period = Math.floor(now / PERIOD_MS);
    return this.#value(flow, theirs, index, period);
  }

  /** The segment size, if `ours` is a cookie of ours and not too old; else
   * 0. */
  check(flow: Flow, theirs: number, ours: number, now: Millis): number {
    const period = Math.floor(now / PERIOD_MS);
    const index = (ours >>> 24) & 7;
    for (const candidate of [period, period - 1]) {
      if (this.#value(flow, theirs, index, candidate) === ours) {
        return SIZES[index]!;
      }
    }
    return 0;
  }

  #value(flow: Flow, theirs: number, index: number, period: number): number {
    const extra = (theirs ^ Math.imul(period, 0x9e3779b1) ^ (index << 29)) | 0;
    const hash = this.#hash.ofFlow(
      flow.local,
      flow.localPort,
      flow.remote,
      flow.remotePort,
      extra,
    );
    return (((period & 31) << 27) | (index << 24) | (hash & 0xffffff)) >>> 0;
  }
}
