/**
 * A queue of packets, bounded by their number: first in, first out, without
 * moving what waits.
 * @module
 */
import type { PacketBuffer } from "./packet_buffer.ts";

export class PacketQueue {
  readonly #limit: number;
  #packets: PacketBuffer[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#packets.length - this.#head;
  }

  /** False if it is full; the packet is dropped. */
  push(packet: PacketBuffer): boolean {
    if (this.length >= this.#limit) return false;
    this.#packets.push(packet);
    return true;
  }

  shift(): PacketBuffer | undefined {
    if (this.#head === this.#packets.length) return undefined;
    const packet = this.#packets[this.#head++];
    if (this.#head === this.#packets.length) {
      this.#packets.length = 0;
      this.#head = 0;
    } else if (this.#head > 256 && this.#head * 2 > this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head);
      this.#head = 0;
    }
    return packet;
  }

  clear(): void {
    this.#packets = [];
    this.#head = 0;
  }
}
