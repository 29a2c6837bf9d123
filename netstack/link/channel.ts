/**
 * Two ends of a cable within the process: what one sends the other receives.
 * Made in pairs, for tests, gateways and containers within.
 * @module
 */
import { type Millis, NEVER } from "../clock.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import { PacketQueue } from "../stack/packet_queue.ts";
import { MAC_NONE, type MacAddress } from "../wire/address.ts";
import type { LinkDevice } from "./device.ts";

/** Packets in each direction, as Linux's default txqueuelen. */
const QUEUE_LIMIT = 1000;

export interface ChannelOptions {
  readonly kind?: "ethernet" | "ip";
  readonly mtu?: number;
  /** Addresses of the ends, for ethernet. */
  readonly macs?: readonly [MacAddress, MacAddress];
  readonly queueLimit?: number;
  readonly isReliable?: boolean;
}

class ChannelEnd implements LinkDevice {
  readonly kind: "ethernet" | "ip";
  readonly mtu: number;
  readonly mac: MacAddress;
  readonly isReliable: boolean;
  readonly #incoming: PacketQueue;
  readonly #outgoing: PacketQueue;

  constructor(
    options: ChannelOptions,
    mac: MacAddress,
    incoming: PacketQueue,
    outgoing: PacketQueue,
  ) {
    this.kind = options.kind ?? "ethernet";
    this.mtu = options.mtu ?? 1500;
    this.isReliable = options.isReliable ?? false;
    this.mac = mac;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  send(packet: PacketBuffer): boolean {
    return this.#outgoing.push(packet);
  }

  receive(): PacketBuffer | undefined {
    return this.#incoming.shift();
  }

  pollAt(now: Millis): Millis {
    return this.#incoming.length > 0 ? now : NEVER;
  }
}

/** Both ends of a new cable. */
export function makeChannel(
  options: ChannelOptions = {},
): readonly [LinkDevice, LinkDevice] {
  const limit = options.queueLimit ?? QUEUE_LIMIT;
  const [there, back] = [new PacketQueue(limit), new PacketQueue(limit)];
  const macs = options.kind === "ip"
    ? [MAC_NONE, MAC_NONE] as const
    : options.macs ??
      [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)];
  return [
    new ChannelEnd(options, macs[0]!, back, there),
    new ChannelEnd(options, macs[1]!, there, back),
  ];
}
