/**
 * TCP: socket options, states and struct tcp_info.
 *
 * Source: uapi linux/tcp.h; tcp(7).
 * @module
 */

// Options at SOL_TCP.
export const TCP_NODELAY = 1;
export const TCP_MAXSEG = 2;
export const TCP_CORK = 3;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_SYNCNT = 7;
export const TCP_LINGER2 = 8;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_WINDOW_CLAMP = 10;
export const TCP_INFO = 11;
export const TCP_QUICKACK = 12;
export const TCP_CONGESTION = 13;
export const TCP_MD5SIG = 14;
export const TCP_THIN_LINEAR_TIMEOUTS = 16;
export const TCP_THIN_DUPACK = 17;
export const TCP_USER_TIMEOUT = 18;
export const TCP_REPAIR = 19;
export const TCP_REPAIR_QUEUE = 20;
export const TCP_QUEUE_SEQ = 21;
export const TCP_REPAIR_OPTIONS = 22;
export const TCP_FASTOPEN = 23;
export const TCP_TIMESTAMP = 24;
export const TCP_NOTSENT_LOWAT = 25;
export const TCP_CC_INFO = 26;
export const TCP_SAVE_SYN = 27;
export const TCP_SAVED_SYN = 28;
export const TCP_REPAIR_WINDOW = 29;
export const TCP_FASTOPEN_CONNECT = 30;
export const TCP_ULP = 31;
export const TCP_MD5SIG_EXT = 32;
export const TCP_FASTOPEN_KEY = 33;
export const TCP_FASTOPEN_NO_COOKIE = 34;
export const TCP_ZEROCOPY_RECEIVE = 35;
export const TCP_INQ = 36;
export const TCP_TX_DELAY = 37;

// tcpi_options.
export const TCPI_OPT_TIMESTAMPS = 1;
export const TCPI_OPT_SACK = 2;
export const TCPI_OPT_WSCALE = 4;
export const TCPI_OPT_ECN = 8;
export const TCPI_OPT_ECN_SEEN = 16;
export const TCPI_OPT_SYN_DATA = 32;

// Congestion control states of tcpi_ca_state.
export const TCP_CA_Open = 0;
export const TCP_CA_Disorder = 1;
export const TCP_CA_CWR = 2;
export const TCP_CA_Recovery = 3;
export const TCP_CA_Loss = 4;

/** Size of struct tcp_info in bytes. */
export const TCP_INFO_LAYOUT_SIZE = 232;

/** Byte offsets of the fields of struct tcp_info. */
export const TCP_INFO_LAYOUT = {
  tcpi_state: 0,
  tcpi_ca_state: 1,
  tcpi_retransmits: 2,
  tcpi_probes: 3,
  tcpi_backoff: 4,
  tcpi_options: 5,
  tcpi_rto: 8,
  tcpi_ato: 12,
  tcpi_snd_mss: 16,
  tcpi_rcv_mss: 20,
  tcpi_unacked: 24,
  tcpi_sacked: 28,
  tcpi_lost: 32,
  tcpi_retrans: 36,
  tcpi_fackets: 40,
  tcpi_last_data_sent: 44,
  tcpi_last_ack_sent: 48,
  tcpi_last_data_recv: 52,
  tcpi_last_ack_recv: 56,
  tcpi_pmtu: 60,
  tcpi_rcv_ssthresh: 64,
  tcpi_rtt: 68,
  tcpi_rttvar: 72,
  tcpi_snd_ssthresh: 76,
  tcpi_snd_cwnd: 80,
  tcpi_advmss: 84,
  tcpi_reordering: 88,
  tcpi_rcv_rtt: 92,
  tcpi_rcv_space: 96,
  tcpi_total_retrans: 100,
  tcpi_pacing_rate: 104,
  tcpi_max_pacing_rate: 112,
  tcpi_bytes_acked: 120,
  tcpi_bytes_received: 128,
  tcpi_segs_out: 136,
  tcpi_segs_in: 140,
  tcpi_notsent_bytes: 144,
  tcpi_min_rtt: 148,
  tcpi_data_segs_in: 152,
  tcpi_data_segs_out: 156,
  tcpi_delivery_rate: 160,
} as const;

// tcpi_state, and the `st` column of /proc/net/tcp.
export const TCP_ESTABLISHED = 1;
export const TCP_SYN_SENT = 2;
export const TCP_SYN_RECV = 3;
export const TCP_FIN_WAIT1 = 4;
export const TCP_FIN_WAIT2 = 5;
export const TCP_TIME_WAIT = 6;
export const TCP_CLOSE = 7;
export const TCP_CLOSE_WAIT = 8;
export const TCP_LAST_ACK = 9;
export const TCP_LISTEN = 10;
export const TCP_CLOSING = 11;
export const TCP_NEW_SYN_RECV = 12;
