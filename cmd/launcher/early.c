/*
 * early.c: see early.h. What the Sentry is to do comes later, from the command
 * line, through a pipe; that it exists is all that is decided here.
 */
#define _GNU_SOURCE
#include "early.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* spawn.c */
struct request;
int32_t host_spawn(const struct request *request, const int32_t *fds,
		   char *strings, double bytes, int32_t out[2]);

#define MAX_BYTES (64 * 1024)

/* Connections: with runsc, with the file server; the pipe of the spec. */
enum { CONTROL, GOFER, SPEC, ENDS };
struct ends {
	int32_t ours[ENDS], theirs[ENDS];
	int32_t nothing;
};

int early_is_wanted(int argc, char **argv)
{
	int first = 1;

	while (first < argc && argv[first][0] == '-')
		first++;
	return first < argc && strcmp(argv[first], "do") == 0 && getuid() == 0;
}

static int open_ends(struct ends *ends)
{
	int32_t pair[2];

	memset(ends, -1, sizeof(*ends));
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return -1;
	for (int i = CONTROL; i <= GOFER; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       pair) < 0)
			return -1;
		ends->ours[i] = pair[0];
		ends->theirs[i] = pair[1];
	}
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	ends->ours[SPEC] = pair[1];
	ends->theirs[SPEC] = pair[0];
	ends->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	return ends->nothing < 0 ? -1 : 0;
}

static void close_all(const int32_t *fds, int count)
{
	for (int i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Starts what the file's content describes; -1 if it is cut off. */
static int spawn_from(char *content, long length, const int32_t *fds,
		      int32_t out[2])
{
	int32_t words, bytes;
	char *strings;

	if (length < (long)sizeof(words))
		return -1;
	memcpy(&words, content, sizeof(words));
	if (words < 0 || words >= length / 4 - 1)
		return -1;
	strings = content + 4 * (2 + (long)words);
	memcpy(&bytes, strings - 4, sizeof(bytes));
	if (bytes < 0 || bytes > content + length - strings)
		return -1;
	return host_spawn((struct request *)(content + 4), fds, strings, bytes,
			  out);
}

void early_start(const char *path, const char *bundle,
		 char flag[EARLY_FLAG_BYTES])
{
	static _Alignas(int32_t) char content[MAX_BYTES];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, content, sizeof(content));
	int32_t child[2];
	struct ends ends;

	if (file >= 0)
		close(file);
	if (length <= 0 ||
	    memmem(content, (size_t)length, bundle, strlen(bundle) + 1) == NULL)
		return;
	if (open_ends(&ends) == 0) {
		/* As children.ts orders them. */
		const int32_t fds[] = { ends.nothing,
					ends.nothing,
					2,
					ends.theirs[SPEC],
					ends.theirs[CONTROL],
					2,
					0,
					1,
					2,
					ends.theirs[GOFER] };

		if (spawn_from(content, length, fds, child) == 0)
			snprintf(flag, EARLY_FLAG_BYTES,
				 "--early-sentry=%d,%d,%d,%d,%d",
				 ends.ours[CONTROL], ends.ours[GOFER],
				 ends.ours[SPEC], child[0], child[1]);
	}
	if (flag[0] == '\0') {
		close_all(ends.ours, ENDS);
	} else {
		/* For the command line, which we become by execve. */
		for (int i = 0; i < ENDS; i++)
			fcntl(ends.ours[i], F_SETFD, 0);
		fcntl(child[1], F_SETFD, 0);
	}
	close_all(ends.theirs, ENDS);
	close_all(&ends.nothing, 1);
}
