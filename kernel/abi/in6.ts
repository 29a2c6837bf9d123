/**
 * IPv6: socket options and addresses.
 *
 * Source: uapi linux/in6.h; ipv6(7).
 * @module
 */

// Options at SOL_IPV6.
export const IPV6_ADDRFORM = 1;
export const IPV6_2292PKTINFO = 2;
export const IPV6_2292HOPOPTS = 3;
export const IPV6_2292DSTOPTS = 4;
export const IPV6_2292RTHDR = 5;
export const IPV6_2292PKTOPTIONS = 6;
export const IPV6_CHECKSUM = 7;
export const IPV6_2292HOPLIMIT = 8;
export const IPV6_NEXTHOP = 9;
export const IPV6_AUTHHDR = 10;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_MULTICAST_IF = 17;
export const IPV6_MULTICAST_HOPS = 18;
export const IPV6_MULTICAST_LOOP = 19;
export const IPV6_JOIN_GROUP = 20;
export const IPV6_LEAVE_GROUP = 21;
export const IPV6_ROUTER_ALERT = 22;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_MTU = 24;
export const IPV6_RECVERR = 25;
export const IPV6_V6ONLY = 26;
export const IPV6_JOIN_ANYCAST = 27;
export const IPV6_LEAVE_ANYCAST = 28;
export const IPV6_MULTICAST_ALL = 29;
export const IPV6_ROUTER_ALERT_ISOLATE = 30;
export const IPV6_RECVERR_RFC4884 = 31;
export const IPV6_IPSEC_POLICY = 34;
export const IPV6_XFRM_POLICY = 35;
export const IPV6_HDRINCL = 36;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_RECVHOPOPTS = 53;
export const IPV6_HOPOPTS = 54;
export const IPV6_RTHDRDSTOPTS = 55;
export const IPV6_RECVRTHDR = 56;
export const IPV6_RTHDR = 57;
export const IPV6_RECVDSTOPTS = 58;
export const IPV6_DSTOPTS = 59;
export const IPV6_RECVPATHMTU = 60;
export const IPV6_PATHMTU = 61;
export const IPV6_DONTFRAG = 62;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const IPV6_AUTOFLOWLABEL = 70;
export const IPV6_ADDR_PREFERENCES = 72;
export const IPV6_MINHOPCOUNT = 73;
export const IPV6_ORIGDSTADDR = 74;
export const IPV6_RECVORIGDSTADDR = 74;
export const IPV6_TRANSPARENT = 75;
export const IPV6_UNICAST_IF = 76;
export const IPV6_RECVFRAGSIZE = 77;
export const IPV6_FREEBIND = 78;
export const IPV6_RTHDR_LOOSE = 0;
export const IPV6_RTHDR_STRICT = 1;
export const IPV6_RTHDR_TYPE_0 = 0;

export const IPV6_PMTUDISC_DONT = 0;
export const IPV6_PMTUDISC_WANT = 1;
export const IPV6_PMTUDISC_DO = 2;
export const IPV6_PMTUDISC_PROBE = 3;
export const IPV6_PMTUDISC_INTERFACE = 4;
export const IPV6_PMTUDISC_OMIT = 5;

/** Size of struct sockaddr_in6 in bytes. */
export const SOCKADDR_IN6_SIZE = 28;

/** Byte offsets of the fields of struct sockaddr_in6. */
export const SOCKADDR_IN6 = {
  sin6_family: 0,
  sin6_port: 2,
  sin6_flowinfo: 4,
  sin6_addr: 8,
  sin6_scope_id: 24,
} as const;

/** Size of struct ipv6_mreq in bytes. */
export const IPV6_MREQ_SIZE = 20;

/** Byte offsets of the fields of struct ipv6_mreq. */
export const IPV6_MREQ = {
  ipv6mr_multiaddr: 0,
  ipv6mr_interface: 16,
} as const;

/** Size of struct in6_pktinfo in bytes. */
export const IN6_PKTINFO_SIZE = 20;

/** Byte offsets of the fields of struct in6_pktinfo. */
export const IN6_PKTINFO = {
  ipi6_addr: 0,
  ipi6_ifindex: 16,
} as const;
