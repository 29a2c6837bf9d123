/*
 * seccomp.c: install a filter on all threads. The program is compiled by
 * seccomp.ts; only the numbers of the host's system calls come from here,
 * because the system's headers know them for each machine.
 */
#define _GNU_SOURCE
#include "host.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct name {
	const char *name;
	int number;
};

#define CALL(name) { #name, SYS_##name },

/* What filters of ours may name; see seccomp_calls.h. */
static const struct name names[] = {
#include "seccomp_calls.h"
};

/* The number of a system call of this machine, -ENOENT if it is not listed. */
HOST_EXPORT int32_t host_seccomp_number(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	return -ENOENT;
}

/* AUDIT_ARCH_* of this machine. */
HOST_EXPORT uint32_t host_seccomp_arch(void)
{
#if defined(__x86_64__)
	return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
	return AUDIT_ARCH_AARCH64;
#else
#error "unknown machine"
#endif
}

/*
 * Installs a program of `bytes` on every thread, for good. -EACCES: neither
 * CAP_SYS_ADMIN nor no_new_privs; -ESRCH: a thread has a filter of its own.
 */
HOST_EXPORT int32_t host_seccomp_install(const uint8_t *program, double bytes)
{
	struct sock_fprog fprog = {
		.len = (unsigned short)(bytes / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(uintptr_t)program,
	};
	long result;

	if (!(bytes > 0 && bytes <= BPF_MAXINSNS * sizeof(struct sock_filter)))
		return -EINVAL;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_TSYNC, &fprog);
	return result > 0 ? -ESRCH : host_result(result);
}
