/*
 * What fcntl(2) says about files that tell of themselves: O_ASYNC with F_SETOWN
 * and F_SETSIG, leases, O_DIRECT; and sendfile(2), splice(2) from streams.
 */
#include "guest_test.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static void block(int signo)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

/* Takes a signal that is pending, or fails with EAGAIN. */
static int take(int signo, siginfo_t *info)
{
	struct timespec none = { 0, 0 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	return sigtimedwait(&set, info, &none);
}

static int temporary(int flags)
{
	char name[] = "/tmp/file_signals_XXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	CHECK_EQ(close(fd), 0);
	fd = open(name, flags);
	CHECK(fd >= 0);
	CHECK_EQ(unlink(name), 0);
	return fd;
}

TEST(an_owner_is_remembered_and_checked)
{
	int fds[2];
	struct f_owner_ex owner = { .type = 77, .pid = 77 };
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(fcntl(fds[0], F_GETOWN), 0);
	CHECK_EQ(fcntl(fds[0], F_GETOWN_EX, &owner), 0);
	CHECK_EQ(owner.pid, 0);
	CHECK_EQ(owner.type, F_OWNER_TID);
	CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
	CHECK_EQ(fcntl(fds[0], F_GETOWN), getpid());
	CHECK_EQ(fcntl(fds[0], F_GETOWN_EX, &owner), 0);
	CHECK_EQ(owner.type, F_OWNER_PID);
	CHECK_EQ(owner.pid, getpid());
	CHECK_EQ(fcntl(fds[0], F_SETOWN, -getpgrp()), 0);
	CHECK_EQ(syscall(SYS_fcntl, fds[0], F_GETOWN_EX, &owner), 0);
	CHECK_EQ(owner.type, F_OWNER_PGRP);
	CHECK_EQ(owner.pid, getpgrp());
	CHECK_ERRNO(fcntl(fds[0], F_SETOWN, 0x3ffffff), ESRCH);
	CHECK_ERRNO(fcntl(fds[0], F_SETOWN, 0x80000000), EINVAL);
	owner.type = 3;
	CHECK_ERRNO(fcntl(fds[0], F_SETOWN_EX, &owner), EINVAL);
	owner.type = F_OWNER_TID;
	owner.pid = gettid();
	CHECK_EQ(fcntl(fds[0], F_SETOWN_EX, &owner), 0);
	CHECK_EQ(fcntl(fds[0], F_GETSIG), 0);
	CHECK_EQ(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1), 0);
	CHECK_EQ(fcntl(fds[0], F_GETSIG), SIGRTMIN + 1);
	CHECK_ERRNO(fcntl(fds[0], F_SETSIG, 65), EINVAL);
	CHECK_ERRNO(fcntl(fds[0], F_SETOWN_EX, (void *)8), EFAULT);
	/* One that is gone. */
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK_EQ(fcntl(fds[0], F_SETOWN, pid), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(fcntl(fds[0], F_GETOWN), 0);
}

TEST(a_pipe_tells_its_reader_and_its_writer)
{
	int fds[2];
	siginfo_t info;
	char page[65536] = { 0 };
	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	block(SIGRTMIN + 1);
	block(SIGIO);
	CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
	CHECK_EQ(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERRNO(take(SIGRTMIN + 1, &info), EAGAIN);
	CHECK_EQ(read(fds[0], page, 10), 1);
	CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIGRTMIN + 1, &info), SIGRTMIN + 1);
	CHECK_EQ(info.si_code, POLL_IN);
	CHECK_EQ(info.si_fd, fds[0]);
	CHECK_EQ(info.si_band, POLLIN | POLLRDNORM);
	CHECK_ERRNO(take(SIGRTMIN + 1, &info), EAGAIN);
	CHECK_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERRNO(take(SIGRTMIN + 1, &info), EAGAIN);

	int on = 1;
	CHECK_EQ(ioctl(fds[1], FIOASYNC, &on), 0);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & O_ASYNC, O_ASYNC);
	CHECK_EQ(fcntl(fds[1], F_SETOWN, getpid()), 0);
	while (write(fds[1], page, sizeof page) > 0)
		;
	CHECK_ERRNO(take(SIGIO, &info), EAGAIN);
	while (read(fds[0], page, sizeof page) > 0)
		;
	CHECK_EQ(take(SIGIO, &info), SIGIO);
	CHECK_EQ(info.si_code, SI_KERNEL);
	/* A writer's end is told of, too. */
	CHECK_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK | O_ASYNC), 0);
	CHECK_EQ(close(fds[1]), 0);
	CHECK_EQ(take(SIGRTMIN + 1, &info), SIGRTMIN + 1);
}

TEST(a_socket_tells_a_process_group)
{
	int fds[2];
	siginfo_t info;
	block(SIGIO);
	CHECK_EQ(setpgid(0, 0), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	CHECK_EQ(fcntl(fds[0], F_SETOWN, -getpgrp()), 0);
	CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take(SIGIO, &info), SIGIO);
	CHECK_EQ(close(fds[0]), 0);
	CHECK_ERRNO(take(SIGIO, &info), EAGAIN);
}

TEST(a_terminal_tells_its_reader)
{
	int master, slave;
	siginfo_t info;
	block(SIGIO);
	CHECK_EQ(openpty(&master, &slave, NULL, NULL, NULL), 0);
	CHECK_EQ(fcntl(slave, F_SETFL, O_ASYNC | O_RDWR), 0);
	CHECK_EQ(fcntl(slave, F_SETOWN, getpid()), 0);
	CHECK_EQ(write(master, "line\n", 5), 5);
	struct pollfd p = { slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK_EQ(take(SIGIO, &info), SIGIO);
}

TEST(files_without_signals_ignore_o_async)
{
	siginfo_t info;
	int on = 1;
	block(SIGIO);
	int fd = temporary(O_RDWR);
	CHECK_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
	CHECK_EQ(fcntl(fd, F_SETFL, O_ASYNC), 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_ERRNO(take(SIGIO, &info), EAGAIN);
	int other = temporary(O_RDWR);
	CHECK_ERRNO(ioctl(other, FIOASYNC, &on), ENOTTY);
}

TEST(leases_have_conditions)
{
	int reader = temporary(O_RDONLY);
	int pipes[2];
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(fcntl(reader, F_GETLEASE), F_UNLCK);
	CHECK_EQ(fcntl(reader, F_SETLEASE, F_RDLCK), 0);
	CHECK_EQ(fcntl(reader, F_GETLEASE), F_RDLCK);
	CHECK_EQ(fcntl(reader, F_SETLEASE, F_WRLCK), 0);
	CHECK_EQ(fcntl(reader, F_GETLEASE), F_WRLCK);
	CHECK_EQ(fcntl(reader, F_SETLEASE, F_UNLCK), 0);
	CHECK_ERRNO(fcntl(reader, F_SETLEASE, F_UNLCK), EAGAIN);
	CHECK_ERRNO(fcntl(reader, F_SETLEASE, 7), EINVAL);
	CHECK_ERRNO(fcntl(pipes[0], F_SETLEASE, F_RDLCK), EINVAL);
	int writer = temporary(O_RDWR);
	CHECK_ERRNO(fcntl(writer, F_SETLEASE, F_RDLCK), EAGAIN);
	CHECK_EQ(fcntl(writer, F_SETLEASE, F_WRLCK), 0);
	if (getuid() == 0) {
		CHECK_EQ(seteuid(1000), 0);
		CHECK_ERRNO(fcntl(reader, F_SETLEASE, F_RDLCK), EACCES);
		CHECK_EQ(seteuid(0), 0);
	}
}

TEST(opening_breaks_a_lease)
{
	char name[] = "/tmp/lease_XXXXXX";
	siginfo_t info;
	int made = mkstemp(name);
	CHECK(made >= 0);
	CHECK_EQ(close(made), 0);
	int fd = open(name, O_RDONLY);
	CHECK(fd >= 0);
	block(SIGIO);
	block(SIGRTMIN);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
	int second = open(name, O_RDONLY | O_NONBLOCK);
	CHECK(second >= 0);
	CHECK_ERRNO(take(SIGIO, &info), EAGAIN);
	CHECK_EQ(close(second), 0);
	CHECK_ERRNO(open(name, O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(take(SIGIO, &info), SIGIO);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);

	/* The opener waits until the holder has given way. */
	CHECK_EQ(fcntl(fd, F_SETSIG, SIGRTMIN), 0);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int own = open(name, O_RDONLY);
		_exit(own < 0);
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	CHECK_EQ(info.si_fd, fd);
	CHECK_EQ(info.si_code, POLL_MSG);
	int status;
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);

	/* So does one who truncates. */
	pid = fork();
	if (pid == 0)
		_exit(truncate(name, 0) != 0);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(unlink(name), 0);
}

TEST(o_direct_is_for_regular_files)
{
	int fds[2];
	int fd = temporary(O_RDWR | O_DIRECT);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_DIRECT, O_DIRECT);
	CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
	CHECK_EQ(fcntl(fd, F_SETFL, O_DIRECT), 0);
	CHECK_ERRNO(open("/tmp", O_RDONLY | O_DIRECTORY | O_DIRECT), EINVAL);
	CHECK_ERRNO(open("/dev/null", O_RDONLY | O_DIRECT), EINVAL);
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(fcntl(fds[1], F_SETFL, O_DIRECT), 0);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & O_DIRECT, O_DIRECT);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	CHECK_ERRNO(fcntl(fds[1], F_SETFL, O_DIRECT), EINVAL);
}

TEST(sendfile_takes_streams_only_for_pipes)
{
	int pipes[2], sockets[2];
	char text[16];
	off_t zero = 0;
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	int file = temporary(O_RDWR);
	CHECK_EQ(write(sockets[0], "stream", 6), 6);
	CHECK_ERRNO(sendfile(file, sockets[1], NULL, 6), EINVAL);
	CHECK_ERRNO(sendfile(pipes[1], sockets[1], &zero, 6), ESPIPE);
	CHECK_EQ(sendfile(pipes[1], sockets[1], NULL, 100), 6);
	CHECK_EQ(read(pipes[0], text, sizeof text), 6);
	CHECK_EQ(memcmp(text, "stream", 6), 0);
	CHECK_EQ(write(pipes[1], "bytes", 5), 5);
	CHECK_ERRNO(sendfile(file, pipes[0], NULL, 5), EINVAL);
	CHECK_EQ(splice(pipes[0], NULL, sockets[0], NULL, 100, 0), 5);
	CHECK_EQ(read(sockets[1], text, sizeof text), 5);
	CHECK_EQ(write(sockets[0], "again", 5), 5);
	CHECK_EQ(splice(sockets[1], NULL, pipes[1], NULL, 100, 0), 5);
	CHECK_EQ(splice(pipes[0], NULL, file, NULL, 5, 0), 5);
	CHECK_EQ(pread(file, text, 10, 0), 10);
	CHECK_EQ(memcmp(text, "again56789", 10), 0);
	CHECK_ERRNO(splice(sockets[1], NULL, pipes[1], NULL, 1,
			   SPLICE_F_NONBLOCK), EAGAIN);
}

TEST(f_notify_tells_of_a_directory)
{
	char path[] = "/tmp/notify-XXXXXX", name[64], other[64];
	siginfo_t info;
	block(SIGRTMIN + 3);
	CHECK(mkdtemp(path) != NULL);
	snprintf(name, sizeof name, "%s/a", path);
	snprintf(other, sizeof other, "%s/b", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_SETSIG, SIGRTMIN + 3), 0);

	/* Once, unless DN_MULTISHOT asks for more. */
	CHECK_EQ(fcntl(fd, F_NOTIFY, DN_CREATE), 0);
	int file = open(name, O_CREAT | O_RDWR, 0600);
	CHECK(file >= 0);
	CHECK_EQ(take(SIGRTMIN + 3, &info), SIGRTMIN + 3);
	CHECK_EQ(info.si_code, POLL_MSG);
	CHECK_EQ(info.si_fd, fd);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(mknod(name, S_IFREG | 0600, 0), 0);
	CHECK_ERRNO(take(SIGRTMIN + 3, NULL), EAGAIN);

	CHECK_EQ(fcntl(fd, F_NOTIFY, DN_RENAME | DN_MULTISHOT), 0);
	CHECK_EQ(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT), 0);
	CHECK_EQ(rename(name, other), 0);
	CHECK_EQ(take(SIGRTMIN + 3, &info), SIGRTMIN + 3);
	while (take(SIGRTMIN + 3, NULL) == SIGRTMIN + 3)
		;
	CHECK_EQ(unlink(other), 0);
	CHECK_EQ(take(SIGRTMIN + 3, &info), SIGRTMIN + 3);

	CHECK_EQ(fcntl(fd, F_NOTIFY, 0), 0);
	CHECK_EQ(mkdir(other, 0700), 0);
	CHECK_EQ(rmdir(other), 0);
	CHECK_ERRNO(take(SIGRTMIN + 3, NULL), EAGAIN);
	CHECK_ERRNO(fcntl(file, F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_EQ(rmdir(path), 0);
}
