/**
 * netstack: the public face of the TCP/IP stack. So far its wire formats.
 * @module
 */
export { checksum, foldChecksum, sumBytes } from "./wire/checksum.ts";
export {
  emitEthernet,
  ETHERNET_HEADER_SIZE,
  type EthernetHeader,
  EtherType,
  parseEthernet,
} from "./wire/ethernet.ts";
export {
  emitIpv4,
  IPV4_MIN_HEADER_SIZE,
  type Ipv4Header,
  parseIpv4,
} from "./wire/ipv4.ts";
export type { Malformed } from "./wire/malformed.ts";
export {
  emitUdp,
  parseUdp,
  UDP_HEADER_SIZE,
  type UdpHeader,
} from "./wire/udp.ts";
