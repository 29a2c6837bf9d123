/* pipe2, FIFOs, PIPE_BUF, packet mode, splice, tee, vmsplice. */
#include "guest_test.h"
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

/* An address that no program has; volatile, lest the compiler object. */
static void *volatile nowhere = (void *)8;

static void make_pipe(int ends[2], int flags)
{
	CHECK_EQ(pipe2(ends, flags), 0);
}

TEST(pipe2_checks_flags_and_address)
{
	int ends[2];
	CHECK_ERRNO(pipe2(ends, O_APPEND), EINVAL);
	CHECK_ERRNO(syscall(SYS_pipe2, nowhere, 0), EFAULT);
	int next = open("/dev/null", O_RDONLY);
	CHECK(next >= 0);
	close(next);
	/* The failed call left no descriptor behind. */
	CHECK_EQ(open("/dev/null", O_RDONLY), next);
}

TEST(pipe2_sets_the_flags_asked_for)
{
	int ends[2];
	make_pipe(ends, O_CLOEXEC | O_NONBLOCK);
	CHECK_EQ(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(ends[0], F_GETFL), O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(ends[1], F_GETFL), O_WRONLY | O_NONBLOCK);
	char byte = 0;
	CHECK_ERRNO(read(ends[0], &byte, 1), EAGAIN);
	CHECK_ERRNO(read(ends[1], &byte, 1), EBADF);
	CHECK_ERRNO(write(ends[0], &byte, 1), EBADF);
	CHECK_ERRNO(lseek(ends[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(pread(ends[0], &byte, 1, 0), ESPIPE);
	struct stat st;
	CHECK_EQ(fstat(ends[0], &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_EQ(st.st_size, 0);
}

TEST(a_pipe_holds_64_kib_and_small_writes_are_atomic)
{
	static char block[PIPE_BUF];
	int ends[2], unread;
	make_pipe(ends, O_NONBLOCK);
	for (int i = 0; i < 65536 / PIPE_BUF; i++)
		CHECK_EQ(write(ends[1], block, PIPE_BUF), PIPE_BUF);
	CHECK_ERRNO(write(ends[1], block, 1), EAGAIN);
	CHECK_EQ(ioctl(ends[0], FIONREAD, &unread), 0);
	CHECK_EQ(unread, 65536);
	CHECK_EQ(read(ends[0], block, 1000), 1000);
	CHECK_ERRNO(write(ends[1], block, PIPE_BUF), EAGAIN);
	struct pollfd p = { ends[1], POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
}

TEST(a_blocking_write_goes_on_until_all_is_written)
{
	static char block[300000];
	int ends[2];
	make_pipe(ends, 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(write(ends[1], block, sizeof block) != sizeof block);
	}
	close(ends[1]);
	size_t total = 0;
	ssize_t got;
	while ((got = read(ends[0], block, 50000)) > 0)
		total += got;
	CHECK_EQ(got, 0);
	CHECK_EQ(total, sizeof block);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(writing_without_a_reader_is_sigpipe)
{
	int ends[2];
	make_pipe(ends, 0);
	close(ends[0]);
	int status = IN_CHILD(write(ends[1], "x", 1));
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	CHECK_EQ(write(ends[1], "", 0), 0);
	struct pollfd p = { ends[1], POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents & POLLERR, POLLERR);
}

static int interruptions;
static void count_interruption(int signo)
{
	(void)signo;
	interruptions++;
}

TEST(a_signal_interrupts_a_read_unless_it_restarts)
{
	int ends[2];
	char byte;
	struct sigaction action = { .sa_handler = count_interruption };
	make_pipe(ends, 0);
	sigaction(SIGUSR1, &action, NULL);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		/* Until the parent dies or kills us. */
		for (;;) {
			kill(parent, SIGUSR1);
			usleep(1000);
		}
	}
	CHECK_ERRNO(read(ends[0], &byte, 1), EINTR);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	pid_t writer = fork();
	if (writer == 0) {
		usleep(20000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	CHECK(interruptions > 0);
}

TEST(o_direct_keeps_packets_apart)
{
	int ends[2];
	char text[16];
	make_pipe(ends, O_DIRECT | O_NONBLOCK);
	CHECK_EQ(write(ends[1], "one", 3), 3);
	CHECK_EQ(write(ends[1], "second", 6), 6);
	CHECK_EQ(read(ends[0], text, sizeof text), 3);
	CHECK_EQ(read(ends[0], text, 2), 2);
	CHECK_ERRNO(read(ends[0], text, sizeof text), EAGAIN);
}

TEST(f_setpipe_sz_rounds_up_and_refuses_to_lose_data)
{
	static char block[10000];
	int ends[2];
	make_pipe(ends, O_NONBLOCK);
	CHECK_EQ(fcntl(ends[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(fcntl(ends[0], F_SETPIPE_SZ, 100000), 131072);
	CHECK_EQ(write(ends[1], block, sizeof block), sizeof block);
	CHECK_ERRNO(fcntl(ends[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_EQ(fcntl(ends[1], F_SETPIPE_SZ, 16384), 16384);
	CHECK_EQ(read(ends[0], block, sizeof block), sizeof block);
	int null = open("/dev/null", O_RDONLY);
	CHECK_ERRNO(fcntl(null, F_GETPIPE_SZ), EBADF);
}

TEST(reading_a_pipe_reports_faults)
{
	int ends[2];
	make_pipe(ends, O_NONBLOCK);
	CHECK_ERRNO(write(ends[1], nowhere, 4), EFAULT);
	CHECK_EQ(write(ends[1], "data", 4), 4);
	CHECK_ERRNO(read(ends[0], nowhere, 4), EFAULT);
	char text[8];
	CHECK_EQ(read(ends[0], text, 8), 4);
}

static char fifo_path[64];
static const char *make_fifo(void)
{
	snprintf(fifo_path, sizeof fifo_path, "/tmp/fifo.%d", getpid());
	unlink(fifo_path);
	CHECK_EQ(mkfifo(fifo_path, 0600), 0);
	return fifo_path;
}

TEST(opens_of_a_fifo_wait_for_each_other)
{
	const char *path = make_fifo();
	char text[8];
	CHECK_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(path, O_WRONLY);
		_exit(write(fd, "hello", 5) != 5);
	}
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, text, 8), 5);
	CHECK_EQ(read(fd, text, 8), 0);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	close(fd);
	unlink(path);
}

TEST(a_fifo_without_a_writer_yet_is_not_hung_up)
{
	const char *path = make_fifo();
	int reader = open(path, O_RDONLY | O_NONBLOCK);
	CHECK(reader >= 0);
	struct pollfd p = { reader, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	int writer = open(path, O_WRONLY | O_NONBLOCK);
	CHECK(writer >= 0);
	close(writer);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLHUP);
	unlink(path);
}

TEST(opening_a_fifo_can_be_interrupted)
{
	const char *path = make_fifo();
	struct sigaction action = { .sa_handler = count_interruption };
	sigaction(SIGALRM, &action, NULL);
	ualarm(20000, 20000);
	CHECK_ERRNO(open(path, O_RDONLY), EINTR);
	ualarm(0, 0);
	/* The open that failed does not count as a reader. */
	CHECK_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
	unlink(path);
}

TEST(a_pipe_can_be_opened_again_through_proc)
{
	int ends[2];
	char path[32], text[8];
	make_pipe(ends, 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
	int writer = open(path, O_WRONLY);
	CHECK(writer >= 0);
	CHECK_EQ(write(writer, "again", 5), 5);
	CHECK_EQ(read(ends[0], text, 8), 5);
	char target[64];
	ssize_t length = readlink(path, target, sizeof target - 1);
	CHECK(length > 0);
	target[length] = '\0';
	CHECK(strncmp(target, "pipe:[", 6) == 0);
}

TEST(splice_moves_bytes_between_files_and_pipes)
{
	int ends[2];
	char text[16];
	char name[] = "/tmp/spliceXXXXXX";
	int file = mkstemp(name);
	CHECK(file >= 0);
	unlink(name);
	make_pipe(ends, O_NONBLOCK);
	CHECK_EQ(write(file, "0123456789", 10), 10);
	loff_t offset = 2;
	CHECK_EQ(splice(file, &offset, ends[1], NULL, 5, 0), 5);
	CHECK_EQ(offset, 7);
	CHECK_EQ(lseek(file, 0, SEEK_CUR), 10);
	CHECK_EQ(splice(ends[0], NULL, file, NULL, 100, 0), 5);
	CHECK_EQ(pread(file, text, 16, 0), 15);
	CHECK(memcmp(text, "012345678923456", 15) == 0);
	CHECK_ERRNO(splice(ends[0], NULL, file, NULL, 1, SPLICE_F_NONBLOCK),
		    EAGAIN);
	CHECK_ERRNO(splice(file, NULL, file, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(ends[0], NULL, ends[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(file, NULL, ends[1], &offset, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(file, NULL, ends[1], NULL, 1, 0x100), EINVAL);
	CHECK_EQ(splice(file, NULL, ends[1], NULL, 0, 0), 0);
}

TEST(tee_copies_without_taking)
{
	int from[2], to[2];
	char text[16];
	make_pipe(from, O_NONBLOCK);
	make_pipe(to, O_NONBLOCK);
	CHECK_EQ(write(from[1], "both", 4), 4);
	CHECK_EQ(tee(from[0], to[1], 100, 0), 4);
	CHECK_EQ(read(to[0], text, 16), 4);
	CHECK_EQ(read(from[0], text, 16), 4);
	CHECK_ERRNO(tee(from[0], from[1], 1, 0), EINVAL);
	close(from[1]);
	CHECK_EQ(tee(from[0], to[1], 1, 0), 0);
}

TEST(vmsplice_gathers_from_memory)
{
	int ends[2];
	char text[16];
	struct iovec parts[2] = { { "one", 3 }, { "two", 3 } };
	make_pipe(ends, O_NONBLOCK);
	CHECK_EQ(vmsplice(ends[1], parts, 2, 0), 6);
	CHECK_EQ(read(ends[0], text, 16), 6);
	CHECK(memcmp(text, "onetwo", 6) == 0);
	int null = open("/dev/null", O_WRONLY);
	CHECK_ERRNO(vmsplice(null, parts, 2, 0), EBADF);
}
