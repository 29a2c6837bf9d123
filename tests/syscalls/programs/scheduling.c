/* sched_*(2), ioprio_set(2), membarrier(2), kcmp(2), getcpu(2). */
#include "guest_test.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

TEST(scheduler_policies_are_kept)
{
	struct sched_param param = { .sched_priority = 0 };
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &param), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	param.sched_priority = 1;
	CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 77, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(-1, SCHED_FIFO, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0x3fffff, SCHED_FIFO, &param), ESRCH);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, NULL), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, (void *)-1), EFAULT);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_ERRNO(sched_get_priority_max(99), EINVAL);
}

TEST(reset_on_fork_resets_children)
{
	struct sched_param param = { .sched_priority = 0 };
	CHECK_EQ(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK,
				    &param),
		 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
	CHECK_EQ(IN_CHILD(_exit(sched_getscheduler(0))),
		 SCHED_BATCH << 8);
}

TEST(sched_attributes_are_read_and_set)
{
	struct attributes a;
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
	CHECK_EQ(a.size, sizeof a);
	CHECK_EQ(a.policy, SCHED_OTHER);
	CHECK_EQ(a.nice, 0);
	a.nice = 5;
	a.util_min = a.util_max = 0;
	CHECK_EQ(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &a, 8, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, NULL, sizeof a, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	a.size = 20;
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	CHECK_EQ(a.size, sizeof a);
}

TEST(io_priorities_are_kept)
{
	CHECK_EQ(syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 6), 0);
	CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), (2 << 13) | 6);
	CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 7 << 13), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_get, 1, 0x3fffff), ESRCH);
}

static volatile int stop;

static void *spin(void *arg)
{
	while (!stop)
		;
	return arg;
}

TEST(membarrier_is_answered_truthfully)
{
	int commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	CHECK(commands & MEMBARRIER_CMD_GLOBAL);
	CHECK(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0,
			    0),
		    EPERM);
	CHECK_EQ(syscall(SYS_membarrier,
			 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0),
		 0);
	pthread_t thread;
	pthread_create(&thread, NULL, spin, NULL);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(syscall(SYS_membarrier,
				 MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0),
			 0);
	CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
	stop = 1;
	pthread_join(thread, NULL);
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0),
		    EINVAL);
	CHECK_ERRNO(syscall(SYS_membarrier, 1 << 20, 0, 0), EINVAL);
}

#define KCMP(a, b, type, i, j) syscall(SYS_kcmp, a, b, type, i, j)

TEST(kcmp_tells_what_is_shared)
{
	int fd = dup(0), self = getpid();
	CHECK_EQ(KCMP(self, self, 1, 0, 0), 0);
	CHECK_EQ(KCMP(self, self, 0, 0, fd), 0);
	CHECK(KCMP(self, getppid(), 1, 0, 0) > 0);
	CHECK_ERRNO(KCMP(self, self, 0, 0, 999), EBADF);
	CHECK_ERRNO(KCMP(self, 0x3fffff, 1, 0, 0), ESRCH);
	CHECK_ERRNO(KCMP(self, self, 99, 0, 0), EINVAL);
}

TEST(affinity_is_checked)
{
	cpu_set_t set;
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof set, &set) > 0);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, sizeof set, (void *)-1),
		    EFAULT);
	CHECK_ERRNO(sched_getaffinity(0x3fffff, sizeof set, &set), ESRCH);
	CPU_ZERO(&set);
	CHECK_ERRNO(sched_setaffinity(0, sizeof set, &set), EINVAL);
	CPU_SET(0, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
	unsigned cpu = 9, node = 9;
	CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
	CHECK_EQ(cpu, 0);
	CHECK_EQ(node, 0);
	CHECK_ERRNO(syscall(SYS_getcpu, (void *)-1, NULL, NULL), EFAULT);
}
