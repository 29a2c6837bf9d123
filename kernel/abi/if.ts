/**
 * Network interfaces: flags, ioctl(2) requests, struct ifreq.
 *
 * Source: uapi linux/if.h, linux/sockios.h, linux/if_arp.h,
 * linux/if_ether.h; netdevice(7).
 * @module
 */

// Interface flags.
export const IFF_UP = 1;
export const IFF_BROADCAST = 2;
export const IFF_DEBUG = 4;
export const IFF_LOOPBACK = 8;
export const IFF_POINTOPOINT = 0x10;
export const IFF_NOTRAILERS = 0x20;
export const IFF_RUNNING = 0x40;
export const IFF_NOARP = 0x80;
export const IFF_PROMISC = 0x100;
export const IFF_ALLMULTI = 0x200;
export const IFF_MASTER = 0x400;
export const IFF_SLAVE = 0x800;
export const IFF_MULTICAST = 0x1000;
export const IFF_PORTSEL = 0x2000;
export const IFF_AUTOMEDIA = 0x4000;
export const IFF_DYNAMIC = 0x8000;
export const IFF_LOWER_UP = 0x10000;
export const IFF_DORMANT = 0x20000;
export const IFF_ECHO = 0x40000;

// Sizes, bytes.
export const IFNAMSIZ = 16;
export const ETH_ALEN = 6;
export const ETH_HLEN = 14;
export const ETH_DATA_LEN = 1500;
export const ETH_FRAME_LEN = 1514;

// Hardware types.
export const ARPHRD_ETHER = 1;
export const ARPHRD_LOOPBACK = 772;
export const ARPHRD_NONE = 65534;
export const ARPHRD_TUNNEL = 768;
export const ARPHRD_VOID = 65535;

// Ethernet protocols.
export const ETH_P_IP = 0x800;
export const ETH_P_ARP = 0x806;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_ALL = 3;
export const ETH_P_LOOP = 0x60;
export const ETH_P_8021Q = 0x8100;

// ioctl(2) requests.
export const SIOCGIFNAME = 0x8910;
export const SIOCGIFCONF = 0x8912;
export const SIOCGIFFLAGS = 0x8913;
export const SIOCSIFFLAGS = 0x8914;
export const SIOCGIFADDR = 0x8915;
export const SIOCSIFADDR = 0x8916;
export const SIOCGIFDSTADDR = 0x8917;
export const SIOCSIFDSTADDR = 0x8918;
export const SIOCGIFBRDADDR = 0x8919;
export const SIOCSIFBRDADDR = 0x891a;
export const SIOCGIFNETMASK = 0x891b;
export const SIOCSIFNETMASK = 0x891c;
export const SIOCGIFMETRIC = 0x891d;
export const SIOCSIFMETRIC = 0x891e;
export const SIOCGIFMTU = 0x8921;
export const SIOCSIFMTU = 0x8922;
export const SIOCSIFNAME = 0x8923;
export const SIOCSIFHWADDR = 0x8924;
export const SIOCGIFHWADDR = 0x8927;
export const SIOCGIFINDEX = 0x8933;
export const SIOCGIFTXQLEN = 0x8942;
export const SIOCSIFTXQLEN = 0x8943;
export const SIOCGIFMAP = 0x8970;
export const SIOCETHTOOL = 0x8946;
export const SIOCADDRT = 0x890b;
export const SIOCDELRT = 0x890c;
export const SIOCGARP = 0x8954;
export const SIOCSARP = 0x8955;
export const SIOCDARP = 0x8953;

/** Size of struct ifreq in bytes. */
export const IFREQ_SIZE = 40;

/** Byte offsets of the fields of struct ifreq. */
export const IFREQ = {
  ifr_name: 0,
  ifr_addr: 16,
  ifr_flags: 16,
  ifr_ifindex: 16,
  ifr_mtu: 16,
  ifr_hwaddr: 16,
  ifr_data: 16,
} as const;

/** Size of struct ifconf in bytes. */
export const IFCONF_SIZE = 16;

/** Byte offsets of the fields of struct ifconf. */
export const IFCONF = {
  ifc_len: 0,
  ifc_buf: 8,
} as const;
