/*
 * The vDSO: clocks without a trap. Runs in the guest, in place of libc's
 * system calls (vdso(7)); built into build/vdso.so and mapped by ../vdso.ts
 * with the page of layout.h directly below it.
 *
 *   clocks   from the TSC by the parameters in the page, else by system call
 *   state    none: no writable data, no relocations, nothing to initialise
 *   trust    runs as the guest; the page is the only input, and read-only
 */
#include <stdint.h>
#include <linux/errno.h>
#include <linux/time.h>
#include <asm/unistd_64.h>

#include "layout.h"

#define EXPORT __attribute__((visibility("default")))
#define NSEC_PER_SEC 1000000000u

struct clock_reading {
	int64_t sec;
	uint64_t nsec;
};

static const volatile struct rsp_vdso_page *time_page(void)
{
	const volatile struct rsp_vdso_page *page;

	/* The linker script puts the ELF header first. */
	__asm__("leaq __ehdr_start-%c1(%%rip), %0"
		: "=r"(page)
		: "i"(RSP_VDSO_PAGE_BYTES));
	return page;
}

static long syscall2(long number, long a, long b)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

static long syscall3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

/* Not before any earlier load: a reading must not leave its seq section. */
static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void compiler_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/*
 * Reads `clock` into *out. 0 when only a system call can answer. x86 does not
 * reorder loads with loads, so the compiler is all that needs a barrier.
 */
static int read_clock(int clock, struct clock_reading *out)
{
	const volatile struct rsp_vdso_page *page = time_page();
	uint32_t seq;
	uint64_t delta, nsec;
	int64_t sec;

	do {
		seq = page->seq;
		compiler_barrier();
		if (seq & 1) {
			__builtin_ia32_pause();
			continue;
		}
		if (page->mode != RSP_VDSO_MODE_TSC)
			return 0;
		delta = read_tsc() - page->tscBase;
		/* This CPU's counter may be a little behind the base. */
		if ((int64_t)delta < 0)
			delta = 0;
		nsec = (uint64_t)(((unsigned __int128)delta * page->mult) >>
				  (page->shift & 63));
		sec = (int64_t)page->monotonicSec;
		nsec += page->monotonicNsec;
		switch (clock) {
		case CLOCK_REALTIME:
			sec += (int64_t)page->realtimeSec;
			nsec += page->realtimeNsec;
			break;
		case CLOCK_BOOTTIME:
			sec += (int64_t)page->boottimeSec;
			nsec += page->boottimeNsec;
			break;
		case CLOCK_MONOTONIC:
		case CLOCK_MONOTONIC_RAW:
			break;
		default:
			return 0;
		}
		compiler_barrier();
	} while ((seq & 1) || page->seq != seq);

	out->sec = sec + (int64_t)(nsec / NSEC_PER_SEC);
	out->nsec = nsec % NSEC_PER_SEC;
	return 1;
}

EXPORT int __vdso_clock_gettime(int clock, struct timespec *time)
{
	struct clock_reading now;

	if (!read_clock(clock, &now))
		return (int)syscall2(__NR_clock_gettime, clock, (long)time);
	time->tv_sec = now.sec;
	time->tv_nsec = (long)now.nsec;
	return 0;
}

EXPORT int __vdso_gettimeofday(struct timeval *time, struct timezone *zone)
{
	struct clock_reading now;

	if (!read_clock(CLOCK_REALTIME, &now))
		return (int)syscall2(__NR_gettimeofday, (long)time, (long)zone);
	if (time) {
		time->tv_sec = now.sec;
		time->tv_usec = (long)now.nsec / 1000;
	}
	if (zone) {
		zone->tz_minuteswest = 0;
		zone->tz_dsttime = 0;
	}
	return 0;
}

EXPORT long __vdso_time(long *time)
{
	struct clock_reading now;

	if (!read_clock(CLOCK_REALTIME, &now))
		return syscall2(__NR_time, (long)time, 0);
	if (time)
		*time = now.sec;
	return now.sec;
}

/* The kernel knows; asked so seldom that a second copy of it is not worth it. */
EXPORT int __vdso_clock_getres(int clock, struct timespec *resolution)
{
	return (int)syscall2(__NR_clock_getres, clock, (long)resolution);
}

/*
 * What the CPU says of itself (rdpid, lsl) is the host's numbering, not the
 * sandbox's, so this can only be a system call.
 */
EXPORT long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	return syscall3(__NR_getcpu, (long)cpu, (long)node, (long)unused);
}

#define ALIAS(name) __attribute__((weak, alias("__vdso_" #name))) EXPORT

int clock_gettime(int clock, struct timespec *time) ALIAS(clock_gettime);
int gettimeofday(struct timeval *time, struct timezone *zone)
	ALIAS(gettimeofday);
long time(long *time) ALIAS(time);
int clock_getres(int clock, struct timespec *resolution) ALIAS(clock_getres);
long getcpu(unsigned int *cpu, unsigned int *node, void *unused) ALIAS(getcpu);
