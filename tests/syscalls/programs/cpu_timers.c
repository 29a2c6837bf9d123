/* CPU-time clocks, timers on them, RLIMIT_CPU, and overruns. */
#include "guest_test.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

static volatile int fired;

static void on_signal(int signo)
{
	(void)signo;
	fired++;
}

static void burn_until(volatile int *flag)
{
	while (!*flag)
		;
}

TEST(timer_on_the_process_clock_fires)
{
	timer_t id;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	struct itimerspec at = { .it_value = { 0, 30000000 } }, left;
	signal(SIGUSR1, on_signal);
	CHECK_EQ(timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &id), 0);
	CHECK_EQ(timer_settime(id, 0, &at, NULL), 0);
	CHECK_EQ(timer_gettime(id, &left), 0);
	CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30000000);
	burn_until(&fired);
	CHECK_EQ(timer_gettime(id, &left), 0);
	CHECK_EQ(left.it_value.tv_nsec, 0);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(timer_on_the_thread_clock_fires)
{
	timer_t id;
	struct itimerspec at = { .it_value = { 0, 20000000 } };
	signal(SIGALRM, on_signal);
	CHECK_EQ(timer_create(CLOCK_THREAD_CPUTIME_ID, NULL, &id), 0);
	CHECK_EQ(timer_settime(id, 0, &at, NULL), 0);
	burn_until(&fired);
}

TEST(rlimit_cpu_sends_sigxcpu)
{
	struct rlimit limit = { 1, 2 };
	signal(SIGXCPU, on_signal);
	CHECK_EQ(setrlimit(RLIMIT_CPU, &limit), 0);
	burn_until(&fired);
	CHECK_EQ(fired, 1);
}

TEST(clock_nanosleep_checks_its_clock)
{
	struct timespec none = { 0, 0 }, bad = { 0, -1 };
	CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &none, NULL), 0);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0,
			    &none, NULL),
		    EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &none,
			    NULL),
		    EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, 77, 0, &none, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &bad, NULL),
		    EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, (void *)-1,
			    NULL),
		    EFAULT);
}

TEST(clocks_of_other_processes)
{
	clockid_t id;
	struct timespec now;
	CHECK_EQ(clock_getcpuclockid(getppid(), &id), 0);
	CHECK_EQ(clock_gettime(id, &now), 0);
	/* A thread's clock is its own process's business. */
	CHECK_ERRNO(clock_gettime((clockid_t)((~(unsigned)getppid() << 3) | 6), &now), EINVAL);
	CHECK_EQ(clock_gettime((clockid_t)((~(unsigned)getpid() << 3) | 6), &now), 0);
	CHECK_ERRNO(clock_gettime((clockid_t)((~0x3ffffu << 3) | 2), &now), EINVAL);
}

TEST(timer_create_checks)
{
	timer_t id;
	struct sigevent event = { .sigev_notify = 77, .sigev_signo = SIGUSR1 };
	CHECK_ERRNO(timer_create(CLOCK_REALTIME, &event, &id), EINVAL);
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL,
				   .sigev_signo = 65 };
	CHECK_ERRNO(timer_create(CLOCK_REALTIME, &event, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, &id),
		    EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, -1L),
		    EFAULT);
	CHECK_ERRNO(syscall(SYS_timer_delete, 12345), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_settime, 12345, 0, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_getoverrun, 12345), EINVAL);
}

TEST(overruns_count_until_delivery)
{
	timer_t id;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGRTMIN };
	struct itimerspec often = { { 0, 1000000 }, { 0, 1000000 } };
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	event.sigev_value.sival_int = 77;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &id), 0);
	CHECK_EQ(timer_settime(id, 0, &often, NULL), 0);
	usleep(30000);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	CHECK_EQ(info.si_code, SI_TIMER);
	CHECK_EQ(info.si_value.sival_int, 77);
	CHECK(info.si_overrun >= 10);
	CHECK(timer_getoverrun(id) == info.si_overrun);
}

TEST(itimers_of_cpu_time)
{
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };
	signal(SIGVTALRM, on_signal);
	CHECK_EQ(setitimer(ITIMER_VIRTUAL, &soon, NULL), 0);
	burn_until(&fired);
	CHECK_EQ(getitimer(ITIMER_VIRTUAL, &soon), 0);
	CHECK_EQ(soon.it_value.tv_usec, 0);
	CHECK_ERRNO(syscall(SYS_getitimer, 3, &soon), EINVAL);
	soon.it_value.tv_usec = 1000000;
	CHECK_ERRNO(setitimer(ITIMER_REAL, &soon, NULL), EINVAL);
	CHECK_ERRNO(setitimer(ITIMER_REAL, (void *)-1, NULL), EFAULT);
}

TEST(clocks_that_nobody_sets)
{
	struct timespec now = { 1, 0 };
	CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &now), EINVAL);
	CHECK_ERRNO(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &now), EINVAL);
	CHECK_ERRNO(clock_settime((clockid_t)-6, &now), EPERM);
	CHECK_ERRNO(syscall(SYS_clock_settime, 99, NULL), EINVAL);
}

TEST(adjtimex_reads_the_clock)
{
	struct timex state = { .modes = 0 };
	struct timespec now;
	CHECK(adjtimex(&state) >= 0);
	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
	CHECK(now.tv_sec - state.time.tv_sec <= 1);
	CHECK_EQ(state.tick, 10000);
	CHECK_EQ(state.tolerance, 32768000);
	CHECK_ERRNO(clock_adjtime(CLOCK_MONOTONIC, &state), EOPNOTSUPP);
	CHECK_ERRNO(clock_adjtime(77, &state), EINVAL);
	CHECK_ERRNO(syscall(SYS_adjtimex, NULL), EFAULT);
	state.modes = 0x8000;
	CHECK_ERRNO(adjtimex(&state), EINVAL);
}
