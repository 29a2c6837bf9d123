/**
 * Protocol numbers of the IPv4 protocol and IPv6 next header fields that we
 * speak. Source: IANA, Assigned Internet Protocol Numbers.
 * @module
 */
export const Protocol = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  ICMPV6: 58,
  NO_NEXT: 59,
  DESTINATION_OPTIONS: 60,
  RAW: 255,
} as const;
