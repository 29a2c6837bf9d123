/*
 * control_socket.c: unix sockets by name: the one on which a sandbox takes
 * connections, and the one on which an engine waits for a terminal. Names are
 * relative to a directory, since a whole path may be longer than an address of
 * a socket can be.
 */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The address of `name` in `directory`; *dir_fd must stay open meanwhile. */
static int address_of(const char *directory, const char *name,
		      struct sockaddr_un *address, int *dir_fd)
{
	int length;

	*dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd < 0)
		return -errno;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	length = snprintf(address->sun_path, sizeof(address->sun_path),
			  "/proc/self/fd/%d/%s", *dir_fd, name);
	return length < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

/* A non-blocking SEQPACKET socket that listens as `name` in `directory`. */
HOST_EXPORT int32_t host_control_listen(const char *directory, const char *name)
{
	struct sockaddr_un address;
	int dir_fd, fd = -1;
	int32_t result = address_of(directory, name, &address, &dir_fd);

	if (result < 0)
		goto out;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0) {
		result = -errno;
		goto out;
	}
	result = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return result;
}

/* A connection with who listens there; is_stream: SOCK_STREAM. */
HOST_EXPORT int32_t host_control_connect(const char *directory,
					 const char *name, int32_t is_stream)
{
	struct sockaddr_un address;
	int type = is_stream ? SOCK_STREAM : SOCK_SEQPACKET;
	int dir_fd, fd = -1;
	int32_t result = address_of(directory, name, &address, &dir_fd);

	if (result < 0)
		goto out;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || HOST_RETRY(connect(fd, (struct sockaddr *)&address,
					 sizeof(address))) < 0) {
		result = -errno;
		goto out;
	}
	result = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return result;
}

/* The next connection, which is blocking; -EAGAIN: none waits. */
HOST_EXPORT int32_t host_control_accept(int32_t listener)
{
	return host_result(
		HOST_RETRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
}
