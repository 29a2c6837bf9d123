/**
 * What an endpoint tells whoever waits for it. Edges are reported through one
 * observer; the level can be asked at any time.
 * @module
 */
import type { IpAddress } from "../wire/address.ts";

/** Bits of readiness; they may be joined. */
export const Ready = {
  READABLE: 1,
  WRITABLE: 2,
  /** The peer will send no more. */
  READ_HANGUP: 4,
  /** Both directions are over. */
  HANGUP: 8,
  ERROR: 16,
  /** Urgent data stands ahead. */
  PRIORITY: 32,
} as const;

/** Is called when any of `bits` may have become true; must not call back into
 * the endpoint, only note it. */
export type ReadinessObserver = (bits: number) => void;

export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
  /** NIC of a link-local address; 0 or absent: any. */
  readonly nicIndex?: number;
}
