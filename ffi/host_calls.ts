/**
 * The system calls that a confined process of ours makes, as rules with
 * reasons, by the part that makes them. The lists of the Sentry and of the
 * Gofer are put together from these and from those of their own parts.
 * @module
 */

import {
  TCFLSH,
  TCGETS,
  TCSETS,
  TIOCGWINSZ,
  TIOCSWINSZ,
} from "../kernel/abi/termios.ts";
import { ENOENT } from "../kernel/abi/errno.ts";
import type { SyscallRule } from "./seccomp.ts";

const MAP_ANONYMOUS = 0x20;
const F_GETFL = 3;

/**
 * A warmed-up Deno that never returns to its event loop: compiler,
 * garbage collector and locks, found by minutes of all three under a
 * killing filter.
 */
export const DENO_CALLS: readonly SyscallRule[] = [
  { name: "futex", reason: "locks and condition variables of V8's threads" },
  { name: "madvise", reason: "V8 gives back and recycles heap pages" },
  {
    name: "mmap",
    reason: "V8 grows its heap and code space; never from a file",
    when: [{ arg: 3, mask: MAP_ANONYMOUS, masked: MAP_ANONYMOUS }],
  },
  { name: "munmap", reason: "V8 shrinks its heap" },
  { name: "mprotect", reason: "V8 makes code pages writable or executable" },
  { name: "brk", reason: "malloc of the runtime" },
  { name: "getpid", reason: "V8 checks that it was not forked" },
  { name: "gettid", reason: "mutexes of the runtime record their owner" },
  { name: "sched_yield", reason: "spinning locks of V8" },
  { name: "clock_nanosleep", reason: "spinning locks of V8 back off" },
  { name: "sched_getaffinity", reason: "how many helper threads V8 uses" },
  { name: "sched_getparam", reason: "mutexes of the runtime in contention" },
  {
    name: "sched_getscheduler",
    reason: "mutexes of the runtime in contention",
  },
  { name: "rt_sigprocmask", reason: "ending threads, raising signals" },
  { name: "rt_sigreturn", reason: "the end of every signal handler" },
  { name: "sigaltstack", reason: "the runtime's stack overflow handler" },
  { name: "exit", reason: "a helper thread ends after being idle" },
  { name: "exit_group", reason: "the end of the process" },
  { name: "restart_syscall", reason: "a sleep goes on after SIGCONT" },
  { name: "write", reason: "wake-ups of event descriptors, last words" },
  {
    name: "openat",
    reason: "glibc's malloc asks once how the host overcommits memory " +
      "before it shrinks a heap, and does not shrink it when refused",
    errno: ENOENT.code,
  },
];

/** HostMemory, HostClock and HostFiles: files.c, memory.c, tty.c, clock.c. */
export const HOST_FILE_CALLS: readonly SyscallRule[] = [
  { name: "preadv2", reason: "streams, without waiting" },
  { name: "pwritev2", reason: "streams, without waiting" },
  { name: "pread64", reason: "donated files into the memory file" },
  { name: "pwrite64", reason: "the memory file into donated files" },
  { name: "readv", reason: "streams that know no RWF_NOWAIT" },
  { name: "writev", reason: "streams that know no RWF_NOWAIT" },
  { name: "fstat", reason: "attributes of donated files" },
  { name: "ftruncate", reason: "setting the size of donated files" },
  { name: "fallocate", reason: "donated files; giving memory back" },
  { name: "fsync", reason: "guests ask for it" },
  { name: "fdatasync", reason: "guests ask for it" },
  { name: "close", reason: "donated files that are no longer used" },
  { name: "poll", reason: "readiness at this moment" },
  {
    name: "fcntl",
    reason: "whether a stream may block us",
    when: [{ arg: 1, width: 32, eq: F_GETFL }],
  },
  {
    name: "ioctl",
    reason: "the user's terminal: modes and size",
    when: [{
      arg: 1,
      width: 32,
      oneOf: [TCGETS, TCSETS, TCFLSH, TIOCGWINSZ, TIOCSWINSZ],
    }],
  },
  { name: "lseek", reason: "which pages of the memory file are in use" },
  { name: "getrandom", reason: "randomness for the guest" },
  { name: "clock_gettime", reason: "clocks where the vDSO has none" },
  { name: "getrusage", reason: "CPU time of ended stubs" },
];

/** HostReactor: reactor.c. */
export const REACTOR_CALLS: readonly SyscallRule[] = [
  { name: "epoll_wait", reason: "the reactor thread sleeps in it" },
  { name: "epoll_ctl", reason: "what the reactor thread watches" },
  { name: "poll", reason: "readiness when a watch begins" },
  { name: "read", reason: "the reactor's own event descriptor" },
];

/** Commands that connect to a running sandbox: control_socket.c. */
export const CONTROL_CALLS: readonly SyscallRule[] = [
  {
    name: "accept4",
    reason: "the operator's commands, on the one socket that listens",
  },
];

/** Messages with descriptors: gofer_channel.c. */
export const CHANNEL_CALLS: readonly SyscallRule[] = [
  { name: "sendmsg", reason: "requests and replies" },
  { name: "recvmsg", reason: "requests and replies, with descriptors" },
  { name: "poll", reason: "waits for one of several connections" },
  { name: "close", reason: "descriptors that were not asked for" },
];
