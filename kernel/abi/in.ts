/**
 * IPv4: protocols, socket options, addresses.
 *
 * Source: uapi linux/in.h; ip(7).
 * @module
 */

// Protocols.
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_IGMP = 2;
export const IPPROTO_IPIP = 4;
export const IPPROTO_TCP = 6;
export const IPPROTO_EGP = 8;
export const IPPROTO_PUP = 12;
export const IPPROTO_UDP = 17;
export const IPPROTO_IDP = 22;
export const IPPROTO_TP = 29;
export const IPPROTO_DCCP = 33;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_RSVP = 46;
export const IPPROTO_GRE = 47;
export const IPPROTO_ESP = 50;
export const IPPROTO_AH = 51;
export const IPPROTO_MTP = 92;
export const IPPROTO_BEETPH = 94;
export const IPPROTO_ENCAP = 98;
export const IPPROTO_PIM = 103;
export const IPPROTO_COMP = 108;
export const IPPROTO_SCTP = 132;
export const IPPROTO_UDPLITE = 136;
export const IPPROTO_MPLS = 137;
export const IPPROTO_ETHERNET = 143;
export const IPPROTO_RAW = 255;
export const IPPROTO_MPTCP = 262;
export const IPPROTO_HOPOPTS = 0;
export const IPPROTO_ROUTING = 43;
export const IPPROTO_FRAGMENT = 44;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_NONE = 59;
export const IPPROTO_DSTOPTS = 60;
export const IPPROTO_MH = 135;

// Options at SOL_IP.
export const IP_OPTIONS = 4;
export const IP_HDRINCL = 3;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_RECVOPTS = 6;
export const IP_RECVRETOPTS = 7;
export const IP_RETOPTS = 7;
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_TTL = 33;
export const IP_MULTICAST_LOOP = 34;
export const IP_ADD_MEMBERSHIP = 35;
export const IP_DROP_MEMBERSHIP = 36;
export const IP_BLOCK_SOURCE = 38;
export const IP_ADD_SOURCE_MEMBERSHIP = 39;
export const IP_DROP_SOURCE_MEMBERSHIP = 40;
export const IP_MULTICAST_ALL = 49;
export const IP_UNICAST_IF = 50;
export const IP_ROUTER_ALERT = 5;
export const IP_PKTINFO = 8;
export const IP_PKTOPTIONS = 9;
export const IP_PMTUDISC = 10;
export const IP_MTU_DISCOVER = 10;
export const IP_RECVERR = 11;
export const IP_RECVTTL = 12;
export const IP_RECVTOS = 13;
export const IP_MTU = 14;
export const IP_FREEBIND = 15;
export const IP_IPSEC_POLICY = 16;
export const IP_PASSSEC = 18;
export const IP_TRANSPARENT = 19;
export const IP_ORIGDSTADDR = 20;
export const IP_RECVORIGDSTADDR = 20;
export const IP_MINTTL = 21;
export const IP_NODEFRAG = 22;
export const IP_CHECKSUM = 23;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IP_RECVFRAGSIZE = 25;
export const IP_RECVERR_RFC4884 = 26;
export const IP_DEFAULT_MULTICAST_TTL = 1;
export const IP_DEFAULT_MULTICAST_LOOP = 1;
export const IP_MAX_MEMBERSHIPS = 20;

// Path MTU discovery modes of IP_MTU_DISCOVER.
export const IP_PMTUDISC_DONT = 0;
export const IP_PMTUDISC_WANT = 1;
export const IP_PMTUDISC_DO = 2;
export const IP_PMTUDISC_PROBE = 3;
export const IP_PMTUDISC_INTERFACE = 4;
export const IP_PMTUDISC_OMIT = 5;

// Options at SOL_IP and SOL_IPV6 alike.
export const MCAST_JOIN_GROUP = 42;
export const MCAST_BLOCK_SOURCE = 43;
export const MCAST_UNBLOCK_SOURCE = 44;
export const MCAST_LEAVE_GROUP = 45;
export const MCAST_JOIN_SOURCE_GROUP = 46;
export const MCAST_LEAVE_SOURCE_GROUP = 47;
export const MCAST_MSFILTER = 48;
export const MCAST_EXCLUDE = 0;
export const MCAST_INCLUDE = 1;

// Well-known addresses, in host order.
export const INADDR_ANY = 0;
export const INADDR_BROADCAST = 0xffffffff;
export const INADDR_NONE = 0xffffffff;
export const INADDR_DUMMY = 0xc0000008;
export const INADDR_LOOPBACK = 0x7f000001;
export const INADDR_UNSPEC_GROUP = 0xe0000000;
export const INADDR_ALLHOSTS_GROUP = 0xe0000001;
export const INADDR_ALLRTRS_GROUP = 0xe0000002;
export const INADDR_ALLSNOOPERS_GROUP = 0xe000006a;
export const INADDR_MAX_LOCAL_GROUP = 0xe00000ff;

/** Size of struct sockaddr_in in bytes. */
export const SOCKADDR_IN_SIZE = 16;

/** Byte offsets of the fields of struct sockaddr_in. */
export const SOCKADDR_IN = {
  sin_family: 0,
  sin_port: 2,
  sin_addr: 4,
} as const;

/** Size of struct ip_mreq in bytes. */
export const IP_MREQ_SIZE = 8;

/** Byte offsets of the fields of struct ip_mreq. */
export const IP_MREQ = {
  imr_multiaddr: 0,
  imr_interface: 4,
} as const;

/** Size of struct ip_mreqn in bytes. */
export const IP_MREQN_SIZE = 12;

/** Byte offsets of the fields of struct ip_mreqn. */
export const IP_MREQN = {
  imr_multiaddr: 0,
  imr_address: 4,
  imr_ifindex: 8,
} as const;

/** Size of struct in_pktinfo in bytes. */
export const IN_PKTINFO_SIZE = 12;

/** Byte offsets of the fields of struct in_pktinfo. */
export const IN_PKTINFO = {
  ipi_ifindex: 0,
  ipi_spec_dst: 4,
  ipi_addr: 8,
} as const;
