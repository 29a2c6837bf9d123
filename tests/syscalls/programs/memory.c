/* mmap, mprotect, mremap, brk, fork copies, shared memory, faults. */
#include "guest_test.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define PAGE 4096

static sigjmp_buf escape;
static volatile int fault_signal, fault_code;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = signo;
	fault_code = info->si_code;
	siglongjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
	CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
}

/* The signal that the access raises, 0 for none. */
#define FAULT_OF(access)                                                  \
	({                                                                \
		fault_signal = 0;                                         \
		if (sigsetjmp(escape, 1) == 0) {                          \
			access;                                           \
		}                                                         \
		fault_signal;                                             \
	})

static char *map(size_t pages, int prot)
{
	char *at = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static int temporary(size_t bytes)
{
	char name[] = "/tmp/guest_memory_XXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(ftruncate(fd, bytes), 0);
	return fd;
}

TEST(anonymous_memory_is_zero_and_writable)
{
	char *at = map(100, PROT_READ | PROT_WRITE);
	for (int i = 0; i < 100 * PAGE; i++)
		CHECK_EQ(at[i], 0);
	memset(at, 0x5a, 100 * PAGE);
	CHECK_EQ(at[99 * PAGE], 0x5a);
	CHECK_EQ(munmap(at, 100 * PAGE), 0);
}

TEST(mmap_errors)
{
	CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0),
		    EBADF);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0),
		    EINVAL);
	CHECK_ERRNO((long)mmap((void *)123, PAGE, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		    EINVAL);
	int fd = open("/dev/null", O_WRONLY);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0),
		    EACCES);
	CHECK_ERRNO(munmap((void *)1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(NULL, 0), EINVAL);
}

TEST(map_fixed_noreplace_refuses_what_is_taken)
{
	char *at = map(2, PROT_READ);
	CHECK_ERRNO((long)mmap(at, PAGE, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS |
				       MAP_FIXED_NOREPLACE,
			       -1, 0), EEXIST);
}

TEST(mprotect_takes_and_gives_rights)
{
	catch_faults();
	char *at = map(3, PROT_READ | PROT_WRITE);
	at[PAGE] = 1;
	CHECK_EQ(mprotect(at + PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(FAULT_OF((void)*(volatile char *)(at + PAGE)), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_EQ(FAULT_OF(at[0] = 1), 0);
	CHECK_EQ(FAULT_OF(at[2 * PAGE] = 1), 0);
	CHECK_EQ(mprotect(at + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(at[PAGE], 1);
	CHECK_EQ(FAULT_OF(at[PAGE] = 2), SIGSEGV);
	CHECK_EQ(mprotect(at, 3 * PAGE, PROT_READ | PROT_WRITE), 0);
	at[PAGE] = 3;
	CHECK_EQ(at[PAGE], 3);
	CHECK_ERRNO(mprotect(at + 1, PAGE, PROT_READ), EINVAL);
	CHECK_EQ(munmap(at + PAGE, PAGE), 0);
	CHECK_ERRNO(mprotect(at, 3 * PAGE, PROT_READ), ENOMEM);
}

TEST(fork_copies_on_write)
{
	char *at = map(64, PROT_READ | PROT_WRITE);
	memset(at, 'p', 64 * PAGE);
	int status = IN_CHILD({
		for (int i = 0; i < 64; i++)
			CHECK_EQ(at[i * PAGE], 'p');
		memset(at + 10 * PAGE, 'c', 20 * PAGE);
		CHECK_EQ(WEXITSTATUS(IN_CHILD({
				 CHECK_EQ(at[11 * PAGE], 'c');
				 CHECK_EQ(at[0], 'p');
				 at[0] = 'g';
				 _exit(6);
			 })), 6);
		CHECK_EQ(at[0], 'p');
	});
	CHECK_EQ(status, 0);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(at[i * PAGE], 'p');
}

TEST(shared_anonymous_memory_is_shared_over_fork)
{
	volatile int *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK((void *)at != MAP_FAILED);
	CHECK_EQ(IN_CHILD(at[1024] = 99), 0);
	CHECK_EQ(at[1024], 99);
}

TEST(shared_file_mappings_see_writes_and_are_seen)
{
	int fd = temporary(2 * PAGE);
	char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	CHECK_EQ(pwrite(fd, "hello", 5, PAGE), 5);
	CHECK(memcmp(at + PAGE, "hello", 5) == 0);
	memcpy(at, "world", 5);
	char back[5];
	CHECK_EQ(pread(fd, back, 5, 0), 5);
	CHECK(memcmp(back, "world", 5) == 0);
	CHECK_EQ(msync(at, 2 * PAGE, MS_SYNC), 0);
}

TEST(private_file_mappings_keep_their_changes)
{
	int fd = temporary(PAGE);
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(at != MAP_FAILED);
	at[0] = 'x';
	char back = 1;
	CHECK_EQ(pread(fd, &back, 1, 0), 1);
	CHECK_EQ(back, 0);
}

TEST(access_behind_the_end_of_a_file_is_sigbus)
{
	catch_faults();
	int fd = temporary(PAGE);
	char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	CHECK_EQ(FAULT_OF(at[PAGE] = 1), SIGBUS);
	CHECK_EQ(fault_code, BUS_ADRERR);
	at[0] = 1;
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(FAULT_OF((void)*(volatile char *)at), SIGBUS);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	CHECK_EQ(at[0], 0);
}

TEST(mremap_grows_moves_and_shrinks)
{
	char *at = map(2, PROT_READ | PROT_WRITE);
	memset(at, 'm', 2 * PAGE);
	char *big = mremap(at, 2 * PAGE, 300 * PAGE, MREMAP_MAYMOVE);
	CHECK(big != MAP_FAILED);
	CHECK_EQ(big[2 * PAGE - 1], 'm');
	CHECK_EQ(big[299 * PAGE], 0);
	CHECK(mremap(big, 300 * PAGE, PAGE, 0) == big);
	catch_faults();
	CHECK_EQ(FAULT_OF((void)*(volatile char *)(big + PAGE)), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	char *place = map(4, PROT_NONE);
	CHECK(mremap(big, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) ==
	      place);
	CHECK_EQ(place[0], 'm');
	CHECK_ERRNO((long)mremap(place + 1, PAGE, PAGE, 0), EINVAL);
}

TEST(madvise_dontneed_gives_zero_pages)
{
	char *at = map(4, PROT_READ | PROT_WRITE);
	memset(at, 1, 4 * PAGE);
	CHECK_EQ(madvise(at + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(at[0], 1);
	CHECK_EQ(at[PAGE], 0);
	CHECK_EQ(at[3 * PAGE], 1);
	CHECK_ERRNO(madvise(at + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(at, PAGE, 9999), EINVAL);
}

TEST(brk_grows_and_shrinks)
{
	char *old = sbrk(0);
	CHECK(old != (char *)-1);
	CHECK_EQ(brk(old + 1000 * PAGE), 0);
	memset(old, 3, 1000 * PAGE);
	CHECK_EQ(brk(old), 0);
	CHECK_EQ(brk(old + PAGE), 0);
	CHECK_EQ(old[PAGE / 2], 0);
	CHECK(sbrk(0) == old + PAGE);
}

static int deep(int depth)
{
	volatile char frame[PAGE];
	frame[0] = (char)depth;
	return depth == 0 ? frame[0] : deep(depth - 1) + (frame[0] & 0);
}

TEST(the_stack_grows)
{
	CHECK_EQ(deep(1000), 0);
}

TEST(the_stack_stops_at_its_limit)
{
	int status = IN_CHILD({
		struct rlimit limit = { 512 * 1024, 512 * 1024 };
		CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
		_exit(deep(100000));
	});
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

TEST(address_space_limit_is_enomem)
{
	int status = IN_CHILD({
		struct rlimit limit = { 64 << 20, 64 << 20 };
		CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
		CHECK_ERRNO((long)mmap(NULL, 128 << 20, PROT_READ,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			    ENOMEM);
	});
	CHECK_EQ(status, 0);
}

TEST(huge_reservations_are_cheap)
{
	char *at = mmap(NULL, 1ul << 40, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(at != MAP_FAILED);
	CHECK_EQ(mprotect(at + (1ul << 39), PAGE, PROT_READ | PROT_WRITE), 0);
	at[1ul << 39] = 5;
	CHECK_EQ(at[1ul << 39], 5);
	char *wide = mmap(NULL, 8ul << 30, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(wide != MAP_FAILED);
	wide[7ul << 30] = 6;
	CHECK_EQ(wide[7ul << 30], 6);
	CHECK_EQ(wide[3ul << 30], 0);
}

TEST(system_calls_see_unmapped_memory_as_efault)
{
	char *at = map(2, PROT_READ | PROT_WRITE);
	CHECK_EQ(munmap(at + PAGE, PAGE), 0);
	int ends[2];
	CHECK_EQ(pipe(ends), 0);
	CHECK_ERRNO(write(ends[1], at + PAGE, 10), EFAULT);
	CHECK_EQ(write(ends[1], at + PAGE - 5, 5), 5);
	CHECK_ERRNO(read(ends[0], at + PAGE, 5), EFAULT);
	CHECK_EQ(mprotect(at, PAGE, PROT_READ), 0);
	CHECK_ERRNO(pipe((int *)at), EFAULT);
	struct iovec vectors[2] = { { at, 1 }, { at + PAGE, 1 } };
	CHECK_EQ(writev(ends[1], vectors, 1), 1);
	CHECK_ERRNO(writev(ends[1], vectors, -1), EINVAL);
}

TEST(executable_memory_runs)
{
	unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };
	char *at = map(1, PROT_READ | PROT_WRITE);
	memcpy(at, code, sizeof code);
	CHECK_EQ(mprotect(at, PAGE, PROT_READ | PROT_EXEC), 0);
	CHECK_EQ(((int (*)(void))at)(), 42);
	catch_faults();
	char *data = map(1, PROT_READ | PROT_WRITE);
	memcpy(data, code, sizeof code);
	CHECK_EQ(FAULT_OF(((int (*)(void))data)()), SIGSEGV);
}

TEST(mincore_tells_touched_pages)
{
	unsigned char resident[4];
	char *at = map(4, PROT_READ | PROT_WRITE);
	memset(at, 1, 4 * PAGE);
	CHECK_EQ(mincore(at, 4 * PAGE, resident), 0);
	CHECK_EQ(resident[0] & 1, 1);
	CHECK_ERRNO(mincore(at + 1, PAGE, resident), EINVAL);
	CHECK_EQ(munmap(at, PAGE), 0);
	CHECK_ERRNO(mincore(at, PAGE, resident), ENOMEM);
}

TEST(memfd_is_a_file_with_seals)
{
	int fd = memfd_create("guest", MFD_ALLOW_SEALING);
	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	at[0] = 'f';
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_EQ(munmap(at, PAGE), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK_ERRNO(ftruncate(fd, 0), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK);
}
