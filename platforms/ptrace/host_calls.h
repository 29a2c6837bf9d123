/*
 * host_calls.h: system calls that return -errno. libc's wrappers keep the
 * error in errno, which costs a lookup and is shared with the launch child.
 */
#ifndef PTRACE_HOST_CALLS_H
#define PTRACE_HOST_CALLS_H

#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#define PTRACE_SYSEMU_SINGLESTEP 32
#endif

static inline long host_call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long host_call5(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long host_ptrace(long request, pid_t tid, long addr,
			       const void *data)
{
	return host_call(SYS_ptrace, request, tid, addr, (long)data);
}

static inline long host_getregs(pid_t tid, void *regs)
{
	return host_ptrace(PTRACE_GETREGS, tid, 0, regs);
}

static inline long host_setregs(pid_t tid, const void *regs)
{
	return host_ptrace(PTRACE_SETREGS, tid, 0, regs);
}

/* The XSAVE area in standard format. */
static inline long host_xstate(long request, pid_t tid, void *area,
			       size_t bytes)
{
	struct iovec iov = { .iov_base = area, .iov_len = bytes };
	long rc = host_ptrace(request, tid, 0x202 /* NT_X86_XSTATE */, &iov);
	return rc < 0 ? rc : (long)iov.iov_len;
}

/* Every stub, and nothing else, is in the process group. */
static inline long host_wait(pid_t group, int *status, int options)
{
	return host_call(SYS_wait4, -group, (long)status,
			 __WALL | __WNOTHREAD | options, 0);
}

static inline long host_kill(pid_t pid, int signal)
{
	return host_call(SYS_kill, pid, signal, 0, 0);
}

#endif
