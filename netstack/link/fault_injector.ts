/**
 * Around another device: loses, repeats, reorders, damages, delays and slows
 * what it receives, by a seed, so that a failed run can be had again.
 * @module
 */
import { type Millis, NEVER } from "../clock.ts";
import { SeededRandom } from "../random.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import type { MacAddress } from "../wire/address.ts";
import type { LinkDevice } from "./device.ts";

/** Chances are from 0 to 1; what is absent does not happen. */
export interface Faults {
  readonly loss?: number;
  readonly duplicate?: number;
  /** One byte of a packet changes. */
  readonly corrupt?: number;
  /** A packet waits `reorderMs` longer than the others. */
  readonly reorder?: number;
  readonly reorderMs?: Millis;
  readonly delayMs?: Millis;
  /** Bytes per millisecond. */
  readonly rate?: number;
  /** Packets that may wait; more are lost, as in a full router. */
  readonly queueLimit?: number;
}

interface Delayed {
  readonly packet: PacketBuffer;
  readonly at: Millis;
}

const QUEUE_LIMIT = 1000;

export class FaultInjector implements LinkDevice {
  readonly kind: LinkDevice["kind"];
  readonly mtu: number;
  readonly mac: MacAddress;
  readonly isReliable = false;
  /** May be exchanged at any time. */
  faults: Faults;
  readonly #device: LinkDevice;
  readonly #random: SeededRandom;
  /** By `at`, earliest first. */
  readonly #waiting: Delayed[] = [];
  #lineFreeAt: Millis = 0;
  #lost = 0;

  constructor(device: LinkDevice, seed: number, faults: Faults) {
    this.#device = device;
    this.#random = new SeededRandom(seed);
    this.faults = faults;
    this.kind = device.kind;
    this.mtu = device.mtu;
    this.mac = device.mac;
  }

  /** Packets lost so far, by chance or for want of room. */
  get lost(): number {
    return this.#lost;
  }

  send(packet: PacketBuffer, now: Millis): boolean {
    return this.#device.send(packet, now);
  }

  receive(now: Millis): PacketBuffer | undefined {
    for (;;) {
      const packet = this.#device.receive(now);
      if (packet === undefined) break;
      this.#admit(packet, now);
    }
    const first = this.#waiting[0];
    if (first === undefined || first.at > now) return undefined;
    this.#waiting.shift();
    return first.packet;
  }

  pollAt(now: Millis): Millis {
    const waiting = this.#waiting[0]?.at ?? NEVER;
    return Math.min(waiting, this.#device.pollAt(now));
  }

  #happens(chance: number | undefined): boolean {
    if (chance === undefined || chance === 0) return false;
    return this.#random.next32() < chance * 2 ** 32;
  }

  #admit(packet: PacketBuffer, now: Millis): void {
    const { faults } = this;
    const limit = faults.queueLimit ?? QUEUE_LIMIT;
    if (this.#happens(faults.loss) || this.#waiting.length >= limit) {
      this.#lost++;
      return;
    }
    const isRepeated = this.#happens(faults.duplicate);
    const arriving = this.#happens(faults.corrupt)
      ? this.#damage(packet)
      : packet;
    let at = now;
    if (faults.rate !== undefined) {
      at = Math.max(now, this.#lineFreeAt) + arriving.size / faults.rate;
      this.#lineFreeAt = at;
    }
    at += faults.delayMs ?? 0;
    if (this.#happens(faults.reorder)) at += faults.reorderMs ?? 1;
    if (isRepeated) this.#insert({ packet: arriving.clone(), at });
    this.#insert({ packet: arriving, at });
  }

  #insert(entry: Delayed): void {
    let index = this.#waiting.length;
    while (index > 0 && this.#waiting[index - 1]!.at > entry.at) index--;
    this.#waiting.splice(index, 0, entry);
  }

  #damage(packet: PacketBuffer): PacketBuffer {
    const copy = packet.clone();
    copy.isChecksumRight = false;
    if (copy.size > 0) {
      const at = copy.start + this.#random.below(copy.size);
      copy.bytes[at]! ^= 1 + this.#random.below(255);
    }
    return copy;
  }
}
