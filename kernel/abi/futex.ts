/**
 * Operations of futex(2) and the robust list.
 *
 * Source: uapi linux/futex.h.
 * @module
 */

// Operations.
export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_FD = 2;
export const FUTEX_REQUEUE = 3;
export const FUTEX_CMP_REQUEUE = 4;
export const FUTEX_WAKE_OP = 5;
export const FUTEX_LOCK_PI = 6;
export const FUTEX_UNLOCK_PI = 7;
export const FUTEX_TRYLOCK_PI = 8;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_WAIT_REQUEUE_PI = 11;
export const FUTEX_CMP_REQUEUE_PI = 12;
export const FUTEX_LOCK_PI2 = 13;

export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_CLOCK_REALTIME = 256;

export const FUTEX_CMD_MASK = -385;

// Bits of the futex word.
export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;

// Matches every waiter.
export const FUTEX_BITSET_MATCH_ANY = 0xffffffff;

// Operations and comparisons of FUTEX_WAKE_OP.
export const FUTEX_OP_SET = 0;
export const FUTEX_OP_ADD = 1;
export const FUTEX_OP_OR = 2;
export const FUTEX_OP_ANDN = 3;
export const FUTEX_OP_XOR = 4;
export const FUTEX_OP_OPARG_SHIFT = 8;
export const FUTEX_OP_CMP_EQ = 0;
export const FUTEX_OP_CMP_NE = 1;
export const FUTEX_OP_CMP_LT = 2;
export const FUTEX_OP_CMP_LE = 3;
export const FUTEX_OP_CMP_GT = 4;
export const FUTEX_OP_CMP_GE = 5;

// Most entries followed in a robust list.
export const ROBUST_LIST_LIMIT = 2048;

// Flags of futex_waitv(2).
export const FUTEX_32 = 2;
export const FUTEX_WAITV_MAX = 128;

/** Size of struct robust_list_head in bytes. */
export const ROBUST_LIST_HEAD_SIZE = 24;

/** Byte offsets of the fields of struct robust_list_head. */
export const ROBUST_LIST_HEAD = {
  list: 0,
  futex_offset: 8,
  list_op_pending: 16,
} as const;

/** Size of struct futex_waitv in bytes. */
export const FUTEX_WAITV_SIZE = 24;

/** Byte offsets of the fields of struct futex_waitv. */
export const FUTEX_WAITV = {
  val: 0,
  uaddr: 8,
  flags: 16,
  __reserved: 20,
} as const;
