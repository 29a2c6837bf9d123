/*
 * host_library.c: drives libhost's C by itself, for the sanitizers, which
 * cannot be loaded into Deno. What the functions do is tested from TypeScript;
 * here only their use of memory, threads and descriptors is on trial.
 */
#define _GNU_SOURCE
#include "../../../ffi/native/host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host_reactor;
struct request;

struct host_memory *host_memory_new(double, int32_t *);
void host_memory_free(struct host_memory *);
int32_t host_memory_punch(struct host_memory *, double, double);
int32_t host_memory_populate(struct host_memory *, double, double);
int32_t host_memory_copy(struct host_memory *, double, double, double);
int32_t host_memory_zero(struct host_memory *, double, double);
int32_t host_memory_read(struct host_memory *, double, uint8_t *, double);
int32_t host_memory_write(struct host_memory *, double, const uint8_t *,
			  double);
int32_t host_file_read(struct host_memory *, int32_t, double, double, double);
int32_t host_file_write(struct host_memory *, int32_t, double, double, double);
int32_t host_file_pipe(int32_t[2]);
int32_t host_file_close(int32_t);
int32_t host_file_stat(int32_t, double[16]);
int32_t host_file_private(int32_t);
int32_t host_file_sealed(const uint8_t *, double);
int32_t host_tty_open_pair(int32_t[2]);
void host_clock_sample_tsc(double[4]);
void host_clock_realtime_offset(double[2]);
int32_t host_random(uint8_t *, double);
struct host_reactor *host_reactor_start(void (*)(void *), void *, int32_t *);
void host_reactor_stop(struct host_reactor *);
uint32_t *host_reactor_shared(struct host_reactor *);
int32_t host_reactor_wait(struct host_reactor *, uint32_t, int32_t);
int32_t host_reactor_watch(struct host_reactor *, int32_t, uint32_t, uint32_t);
int32_t host_reactor_unwatch(struct host_reactor *, int32_t);
int32_t host_reactor_catch(struct host_reactor *, int32_t, uint32_t);
int32_t host_spawn(const int32_t *, const int32_t *, char *, double,
		   int32_t[2]);
int32_t host_wait(int32_t, int32_t, int32_t[2]);
int32_t host_kill(int32_t, int32_t);
int32_t host_confine_task_dir(void);
int32_t host_confine_credentials(int32_t, uint32_t, uint32_t);
int32_t host_seccomp_number(const char *);

#define CHECK(condition)                                                 \
	do {                                                             \
		if (!(condition)) {                                      \
			fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				__LINE__, #condition);                   \
			exit(1);                                         \
		}                                                        \
	} while (0)

#define WINDOW (1 << 24)

static void try_memory(struct host_memory *m)
{
	uint8_t bytes[100] = { 1, 2, 3 };

	CHECK(host_memory_write(m, WINDOW - 100, bytes, 100) == 0);
	CHECK(host_memory_write(m, WINDOW - 99, bytes, 100) == -EINVAL);
	CHECK(host_memory_copy(m, WINDOW - 101, WINDOW - 100, 100) == 0);
	CHECK(host_memory_read(m, WINDOW - 101, bytes, 100) == 0);
	CHECK(bytes[2] == 3);
	CHECK(host_memory_populate(m, WINDOW - 1, 1) == 0);
	CHECK(host_memory_zero(m, 0, WINDOW) == 0);
	CHECK(host_memory_punch(m, 0, WINDOW) == 0);
	CHECK(host_memory_zero(m, 0.0 / 0.0, 1) == -EINVAL);
}

static void try_files(struct host_memory *m)
{
	int32_t ends[2], tty[2], own, sealed;
	double stat[16];

	CHECK(host_file_pipe(ends) == 0);
	CHECK(host_file_read(m, ends[0], 0, 10, -1) == -EAGAIN);
	CHECK(host_file_write(m, ends[1], WINDOW - 10, 10, -1) == 10);
	own = host_file_private(ends[0]);
	CHECK(own >= 0);
	CHECK(host_file_read(m, own, WINDOW - 10, 10, -1) == 10);
	CHECK(host_file_stat(own, stat) == 0);
	sealed = host_file_sealed((const uint8_t *)"abc", 3);
	CHECK(host_file_read(m, sealed, 0, 10, 1) == 2);
	CHECK(host_tty_open_pair(tty) == 0);
	for (int i = 0; i < 2; i++) {
		host_file_close(ends[i]);
		host_file_close(tty[i]);
	}
	host_file_close(own);
	host_file_close(sealed);
}

static void on_ring(void *count)
{
	__atomic_fetch_add((int *)count, 1, __ATOMIC_SEQ_CST);
}

/* head, tail, rings: the first words of the shared memory. */
static void await_event(struct host_reactor *r)
{
	uint32_t *words = host_reactor_shared(r);

	for (;;) {
		uint32_t rings = __atomic_load_n(&words[2], __ATOMIC_SEQ_CST);

		if (__atomic_load_n(&words[1], __ATOMIC_SEQ_CST) != words[0])
			break;
		CHECK(host_reactor_wait(r, rings, 10000) != -ETIMEDOUT);
	}
	uint32_t slot = words[16 + 16384 + words[0] % 16384];

	CHECK(slot < 16384);
	__atomic_store_n(&words[0], words[0] + 1, __ATOMIC_SEQ_CST);
	CHECK(__atomic_exchange_n(&words[16 + slot], 0, __ATOMIC_SEQ_CST) != 0);
}

static void try_reactor(struct host_memory *m)
{
	int rings = 0;
	int32_t error, ends[2];
	struct host_reactor *r = host_reactor_start(on_ring, &rings, &error);

	CHECK(r != NULL && host_file_pipe(ends) == 0);
	CHECK(host_reactor_watch(r, ends[0], POLLIN, 16383) == 0);
	CHECK(host_reactor_watch(r, ends[0], POLLIN, 16384) == -EINVAL);
	CHECK(host_reactor_catch(r, SIGUSR2, 3) == 0);
	for (int i = 0; i < 1000; i++) {
		host_file_write(m, ends[1], 0, 1, -1);
		await_event(r);
		host_file_read(m, ends[0], 0, 1, -1);
	}
	raise(SIGUSR2);
	await_event(r);
	CHECK(host_reactor_unwatch(r, ends[0]) == 0);
	host_reactor_stop(r);
	CHECK(rings >= 1001);
	raise(SIGUSR2); /* goes nowhere */
	host_file_close(ends[0]);
	host_file_close(ends[1]);
}

__attribute__((unused)) static void try_spawn(void)
{
	char good[] = "/bin/sh\0\0\0\0\0sh\0-c\0exit $A\0A=7";
	char bad[] = "/no/such\0\0\0\0\0x";
	int32_t request[12] = { 3, 0, 0, 0, -1, -1, -1, 0, 0, 3, 1, -1 };
	int32_t fds[3] = { 2, 1, 0 }, out[2], ending[2];

	CHECK(host_spawn(request, fds, good, sizeof(good), out) == 0);
	CHECK(host_wait(out[1], -1, ending) == 1 && ending[1] == 7);
	CHECK(host_kill(out[1], 9) == -ESRCH);
	host_file_close(out[1]);
	request[9] = 4; /* more strings than there are */
	request[10] = 9;
	CHECK(host_spawn(request, fds, good, sizeof(good), out) == -EINVAL);
	request[9] = 1;
	request[10] = 0;
	CHECK(host_spawn(request, fds, bad, sizeof(bad), out) == -ENOENT);
}

/* With a thread of the library, which blocks every other signal. */
__attribute__((unused)) static void try_credentials(void)
{
	int32_t error;
	struct host_reactor *r = host_reactor_start(NULL, NULL, &error);

	CHECK(r != NULL);
	CHECK(host_confine_credentials(host_confine_task_dir(), 0, 0) == 0);
	host_reactor_stop(r);
}

int main(void)
{
	int32_t error;
	double sample[4];
	uint8_t random[64];
	struct host_memory *m = host_memory_new(WINDOW, &error);

	CHECK(m != NULL);
	try_memory(m);
	try_files(m);
	try_reactor(m);
#if !defined(__SANITIZE_THREAD__)
	/* Its clone(2) stands for fork(2), and does not share memory. */
	try_spawn();
#endif
	host_clock_sample_tsc(sample);
	host_clock_realtime_offset(sample);
	CHECK(host_random(random, sizeof(random)) == 0);
	CHECK(host_seccomp_number("futex") >= 0);
	CHECK(host_seccomp_number("nonesuch") == -ENOENT);
#if !defined(__SANITIZE_THREAD__)
	/* Its own thread blocks all signals. */
	try_credentials();
#endif
	host_memory_free(m);
	puts("ok");
	return 0;
}
