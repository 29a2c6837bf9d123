/**
 * Words of socket(2) and its calls: families, types, options, message
 * flags, headers.
 *
 * Source: uapi linux/socket.h, asm-generic/socket.h, linux/un.h,
 * asm-generic/sockios.h; socket(7), unix(7).
 * @module
 */

// Address families.
export const AF_UNSPEC = 0;
export const AF_LOCAL = 1;
export const AF_UNIX = 1;
export const AF_FILE = 1;
export const AF_INET = 2;
export const AF_AX25 = 3;
export const AF_IPX = 4;
export const AF_APPLETALK = 5;
export const AF_NETROM = 6;
export const AF_BRIDGE = 7;
export const AF_ATMPVC = 8;
export const AF_X25 = 9;
export const AF_INET6 = 10;
export const AF_ROSE = 11;
export const AF_DECnet = 12;
export const AF_NETBEUI = 13;
export const AF_SECURITY = 14;
export const AF_KEY = 15;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const AF_ASH = 18;
export const AF_ECONET = 19;
export const AF_ATMSVC = 20;
export const AF_RDS = 21;
export const AF_SNA = 22;
export const AF_IRDA = 23;
export const AF_PPPOX = 24;
export const AF_WANPIPE = 25;
export const AF_LLC = 26;
export const AF_IB = 27;
export const AF_MPLS = 28;
export const AF_CAN = 29;
export const AF_TIPC = 30;
export const AF_BLUETOOTH = 31;
export const AF_IUCV = 32;
export const AF_RXRPC = 33;
export const AF_ISDN = 34;
export const AF_PHONET = 35;
export const AF_IEEE802154 = 36;
export const AF_CAIF = 37;
export const AF_ALG = 38;
export const AF_NFC = 39;
export const AF_VSOCK = 40;
export const AF_KCM = 41;
export const AF_QIPCRTR = 42;
export const AF_SMC = 43;
export const AF_XDP = 44;
export const AF_MCTP = 45;
export const AF_MAX = 46;

// Socket types, and flags that travel with them.
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_RDM = 4;
export const SOCK_SEQPACKET = 5;
export const SOCK_DCCP = 6;
export const SOCK_PACKET = 10;

export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;

// Option levels.
export const SOL_RAW = 255;
export const SOL_DECNET = 261;
export const SOL_X25 = 262;
export const SOL_PACKET = 263;
export const SOL_ATM = 264;
export const SOL_AAL = 265;
export const SOL_IRDA = 266;
export const SOL_NETBEUI = 267;
export const SOL_LLC = 268;
export const SOL_DCCP = 269;
export const SOL_NETLINK = 270;
export const SOL_TIPC = 271;
export const SOL_RXRPC = 272;
export const SOL_PPPOL2TP = 273;
export const SOL_BLUETOOTH = 274;
export const SOL_PNPIPE = 275;
export const SOL_RDS = 276;
export const SOL_IUCV = 277;
export const SOL_CAIF = 278;
export const SOL_ALG = 279;
export const SOL_NFC = 280;
export const SOL_KCM = 281;
export const SOL_TLS = 282;
export const SOL_XDP = 283;
export const SOL_MPTCP = 284;
export const SOL_MCTP = 285;
export const SOL_SMC = 286;
export const SOL_SOCKET = 1;
export const SOL_IP = 0;
export const SOL_TCP = 6;
export const SOL_UDP = 17;
export const SOL_IPV6 = 41;

// Options at SOL_SOCKET.
export const SO_DEBUG = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_DONTROUTE = 5;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_NO_CHECK = 11;
export const SO_PRIORITY = 12;
export const SO_LINGER = 13;
export const SO_BSDCOMPAT = 14;
export const SO_REUSEPORT = 15;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_RCVLOWAT = 18;
export const SO_SNDLOWAT = 19;
export const SO_SECURITY_AUTHENTICATION = 22;
export const SO_SECURITY_ENCRYPTION_TRANSPORT = 23;
export const SO_SECURITY_ENCRYPTION_NETWORK = 24;
export const SO_BINDTODEVICE = 25;
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;
export const SO_PEERNAME = 28;
export const SO_ACCEPTCONN = 30;
export const SO_PEERSEC = 31;
export const SO_PASSSEC = 34;
export const SO_MARK = 36;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_RXQ_OVFL = 40;
export const SO_WIFI_STATUS = 41;
export const SO_PEEK_OFF = 42;
export const SO_NOFCS = 43;
export const SO_LOCK_FILTER = 44;
export const SO_SELECT_ERR_QUEUE = 45;
export const SO_BUSY_POLL = 46;
export const SO_MAX_PACING_RATE = 47;
export const SO_BPF_EXTENSIONS = 48;
export const SO_INCOMING_CPU = 49;
export const SO_ATTACH_BPF = 50;
export const SO_DETACH_BPF = 27;
export const SO_ATTACH_REUSEPORT_CBPF = 51;
export const SO_ATTACH_REUSEPORT_EBPF = 52;
export const SO_CNX_ADVICE = 53;
export const SO_MEMINFO = 55;
export const SO_INCOMING_NAPI_ID = 56;
export const SO_COOKIE = 57;
export const SO_PEERGROUPS = 59;
export const SO_ZEROCOPY = 60;
export const SO_TXTIME = 61;
export const SO_BINDTOIFINDEX = 62;
export const SO_DETACH_REUSEPORT_BPF = 68;
export const SO_PREFER_BUSY_POLL = 69;
export const SO_BUSY_POLL_BUDGET = 70;
export const SO_NETNS_COOKIE = 71;
export const SO_BUF_LOCK = 72;
export const SO_RESERVE_MEM = 73;
export const SO_TXREHASH = 74;
export const SO_RCVMARK = 75;
export const SO_TIMESTAMP = 29;
export const SO_TIMESTAMPNS = 35;
export const SO_TIMESTAMPING = 37;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;

// Two layouts of time in the same option: `_OLD` is the x86-64 default.
export const SO_RCVTIMEO_OLD = 20;
export const SO_SNDTIMEO_OLD = 21;
export const SO_RCVTIMEO_NEW = 66;
export const SO_SNDTIMEO_NEW = 67;
export const SO_TIMESTAMP_OLD = 29;
export const SO_TIMESTAMPNS_OLD = 35;
export const SO_TIMESTAMPING_OLD = 37;
export const SO_TIMESTAMP_NEW = 63;
export const SO_TIMESTAMPNS_NEW = 64;
export const SO_TIMESTAMPING_NEW = 65;

// Flags of send(2), recv(2) and msg_flags.
export const MSG_OOB = 1;
export const MSG_PEEK = 2;
export const MSG_DONTROUTE = 4;
export const MSG_TRYHARD = 4;
export const MSG_CTRUNC = 8;
export const MSG_PROXY = 0x10;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_FIN = 0x200;
export const MSG_SYN = 0x400;
export const MSG_CONFIRM = 0x800;
export const MSG_RST = 0x1000;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_BATCH = 0x40000;
export const MSG_ZEROCOPY = 0x4000000;
export const MSG_FASTOPEN = 0x20000000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

// Control messages of SOL_SOCKET.
export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
export const SCM_WIFI_STATUS = 41;
export const SCM_TIMESTAMPING_OPT_STATS = 54;
export const SCM_TIMESTAMPING_PKTINFO = 58;
export const SCM_TXTIME = 61;
export const SCM_TIMESTAMP = 29;
export const SCM_TIMESTAMPNS = 35;
export const SCM_TIMESTAMPING = 37;
export const SCM_SECURITY = 3;

// How of shutdown(2).
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

// Backlog limit that /proc/sys/net/core/somaxconn starts with.
export const SOMAXCONN = 4096;

// ioctl(2) requests for any socket.
export const FIOSETOWN = 0x8901;
export const SIOCSPGRP = 0x8902;
export const FIOGETOWN = 0x8903;
export const SIOCGPGRP = 0x8904;
export const SIOCATMARK = 0x8905;
export const SIOCGSTAMP_OLD = 0x8906;
export const SIOCGSTAMPNS_OLD = 0x8907;

// Longest path in struct sockaddr_un, bytes.
export const UNIX_PATH_MAX = 108;

/** Size of struct msghdr in bytes. */
export const MSGHDR_SIZE = 56;

/** Byte offsets of the fields of struct msghdr. */
export const MSGHDR = {
  msg_name: 0,
  msg_namelen: 8,
  msg_iov: 16,
  msg_iovlen: 24,
  msg_control: 32,
  msg_controllen: 40,
  msg_flags: 48,
} as const;

/** Size of struct mmsghdr in bytes. */
export const MMSGHDR_SIZE = 64;

/** Byte offsets of the fields of struct mmsghdr. */
export const MMSGHDR = {
  msg_hdr: 0,
  msg_len: 56,
} as const;

/** Size of struct cmsghdr in bytes. */
export const CMSGHDR_SIZE = 16;

/** Byte offsets of the fields of struct cmsghdr. */
export const CMSGHDR = {
  cmsg_len: 0,
  cmsg_level: 8,
  cmsg_type: 12,
} as const;

/** Size of struct sockaddr_un in bytes. */
export const SOCKADDR_UN_SIZE = 110;

/** Byte offsets of the fields of struct sockaddr_un. */
export const SOCKADDR_UN = {
  sun_family: 0,
  sun_path: 2,
} as const;

/** Size of struct sockaddr_storage in bytes. */
export const SOCKADDR_STORAGE_SIZE = 128;

/** Byte offsets of the fields of struct sockaddr_storage. */
export const SOCKADDR_STORAGE = {
  ss_family: 0,
} as const;

/** Size of struct ucred in bytes. */
export const UCRED_SIZE = 12;

/** Byte offsets of the fields of struct ucred. */
export const UCRED = {
  pid: 0,
  uid: 4,
  gid: 8,
} as const;

/** Size of struct linger in bytes. */
export const LINGER_SIZE = 8;

/** Byte offsets of the fields of struct linger. */
export const LINGER = {
  l_onoff: 0,
  l_linger: 4,
} as const;

/** Mask of the type proper in the `type` argument of socket(2). */
export const SOCK_TYPE_MASK = 0xf;
/** Most descriptors that one SCM_RIGHTS message may carry (unix(7)). */
export const SCM_MAX_FD = 253;
/** Most messages of one sendmmsg(2) or recvmmsg(2): larger counts are cut. */
export const MMSG_MAX = 1024;

/** Rounds a control message length up to the next header, bytes. */
export function CMSG_ALIGN(length: number): number {
  return Math.ceil(length / 8) * 8;
}
/** cmsg_len of a control message that carries `length` bytes. */
export function CMSG_LEN(length: number): number {
  return CMSGHDR_SIZE + length;
}
/** Bytes that a control message with `length` bytes of data occupies. */
export function CMSG_SPACE(length: number): number {
  return CMSGHDR_SIZE + CMSG_ALIGN(length);
}
