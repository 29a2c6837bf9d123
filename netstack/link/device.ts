/**
 * What the stack asks of a link device. A device moves whole packets and knows
 * nothing of addresses above its own; time is passed in.
 * @module
 */
import type { Millis } from "../clock.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import type { MacAddress } from "../wire/address.ts";

export interface LinkDevice {
  /** Frames with Ethernet headers, bare IP packets, or bare packets that come
   * back to the stack that sent them. */
  readonly kind: "ethernet" | "ip" | "loopback";
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** Zeros if the kind is not ethernet. */
  readonly mac: MacAddress;
  /** Nobody can damage packets, so transport checksums are not computed and
   * not looked at. */
  readonly isReliable: boolean;
  /** Takes a packet; false: no room, it is dropped. */
  send(packet: PacketBuffer, now: Millis): boolean;
  /** The next packet that has arrived. */
  receive(now: Millis): PacketBuffer | undefined;
  /** When receive() will have something: `now` or earlier if it has, NEVER if
   * that is up to others. */
  pollAt(now: Millis): Millis;
}
