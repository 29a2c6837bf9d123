/*
 * files.c: data between donated descriptors and the memory file, attributes of
 * descriptors, and terminals. Nothing here takes a path but host_file_open,
 * which is for the time before lock-down.
 */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* Bytes that Linux moves at most in one call (MAX_RW_COUNT). */
#define MAX_RW 2147479552.0

/* Not fstat(3): glibc makes newfstatat(2) of it, whose path argument a seccomp
 * filter cannot look at. */
static int fstat_only(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

static int is_ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return HOST_RETRY(poll(&p, 1, 0)) > 0;
}

/*
 * Streams must not block us, and O_NONBLOCK belongs to the open file, which
 * the user's shell may share. RWF_NOWAIT asks for one call only; where the
 * file does not know it (terminals), poll(2) first: that leaves the race with
 * another reader of the same terminal, which host_file_private removes.
 */
static int32_t read_stream(int fd, struct iovec *iov)
{
	struct stat st;
	long n = HOST_RETRY(preadv2(fd, iov, 1, -1, RWF_NOWAIT));

	if (n >= 0)
		return (int32_t)n;
	if (errno == EAGAIN) {
		if (fstat_only(fd, &st) < 0 || !S_ISREG(st.st_mode))
			return -EAGAIN;
		/* A file whose page must come from disk: wait for it. */
	} else if (errno != EOPNOTSUPP && errno != ENOSYS) {
		return -errno;
	} else if (!is_ready(fd, POLLIN)) {
		return -EAGAIN;
	}
	return host_result(HOST_RETRY(readv(fd, iov, 1)));
}

/* What a blocking write takes for certain once poll(2) says POLLOUT. */
static size_t certain_room(mode_t mode, size_t length)
{
	size_t room = length;

	if (S_ISFIFO(mode))
		room = 4096; /* PIPE_BUF: a free slot of the pipe */
	else if (S_ISCHR(mode))
		room = 256; /* what a terminal driver wakes its writers for */
	return length < room ? length : room;
}

static int32_t write_stream(int fd, struct iovec *iov)
{
	struct stat st;
	long n = HOST_RETRY(pwritev2(fd, iov, 1, -1, RWF_NOWAIT));

	int error = errno;

	if (n >= 0)
		return (int32_t)n;
	if (error != EAGAIN && error != EOPNOTSUPP && error != ENOSYS)
		return -error;
	if (fstat_only(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		int flags = fcntl(fd, F_GETFL);

		if (error == EAGAIN)
			return -EAGAIN;
		if (!is_ready(fd, POLLOUT))
			return -EAGAIN;
		if (flags < 0 || (flags & O_NONBLOCK) == 0)
			iov->iov_len = certain_room(st.st_mode, iov->iov_len);
	}
	return host_result(HOST_RETRY(writev(fd, iov, 1)));
}

static int make_iov(struct host_memory *m, double memory, double length,
		    struct iovec *iov)
{
	if (length > MAX_RW)
		length = MAX_RW;
	if (!host_range_ok(memory, length, m->size))
		return -EINVAL;
	iov->iov_base = m->base + (uint64_t)memory;
	iov->iov_len = (size_t)length;
	return 0;
}

/* pread(2) into the memory file; offset -1: what comes next of the stream. */
HOST_EXPORT int32_t host_file_read(struct host_memory *m, int32_t fd,
				   double memory, double length, double offset)
{
	struct iovec iov;
	int error = make_iov(m, memory, length, &iov);

	if (error != 0)
		return error;
	if (!(offset >= 0))
		return read_stream(fd, &iov);
	return host_result(HOST_RETRY(
		pread(fd, iov.iov_base, iov.iov_len, (off_t)offset)));
}

/* pwrite(2) from the memory file; offset -1: at the end of the stream. */
HOST_EXPORT int32_t host_file_write(struct host_memory *m, int32_t fd,
				    double memory, double length, double offset)
{
	struct iovec iov;
	int error = make_iov(m, memory, length, &iov);

	if (error != 0)
		return error;
	if (!(offset >= 0))
		return write_stream(fd, &iov);
	return host_result(HOST_RETRY(
		pwrite(fd, iov.iov_base, iov.iov_len, (off_t)offset)));
}

/* The same between a descriptor and an array of JavaScript's. */
HOST_EXPORT int32_t host_file_read_bytes(int32_t fd, uint8_t *into,
					 double length, double offset)
{
	struct iovec iov = { .iov_base = into, .iov_len = (size_t)length };

	if (!(offset >= 0))
		return read_stream(fd, &iov);
	return host_result(HOST_RETRY(
		pread(fd, into, iov.iov_len, (off_t)offset)));
}

HOST_EXPORT int32_t host_file_write_bytes(int32_t fd, uint8_t *from,
					  double length, double offset)
{
	struct iovec iov = { .iov_base = from, .iov_len = (size_t)length };

	if (!(offset >= 0))
		return write_stream(fd, &iov);
	return host_result(HOST_RETRY(
		pwrite(fd, from, iov.iov_len, (off_t)offset)));
}

/* Attributes in the order of STAT_FIELDS in files.ts. */
HOST_EXPORT int32_t host_file_stat(int32_t fd, double out[16])
{
	struct stat st;

	if (fstat_only(fd, &st) < 0)
		return -errno;
	out[0] = (double)st.st_mode;
	out[1] = (double)st.st_size;
	out[2] = (double)st.st_ino;
	out[3] = (double)st.st_dev;
	out[4] = (double)st.st_rdev;
	out[5] = (double)st.st_nlink;
	out[6] = (double)st.st_uid;
	out[7] = (double)st.st_gid;
	out[8] = (double)st.st_blocks;
	out[9] = (double)st.st_blksize;
	out[10] = (double)st.st_atim.tv_sec;
	out[11] = (double)st.st_atim.tv_nsec;
	out[12] = (double)st.st_mtim.tv_sec;
	out[13] = (double)st.st_mtim.tv_nsec;
	out[14] = (double)st.st_ctim.tv_sec;
	out[15] = (double)st.st_ctim.tv_nsec;
	return 0;
}

HOST_EXPORT int32_t host_file_truncate(int32_t fd, double length)
{
	return host_result(HOST_RETRY(ftruncate(fd, (off_t)length)));
}

HOST_EXPORT int32_t host_file_allocate(int32_t fd, int32_t mode, double offset,
				       double length)
{
	return host_result(
		HOST_RETRY(fallocate(fd, mode, (off_t)offset, (off_t)length)));
}

HOST_EXPORT int32_t host_file_sync(int32_t fd, int32_t data_only)
{
	return host_result(HOST_RETRY(data_only ? fdatasync(fd) : fsync(fd)));
}

/* Not repeated on EINTR: Linux has closed the descriptor all the same. */
HOST_EXPORT int32_t host_file_close(int32_t fd)
{
	return host_result(close(fd));
}

/* Readiness at this moment. */
HOST_EXPORT int32_t host_file_poll(int32_t fd, int32_t events,
				   int32_t timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = (short)events };
	long n = HOST_RETRY(poll(&p, 1, timeout_ms));

	return n < 0 ? -errno : p.revents;
}

/* open(2) with O_CLOEXEC | O_NOCTTY, for the time before lock-down. */
HOST_EXPORT int32_t host_file_open(const char *path, int32_t flags,
				   int32_t mode)
{
	return host_result(HOST_RETRY(
		open(path, flags | O_CLOEXEC | O_NOCTTY, (mode_t)mode)));
}

/* A copy of the descriptor, close-on-exec, at `minimum` or above. */
HOST_EXPORT int32_t host_file_duplicate(int32_t fd, int32_t minimum)
{
	return host_result(fcntl(fd, F_DUPFD_CLOEXEC, minimum));
}

/* out: read end, write end; both close-on-exec. */
HOST_EXPORT int32_t host_file_pipe(int32_t out[2])
{
	return host_result(pipe2(out, O_CLOEXEC));
}

/* A sealed anonymous file with the given content, for handing over. */
HOST_EXPORT int32_t host_file_sealed(const uint8_t *content, double length)
{
	size_t done = 0, want = (size_t)length;
	int result, fd = memfd_create("runsc", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	while (done < want) {
		long n = HOST_RETRY(write(fd, content + done, want - done));

		if (n < 0)
			goto fail;
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		goto fail;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		goto fail;
	return fd;

fail:
	result = -errno;
	close(fd);
	return result;
}

/*
 * Opens the pipe or terminal behind `fd` once more, non-blocking: a new open
 * file, so that the one shared with others keeps its flags. Returns the new
 * descriptor, or -errno when it cannot be done (-ENXIO for a kind of file that
 * needs it not or knows no second opening: go on with `fd`). Needs /proc and
 * the right to open, so it is for the time before lock-down.
 */
HOST_EXPORT int32_t host_file_private(int32_t fd)
{
	char path[] = "/proc/self/fd/0000000000";
	const size_t prefix = sizeof("/proc/self/fd/") - 1;
	struct stat st, again;
	unsigned int n = (unsigned int)fd;
	size_t digits = 1, at;
	int flags, copy;

	if (fstat_only(fd, &st) < 0)
		return -errno;
	/* /dev/ptmx would give another terminal. */
	if (!S_ISFIFO(st.st_mode) && !(S_ISCHR(st.st_mode) && isatty(fd) &&
				       st.st_rdev != (5u << 8 | 2)))
		return -ENXIO;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	for (unsigned int rest = n / 10; rest > 0; rest /= 10)
		digits++;
	at = prefix + digits;
	path[at] = '\0';
	do
		path[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	copy = (int)HOST_RETRY(open(path, (flags & O_ACCMODE) | O_NONBLOCK |
						  O_CLOEXEC | O_NOCTTY));
	if (copy < 0)
		return -errno;
	/* Something else at that name (a hidden pty in another instance). */
	if (fstat_only(copy, &again) < 0 || again.st_dev != st.st_dev ||
	    again.st_ino != st.st_ino) {
		close(copy);
		return -ENXIO;
	}
	return copy;
}
