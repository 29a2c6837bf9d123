/**
 * Which system headers define the words of each kernel/abi module, and where
 * our spelling and C's differ. Data for abi_test.ts.
 *
 * Names that stand in `absent` are newer than the headers we build against, or
 * not in any header that C programs see; they are compared only where the
 * header has them after all.
 * @module
 */

/** Where a module's exports are defined in C. */
export interface HeaderMap {
  /** Headers, in the order of inclusion. */
  readonly headers: readonly string[];
  /** C that declares what no header does, from the manual page named there. */
  readonly prelude?: string;
  /** C type of a layout, where it is not `struct` plus the lower-case name. */
  readonly types?: Readonly<Record<string, string>>;
  /** C member of a field, where the names differ: `LAYOUT.field`. */
  readonly members?: Readonly<Record<string, string>>;
  /** Exports that the headers may lack, each with the reason. */
  readonly absent?: Readonly<Record<string, string>>;
  /** Exports whose value is not C's on purpose, each with the reason. */
  readonly different?: Readonly<Record<string, string>>;
}

const INTERNAL = "a word of the kernel's own sources, not of the uapi";
const LIBC = "libc spells it by functions or declares it elsewhere";

/** `reason` for each of the names. */
function all(reason: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, reason]));
}

/** By file name in kernel/abi, without its suffix. */
export const HEADERS: Readonly<Record<string, HeaderMap>> = {
  auxvec: {
    headers: ["linux/auxvec.h", "asm/auxvec.h"],
    absent: all(
      "newer than Linux 6.1",
      "AT_RSEQ_FEATURE_SIZE AT_RSEQ_ALIGN AT_HWCAP3 AT_HWCAP4 HWCAP2_RING3MWAIT HWCAP2_FSGSBASE",
    ),
  },
  capability: {
    headers: ["linux/capability.h"],
    types: {
      CAP_HEADER: "struct __user_cap_header_struct",
      CAP_DATA: "struct __user_cap_data_struct",
    },
  },
  close_range: { headers: ["linux/close_range.h"] },
  dev: { headers: ["linux/major.h"] },
  dirent: {
    headers: ["stddef.h", "dirent.h"],
    // getdents(2) declares both records.
    prelude: `
      struct linux_dirent64 { unsigned long long d_ino; long long d_off;
        unsigned short d_reclen; unsigned char d_type; char d_name[]; };
      struct linux_dirent { unsigned long d_ino; unsigned long d_off;
        unsigned short d_reclen; char d_name[]; };`,
    absent: all(INTERNAL, "LINUX_DIRENT64_ALIGN"),
  },
  elf: {
    headers: ["elf.h"],
    types: {
      ELF64_EHDR: "Elf64_Ehdr",
      ELF64_PHDR: "Elf64_Phdr",
      ELF64_SHDR: "Elf64_Shdr",
      ELF64_SYM: "Elf64_Sym",
      ELF64_DYN: "Elf64_Dyn",
      ELF64_NHDR: "Elf64_Nhdr",
    },
    members: { "ELF64_DYN.d_val": "d_un" },
    absent: all("C compares the bytes of ELFMAG", "ELFMAG_U32"),
  },
  epoll: { headers: ["linux/eventpoll.h"] },
  errno: {
    headers: ["linux/errno.h"],
    absent: {
      ...all(
        INTERNAL,
        "ERESTARTSYS ERESTARTNOINTR ERESTARTNOHAND ERESTART_RESTARTBLOCK",
      ),
      ...all(LIBC, "ENOTSUP"),
    },
  },
  eventfd: { headers: ["sys/eventfd.h"] },
  fanotify: { headers: ["linux/fanotify.h"] },
  fcntl: {
    headers: [
      "linux/fcntl.h",
      "linux/openat2.h",
      "linux/falloc.h",
      "linux/fs.h",
      "linux/fadvise.h",
      "unistd.h",
    ],
    absent: {
      ...all(
        "newer than Linux 6.1",
        "F_DUPFD_QUERY F_CREATED_QUERY F_SEAL_EXEC AT_HANDLE_FID",
      ),
      ...all(INTERNAL, "OPEN_HOW_SIZE_VER0"),
    },
  },
  futex: {
    headers: ["linux/futex.h"],
  },
  if: {
    headers: [
      "sys/socket.h",
      "linux/if.h",
      "linux/sockios.h",
      "linux/if_arp.h",
      "linux/if_ether.h",
    ],
  },
  if_packet: { headers: ["linux/if_packet.h"] },
  in: { headers: ["netinet/in.h"] },
  in6: { headers: ["netinet/in.h"] },
  inotify: { headers: ["linux/inotify.h", "linux/fcntl.h"] },
  ioctl: {
    headers: [
      "stddef.h",
      "asm/ioctl.h",
      "asm/ioctls.h",
      "linux/fs.h",
      "linux/fiemap.h",
    ],
  },
  ioprio: { headers: ["linux/ioprio.h"] },
  ipc: {
    headers: [
      "linux/types.h",
      "linux/ipc.h",
      "linux/sem.h",
      "linux/shm.h",
      "linux/msg.h",
    ],
    absent: all(INTERNAL, "SHM_DEST SHM_LOCKED"),
  },
  kcmp: { headers: ["linux/kcmp.h"] },
  limits: {
    headers: ["linux/limits.h", "sys/user.h", "linux/binfmts.h"],
    absent: all(
      INTERNAL,
      "MAX_RW_COUNT MAXSYMLINKS TASK_COMM_LEN MAX_LFS_FILESIZE",
    ),
  },
  magic: {
    headers: ["linux/magic.h"],
    absent: all(INTERNAL, "MQUEUE_MAGIC PID_FS_MAGIC"),
  },
  membarrier: {
    headers: ["linux/membarrier.h"],
    absent: all("newer than Linux 6.1", "MEMBARRIER_CMD_GET_REGISTRATIONS"),
  },
  memfd: {
    headers: ["linux/memfd.h"],
    absent: {
      ...all("newer than Linux 6.1", "MFD_NOEXEC_SEAL MFD_EXEC"),
      ...all(INTERNAL, "MFD_NAME_MAX"),
    },
  },
  mempolicy: { headers: ["linux/mempolicy.h"] },
  mman: {
    headers: ["linux/mman.h", "sys/user.h"],
    absent: all(
      "newer than Linux 6.1",
      "MAP_ABOVE4G MAP_DROPPABLE MADV_COLLAPSE MADV_GUARD_INSTALL MADV_GUARD_REMOVE SHADOW_STACK_SET_TOKEN",
    ),
  },
  mount: {
    headers: ["linux/fcntl.h", "linux/mount.h"],
    absent: all(LIBC, "MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW"),
  },
  mqueue: { headers: ["linux/types.h", "linux/mqueue.h"] },
  netlink: { headers: ["linux/netlink.h"] },
  nsfs: { headers: ["linux/ioctl.h", "linux/nsfs.h"] },
  personality: {
    headers: ["linux/personality.h"],
    absent: all("personality(2) gives the number only", "PERSONALITY_QUERY"),
  },
  poll: {
    headers: ["linux/poll.h"],
    absent: all(LIBC, "FD_SETSIZE"),
  },
  prctl: {
    headers: ["linux/prctl.h", "asm/prctl.h"],
    absent: {
      ...all(
        "newer than Linux 6.1",
        "PR_SET_MDWE PR_GET_MDWE PR_SET_MEMORY_MERGE PR_GET_MEMORY_MERGE ARCH_SHSTK_ENABLE ARCH_SHSTK_DISABLE ARCH_SHSTK_LOCK ARCH_SHSTK_UNLOCK ARCH_SHSTK_STATUS",
      ),
      ...all(INTERNAL, "SUID_DUMP_DISABLE SUID_DUMP_USER SUID_DUMP_ROOT"),
    },
  },
  ptrace: {
    headers: ["sys/types.h", "linux/ptrace.h", "sys/user.h"],
    types: { USER_REGS: "struct user_regs_struct" },
    members: {
      "PTRACE_SYSCALL_INFO.entry_nr": "entry.nr",
      "PTRACE_SYSCALL_INFO.entry_args": "entry.args",
      "PTRACE_SYSCALL_INFO.exit_rval": "exit.rval",
      "PTRACE_SYSCALL_INFO.exit_is_error": "exit.is_error",
      "PTRACE_SYSCALL_INFO.seccomp_ret_data": "seccomp.ret_data",
    },
  },
  random: { headers: ["linux/random.h"] },
  reboot: { headers: ["linux/reboot.h"] },
  resource: {
    headers: ["linux/time.h", "linux/resource.h"],
    types: { RLIMIT: "struct rlimit64" },
    absent: all(INTERNAL, "RLIM_NLIMITS"),
    different: { RLIM_INFINITY: "2^64 in the kernel, 2^64 - 1 on the wire" },
  },
  rseq: {
    headers: ["linux/types.h"],
    // The header's struct stops before the fields of Linux 6.3 (rseq(2)).
    prelude: `
      #include <linux/rseq.h>
      struct rseq_6_3 { __u32 cpu_id_start, cpu_id; __u64 rseq_cs;
        __u32 flags, node_id, mm_cid; } __attribute__((aligned(32)));`,
    types: { RSEQ: "struct rseq_6_3" },
    absent: all("newer than Linux 6.1", "RSEQ_FEATURE_SIZE RSEQ_ALIGN"),
  },
  rtnetlink: {
    headers: [
      "linux/rtnetlink.h",
      "linux/if_link.h",
      "linux/if_addr.h",
      "linux/neighbour.h",
    ],
    types: { IFA_CACHEINFO_LAYOUT: "struct ifa_cacheinfo" },
  },
  sched: {
    headers: ["linux/types.h", "linux/sched.h", "linux/sched/types.h"],
    absent: all("newer than Linux 6.1", "SCHED_EXT"),
  },
  seccomp: {
    headers: [
      "linux/types.h",
      "linux/seccomp.h",
      "linux/filter.h",
      "linux/audit.h",
    ],
  },
  securebits: {
    headers: ["linux/securebits.h"],
    absent: all(INTERNAL, "SECURE_ALL_MASK"),
  },
  signal: {
    headers: ["linux/signal.h"],
    // The kernel's own struct and count; the header shows C programs others.
    prelude: `
      #undef NSIG
      #undef SIGRTMAX
      struct kernel_sigaction { void (*sa_handler)(int);
        unsigned long sa_flags; void (*sa_restorer)(void);
        unsigned long sa_mask; };`,
    types: {
      SIGINFO: "siginfo_t",
      STACK_T: "stack_t",
      SIGACTION: "struct kernel_sigaction",
    },
    members: { "SIGEVENT.sigev_notify_thread_id": "_sigev_un._tid" },
    absent: {
      ...all(INTERNAL, "NSIG SIGSET_SIZE SIGRTMAX"),
      ...all("newer than Linux 6.1", "SEGV_CPERR"),
    },
  },
  signalfd: { headers: ["linux/signalfd.h"] },
  socket: {
    headers: ["sys/socket.h", "linux/un.h", "asm/socket.h", "asm/sockios.h"],
    absent: {
      ...all(LIBC, "SOL_IP SOL_TCP SOL_UDP SOL_IPV6"),
      ...all(INTERNAL, "SCM_SECURITY SCM_MAX_FD SOCK_TYPE_MASK MMSG_MAX"),
    },
  },
  stat: {
    headers: [
      "linux/types.h",
      "asm/stat.h",
      "linux/stat.h",
      "linux/fcntl.h",
    ],
    types: { STRUCT_STATX: "struct statx" },
    absent: {
      ...all(
        "newer than Linux 6.1",
        "STATX_DIOALIGN STATX_MNT_ID_UNIQUE STATX_SUBVOL",
      ),
      ...all(INTERNAL, "S_IALLUGO S_IRWXUGO"),
    },
  },
  statfs: {
    headers: ["linux/types.h", "asm/statfs.h"],
    absent: all(
      INTERNAL,
      "ST_RDONLY ST_NOSUID ST_NODEV ST_NOEXEC ST_SYNCHRONOUS ST_VALID ST_MANDLOCK ST_NOATIME ST_NODIRATIME ST_RELATIME ST_NOSYMFOLLOW",
    ),
  },
  sysinfo: {
    headers: ["linux/types.h", "linux/sysinfo.h"],
    absent: all(
      INTERNAL,
      "SYSLOG_ACTION_CLOSE SYSLOG_ACTION_OPEN SYSLOG_ACTION_READ SYSLOG_ACTION_READ_ALL SYSLOG_ACTION_READ_CLEAR SYSLOG_ACTION_CLEAR SYSLOG_ACTION_CONSOLE_OFF SYSLOG_ACTION_CONSOLE_ON SYSLOG_ACTION_CONSOLE_LEVEL SYSLOG_ACTION_SIZE_UNREAD SYSLOG_ACTION_SIZE_BUFFER",
    ),
  },
  tcp: {
    headers: ["linux/tcp.h"],
    types: { TCP_INFO_LAYOUT: "struct tcp_info" },
    absent: all(
      "netinet/tcp.h has the states, but an older struct",
      "TCP_ESTABLISHED TCP_SYN_SENT TCP_SYN_RECV TCP_FIN_WAIT1 TCP_FIN_WAIT2 TCP_TIME_WAIT TCP_CLOSE TCP_CLOSE_WAIT TCP_LAST_ACK TCP_LISTEN TCP_CLOSING TCP_NEW_SYN_RECV",
    ),
  },
  termios: {
    headers: [
      "asm/termbits.h",
      "asm/termios.h",
      "asm/ioctls.h",
      "linux/tty.h",
    ],
    absent: all(LIBC, "_POSIX_VDISABLE"),
  },
  time: {
    headers: [
      "linux/time.h",
      "linux/times.h",
      "linux/timex.h",
      "linux/utime.h",
    ],
    absent: {
      ...all(INTERNAL, "USER_HZ"),
      ...all(LIBC, "UTIME_NOW UTIME_OMIT"),
    },
  },
  timerfd: { headers: ["linux/timerfd.h", "linux/fcntl.h"] },
  ucontext: {
    headers: ["linux/signal.h", "asm/sigcontext.h", "asm/ucontext.h"],
    types: {
      FPSTATE: "struct _fpstate_64",
      FPX_SW_BYTES: "struct _fpx_sw_bytes",
    },
  },
  uio: {
    headers: ["linux/uio.h", "linux/fs.h"],
    absent: {
      ...all("newer than Linux 6.1", "RWF_NOAPPEND RWF_ATOMIC"),
      ...all(
        LIBC,
        "IOV_MAX SPLICE_F_MOVE SPLICE_F_NONBLOCK SPLICE_F_MORE SPLICE_F_GIFT",
      ),
    },
  },
  utsname: { headers: ["linux/utsname.h"] },
  wait: {
    headers: ["linux/wait.h"],
    absent: all(LIBC, "WCOREFLAG WCONTINUED_STATUS"),
  },
  xattr: {
    headers: [
      "linux/xattr.h",
      "linux/limits.h",
      "linux/posix_acl.h",
      "linux/posix_acl_xattr.h",
    ],
    different: { ACL_UNDEFINED_ID: "-1 as the u32 that stands in an entry" },
  },
};
