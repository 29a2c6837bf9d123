/**
 * Packet sockets.
 *
 * Source: uapi linux/if_packet.h; packet(7).
 * @module
 */

// Packet types.
export const PACKET_HOST = 0;
export const PACKET_BROADCAST = 1;
export const PACKET_MULTICAST = 2;
export const PACKET_OTHERHOST = 3;
export const PACKET_OUTGOING = 4;
export const PACKET_LOOPBACK = 5;

// Options at SOL_PACKET.
export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_DROP_MEMBERSHIP = 2;
export const PACKET_RECV_OUTPUT = 3;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_COPY_THRESH = 7;
export const PACKET_AUXDATA = 8;
export const PACKET_ORIGDEV = 9;
export const PACKET_VERSION = 10;
export const PACKET_HDRLEN = 11;
export const PACKET_RESERVE = 12;
export const PACKET_TX_RING = 13;
export const PACKET_LOSS = 14;
export const PACKET_VNET_HDR = 15;
export const PACKET_TX_TIMESTAMP = 16;
export const PACKET_TIMESTAMP = 17;
export const PACKET_FANOUT = 18;
export const PACKET_QDISC_BYPASS = 20;
export const PACKET_IGNORE_OUTGOING = 23;

// Kinds of membership.
export const PACKET_MR_MULTICAST = 0;
export const PACKET_MR_PROMISC = 1;
export const PACKET_MR_ALLMULTI = 2;
export const PACKET_MR_UNICAST = 3;

/** Size of struct sockaddr_ll in bytes. */
export const SOCKADDR_LL_SIZE = 20;

/** Byte offsets of the fields of struct sockaddr_ll. */
export const SOCKADDR_LL = {
  sll_family: 0,
  sll_protocol: 2,
  sll_ifindex: 4,
  sll_hatype: 8,
  sll_pkttype: 10,
  sll_halen: 11,
  sll_addr: 12,
} as const;

/** Size of struct packet_mreq in bytes. */
export const PACKET_MREQ_SIZE = 16;

/** Byte offsets of the fields of struct packet_mreq. */
export const PACKET_MREQ = {
  mr_ifindex: 0,
  mr_type: 4,
  mr_alen: 6,
  mr_address: 8,
} as const;
