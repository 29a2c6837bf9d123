/**
 * Reading what we have written ourselves, or what has been checked already:
 * no lengths are tested here.
 * @module
 */
import type { MacAddress } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import type { PacketBuffer } from "./packet_buffer.ts";

/** Reads the header of a packet of our own; its size. */
export function noteHeader(packet: PacketBuffer): number {
  const { bytes, start } = packet;
  const isV4 = bytes[start]! >> 4 === 4;
  const at = start + (isV4 ? 12 : 8);
  const size = isV4 ? 4 : 16;
  packet.networkStart = start;
  packet.source = bytes.slice(at, at + size);
  packet.destination = bytes.slice(at + size, at + 2 * size);
  packet.protocol = bytes[start + (isV4 ? 9 : 6)]!;
  packet.hopLimit = bytes[start + (isV4 ? 8 : 7)]!;
  return isV4 ? (bytes[start]! & 15) * 4 : 40;
}

/** Of an IP packet. */
export function etherTypeOf(packet: PacketBuffer): number {
  return packet.bytes[packet.start]! >> 4 === 4
    ? EtherType.IPV4
    : EtherType.IPV6;
}

/** True if a hardware address stands there. */
export function isAt(bytes: Uint8Array, at: number, mac: MacAddress): boolean {
  for (let i = 0; i < 6; i++) if (bytes[at + i] !== mac[i]) return false;
  return true;
}
