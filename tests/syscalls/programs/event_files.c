/* eventfd, timerfd, signalfd. */
#include "guest_test.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

TEST(eventfd_counts)
{
	uint64_t value = 5;
	int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, &value, 8), 8);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 8);
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
	CHECK_ERRNO(read(fd, &value, 4), EINVAL);
	CHECK_ERRNO(write(fd, &value, 4), EINVAL);
	value = UINT64_MAX;
	CHECK_ERRNO(write(fd, &value, 8), EINVAL);
	value = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &value, 8), 8);
	value = 1;
	CHECK_ERRNO(write(fd, &value, 8), EAGAIN);
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, UINT64_MAX - 1);
	CHECK_ERRNO(eventfd(0, 0x100), EINVAL);
}

TEST(eventfd_semaphore_gives_one_at_a_time)
{
	uint64_t value;
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(read(fd, &value, 8), 8);
		CHECK_EQ(value, 1);
	}
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
}

TEST(a_blocking_eventfd_wakes_its_reader)
{
	uint64_t value = 9;
	int fd = eventfd(0, 0);
	pid_t pid = fork();
	if (pid == 0) {
		usleep(5000);
		_exit(write(fd, &value, 8) != 8);
	}
	value = 0;
	CHECK_EQ(read(fd, &value, 8), 8);
	CHECK_EQ(value, 9);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(timerfd_fires_once_and_shows_its_setting)
{
	uint64_t count;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec setting = { { 0, 0 }, { 100, 0 } }, old;
	CHECK(fd >= 0);
	CHECK_EQ(timerfd_settime(fd, 0, &setting, NULL), 0);
	CHECK_EQ(timerfd_gettime(fd, &old), 0);
	CHECK_EQ(old.it_value.tv_sec, 99);
	CHECK_EQ(old.it_interval.tv_sec, 0);
	CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
	setting.it_value = (struct timespec){ 0, 2000000 };
	CHECK_EQ(timerfd_settime(fd, 0, &setting, &old), 0);
	CHECK_EQ(old.it_value.tv_sec, 99);
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_ERRNO(read(fd, &count, 4), EINVAL);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(count, 1);
	CHECK_EQ(timerfd_gettime(fd, &old), 0);
	CHECK_EQ(old.it_value.tv_sec + old.it_value.tv_nsec, 0);
}

TEST(timerfd_counts_periods)
{
	uint64_t count;
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec setting = { { 0, 1000000 }, { 0, 1 } };
	CHECK_EQ(timerfd_settime(fd, 0, &setting, NULL), 0);
	usleep(10000);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK(count >= 9);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK(count >= 1);
}

TEST(timerfd_takes_absolute_times)
{
	uint64_t count;
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec setting = { { 0, 0 }, { 0, 0 } };
	clock_gettime(CLOCK_REALTIME, &setting.it_value);
	setting.it_value.tv_sec -= 1;
	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL), 0);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(count, 1);
}

TEST(timerfd_refuses)
{
	struct itimerspec setting = { { 0, 0 }, { 0, 1000000000 } };
	int fd = timerfd_create(CLOCK_BOOTTIME, 0);
	int null = open("/dev/null", O_RDONLY);
	CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 0, &setting, NULL), EINVAL);
	setting.it_value.tv_nsec = 0;
	CHECK_ERRNO(timerfd_settime(fd, 8, &setting, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(null, 0, &setting, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(999, 0, &setting, NULL), EBADF);
	CHECK_ERRNO(timerfd_gettime(fd, (void *)8), EFAULT);
}

static void block(sigset_t *set, int signo)
{
	sigemptyset(set);
	sigaddset(set, signo);
	CHECK_EQ(sigprocmask(SIG_BLOCK, set, NULL), 0);
}

TEST(signalfd_reads_pending_signals)
{
	sigset_t set;
	struct signalfd_siginfo info[2];
	block(&set, SIGUSR1);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
	CHECK_ERRNO(read(fd, info, 100), EINVAL);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(read(fd, info, sizeof info), sizeof info[0]);
	CHECK_EQ(info[0].ssi_signo, SIGUSR1);
	CHECK_EQ(info[0].ssi_code, SI_USER);
	CHECK_EQ(info[0].ssi_pid, (uint32_t)getpid());
	CHECK_EQ(info[0].ssi_uid, getuid());
	CHECK_EQ(poll(&p, 1, 0), 0);
}

TEST(signalfd_tells_values_and_children)
{
	sigset_t set;
	struct signalfd_siginfo info;
	block(&set, SIGRTMIN + 2);
	int fd = signalfd(-1, &set, 0);
	union sigval value = { .sival_int = 4711 };
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 2, value), 0);
	CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
	CHECK_EQ(info.ssi_code, SI_QUEUE);
	CHECK_EQ(info.ssi_int, 4711);
	block(&set, SIGCHLD);
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	pid_t pid = fork();
	if (pid == 0)
		_exit(6);
	CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
	CHECK_EQ(info.ssi_signo, SIGCHLD);
	CHECK_EQ(info.ssi_pid, (uint32_t)pid);
	CHECK_EQ(info.ssi_status, 6);
	CHECK_EQ(info.ssi_code, CLD_EXITED);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	int null = open("/dev/null", O_RDONLY);
	CHECK_ERRNO(signalfd(null, &set, 0), EINVAL);
	CHECK_ERRNO(signalfd(999, &set, 0), EBADF);
	CHECK_ERRNO(signalfd(-1, &set, 1), EINVAL);
}

TEST(a_child_reads_its_own_signals)
{
	sigset_t set;
	struct signalfd_siginfo info;
	block(&set, SIGUSR2);
	int fd = signalfd(-1, &set, 0);
	pid_t pid = fork();
	if (pid == 0) {
		ssize_t got = read(fd, &info, sizeof info);
		_exit(got != sizeof info || info.ssi_signo != SIGUSR2);
	}
	usleep(5000);
	CHECK_EQ(kill(pid, SIGUSR2), 0);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}
