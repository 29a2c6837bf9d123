/**
 * Restartable sequences.
 *
 * Source: uapi linux/rseq.h; rseq(2).
 * @module
 */

// Values of cpu_id before and without registration.
export const RSEQ_CPU_ID_UNINITIALIZED = -1;
export const RSEQ_CPU_ID_REGISTRATION_FAILED = -2;

// Flag of rseq(2).
export const RSEQ_FLAG_UNREGISTER = 1;

// Flags of a critical section.
export const RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT = 1;
export const RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL = 2;
export const RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE = 4;

/** Size of struct rseq_cs in bytes. */
export const RSEQ_CS_SIZE = 32;

/** Byte offsets of the fields of struct rseq_cs. */
export const RSEQ_CS = {
  version: 0,
  flags: 4,
  start_ip: 8,
  post_commit_offset: 16,
  abort_ip: 24,
} as const;

/** Size of the original struct rseq, the smallest that may be registered. */
export const RSEQ_SIZE = 32;
/** Byte offsets of struct rseq; the last two are Linux 6.3's. */
export const RSEQ = {
  cpu_id_start: 0,
  cpu_id: 4,
  rseq_cs: 8,
  flags: 16,
  node_id: 20,
  mm_cid: 24,
} as const;
/** Value of AT_RSEQ_FEATURE_SIZE: up to the end of mm_cid. */
export const RSEQ_FEATURE_SIZE = 28;
/** Alignment that a registered struct rseq needs, bytes. */
export const RSEQ_ALIGN = 32;
