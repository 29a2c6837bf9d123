/*
 * tty.c: terminals. struct termios is the kernel's, 36 bytes, passed as it is.
 */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <sys/ioctl.h>

HOST_EXPORT int32_t host_tty_get_termios(int32_t fd, uint8_t into[36])
{
	return host_result(ioctl(fd, TCGETS, into));
}

/*
 * action 0, 1: set; 2: throw unread input away and set. Does not wait for
 * output to drain as tcsetattr(3) would with 1 and 2: a terminal that the user
 * stopped with ^S would stop the sandbox.
 */
HOST_EXPORT int32_t host_tty_set_termios(int32_t fd, int32_t action,
					 const uint8_t from[36])
{
	if (action == 2 && ioctl(fd, TCFLSH, 0 /* TCIFLUSH */) < 0)
		return -errno;
	return host_result(ioctl(fd, TCSETS, from));
}

/* Rows, columns, pixels across, pixels down. */
HOST_EXPORT int32_t host_tty_get_size(int32_t fd, uint16_t out[4])
{
	return host_result(ioctl(fd, TIOCGWINSZ, out));
}

HOST_EXPORT int32_t host_tty_set_size(int32_t fd, const uint16_t size[4])
{
	return host_result(ioctl(fd, TIOCSWINSZ, size));
}

/* A new pseudo-terminal: out[0] master, out[1] slave. */
HOST_EXPORT int32_t host_tty_open_pair(int32_t out[2])
{
	int result, unlock = 0;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0)
		return -errno;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		goto fail;
	/* By the master, not by name: no /dev/pts of another instance. */
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		goto fail;
	out[0] = master;
	out[1] = slave;
	return 0;

fail:
	result = -errno;
	close(master);
	return result;
}

/* Process group in the foreground of the terminal. */
HOST_EXPORT int32_t host_tty_get_foreground(int32_t fd)
{
	pid_t group;

	return ioctl(fd, TIOCGPGRP, &group) < 0 ? -errno : group;
}

HOST_EXPORT int32_t host_tty_set_foreground(int32_t fd, int32_t group)
{
	pid_t value = group;

	return host_result(ioctl(fd, TIOCSPGRP, &value));
}
