/* semget(2), shmget(2), msgget(2) and their kin, as on Linux. */
#include "guest_test.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static key_t some_key(void)
{
	return (key_t)(0x52530000u | (getpid() & 0xffff));
}

/* Waits until `condition` holds in another process, without a clock. */
#define EVENTUALLY(condition)                                             \
	do {                                                              \
		while (!(condition))                                      \
			usleep(1000);                                     \
	} while (0)

TEST(semget_finds_by_key_and_checks)
{
	key_t key = some_key();
	CHECK_ERRNO(semget(key, 1, 0600), ENOENT);
	CHECK_ERRNO(semget(key, 0, IPC_CREAT | 0600), EINVAL);
	CHECK_ERRNO(semget(key, -1, IPC_CREAT | 0600), EINVAL);
	int id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
	CHECK(id >= 0);
	CHECK_EQ(semget(key, 2, 0600), id);
	CHECK_EQ(semget(key, 0, 0600), id);
	CHECK_ERRNO(semget(key, 4, 0600), EINVAL);
	CHECK_ERRNO(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	struct semid_ds ds;
	CHECK_EQ(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }), 0);
	CHECK_EQ(ds.sem_nsems, 3);
	CHECK_EQ(ds.sem_perm.mode, 0600);
	CHECK_EQ(ds.sem_perm.__key, key);
	CHECK_EQ(ds.sem_otime, 0);
	CHECK(ds.sem_ctime > 0);
	CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
	CHECK_ERRNO(semctl(id, 0, GETVAL), EINVAL);
}

TEST(semctl_reads_and_sets_values)
{
	int id = semget(IPC_PRIVATE, 3, 0600);
	unsigned short values[3] = { 1, 2, 3 }, back[3];
	CHECK_EQ(semctl(id, 0, SETALL, (union semun){ .array = values }), 0);
	CHECK_EQ(semctl(id, 0, GETALL, (union semun){ .array = back }), 0);
	CHECK_EQ(memcmp(values, back, sizeof back), 0);
	CHECK_EQ(semctl(id, 1, GETVAL), 2);
	CHECK_EQ(semctl(id, 1, SETVAL, (union semun){ .val = 9 }), 0);
	CHECK_EQ(semctl(id, 1, GETVAL), 9);
	CHECK_EQ(semctl(id, 1, GETPID), getpid());
	CHECK_ERRNO(semctl(id, 3, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, -1, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){ .val = -1 }), ERANGE);
	CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){ .val = 32768 }),
		    ERANGE);
	CHECK_ERRNO(semctl(id, 0, 99), EINVAL);
	CHECK_ERRNO(semctl(id, 0, IPC_STAT, (union semun){ .buf = (void *)-1 }),
		    EFAULT);
	struct seminfo info;
	CHECK(semctl(id, 0, SEM_INFO, (union semun){ .info = &info }) >= 0);
	CHECK(info.semusz >= 1 && info.semaem >= 3);
	semctl(id, 0, IPC_RMID);
}

TEST(semop_takes_effect_all_or_none)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf up = { 0, 1, 0 }, both[2] = { { 0, -1, IPC_NOWAIT },
						    { 1, -1, IPC_NOWAIT } };
	CHECK_EQ(semop(id, &up, 1), 0);
	CHECK_ERRNO(semop(id, both, 2), EAGAIN);
	CHECK_EQ(semctl(id, 0, GETVAL), 1);
	struct sembuf far = { 2, 1, 0 }, much = { 0, 32767, 0 };
	CHECK_ERRNO(semop(id, &far, 1), EFBIG);
	CHECK_ERRNO(semop(id, &much, 1), ERANGE);
	CHECK_ERRNO(semop(id, &up, 0), EINVAL);
	CHECK_ERRNO(semop(id, &up, 501), E2BIG);
	CHECK_ERRNO(semop(id, (void *)-1, 1), EFAULT);
	CHECK_ERRNO(semop(-1, &up, 1), EINVAL);
	struct sembuf zero = { 1, 0, 0 };
	CHECK_EQ(semop(id, &zero, 1), 0);
	struct timespec shortly = { 0, 1000000 };
	struct sembuf down = { 1, -1, 0 };
	CHECK_ERRNO(semtimedop(id, &down, 1, &shortly), EAGAIN);
	semctl(id, 0, IPC_RMID);
}

TEST(semop_waits_and_is_counted)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf up = { 0, 1, 0 }, down = { 0, -1, 0 }, zero = { 0, 0, 0 };
	pid_t pid = fork();
	if (pid == 0)
		_exit(semop(id, &down, 1) == 0 ? 0 : 1);
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	CHECK_EQ(semctl(id, 0, GETZCNT), 0);
	CHECK_EQ(semop(id, &up, 1), 0);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(semctl(id, 0, GETVAL), 0);
	CHECK_EQ(semctl(id, 0, GETPID), pid);
	semop(id, &up, 1);
	pid = fork();
	if (pid == 0)
		_exit(semop(id, &zero, 1) == -1 && errno == EIDRM ? 0 : 1);
	EVENTUALLY(semctl(id, 0, GETZCNT) == 1);
	CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(a_killed_waiter_is_not_counted)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf down = { 0, -1, 0 };
	pid_t pid = fork();
	if (pid == 0)
		_exit(semop(id, &down, 1));
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(semctl(id, 0, GETNCNT), 0);
	semctl(id, 0, IPC_RMID);
}

TEST(sem_undo_is_applied_at_exit)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	semctl(id, 0, SETVAL, (union semun){ .val = 5 });
	struct sembuf down = { 0, -3, SEM_UNDO };
	CHECK_EQ(IN_CHILD(if (semop(id, &down, 1)) _exit(1);
			  if (semctl(id, 0, GETVAL) != 2) _exit(2)),
		 0);
	CHECK_EQ(semctl(id, 0, GETVAL), 5);
	semctl(id, 0, IPC_RMID);
}

static void on_signal(int signo)
{
	(void)signo;
}

TEST(semop_is_never_restarted)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sigaction act = { .sa_handler = on_signal,
				 .sa_flags = SA_RESTART };
	sigaction(SIGUSR1, &act, NULL);
	pid_t pid = fork();
	struct sembuf down = { 0, -1, 0 };
	if (pid == 0)
		_exit(semop(id, &down, 1) == -1 && errno == EINTR ? 0 : 1);
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	kill(pid, SIGUSR1);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	semctl(id, 0, IPC_RMID);
}

TEST(shm_is_shared_and_counted)
{
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(shmget(some_key(), 4096, 0600), ENOENT);
	int id = shmget(IPC_PRIVATE, 5000, 0640);
	CHECK(id >= 0);
	int *at = shmat(id, NULL, 0);
	CHECK(at != (void *)-1);
	at[0] = 1;
	CHECK_EQ(IN_CHILD(at[0] = 42), 0);
	CHECK_EQ(at[0], 42);
	struct shmid_ds ds;
	CHECK_EQ(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.shm_segsz, 5000);
	CHECK_EQ(ds.shm_nattch, 1);
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_EQ(ds.shm_perm.mode, 0640);
	int *again = shmat(id, NULL, SHM_RDONLY);
	CHECK_EQ(again[0], 42);
	CHECK_ERRNO(mprotect(again, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK_EQ(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.shm_nattch, 2);
	CHECK_EQ(shmdt(again), 0);
	CHECK_ERRNO(shmdt(again), EINVAL);
	CHECK_ERRNO(shmdt((char *)at + 1), EINVAL);
	/* Marked, it lives until the last detach. */
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.shm_perm.mode & 01000, 01000);
	CHECK_EQ(at[0], 42);
	CHECK_EQ(shmdt(at), 0);
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
}

TEST(shmat_checks_its_address)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	char *page = mmap(NULL, 16384, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	CHECK(shmat(id, page + 1, 0) == (void *)-1 && errno == EINVAL);
	CHECK(shmat(id, page, 0) == (void *)-1 && errno == EINVAL);
	CHECK(shmat(id, NULL, SHM_REMAP) == (void *)-1 && errno == EINVAL);
	CHECK(shmat(id, page + 100, SHM_RND | SHM_REMAP) == page);
	page[0] = 1;
	CHECK_EQ(shmdt(page), 0);
	CHECK(shmat(-1, NULL, 0) == (void *)-1 && errno == EINVAL);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(an_exit_detaches)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	CHECK_EQ(IN_CHILD(if (shmat(id, NULL, 0) == (void *)-1) _exit(1)), 0);
	struct shmid_ds ds;
	CHECK_EQ(shmctl(id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.shm_nattch, 0);
	CHECK(ds.shm_dtime > 0);
	struct shminfo limits;
	CHECK(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) >= 0);
	CHECK_EQ(limits.shmmin, 1);
	CHECK_EQ(shmctl(id, SHM_LOCK, NULL), 0);
	CHECK_EQ(shmctl(id, SHM_UNLOCK, NULL), 0);
	CHECK_ERRNO(shmctl(id, 77, NULL), EINVAL);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
}

struct message {
	long type;
	char text[16];
};

TEST(messages_are_chosen_by_type)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct message m = { 3, "three" };
	CHECK_EQ(msgsnd(id, &m, 5, 0), 0);
	m = (struct message){ 1, "one" };
	CHECK_EQ(msgsnd(id, &m, 3, 0), 0);
	m = (struct message){ 2, "two" };
	CHECK_EQ(msgsnd(id, &m, 3, 0), 0);
	struct msqid_ds ds;
	CHECK_EQ(msgctl(id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.msg_qnum, 3);
	CHECK_EQ(ds.__msg_cbytes, 11);
	CHECK_EQ(ds.msg_lspid, getpid());
	CHECK_EQ(msgrcv(id, &m, 16, 2, 0), 3);
	CHECK_EQ(memcmp(m.text, "two", 3), 0);
	CHECK_EQ(msgrcv(id, &m, 16, -2, 0), 3);
	CHECK_EQ(m.type, 1);
	CHECK_ERRNO(msgrcv(id, &m, 16, 3, IPC_NOWAIT | MSG_EXCEPT), ENOMSG);
	CHECK_ERRNO(msgrcv(id, &m, 2, 0, 0), E2BIG);
	CHECK_EQ(msgrcv(id, &m, 2, 0, MSG_NOERROR), 2);
	CHECK_ERRNO(msgrcv(id, &m, 16, 0, IPC_NOWAIT), ENOMSG);
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
}

TEST(msgsnd_and_msgget_check)
{
	CHECK_ERRNO(msgget(some_key(), 0600), ENOENT);
	int id = msgget(some_key(), IPC_CREAT | IPC_EXCL | 0600);
	CHECK_ERRNO(msgget(some_key(), IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	struct message m = { 0, "" };
	CHECK_ERRNO(msgsnd(id, &m, 1, 0), EINVAL);
	m.type = 1;
	CHECK_ERRNO(msgsnd(id, &m, 8193, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, &m, -1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(-1, &m, 1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, NULL, 1, 0), EFAULT);
	CHECK_ERRNO(msgrcv(id, &m, -1, 0, 0), EINVAL);
	CHECK_ERRNO(msgctl(id, 99, NULL), EINVAL);
	CHECK_ERRNO(msgctl(id, IPC_STAT, (void *)-1), EFAULT);
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_ERRNO(msgsnd(id, &m, 1, 0), EINVAL);
}

TEST(a_full_queue_blocks_and_removal_wakes)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct {
		long type;
		char text[8192];
	} big = { 1, "" };
	CHECK_EQ(msgsnd(id, &big, 8192, 0), 0);
	CHECK_EQ(msgsnd(id, &big, 8192, 0), 0);
	CHECK_ERRNO(msgsnd(id, &big, 1, IPC_NOWAIT), EAGAIN);
	int ready[2];
	CHECK_EQ(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (write(ready[1], "x", 1) != 1)
			_exit(2);
		_exit(msgsnd(id, &big, 1, 0) == -1 &&
			      (errno == EIDRM || errno == EINVAL)
			      ? 0
			      : 1);
	}
	char byte;
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	usleep(20000);
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(access_follows_mode_and_owner)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	CHECK(id >= 0);
	CHECK_EQ(IN_CHILD(
			 if (setgid(65534) || setuid(65534)) _exit(9);
			 if (semctl(id, 0, GETVAL) != -1 || errno != EACCES)
				 _exit(1);
			 if (semctl(id, 0, IPC_RMID) != -1 || errno != EPERM)
				 _exit(2);
			 if (semctl(id, 0, SETVAL, 1) != -1 || errno != EACCES)
				 _exit(3)),
		 0);
	struct semid_ds ds;
	CHECK_EQ(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }), 0);
	ds.sem_perm.uid = 65534;
	ds.sem_perm.mode = 0400;
	CHECK_EQ(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }), 0);
	CHECK_EQ(IN_CHILD(
			 if (setgid(65534) || setuid(65534)) _exit(9);
			 if (semctl(id, 0, GETVAL) != 0) _exit(1);
			 if (semctl(id, 0, SETVAL, 1) != -1 || errno != EACCES)
				 _exit(3);
			 if (semctl(id, 0, IPC_RMID)) _exit(2)),
		 0);
}
