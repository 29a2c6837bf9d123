/*
 * filters.c: the two seccomp filters of a stub. What they refuse raises SIGSYS:
 * from a guest thread that is a system call of the guest; the service thread
 * blocks signals and is killed by it.
 */
#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include "filters.h"
#include "stub_layout.h"

#define LOW(value) ((uint32_t)((value) & 0xffffffff))
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)           \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
		 offsetof(struct seccomp_data, field) + 4)
#define UNLESS(value, skip) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define TRAP RETURN(SECCOMP_RET_TRAP)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
/* Two instructions each. */
#define ALLOW_IF(value) UNLESS(value, 1), ALLOW
#define TRAP_UNLESS(value) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), TRAP
#define TRAP_BELOW(value) \
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, 1, 0), TRAP
#define TRAP_FROM(value) \
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, 0, 1), TRAP

const struct sock_filter stub_filter[] = {
	/* Calls of the guest's own text come first, and are refused first. */
	LOAD_HIGH(instruction_pointer),
	TRAP_UNLESS(STUB_HIGH_WORD),
	LOAD(instruction_pointer),
	TRAP_BELOW(LOW(STUB_TEXT)),
	TRAP_FROM(LOW(STUB_TEXT + STUB_TEXT_BYTES) + 1),
	LOAD(arch),
	TRAP_UNLESS(AUDIT_ARCH_X86_64),
	LOAD(nr),
	ALLOW_IF(__NR_futex),
	ALLOW_IF(__NR_write),
	ALLOW_IF(__NR_pwrite64),
	ALLOW_IF(__NR_munmap),
	ALLOW_IF(__NR_mprotect),
	ALLOW_IF(__NR_exit_group),
	ALLOW_IF(__NR_getppid),
	ALLOW_IF(__NR_sigaltstack),
	ALLOW_IF(__NR_sched_setaffinity),
	ALLOW_IF(__NR_rt_sigprocmask),
	ALLOW_IF(__NR_seccomp),
	UNLESS(__NR_tgkill, 4),
	LOAD(args[2]),
	ALLOW_IF(STUB_SIGNAL),
	TRAP,
	UNLESS(__NR_clone, 6),
	LOAD(args[0]),
	ALLOW_IF(STUB_FORK_FLAGS),
	ALLOW_IF(STUB_THREAD_FLAGS),
	TRAP,
	UNLESS(__NR_prctl, 4),
	LOAD(args[0]),
	ALLOW_IF(PR_SET_PDEATHSIG),
	TRAP,
	TRAP_UNLESS(__NR_mmap),
	LOAD(args[3]),
	ALLOW_IF(STUB_MAP),
	TRAP_UNLESS(STUB_MAP_POPULATED),
	LOAD(args[4]),
	TRAP_UNLESS(STUB_MEMORY_FD),
	ALLOW,
};
const unsigned short stub_filter_length =
	sizeof stub_filter / sizeof stub_filter[0];

const struct sock_filter guest_filter[] = {
	LOAD(nr),
	UNLESS(__NR_futex, 13),
	LOAD(args[1]),		/* op: FUTEX_WAIT */
	TRAP_UNLESS(0),
	LOAD_HIGH(args[0]),
	TRAP_UNLESS(STUB_HIGH_WORD),
	LOAD(args[0]),
	TRAP_BELOW(LOW(STUB_THREADS)),
	LOAD(args[3]),		/* no timeout, which would be read */
	TRAP_UNLESS(0),
	ALLOW,
	UNLESS(__NR_write, 13),
	LOAD(args[0]),
	TRAP_UNLESS(STUB_EVENT_FD),
	LOAD_HIGH(args[1]),
	TRAP_UNLESS(STUB_HIGH_WORD),
	LOAD(args[1]),
	TRAP_UNLESS(LOW(STUB_CONSTS + CONSTS_ONE)),
	LOAD(args[2]),
	TRAP_UNLESS(8),
	ALLOW,
	/* A new thread unblocks its signals; to do it again changes nothing. */
	TRAP_UNLESS(__NR_rt_sigprocmask),
	LOAD(args[0]),
	TRAP_UNLESS(2),
	LOAD_HIGH(args[1]),
	TRAP_UNLESS(STUB_HIGH_WORD),
	LOAD(args[1]),
	TRAP_UNLESS(LOW(STUB_CONSTS + CONSTS_MASK)),
	LOAD(args[2]),
	TRAP_UNLESS(0),
	LOAD_HIGH(args[2]),
	TRAP_UNLESS(0),
	ALLOW,
};
const unsigned short guest_filter_length =
	sizeof guest_filter / sizeof guest_filter[0];
