/* AF_UNIX: streams, datagrams, sequenced packets, names, descriptors. */
#include "guest_test.h"
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

static void *volatile nowhere = (void *)8;

static void make_pair(int type, int pair[2])
{
	CHECK_EQ(socketpair(AF_UNIX, type, 0, pair), 0);
}

/* An abstract name of this process, or (with '/') a path. */
static socklen_t make_name(struct sockaddr_un *name, const char *text)
{
	memset(name, 0, sizeof *name);
	name->sun_family = AF_UNIX;
	if (text[0] == '/')
		snprintf(name->sun_path, sizeof name->sun_path, "/tmp%s.%d",
			 text, getpid());
	else
		snprintf(name->sun_path + 1, sizeof name->sun_path - 1,
			 "%s.%d", text, getpid());
	return offsetof(struct sockaddr_un, sun_path) +
	       (text[0] == '/' ? strlen(name->sun_path) + 1 :
				 1 + strlen(name->sun_path + 1));
}

static int make_bound(int type, const char *text)
{
	struct sockaddr_un name;
	socklen_t length = make_name(&name, text);
	int fd = socket(AF_UNIX, type, 0);
	CHECK(fd >= 0);
	if (text[0] == '/')
		unlink(name.sun_path);
	CHECK_EQ(bind(fd, (struct sockaddr *)&name, length), 0);
	return fd;
}

static int connect_to(int fd, const char *text)
{
	struct sockaddr_un name;
	socklen_t length = make_name(&name, text);
	return connect(fd, (struct sockaddr *)&name, length);
}

TEST(socket_refuses_what_it_lacks)
{
	int pair[2];
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 6), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
	CHECK_ERRNO(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT);
	CHECK_ERRNO(listen(0, 1), ENOTSOCK);
	CHECK_ERRNO(listen(999, 1), EBADF);
	make_pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, pair);
	CHECK_EQ(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(pair[0], F_GETFL), O_RDWR | O_NONBLOCK);
	struct stat st;
	CHECK_EQ(fstat(pair[0], &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_ERRNO(lseek(pair[0], 0, SEEK_SET), ESPIPE);
}

TEST(a_stream_carries_bytes_both_ways)
{
	int pair[2], unread;
	char text[16];
	make_pair(SOCK_STREAM, pair);
	CHECK_EQ(write(pair[0], "one", 3), 3);
	CHECK_EQ(send(pair[0], "two", 3, 0), 3);
	CHECK_EQ(ioctl(pair[1], FIONREAD, &unread), 0);
	CHECK_EQ(unread, 6);
	CHECK_EQ(recv(pair[1], text, 16, MSG_PEEK), 6);
	CHECK_EQ(recv(pair[1], text, 4, 0), 4);
	CHECK_EQ(read(pair[1], text, 16), 2);
	CHECK_ERRNO(recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(pair[1], "back", 4, 0), 4);
	CHECK_EQ(recv(pair[0], text, 16, 0), 4);
	CHECK_EQ(send(pair[0], "", 0, 0), 0);
	CHECK_ERRNO(send(pair[0], nowhere, 4, 0), EFAULT);
	CHECK_ERRNO(recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(a_blocking_send_waits_for_room)
{
	static char block[1000000];
	int pair[2];
	make_pair(SOCK_STREAM, pair);
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		_exit(send(pair[1], block, sizeof block, 0) != sizeof block);
	}
	close(pair[1]);
	CHECK_EQ(recv(pair[0], block, 400000, MSG_WAITALL), 400000);
	size_t total = 400000;
	ssize_t got;
	while ((got = read(pair[0], block, sizeof block)) > 0)
		total += got;
	CHECK_EQ(total, sizeof block);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(the_end_of_a_stream_is_seen)
{
	int pair[2];
	char byte;
	make_pair(SOCK_STREAM, pair);
	CHECK_EQ(write(pair[1], "x", 1), 1);
	close(pair[1]);
	struct pollfd p = { pair[0], POLLIN | POLLOUT | POLLRDHUP, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	CHECK_EQ(read(pair[0], &byte, 1), 1);
	CHECK_EQ(read(pair[0], &byte, 1), 0);
	CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	int status = IN_CHILD(send(pair[0], "x", 1, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

TEST(unread_bytes_make_a_reset_of_the_end)
{
	int pair[2];
	char byte;
	make_pair(SOCK_STREAM, pair);
	CHECK_EQ(write(pair[0], "x", 1), 1);
	close(pair[1]);
	CHECK_ERRNO(read(pair[0], &byte, 1), ECONNRESET);
	CHECK_EQ(read(pair[0], &byte, 1), 0);
}

TEST(shutdown_closes_one_direction)
{
	int pair[2];
	char byte;
	signal(SIGPIPE, SIG_IGN);
	make_pair(SOCK_STREAM, pair);
	CHECK_ERRNO(shutdown(pair[0], 9), EINVAL);
	CHECK_EQ(write(pair[0], "x", 1), 1);
	CHECK_EQ(shutdown(pair[0], SHUT_WR), 0);
	CHECK_ERRNO(write(pair[0], "x", 1), EPIPE);
	CHECK_EQ(read(pair[1], &byte, 1), 1);
	CHECK_EQ(read(pair[1], &byte, 1), 0);
	CHECK_EQ(write(pair[1], "y", 1), 1);
	CHECK_EQ(read(pair[0], &byte, 1), 1);
	CHECK_EQ(shutdown(pair[0], SHUT_RD), 0);
	CHECK_ERRNO(write(pair[1], "y", 1), EPIPE);
}

TEST(connect_and_accept_by_abstract_name)
{
	struct sockaddr_un name;
	socklen_t length;
	char text[16];
	int listener = make_bound(SOCK_STREAM, "meet");
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(connect_to(client, "meet"), ECONNREFUSED);
	CHECK_ERRNO(accept(listener, NULL, NULL), EINVAL);
	CHECK_EQ(listen(listener, 4), 0);
	CHECK_EQ(connect_to(client, "meet"), 0);
	CHECK_ERRNO(connect_to(client, "meet"), EISCONN);
	CHECK_EQ(write(client, "early", 5), 5);
	length = sizeof name;
	int served = accept4(listener, (struct sockaddr *)&name, &length,
			     SOCK_CLOEXEC);
	CHECK(served >= 0);
	CHECK_EQ(length, 2);
	CHECK_EQ(fcntl(served, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(served, text, 16), 5);
	length = sizeof name;
	CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0);
	CHECK_EQ(name.sun_path[0], 0);
	CHECK(strncmp(name.sun_path + 1, "meet.", 5) == 0);
	length = 4;
	CHECK_EQ(getsockname(served, (struct sockaddr *)&name, &length), 0);
	CHECK(length > 4);
	length = sizeof name;
	CHECK_EQ(getsockname(client, (struct sockaddr *)&name, &length), 0);
	CHECK_EQ(length, 2);
	int accepting;
	length = sizeof accepting;
	CHECK_EQ(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &accepting,
			    &length),
		 0);
	CHECK_EQ(accepting, 1);
}

TEST(accept_waits_for_a_client)
{
	int listener = make_bound(SOCK_STREAM, "late");
	CHECK_EQ(listen(listener, 0), 0);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		struct sockaddr_un name = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		int n = sprintf(name.sun_path + 1, "late.%d", parent);
		usleep(5000);
		_exit(connect(fd, (struct sockaddr *)&name, 3 + n) != 0);
	}
	CHECK(accept(listener, NULL, NULL) >= 0);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
}

TEST(a_path_names_a_socket)
{
	struct sockaddr_un name;
	struct stat st;
	int listener = make_bound(SOCK_STREAM, "/path");
	socklen_t length = make_name(&name, "/path");
	CHECK_EQ(stat(name.sun_path, &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(bind(other, (struct sockaddr *)&name, length), EADDRINUSE);
	CHECK_ERRNO(bind(listener, (struct sockaddr *)&name, length),
		    EADDRINUSE);
	CHECK_ERRNO(bind(listener, (struct sockaddr *)&name, 5), EINVAL);
	CHECK_ERRNO(connect_to(other, "/path"), ECONNREFUSED);
	CHECK_EQ(listen(listener, 1), 0);
	CHECK_EQ(connect_to(other, "/path"), 0);
	int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERRNO(connect_to(datagrams, "/path"), EPROTOTYPE);
	CHECK_ERRNO(open(name.sun_path, O_RDONLY), ENXIO);
	length = sizeof name;
	CHECK_EQ(getsockname(listener, (struct sockaddr *)&name, &length), 0);
	CHECK_EQ(length, 2 + strlen(name.sun_path) + 1);
	close(listener);
	int late = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(connect_to(late, "/path"), ECONNREFUSED);
	CHECK_EQ(unlink(name.sun_path), 0);
	CHECK_ERRNO(connect_to(late, "/path"), ENOENT);
	name.sun_family = AF_INET;
	CHECK_ERRNO(bind(late, (struct sockaddr *)&name, 20), EINVAL);
	CHECK_ERRNO(bind(late, (struct sockaddr *)&name, 1), EINVAL);
}

TEST(unconnected_sockets_have_no_peer)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	char byte;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(send(fd, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(recv(fd, &byte, 1, 0), EINVAL);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&name, &length),
		    ENOTCONN);
	CHECK_ERRNO(listen(fd, 1), EINVAL);
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT | POLLHUP);
	int packets = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK_ERRNO(recv(packets, &byte, 1, 0), ENOTCONN);
}

TEST(seqpacket_keeps_boundaries)
{
	int pair[2];
	char text[16];
	make_pair(SOCK_SEQPACKET, pair);
	CHECK_EQ(send(pair[0], "first", 5, 0), 5);
	CHECK_EQ(send(pair[0], "second", 6, 0), 6);
	struct iovec part = { text, 3 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	CHECK_EQ(recvmsg(pair[1], &message, 0), 3);
	CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
	CHECK_EQ(recv(pair[1], text, 3, MSG_TRUNC), 6);
	close(pair[0]);
	CHECK_EQ(recv(pair[1], text, 3, 0), 0);
}

TEST(datagrams_come_from_a_name)
{
	struct sockaddr_un to, from;
	socklen_t to_length = make_name(&to, "server"), length;
	char text[16];
	int server = make_bound(SOCK_DGRAM, "server");
	int client = make_bound(SOCK_DGRAM, "client");
	CHECK_EQ(sendto(client, "hello", 5, 0, (struct sockaddr *)&to,
			to_length),
		 5);
	length = sizeof from;
	CHECK_EQ(recvfrom(server, text, 16, 0, (struct sockaddr *)&from,
			  &length),
		 5);
	CHECK(strncmp(from.sun_path + 1, "client.", 7) == 0);
	CHECK_ERRNO(send(client, "x", 1, 0), ENOTCONN);
	CHECK_EQ(connect_to(client, "server"), 0);
	CHECK_EQ(send(client, "", 0, 0), 0);
	CHECK_EQ(recv(server, text, 16, 0), 0);
	CHECK_EQ(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	int sent = 0;
	while (send(client, "x", 1, 0) == 1)
		sent++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(sent, 11);
	close(server);
	CHECK_ERRNO(send(client, "x", 1, 0), ECONNREFUSED);
}

static ssize_t send_fds(int fd, const int *fds, int count, const char *text)
{
	char control[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	struct iovec part = { (char *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen =
					  CMSG_SPACE(sizeof(int) * count) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	return sendmsg(fd, &message, 0);
}

/* How many descriptors came; `room` descriptors fit. */
static int receive_fds(int fd, int *fds, int room, int flags, int *got_flags)
{
	char text[16], control[CMSG_SPACE(sizeof(int) * 16)];
	struct iovec part = { text, sizeof text };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen =
					  CMSG_LEN(sizeof(int) * room) };
	CHECK(recvmsg(fd, &message, flags) >= 0);
	*got_flags = message.msg_flags;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header == NULL)
		return 0;
	CHECK_EQ(header->cmsg_type, SCM_RIGHTS);
	int count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(header), sizeof(int) * count);
	return count;
}

TEST(scm_rights_passes_descriptors)
{
	int pair[2], ends[2], got[16], flags;
	char text[8];
	make_pair(SOCK_STREAM, pair);
	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(send_fds(pair[0], ends, 2, "F"), 1);
	CHECK_EQ(receive_fds(pair[1], got, 16, MSG_CMSG_CLOEXEC, &flags), 2);
	CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(got[1], "via", 3), 3);
	CHECK_EQ(read(ends[0], text, 8), 3);
	/* What does not fit is closed. */
	CHECK_EQ(send_fds(pair[0], ends, 2, "F"), 1);
	CHECK_EQ(receive_fds(pair[1], got, 1, 0, &flags), 1);
	CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	int bad = 999;
	CHECK_ERRNO(send_fds(pair[0], &bad, 1, "F"), EBADF);
	/* A pipe in flight stays open, and closes with the socket. */
	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(send_fds(pair[0], &ends[1], 1, "F"), 1);
	close(ends[1]);
	CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	CHECK_ERRNO(read(ends[0], text, 1), EAGAIN);
	close(pair[0]);
	close(pair[1]);
	CHECK_EQ(read(ends[0], text, 1), 0);
}

TEST(descriptors_stay_with_their_bytes)
{
	int pair[2], ends[2], got[16], flags;
	char text[16];
	make_pair(SOCK_STREAM, pair);
	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(write(pair[0], "before", 6), 6);
	CHECK_EQ(send_fds(pair[0], ends, 1, "F"), 1);
	CHECK_EQ(write(pair[0], "after", 5), 5);
	CHECK_EQ(receive_fds(pair[1], got, 16, 0, &flags), 1);
	CHECK_EQ(read(pair[1], text, 16), 5);
	CHECK(memcmp(text, "after", 5) == 0);
}

TEST(sockets_in_each_others_queues_do_not_live_for_ever)
{
	int pair[2], ends[2], both[2];
	char byte;
	CHECK_EQ(pipe(ends), 0);
	make_pair(SOCK_DGRAM, pair);
	both[0] = pair[0];
	both[1] = ends[1];
	CHECK_EQ(send_fds(pair[0], both, 2, "x"), 1);
	CHECK_EQ(send_fds(pair[1], &pair[1], 1, "x"), 1);
	close(pair[0]);
	close(pair[1]);
	close(ends[1]);
	/* Closing any socket lets Linux collect. */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	struct pollfd p = { ends[0], POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
}

TEST(credentials_are_told)
{
	int pair[2], on = 1;
	struct ucred peer;
	socklen_t length = sizeof peer;
	make_pair(SOCK_DGRAM, pair);
	CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &length),
		 0);
	CHECK_EQ(peer.pid, getpid());
	CHECK_EQ(peer.uid, geteuid());
	CHECK_EQ(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on),
		 0);
	CHECK_EQ(send(pair[0], "x", 1, 0), 1);
	char text[4], control[CMSG_SPACE(sizeof peer)];
	struct iovec part = { text, sizeof text };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof control };
	CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	CHECK(header != NULL);
	CHECK_EQ(header->cmsg_type, SCM_CREDENTIALS);
	memcpy(&peer, CMSG_DATA(header), sizeof peer);
	CHECK_EQ(peer.pid, getpid());
	CHECK_EQ(peer.uid, getuid());
}

TEST(options_have_their_sizes_and_limits)
{
	int value = 5000;
	socklen_t length = sizeof value;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value),
		 0);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &length), 0);
	CHECK_EQ(value, 10000);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), 0);
	CHECK_EQ(value, SOCK_STREAM);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
	CHECK_EQ(value, AF_UNIX);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length), 0);
	CHECK_EQ(value, 0);
	length = 1;
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), 0);
	CHECK_EQ(length, 1);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_TYPE, &value, 4),
		    ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 9999, &value, 4), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, 2), EINVAL);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, nowhere, 4), EFAULT);
	CHECK_ERRNO(setsockopt(fd, 6, 1, &value, 4), EOPNOTSUPP);
	struct timeval limit = { 0, 5000 };
	int pair[2];
	char byte;
	make_pair(SOCK_STREAM, pair);
	CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit,
			    sizeof limit),
		 0);
	CHECK_ERRNO(recv(pair[0], &byte, 1, 0), EAGAIN);
	CHECK_ERRNO(read(pair[0], &byte, 1), EAGAIN);
	limit.tv_usec = 1000000;
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit,
			       sizeof limit),
		    EDOM);
}

TEST(sendmmsg_and_recvmmsg_move_several)
{
	int pair[2];
	char text[4][8];
	struct iovec parts[4];
	struct mmsghdr messages[4];
	make_pair(SOCK_DGRAM, pair);
	memset(messages, 0, sizeof messages);
	for (int i = 0; i < 4; i++) {
		snprintf(text[i], 8, "m%d", i);
		parts[i] = (struct iovec){ text[i], 2 + i };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(sendmmsg(pair[0], messages, 3, 0), 3);
	CHECK_EQ(messages[2].msg_len, 4);
	for (int i = 0; i < 4; i++)
		parts[i].iov_len = 8;
	CHECK_EQ(recvmmsg(pair[1], messages, 4, MSG_WAITFORONE, NULL), 3);
	CHECK_EQ(messages[0].msg_len, 2);
	CHECK_EQ(messages[2].msg_len, 4);
	CHECK_ERRNO(recvmmsg(pair[1], messages, 4, MSG_DONTWAIT, NULL),
		    EAGAIN);
}

TEST(sendmsg_checks_its_header)
{
	int pair[2];
	char text[8] = "x";
	struct iovec part = { text, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 2000 };
	make_pair(SOCK_DGRAM, pair);
	CHECK_ERRNO(sendmsg(pair[0], nowhere, 0), EFAULT);
	CHECK_ERRNO(sendmsg(pair[0], &message, 0), EMSGSIZE);
	message.msg_iovlen = 1;
	char control[32] = { 0 };
	message.msg_control = control;
	message.msg_controllen = sizeof control;
	((struct cmsghdr *)control)->cmsg_len = 64;
	CHECK_ERRNO(sendmsg(pair[0], &message, 0), EINVAL);
	((struct cmsghdr *)control)->cmsg_len = 20;
	((struct cmsghdr *)control)->cmsg_level = SOL_SOCKET;
	((struct cmsghdr *)control)->cmsg_type = 99;
	CHECK_ERRNO(sendmsg(pair[0], &message, 0), EINVAL);
	message.msg_controllen = 0;
	message.msg_name = text;
	message.msg_namelen = -1;
	CHECK_ERRNO(sendmsg(pair[0], &message, 0), EINVAL);
}
