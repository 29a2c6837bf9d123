/*
 * host_calls.h: system calls that return -errno. libc's wrappers keep the error
 * in errno, which is shared with the launch child.
 */
#ifndef SYSTRAP_HOST_CALLS_H
#define SYSTRAP_HOST_CALLS_H

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

static inline long host_call6(long nr, long a, long b, long c, long d, long e,
			      long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long host_call(long nr, long a, long b, long c, long d)
{
	return host_call6(nr, a, b, c, d, 0, 0);
}

/* Shared futexes: the waiter is another process. */
static inline void host_wake(const uint32_t *word)
{
	host_call(SYS_futex, (long)word, 1 /* FUTEX_WAKE */, 1, 0);
}

static inline long host_kill(pid_t pid, int signal)
{
	return host_call(SYS_kill, pid, signal, 0, 0);
}

#endif
