/**
 * A packet on its way through the stack: a range of an array with room in
 * front for the headers that lower layers prepend, and what the layers that it
 * passed have found out about it. Whoever a packet is handed to owns it.
 * @module
 */
import { type IpAddress, IPV4_ANY } from "../wire/address.ts";

/** Room for Ethernet (14, padded to 16), IPv6 with a fragment header (48) and
 * TCP with all options (60). */
export const HEADROOM_BYTES = 128;

export class PacketBuffer {
  readonly bytes: Uint8Array;
  /** The range of `bytes` that the current layer looks at. */
  start: number;
  end: number;

  // Found by the network layer on the way in.
  /** Where the IP header begins, for ICMP errors and raw endpoints. */
  networkStart = 0;
  source: IpAddress = IPV4_ANY;
  destination: IpAddress = IPV4_ANY;
  protocol = 0;
  hopLimit = 0;
  trafficClass = 0;
  /** Index of the NIC that it came in by. */
  nicIndex = 0;
  /** It came to a group or to everybody, at either layer. */
  isMulticast = false;

  /** Nobody can have damaged it, or the device has verified its transport
   * checksum; on the way out: it need not be computed. */
  isChecksumRight = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** An empty one for `size` bytes with HEADROOM_BYTES in front. */
  static allocate(size: number): PacketBuffer {
    return new PacketBuffer(
      new Uint8Array(HEADROOM_BYTES + size),
      HEADROOM_BYTES,
      HEADROOM_BYTES + size,
    );
  }

  /** A copy of `payload` with room in front. */
  static from(payload: Uint8Array): PacketBuffer {
    const packet = PacketBuffer.allocate(payload.length);
    packet.bytes.set(payload, HEADROOM_BYTES);
    return packet;
  }

  get size(): number {
    return this.end - this.start;
  }

  /** The range, not a copy. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** Makes room for a header and gives its range. */
  prepend(size: number): Uint8Array {
    if (size > this.start) {
      throw new RangeError(`No headroom for ${size} bytes`);
    }
    this.start -= size;
    return this.bytes.subarray(this.start, this.start + size);
  }

  /** A packet of its own with the same bytes and findings. */
  clone(): PacketBuffer {
    const copy = PacketBuffer.from(this.view());
    copy.networkStart = this.networkStart - this.start + copy.start;
    copy.source = this.source;
    copy.destination = this.destination;
    copy.protocol = this.protocol;
    copy.hopLimit = this.hopLimit;
    copy.trafficClass = this.trafficClass;
    copy.nicIndex = this.nicIndex;
    copy.isMulticast = this.isMulticast;
    copy.isChecksumRight = this.isChecksumRight;
    return copy;
  }
}
