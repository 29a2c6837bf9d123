/* futex(2): the less usual operations, and futex_waitv(2). */
#include "guest_test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static long futex(void *uaddr, int op, unsigned val, void *timeout,
		  void *uaddr2, unsigned val3)
{
	return syscall(SYS_futex, uaddr, op, val, timeout, uaddr2, val3);
}

static int gettid_(void)
{
	return syscall(SYS_gettid);
}

static unsigned word, other;

TEST(futex_checks_its_arguments)
{
	struct timespec bad = { 0, 1000000000 };
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex((char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL, 0),
		    EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(NULL, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL,
			  NULL, 0),
		    ENOSYS);
	CHECK_ERRNO(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE, 1, NULL, &other, 7),
		    EAGAIN);
}

TEST(wake_op_changes_the_second_word)
{
	other = 5;
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP, 1, NULL, &other,
		       FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)),
		 0);
	CHECK_EQ(other, 8);
	futex(&word, FUTEX_WAKE_OP, 1, NULL, &other,
	      FUTEX_OP(FUTEX_OP_ANDN, 8, FUTEX_OP_CMP_GT, 0));
	CHECK_EQ(other, 0);
	futex(&word, FUTEX_WAKE_OP, 1, NULL, &other,
	      FUTEX_OP((FUTEX_OP_OPARG_SHIFT | FUTEX_OP_OR), 4,
		       FUTEX_OP_CMP_EQ, 0));
	CHECK_EQ(other, 16);
}

TEST(pi_locks_hold_the_owner)
{
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, gettid_());
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, 0);
	CHECK_ERRNO(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	word = 0x3ffffff0;
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
}

static void *take_and_release(void *arg)
{
	int *tid = arg;
	*tid = gettid_();
	if (futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0))
		return "lock";
	if ((word & FUTEX_TID_MASK) != (unsigned)*tid)
		return "word";
	return futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) ? "unlock" : NULL;
}

TEST(pi_locks_are_handed_over)
{
	pthread_t threads[3];
	int tids[3];
	void *result;
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_and_release, &tids[i]);
	while (!(*(volatile unsigned *)&word & FUTEX_WAITERS))
		usleep(1000);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &result);
		CHECK(result == NULL);
	}
	CHECK_EQ(word & FUTEX_TID_MASK, 0);
}

TEST(pi_lock_times_out)
{
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	unsigned *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*shared = gettid_();
	CHECK_EQ(IN_CHILD(struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
			  if (futex(shared, FUTEX_LOCK_PI, 0, &now, NULL, 0) !=
				      -1 ||
			      errno != ETIMEDOUT) _exit(1);
			  if (futex(shared, FUTEX_TRYLOCK_PI, 0, NULL, NULL,
				    0) != -1 ||
			      errno != EAGAIN) _exit(2)),
		 0);
}

TEST(a_dead_owner_hands_over)
{
	unsigned *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int go[2];
	char byte;
	CHECK_EQ(pipe(go), 0);
	pid_t pid = fork();
	if (pid == 0) {
		futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
		if (write(go[1], "x", 1) != 1)
			_exit(1);
		while (!(*(volatile unsigned *)shared & FUTEX_WAITERS))
			usleep(1000);
		_exit(0);
	}
	CHECK_EQ(read(go[0], &byte, 1), 1);
	CHECK_EQ(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(*shared & FUTEX_TID_MASK, gettid_());
	CHECK_EQ(*shared & FUTEX_OWNER_DIED, FUTEX_OWNER_DIED);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(pi_mutexes_of_the_library_work)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT), 0);
	CHECK_EQ(pthread_mutex_init(&mutex, &attr), 0);
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

static void *wait_requeue(void *arg)
{
	(void)arg;
	if (futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &other, 0))
		return "wait";
	if ((other & FUTEX_TID_MASK) != (unsigned)gettid_())
		return "owner";
	return futex(&other, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) ? "unlock" : NULL;
}

TEST(requeue_pi_gives_the_lock)
{
	pthread_t threads[2];
	void *result;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, wait_requeue, NULL);
	int moved = 0;
	while (moved < 2) {
		long n = futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)9, &other,
			       0);
		CHECK(n >= 0);
		moved += n;
		usleep(1000);
	}
	CHECK_EQ(moved, 2);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &result);
		CHECK(result == NULL);
	}
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, (void *)9, &other, 0),
		    EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &word, 0),
		    EINVAL);
}

struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static struct waitv vector[2];

static void *wait_vector(void *arg)
{
	(void)arg;
	return (void *)syscall(SYS_futex_waitv, vector, 2, 0, NULL, 0);
}

TEST(waitv_tells_which_word)
{
	vector[0] = (struct waitv){ 0, (uintptr_t)&word, 2 | 128, 0 };
	vector[1] = (struct waitv){ 0, (uintptr_t)&other, 2 | 128, 0 };
	pthread_t thread;
	void *result;
	pthread_create(&thread, NULL, wait_vector, NULL);
	while (futex(&other, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL,
		     0) == 0)
		usleep(1000);
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 1);
	vector[1].val = 1;
	CHECK_ERRNO(syscall(SYS_futex_waitv, vector, 2, 0, NULL, 0), EAGAIN);
	CHECK_ERRNO(syscall(SYS_futex_waitv, vector, 0, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_futex_waitv, vector, 129, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_futex_waitv, vector, 2, 1, NULL, 0), EINVAL);
	vector[0].reserved = 1;
	CHECK_ERRNO(syscall(SYS_futex_waitv, vector, 2, 0, NULL, 0), EINVAL);
	vector[0].reserved = 0;
	vector[1].val = 0;
	struct timespec past = { 0, 1 };
	CHECK_ERRNO(syscall(SYS_futex_waitv, vector, 2, 0, &past,
			    CLOCK_MONOTONIC),
		    ETIMEDOUT);
}

TEST(a_killed_waiter_takes_no_wakeup)
{
	unsigned *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t first = fork();
	if (first == 0) {
		shared[1] = 1;
		futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(1);
	}
	while (!*(volatile unsigned *)&shared[1])
		usleep(1000);
	usleep(20000);
	kill(first, SIGKILL);
	CHECK_EQ(waitpid(first, NULL, 0), first);
	CHECK_EQ(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}
