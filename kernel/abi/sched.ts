/**
 * Flags of clone(2), clone3(2), unshare(2), setns(2), and scheduling
 * policies.
 *
 * Source: uapi linux/sched.h, linux/sched/types.h.
 * @module
 */

// Clone flags. The two above 32 bits are for clone3(2) only: test them by
// arithmetic, `&` cuts to 32 bits.
export const CSIGNAL = 0xff;
export const CLONE_VM = 0x100;
export const CLONE_FS = 0x200;
export const CLONE_FILES = 0x400;
export const CLONE_SIGHAND = 0x800;
export const CLONE_PIDFD = 0x1000;
export const CLONE_PTRACE = 0x2000;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_THREAD = 0x10000;
export const CLONE_NEWNS = 0x20000;
export const CLONE_SYSVSEM = 0x40000;
export const CLONE_SETTLS = 0x80000;
export const CLONE_PARENT_SETTID = 0x100000;
export const CLONE_CHILD_CLEARTID = 0x200000;
export const CLONE_DETACHED = 0x400000;
export const CLONE_UNTRACED = 0x800000;
export const CLONE_CHILD_SETTID = 0x1000000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;
export const CLONE_IO = 0x80000000;
export const CLONE_CLEAR_SIGHAND = 0x100000000;
export const CLONE_INTO_CGROUP = 0x200000000;
export const CLONE_NEWTIME = 0x80;

// Policies.
export const SCHED_NORMAL = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
export const SCHED_DEADLINE = 6;
export const SCHED_EXT = 7;

export const SCHED_RESET_ON_FORK = 0x40000000;

// sched_flags of sched_setattr(2).
export const SCHED_FLAG_RESET_ON_FORK = 1;
export const SCHED_FLAG_RECLAIM = 2;
export const SCHED_FLAG_DL_OVERRUN = 4;
export const SCHED_FLAG_KEEP_POLICY = 8;
export const SCHED_FLAG_KEEP_PARAMS = 0x10;
export const SCHED_FLAG_UTIL_CLAMP_MIN = 0x20;
export const SCHED_FLAG_UTIL_CLAMP_MAX = 0x40;
export const SCHED_FLAG_ALL = 0x7f;

// Known sizes of struct clone_args.
export const CLONE_ARGS_SIZE_VER0 = 64;
export const CLONE_ARGS_SIZE_VER1 = 80;
export const CLONE_ARGS_SIZE_VER2 = 88;

// Known sizes of struct sched_attr.
export const SCHED_ATTR_SIZE_VER0 = 48;
export const SCHED_ATTR_SIZE_VER1 = 56;

/** Size of struct clone_args in bytes. */
export const CLONE_ARGS_SIZE = 88;

/** Byte offsets of the fields of struct clone_args. */
export const CLONE_ARGS = {
  flags: 0,
  pidfd: 8,
  child_tid: 16,
  parent_tid: 24,
  exit_signal: 32,
  stack: 40,
  stack_size: 48,
  tls: 56,
  set_tid: 64,
  set_tid_size: 72,
  cgroup: 80,
} as const;

/** Size of struct sched_attr in bytes. */
export const SCHED_ATTR_SIZE = 56;

/** Byte offsets of the fields of struct sched_attr. */
export const SCHED_ATTR = {
  size: 0,
  sched_policy: 4,
  sched_flags: 8,
  sched_nice: 16,
  sched_priority: 20,
  sched_runtime: 24,
  sched_deadline: 32,
  sched_period: 40,
  sched_util_min: 48,
  sched_util_max: 52,
} as const;
