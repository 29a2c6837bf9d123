/**
 * ARP at work: questions answered, answers learnt, addresses probed. Source:
 * RFC 826, RFC 5227 §2.
 * @module
 */
import type { Nic } from "../stack/nic.ts";
import { PacketBuffer } from "../stack/packet_buffer.ts";
import {
  type IpAddress,
  isUnspecified,
  MAC_BROADCAST,
  MAC_NONE,
  type MacAddress,
  sameAddress,
} from "../wire/address.ts";
import {
  ARP_REPLY,
  ARP_REQUEST,
  ARP_SIZE,
  type ArpPacket,
  emitArp,
  parseArp,
} from "../wire/arp.ts";
import { EtherType } from "../wire/ethernet.ts";
import type { IpLayer } from "./ip_layer.ts";

/** Takes an ARP packet (start after the Ethernet header). */
export function receiveArp(
  layer: IpLayer,
  nic: Nic,
  packet: PacketBuffer,
): void {
  const arp = parseArp(packet.view());
  if (typeof arp === "string" || (arp.senderMac[0]! & 1) !== 0) {
    layer.count("ArpInErrors");
    return;
  }
  const isForUs = nic.findAddress(arp.targetAddress) !== undefined;
  if (!isUnspecified(arp.senderAddress)) {
    if (arp.operation === ARP_REPLY) {
      // Only who was asked is heard: an entry exists.
      const flags = { solicited: true, override: true };
      const { senderAddress, senderMac } = arp;
      nic.neighbors.confirm(senderAddress, senderMac, flags, layer.now);
    } else {
      // RFC 826: an entry is brought up to date; one is made if we are meant.
      nic.neighbors.learn(arp.senderAddress, arp.senderMac, isForUs);
    }
  }
  if (arp.operation === ARP_REQUEST && isForUs) {
    sendArp(layer, nic, arp.senderMac, {
      operation: ARP_REPLY,
      senderMac: nic.device.mac,
      senderAddress: arp.targetAddress,
      targetMac: arp.senderMac,
      targetAddress: arp.senderAddress,
    });
  }
}

/** Asks who has `target`: everybody, or `mac` only. */
export function solicitArp(
  layer: IpLayer,
  nic: Nic,
  target: IpAddress,
  mac: MacAddress | undefined,
): void {
  const own = nic.addresses.find((entry) => entry.address.length === 4);
  if (own === undefined || sameAddress(own.address, target)) return;
  sendArp(layer, nic, mac ?? MAC_BROADCAST, {
    operation: ARP_REQUEST,
    senderMac: nic.device.mac,
    senderAddress: own.address,
    targetMac: MAC_NONE,
    targetAddress: target,
  });
}

/** Tells the link of an address of ours (RFC 5227 §2.3). */
export function announceArp(
  layer: IpLayer,
  nic: Nic,
  address: IpAddress,
): void {
  sendArp(layer, nic, MAC_BROADCAST, {
    operation: ARP_REQUEST,
    senderMac: nic.device.mac,
    senderAddress: address,
    targetMac: MAC_NONE,
    targetAddress: address,
  });
}

function sendArp(
  layer: IpLayer,
  nic: Nic,
  to: MacAddress,
  arp: ArpPacket,
): void {
  const packet = PacketBuffer.allocate(ARP_SIZE);
  emitArp(arp, packet.view());
  layer.transmitFrame(nic, to, EtherType.ARP, packet);
}
