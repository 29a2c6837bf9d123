/**
 * A packet as a line of text, in the way of tcpdump, for logs and failed
 * tests. Nothing here decides anything.
 * @module
 */
import { addressText, macText } from "./address.ts";
import { ARP_REQUEST, parseArp } from "./arp.ts";
import { EtherType, parseEthernet } from "./ethernet.ts";
import { parseIpv4 } from "./ipv4.ts";
import { parseIpv6 } from "./ipv6.ts";
import { isExtensionProblem, walkExtensions } from "./ipv6_extension.ts";
import { Protocol } from "./protocol.ts";
import { parseTcp, TcpFlag, type TcpHeader } from "./tcp.ts";

/** Describes an Ethernet frame. */
export function describeFrame(frame: Uint8Array): string {
  const header = parseEthernet(frame);
  if (typeof header === "string") return `ethernet: ${header}`;
  const body = frame.subarray(14);
  switch (header.type) {
    case EtherType.IPV4:
    case EtherType.IPV6:
      return describePacket(body);
    case EtherType.ARP:
      return describeArp(body);
    default:
      return `${macText(header.source)} > ${macText(header.destination)} ` +
        `ethertype 0x${header.type.toString(16).padStart(4, "0")}`;
  }
}

function describeArp(bytes: Uint8Array): string {
  const arp = parseArp(bytes);
  if (typeof arp === "string") return `ARP: ${arp}`;
  const sender = addressText(arp.senderAddress);
  return arp.operation === ARP_REQUEST
    ? `ARP who-has ${addressText(arp.targetAddress)} tell ${sender}`
    : `ARP ${sender} is-at ${macText(arp.senderMac)}`;
}

/** Describes an IP packet of either version. */
export function describePacket(packet: Uint8Array): string {
  if (packet.length > 0 && packet[0]! >> 4 === 6) {
    const header = parseIpv6(packet);
    if (typeof header === "string") return `IP6: ${header}`;
    const whole = packet.subarray(0, 40 + header.payloadLength);
    const chain = walkExtensions(whole, header.nextHeader, 40);
    const source = addressText(header.source);
    const target = addressText(header.destination);
    if (typeof chain === "string") return `IP6 ${source} > ${target}: ${chain}`;
    if (isExtensionProblem(chain)) {
      return `IP6 ${source} > ${target}: bad extension header`;
    }
    const body = whole.subarray(chain.offset);
    const first = chain.fragment?.offset ?? 0;
    return "IP6 " + describeUpper(chain.protocol, body, source, target, first);
  }
  const header = parseIpv4(packet);
  if (typeof header === "string") return `IP: ${header}`;
  const start = 20 + header.options.length;
  return "IP " + describeUpper(
    header.protocol,
    packet.subarray(start, header.totalLength),
    addressText(header.source),
    addressText(header.destination),
    header.fragmentOffset,
  );
}

function describeUpper(
  protocol: number,
  body: Uint8Array,
  source: string,
  target: string,
  fragmentOffset: number,
): string {
  if (fragmentOffset !== 0) {
    return `${source} > ${target}: fragment at ${fragmentOffset}, ` +
      `length ${body.length}`;
  }
  switch (protocol) {
    case Protocol.TCP: {
      const tcp = parseTcp(body);
      if (typeof tcp === "string") return `${source} > ${target}: TCP ${tcp}`;
      return `${source}.${tcp.sourcePort} > ${target}.${tcp.destinationPort}: ` +
        describeTcp(tcp, body.length - tcp.headerSize);
    }
    case Protocol.UDP: {
      if (body.length < 8) return `${source} > ${target}: UDP truncated`;
      const from = (body[0]! << 8) | body[1]!;
      const to = (body[2]! << 8) | body[3]!;
      return `${source}.${from} > ${target}.${to}: UDP, length ${
        body.length - 8
      }`;
    }
    case Protocol.ICMP:
    case Protocol.ICMPV6:
      if (body.length < 8) return `${source} > ${target}: ICMP truncated`;
      return `${source} > ${target}: ICMP type ${body[0]} code ${body[1]}, ` +
        `length ${body.length}`;
    default:
      return `${source} > ${target}: protocol ${protocol}, length ${body.length}`;
  }
}

const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [TcpFlag.FIN, "F"],
  [TcpFlag.SYN, "S"],
  [TcpFlag.RST, "R"],
  [TcpFlag.PSH, "P"],
  [TcpFlag.ACK, "."],
  [TcpFlag.URG, "U"],
  [TcpFlag.ECE, "E"],
  [TcpFlag.CWR, "W"],
];

/** Describes a TCP header in front of `length` bytes. */
export function describeTcp(tcp: TcpHeader, length: number): string {
  const flags = FLAG_LETTERS.filter(([bit]) => (tcp.flags & bit) !== 0)
    .map(([, letter]) => letter).join("") || "none";
  const parts = [`Flags [${flags}]`, `seq ${tcp.sequence}`];
  if ((tcp.flags & TcpFlag.ACK) !== 0) parts.push(`ack ${tcp.acknowledgment}`);
  parts.push(`win ${tcp.window}`);
  const options: string[] = [];
  if (tcp.mss !== 0) options.push(`mss ${tcp.mss}`);
  if (tcp.windowScale >= 0) options.push(`wscale ${tcp.windowScale}`);
  if (tcp.sackPermitted) options.push("sackOK");
  if (tcp.hasTimestamps) {
    options.push(`TS val ${tcp.tsValue} ecr ${tcp.tsEcho}`);
  }
  for (let i = 0; i < tcp.sackBlocks.length; i += 2) {
    options.push(`sack {${tcp.sackBlocks[i]}:${tcp.sackBlocks[i + 1]}}`);
  }
  if (options.length > 0) parts.push(`options [${options.join(",")}]`);
  parts.push(`length ${length}`);
  return parts.join(", ");
}
