/**
 * POSIX message queues.
 *
 * Source: uapi linux/mqueue.h; mq_overview(7).
 * @module
 */

export const MQ_PRIO_MAX = 32768;
export const MQ_BYTES_MAX = 819200;

/** Size of struct mq_attr in bytes. */
export const MQ_ATTR_SIZE = 64;

/** Byte offsets of the fields of struct mq_attr. */
export const MQ_ATTR = {
  mq_flags: 0,
  mq_maxmsg: 8,
  mq_msgsize: 16,
  mq_curmsgs: 24,
} as const;
