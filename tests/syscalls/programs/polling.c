/* poll, ppoll, select, pselect, epoll. */
#include "guest_test.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

/* An address that no program has; volatile, lest the compiler object. */
static void *volatile nowhere = (void *)8;

static void make_pipe(int ends[2])
{
	CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
}

TEST(poll_reports_each_descriptor)
{
	int ends[2];
	make_pipe(ends);
	struct pollfd p[4] = {
		{ ends[0], POLLIN, 0x7f },
		{ ends[1], POLLOUT, 0x7f },
		{ -1, POLLIN, 0x7f },
		{ 999, POLLIN, 0x7f },
	};
	CHECK_EQ(poll(p, 4, -1), 2);
	CHECK_EQ(p[0].revents, 0);
	CHECK_EQ(p[1].revents, POLLOUT);
	CHECK_EQ(p[2].revents, 0);
	CHECK_EQ(p[3].revents, POLLNVAL);
	CHECK_ERRNO(poll(nowhere, 1, 0), EFAULT);
	CHECK_EQ(poll(NULL, 0, 1), 0);
}

TEST(poll_wakes_when_data_comes)
{
	int ends[2];
	CHECK_EQ(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		usleep(10000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	/* The same queue twice must not lose the wake-up. */
	struct pollfd p[2] = { { ends[0], POLLIN, 0 }, { ends[0], POLLIN, 0 } };
	CHECK_EQ(poll(p, 2, -1), 2);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(poll_times_out_with_nothing)
{
	int ends[2];
	make_pipe(ends);
	struct pollfd p = { ends[0], POLLIN, 0x7f };
	CHECK_EQ(poll(&p, 1, 5), 0);
	CHECK_EQ(p.revents, 0);
}

static volatile int handled;
static void handle(int signo)
{
	(void)signo;
	handled++;
}

TEST(ppoll_swaps_the_mask_while_it_waits)
{
	sigset_t blocked, none, now;
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	CHECK_EQ(handled, 0);
	struct timespec limit = { 5, 0 };
	CHECK_ERRNO(ppoll(NULL, 0, &limit, &none), EINTR);
	CHECK_EQ(handled, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
	/* A call that succeeds leaves the signal pending. */
	int ends[2];
	make_pipe(ends);
	struct pollfd p = { ends[1], POLLOUT, 0 };
	raise(SIGUSR1);
	CHECK_EQ(ppoll(&p, 1, &limit, &none), 1);
	CHECK_EQ(handled, 1);
	struct timespec bad = { 0, 1000000000 };
	CHECK_ERRNO(ppoll(&p, 1, &bad, NULL), EINVAL);
}

TEST(select_reports_its_three_sets)
{
	int ends[2];
	make_pipe(ends);
	fd_set in, out, except;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	FD_SET(ends[0], &except);
	CHECK_EQ(select(ends[1] + 1, &in, &out, &except, NULL), 1);
	CHECK(!FD_ISSET(ends[0], &in));
	CHECK(FD_ISSET(ends[1], &out));
	CHECK(!FD_ISSET(ends[0], &except));
	close(ends[1]);
	FD_SET(ends[0], &in);
	struct timeval limit = { 0, 2000000 };
	CHECK_EQ(select(ends[0] + 1, &in, NULL, NULL, &limit), 1);
	CHECK(limit.tv_sec == 1 || limit.tv_sec == 2);
	FD_ZERO(&in);
	FD_SET(ends[1], &in);
	CHECK_ERRNO(select(ends[1] + 1, &in, NULL, NULL, NULL), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	limit.tv_sec = -1;
	CHECK_ERRNO(select(0, NULL, NULL, NULL, &limit), EINVAL);
	limit = (struct timeval){ 0, 3000 };
	CHECK_EQ(select(0, NULL, NULL, NULL, &limit), 0);
	CHECK_EQ(limit.tv_sec, 0);
	CHECK_EQ(limit.tv_usec, 0);
}

static int wait_once(int epoll, struct epoll_event *event)
{
	return epoll_wait(epoll, event, 1, 0);
}

TEST(epoll_level_edge_and_oneshot)
{
	int ends[2], epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { EPOLLIN, { .u64 = 0x1122334455667788 } };
	CHECK(epoll >= 0);
	make_pipe(ends);
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK_EQ(wait_once(epoll, &event), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(wait_once(epoll, &event), 1);
		CHECK_EQ(event.events, EPOLLIN);
		CHECK_EQ(event.data.u64, 0x1122334455667788);
	}
	event.events = EPOLLIN | EPOLLET;
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), 0);
	CHECK_EQ(wait_once(epoll, &event), 1);
	CHECK_EQ(wait_once(epoll, &event), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(wait_once(epoll, &event), 1);
	event.events = EPOLLIN | EPOLLONESHOT;
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), 0);
	CHECK_EQ(wait_once(epoll, &event), 1);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(wait_once(epoll, &event), 0);
	event.events = EPOLLIN | EPOLLONESHOT;
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), 0);
	CHECK_EQ(wait_once(epoll, &event), 1);
}

TEST(epoll_ctl_refuses)
{
	int ends[2], epoll = epoll_create1(0), other = epoll_create1(0);
	struct epoll_event event = { EPOLLIN, { 0 } };
	make_pipe(ends);
	int file = open("/proc/self/exe", O_RDONLY);
	CHECK(file >= 0);
	CHECK_ERRNO(epoll_create(0), EINVAL);
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, 999, &event), EBADF);
	CHECK_ERRNO(epoll_ctl(999, EPOLL_CTL_ADD, ends[0], &event), EBADF);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), ENOENT);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], &event), ENOENT);
	CHECK_ERRNO(epoll_ctl(epoll, 9, ends[0], &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], NULL), EFAULT);
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
	CHECK_EQ(epoll_ctl(other, EPOLL_CTL_ADD, epoll, &event), 0);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, other, &event), ELOOP);
	CHECK_ERRNO(epoll_wait(epoll, &event, 0, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(ends[0], &event, 1, 0), EINVAL);
}

TEST(epoll_forgets_a_file_with_its_last_descriptor)
{
	int ends[2], epoll = epoll_create1(0);
	struct epoll_event event = { EPOLLIN, { 0 } };
	make_pipe(ends);
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	int copy = dup(ends[0]);
	close(ends[0]);
	CHECK_EQ(wait_once(epoll, &event), 1);
	close(copy);
	CHECK_EQ(wait_once(epoll, &event), 0);
}

TEST(epoll_wakes_through_another_instance)
{
	int inner = epoll_create1(0), outer = epoll_create1(0);
	int counter = eventfd(0, 0);
	struct epoll_event event = { EPOLLIN, { .u32 = 7 } };
	CHECK_EQ(epoll_ctl(inner, EPOLL_CTL_ADD, counter, &event), 0);
	CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event), 0);
	pid_t pid = fork();
	if (pid == 0) {
		usleep(10000);
		_exit(eventfd_write(counter, 1) != 0);
	}
	CHECK_EQ(epoll_wait(outer, &event, 1, -1), 1);
	struct pollfd p = { outer, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(epoll_rdhup_tells_of_half_a_shutdown)
{
	int pair[2], epoll = epoll_create1(0);
	struct epoll_event event = { EPOLLRDHUP | EPOLLET, { 0 } };
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event), 0);
	CHECK_EQ(wait_once(epoll, &event), 0);
	CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
	CHECK_EQ(wait_once(epoll, &event), 1);
	CHECK_EQ(event.events, EPOLLRDHUP);
	close(pair[1]);
	CHECK_EQ(wait_once(epoll, &event), 1);
	CHECK_EQ(event.events, EPOLLRDHUP | EPOLLHUP);
}

TEST(epoll_pwait_is_interrupted_by_a_handler)
{
	sigset_t blocked, none;
	int epoll = epoll_create1(0);
	struct epoll_event event;
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	sigaction(SIGUSR2, &action, NULL);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	handled = 0;
	raise(SIGUSR2);
	CHECK_ERRNO(epoll_pwait(epoll, &event, 1, 5000, &none), EINTR);
	CHECK_EQ(handled, 1);
}
