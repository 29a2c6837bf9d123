/**
 * Around another device: hands a copy of every packet that passes to a sink in
 * the format that tcpdump and wireshark read. Source: the pcap file format
 * (draft-ietf-opsawg-pcap), nanosecond variant.
 * @module
 */
import type { Millis } from "../clock.ts";
import type { PacketBuffer } from "../stack/packet_buffer.ts";
import type { MacAddress } from "../wire/address.ts";
import type { LinkDevice } from "./device.ts";

const MAGIC_NANOSECONDS = 0xa1b23c4d;
const LINKTYPE_ETHERNET = 1;
const LINKTYPE_RAW = 101;
const SNAP_BYTES = 262_144;

/** Takes pieces of the file in order; the bytes are its own. */
export type TraceSink = (bytes: Uint8Array) => void;

export class Tracer implements LinkDevice {
  readonly kind: LinkDevice["kind"];
  readonly mtu: number;
  readonly mac: MacAddress;
  readonly isReliable: boolean;
  readonly #device: LinkDevice;
  readonly #sink: TraceSink;
  /** Added to `now` to get time since 1970. */
  readonly #epochMs: Millis;

  constructor(device: LinkDevice, sink: TraceSink, epochMs: Millis = 0) {
    this.#device = device;
    this.#sink = sink;
    this.#epochMs = epochMs;
    this.kind = device.kind;
    this.mtu = device.mtu;
    this.mac = device.mac;
    this.isReliable = device.isReliable;
    const header = new DataView(new ArrayBuffer(24));
    header.setUint32(0, MAGIC_NANOSECONDS, true);
    header.setUint16(4, 2, true);
    header.setUint16(6, 4, true);
    header.setUint32(16, SNAP_BYTES, true);
    const type = device.kind === "ethernet" ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
    header.setUint32(20, type, true);
    sink(new Uint8Array(header.buffer));
  }

  send(packet: PacketBuffer, now: Millis): boolean {
    this.#record(packet, now);
    return this.#device.send(packet, now);
  }

  receive(now: Millis): PacketBuffer | undefined {
    const packet = this.#device.receive(now);
    // A loopback packet has been recorded when it was sent.
    if (packet !== undefined && this.kind !== "loopback") {
      this.#record(packet, now);
    }
    return packet;
  }

  pollAt(now: Millis): Millis {
    return this.#device.pollAt(now);
  }

  #record(packet: PacketBuffer, now: Millis): void {
    const size = Math.min(packet.size, SNAP_BYTES);
    const record = new Uint8Array(16 + size);
    const view = new DataView(record.buffer);
    const ms = this.#epochMs + now;
    const seconds = Math.floor(ms / 1000);
    view.setUint32(0, seconds, true);
    view.setUint32(4, Math.floor((ms - seconds * 1000) * 1e6), true);
    view.setUint32(8, size, true);
    view.setUint32(12, packet.size, true);
    record.set(packet.bytes.subarray(packet.start, packet.start + size), 16);
    this.#sink(record);
  }
}
