/* Threads, futexes, thread-local storage, robust locks, group exit. */
#include "guest_test.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

static long futex(void *word, int op, uint32_t value, void *timeout,
		  void *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static void *add_one(void *arg)
{
	for (int i = 0; i < 20000; i++)
		atomic_fetch_add((atomic_int *)arg, 1);
	return (void *)7;
}

TEST(threads_run_and_are_joined)
{
	atomic_int total = 0;
	pthread_t threads[16];
	for (int i = 0; i < 16; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, add_one, &total), 0);
	for (int i = 0; i < 16; i++) {
		void *result;
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK(result == (void *)7);
	}
	CHECK_EQ(total, 16 * 20000);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *take_turns(void *arg)
{
	int me = (int)(intptr_t)arg;
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (turn % 3 != me)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

TEST(mutexes_and_conditions_order_threads)
{
	pthread_t threads[3];
	for (long i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, take_turns,
					(void *)i), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(turn, 600);
}

static __thread int local = 5;
static void *change_local(void *arg)
{
	(void)arg;
	local++;
	return (void *)(intptr_t)local;
}

TEST(thread_local_storage_is_per_thread)
{
	pthread_t thread;
	void *result;
	local = 100;
	CHECK_EQ(pthread_create(&thread, NULL, change_local, NULL), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((intptr_t)result, 6);
	CHECK_EQ(local, 100);
}

TEST(futex_wait_checks_the_word)
{
	uint32_t word = 3;
	struct timespec soon = { 0, 5000000 };
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 3, &soon, NULL, 0), ETIMEDOUT);
	CHECK_ERRNO(futex((char *)&word + 1, FUTEX_WAIT, 3, NULL, NULL, 0),
		    EINVAL);
	CHECK_ERRNO(futex((void *)8, FUTEX_WAIT, 3, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&word, 99, 3, NULL, NULL, 0), ENOSYS);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

static uint32_t first, second;
static atomic_int woken;
static void *wait_on_first(void *arg)
{
	(void)arg;
	futex(&first, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	atomic_fetch_add(&woken, 1);
	return NULL;
}

TEST(futex_requeue_moves_waiters)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, wait_on_first, NULL),
			 0);
	/* All four wait once a requeue of nobody to nowhere counts them. */
	while (futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)4, &first,
		     0) != 4)
		sched_yield();
	CHECK_EQ(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)9,
		       &second, 0), 4);
	CHECK_EQ(futex(&first, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 3);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(woken, 4);
}

static pthread_mutex_t robust;
static void *die_holding(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&robust);
	return NULL;
}

TEST(robust_mutexes_tell_of_a_dead_owner)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CHECK_EQ(pthread_mutex_init(&robust, &attributes), 0);
	CHECK_EQ(pthread_create(&thread, NULL, die_holding, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
}

static void *exit_process(void *arg)
{
	(void)arg;
	_exit(33);
}
static void *spin(void *arg)
{
	for (;;)
		(*(volatile int *)arg)++;
	return NULL;
}

TEST(exit_group_ends_spinning_and_sleeping_threads)
{
	int status = IN_CHILD({
		static int counter;
		pthread_t thread;
		pthread_create(&thread, NULL, spin, &counter);
		pthread_create(&thread, NULL, spin, &counter);
		pthread_create(&thread, NULL, exit_process, NULL);
		for (;;)
			pause();
	});
	CHECK_EQ(WEXITSTATUS(status), 33);
}

static void *exec_true(void *arg)
{
	(void)arg;
	execl("/bin/sh", "sh", "-c", "exit 12", NULL);
	return NULL;
}

TEST(execve_by_a_thread_replaces_the_process)
{
	int status = IN_CHILD({
		pthread_t thread;
		pthread_create(&thread, NULL, exec_true, NULL);
		for (;;)
			pause();
	});
	CHECK_EQ(WEXITSTATUS(status), 12);
}

static void *tid_of(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)syscall(SYS_gettid);
}

TEST(threads_have_ids_of_their_own)
{
	pthread_t thread;
	void *tid;
	CHECK_EQ(pthread_create(&thread, NULL, tid_of, NULL), 0);
	CHECK_EQ(pthread_join(thread, &tid), 0);
	CHECK((pid_t)(intptr_t)tid != getpid());
	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), (pid_t)(intptr_t)tid, 0),
		    ESRCH);
}

static atomic_int got_signal;
static pthread_t signalled;
static void on_signal(int signo)
{
	(void)signo;
	got_signal = pthread_equal(pthread_self(), signalled) ? 1 : 2;
}
static void *wait_for_signal(void *arg)
{
	(void)arg;
	while (got_signal == 0)
		sched_yield();
	return NULL;
}

TEST(affinity_is_kept_and_wants_a_known_thread)
{
	cpu_set_t all, one;
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof all, &all) >= 8);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
	CHECK_EQ(sched_getaffinity(0, sizeof one, &one), 0);
	CHECK_EQ(CPU_COUNT(&one), 1);
	CPU_ZERO(&one);
	CHECK_ERRNO(sched_setaffinity(0, sizeof one, &one), EINVAL);
	CHECK_ERRNO(sched_getaffinity(0, 1, &one), EINVAL);
	CHECK_ERRNO(sched_getaffinity(-1, sizeof one, &one), ESRCH);
	CHECK_ERRNO(sched_setaffinity(-1, sizeof all, &all), ESRCH);
	CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
}

TEST(pthread_kill_reaches_the_thread)
{
	signal(SIGUSR1, on_signal);
	CHECK_EQ(pthread_create(&signalled, NULL, wait_for_signal, NULL), 0);
	CHECK_EQ(pthread_kill(signalled, SIGUSR1), 0);
	CHECK_EQ(pthread_join(signalled, NULL), 0);
	CHECK_EQ(got_signal, 1);
}

TEST(many_threads_come_and_go)
{
	for (int round = 0; round < 20; round++) {
		pthread_t threads[20];
		atomic_int total = 0;
		for (int i = 0; i < 20; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, tid_of,
						&total), 0);
		for (int i = 0; i < 20; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
}
