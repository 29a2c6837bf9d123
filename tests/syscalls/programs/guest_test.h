/*
 * guest_test.h: cases for guest programs. Each TEST runs in a child process of
 * its own; the program prints "ok NAME" or "not ok NAME: reason" per case and
 * exits 1 if one failed. A program must pass on the host before it judges us.
 */
#ifndef GUEST_TEST_H
#define GUEST_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct guest_case {
	const char *name;
	void (*run)(void);
	struct guest_case *next;
};

static struct guest_case *guest_cases;
static struct guest_case **guest_tail = &guest_cases;

#define TEST(id)                                                          \
	static void id(void);                                             \
	__attribute__((constructor)) static void register_##id(void)      \
	{                                                                 \
		static struct guest_case it = { #id, id, NULL };          \
		*guest_tail = &it;                                        \
		guest_tail = &it.next;                                    \
	}                                                                 \
	static void id(void)

/* The reason goes to a pipe that the parent reads. */
static int guest_report = -1;

__attribute__((noreturn, format(printf, 1, 2), unused)) static void
guest_fail(const char *format, ...)
{
	char text[512];
	__builtin_va_list args;
	int length;

	__builtin_va_start(args, format);
	length = vsnprintf(text, sizeof text, format, args);
	__builtin_va_end(args);
	if (length > (int)sizeof text - 1)
		length = sizeof text - 1;
	if (write(guest_report, text, length) < 0)
		_exit(3);
	_exit(2);
}

#define CHECK(condition)                                                  \
	do {                                                              \
		if (!(condition))                                         \
			guest_fail("line %d: %s (errno %d)", __LINE__,    \
				   #condition, errno);                    \
	} while (0)

#define CHECK_EQ(actual, expected)                                        \
	do {                                                              \
		long long a_ = (long long)(actual);                       \
		long long e_ = (long long)(expected);                     \
		if (a_ != e_)                                             \
			guest_fail("line %d: %s is %lld, not %lld "       \
				   "(errno %d)",                          \
				   __LINE__, #actual, a_, e_, errno);     \
	} while (0)

/* The call must fail with exactly this errno. */
#define CHECK_ERRNO(call, expected)                                       \
	do {                                                              \
		errno = 0;                                                \
		long long r_ = (long long)(call);                         \
		if (r_ != -1 || errno != (expected))                      \
			guest_fail("line %d: %s gave %lld, errno %d, "    \
				   "not errno %d",                        \
				   __LINE__, #call, r_, errno,            \
				   (expected));                           \
	} while (0)

/* The wait status of a child that ran `body` and returned from it. */
#define IN_CHILD(...)                                                     \
	({                                                                \
		int status_;                                              \
		pid_t pid_ = fork();                                      \
		if (pid_ == 0) {                                          \
			__VA_ARGS__;                                      \
			_exit(0);                                         \
		}                                                         \
		CHECK(pid_ > 0);                                          \
		CHECK_EQ(waitpid(pid_, &status_, 0), pid_);               \
		status_;                                                  \
	})

static int guest_run_case(const struct guest_case *it)
{
	char reason[512];
	int ends[2], status;
	ssize_t got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		guest_report = ends[1];
		it->run();
		_exit(0);
	}
	close(ends[1]);
	got = read(ends[0], reason, sizeof reason - 1);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("not ok %s: cannot fork or wait (errno %d)\n", it->name,
		       errno);
		return 1;
	}
	reason[got > 0 ? got : 0] = '\0';
	if (status == 0) {
		printf("ok %s\n", it->name);
		return 0;
	}
	printf("not ok %s: %s (wait status 0x%x)\n", it->name, reason, status);
	return 1;
}

int main(int argc, char **argv)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct guest_case *it = guest_cases; it; it = it->next)
		if (argc < 2 || strcmp(argv[1], it->name) == 0)
			failed |= guest_run_case(it);
	return failed;
}

#endif
