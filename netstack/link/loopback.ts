/**
 * The loopback device: what is sent arrives, at once and whole.
 * @module
 */
import { type Millis, NEVER } from "../clock.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import { PacketQueue } from "../stack/packet_queue.ts";
import { MAC_NONE } from "../wire/address.ts";
import type { LinkDevice } from "./device.ts";

/** As in Linux. */
export const LOOPBACK_MTU = 65536;
/** Packets; enough for every window that our buffers allow. */
const QUEUE_LIMIT = 4096;

export class Loopback implements LinkDevice {
  readonly kind = "loopback";
  readonly mtu: number;
  readonly mac = MAC_NONE;
  readonly isReliable = true;
  readonly #queue = new PacketQueue(QUEUE_LIMIT);

  constructor(mtu: number = LOOPBACK_MTU) {
    this.mtu = mtu;
  }

  send(packet: PacketBuffer): boolean {
    return this.#queue.push(packet);
  }

  receive(): PacketBuffer | undefined {
    return this.#queue.shift();
  }

  pollAt(now: Millis): Millis {
    return this.#queue.length > 0 ? now : NEVER;
  }
}
