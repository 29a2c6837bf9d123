/* mmap, munmap, mprotect, mremap, madvise, brk, msync, mincore, mlock, stacks,
 * and what they do across fork and threads. */
#include "guest_test.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* A file of `pages` pages, each filled with its number plus one. */
static int numbered_file(size_t pages)
{
	char page[PAGE];
	int fd = syscall(SYS_memfd_create, "numbered", 0);
	CHECK(fd >= 0);
	for (size_t i = 0; i < pages; i++) {
		memset(page, (int)i + 1, sizeof page);
		CHECK_EQ(write(fd, page, sizeof page), (long)sizeof page);
	}
	return fd;
}

static sigjmp_buf escape;
static volatile sig_atomic_t caught_signal, caught_code;
static void *volatile caught_addr;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	caught_signal = signo;
	caught_code = info->si_code;
	caught_addr = info->si_addr;
	siglongjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };
	CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
	CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
}

/* The signal that `access` raises, 0 if none. */
#define SIGNAL_OF(access)                                                 \
	({                                                                \
		caught_signal = 0;                                        \
		if (sigsetjmp(escape, 1) == 0) {                          \
			access;                                           \
		}                                                         \
		caught_signal;                                            \
	})
#define READ(p) ((void)*(volatile char *)(p))
#define WRITE(p, v) (*(volatile char *)(p) = (v))

TEST(anonymous_memory_is_zero)
{
	char *p = map(64, RW, ANON);
	for (size_t i = 0; i < 64 * PAGE; i += 512)
		CHECK_EQ(p[i], 0);
	memset(p, 0x5a, 64 * PAGE);
	CHECK_EQ(munmap(p, 64 * PAGE), 0);
	p = map(64, RW, ANON);
	for (size_t i = 0; i < 64 * PAGE; i += 8)
		CHECK_EQ(*(long *)(p + i), 0);
}

TEST(mmap_checks_its_arguments)
{
	int fd = numbered_file(2);
	CHECK_ERRNO((long)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 1), EINVAL);
	CHECK_ERRNO((long)mmap((void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0),
		    EINVAL);
	CHECK_ERRNO((long)mmap(NULL, ~0UL & ~(PAGE - 1), RW, ANON, -1, 0),
		    ENOMEM);
	CHECK_ERRNO((long)mmap((void *)(1UL << 47), PAGE, RW, ANON | MAP_FIXED,
			       -1, 0),
		    ENOMEM);
	int ends[2];
	CHECK_EQ(pipe(ends), 0);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0),
		    ENODEV);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[1], 0),
		    EACCES);
}

TEST(mmap_checks_the_access_mode)
{
	int fd = open("/bin/true", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
	char *q = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(memcmp(p, "\177ELF", 4), 0);
	q[0] = 1;
	CHECK_EQ(p[0], 0177);
}

TEST(map_fixed_replaces_and_noreplace_does_not)
{
	char *p = map(4, RW, ANON);
	memset(p, 7, 4 * PAGE);
	CHECK_ERRNO((long)mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE,
			       -1, 0),
		    EEXIST);
	CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE);
	CHECK_EQ(p[0], 7);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[2 * PAGE], 7);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	CHECK(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p);
}

TEST(a_hint_is_used_when_it_is_free)
{
	char *p = map(8, RW, ANON);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
	CHECK(mmap(p + PAGE, PAGE, RW, ANON, -1, 0) == p + PAGE);
	CHECK(mmap(p + PAGE, PAGE, RW, ANON, -1, 0) != p + PAGE);
}

TEST(map_32bit_is_below_2_gib)
{
	char *p = map(4, RW, ANON | MAP_32BIT);
	CHECK((unsigned long)p + 4 * PAGE <= 1UL << 31);
	void *hint = (void *)0x50000000;
	CHECK(mmap(hint, PAGE, RW, ANON | MAP_32BIT, -1, 0) == hint);
	hint = (void *)0x90000000;
	p = mmap(hint, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	CHECK((unsigned long)p + PAGE <= 1UL << 31);
}

TEST(munmap_in_the_middle_leaves_both_sides)
{
	catch_faults();
	char *p = map(3, RW, ANON);
	memset(p, 3, 3 * PAGE);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_EQ(p[0], 3);
	CHECK_EQ(p[2 * PAGE], 3);
	CHECK_EQ(SIGNAL_OF(READ(p + PAGE + 5)), SIGSEGV);
	CHECK_EQ(caught_code, SEGV_MAPERR);
	CHECK(caught_addr == p + PAGE + 5);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
}

TEST(mprotect_takes_rights_away_and_gives_them_back)
{
	catch_faults();
	char *p = map(3, RW, ANON);
	memset(p, 9, 3 * PAGE);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(SIGNAL_OF(WRITE(p + PAGE, 1)), SIGSEGV);
	CHECK_EQ(caught_code, SEGV_ACCERR);
	CHECK_EQ(p[PAGE], 9);
	CHECK_EQ(mprotect(p, 3 * PAGE, PROT_NONE), 0);
	CHECK_EQ(SIGNAL_OF(READ(p)), SIGSEGV);
	CHECK_EQ(caught_code, SEGV_ACCERR);
	CHECK_EQ(mprotect(p, 3 * PAGE, RW), 0);
	CHECK_EQ(p[PAGE], 9);
	WRITE(p + PAGE, 4);
	CHECK_ERRNO(mprotect(p + 1, PAGE, RW), EINVAL);
	CHECK_ERRNO(mprotect(p, PAGE, 0x40), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
	CHECK_EQ(SIGNAL_OF(WRITE(p, 1)), SIGSEGV);
	CHECK_EQ(SIGNAL_OF(WRITE(p + 2 * PAGE, 1)), 0);
}

TEST(a_reservation_becomes_usable_by_mprotect)
{
	catch_faults();
	size_t size = 1UL << 36;
	char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < 64 * PAGE; at += PAGE) {
		CHECK_EQ(mprotect(p + at, PAGE, RW), 0);
		CHECK_EQ(p[at], 0);
		p[at] = 1;
	}
	CHECK_EQ(SIGNAL_OF(READ(p + 64 * PAGE)), SIGSEGV);
	CHECK_EQ(mprotect(p + size / 2, 1 << 20, RW), 0);
	memset(p + size / 2, 2, 1 << 20);
	CHECK_EQ(munmap(p, size), 0);
}

TEST(a_giant_mapping_is_lazy)
{
	size_t size = 1UL << 38;
	char *p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < size; at += size / 16)
		p[at] = (char)(at >> 33);
	for (size_t at = 0; at < size; at += size / 16)
		CHECK_EQ(p[at], (char)(at >> 33));
	CHECK_EQ(p[PAGE * 5], 0);
	CHECK_EQ(munmap(p, size), 0);
}

TEST(code_can_be_made_and_run)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	catch_faults();
	char *p = map(1, RW, ANON);
	memcpy(p, code, sizeof code);
	int (*call)(void) = (int (*)(void))p;
	CHECK_EQ(SIGNAL_OF(call()), SIGSEGV);
	CHECK_EQ(caught_code, SEGV_ACCERR);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	CHECK_EQ(call(), 42);
	CHECK_EQ(mprotect(p, PAGE, RW | PROT_EXEC), 0);
	p[1] = 43;
	CHECK_EQ(call(), 43);
}

TEST(a_private_file_mapping_copies_on_write)
{
	int fd = numbered_file(8);
	char *p = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char *q = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(p[i * PAGE + 77], i + 1);
	p[3 * PAGE] = 99;
	CHECK_EQ(p[3 * PAGE + 1], 4);
	CHECK_EQ(q[3 * PAGE], 4);
	char byte;
	CHECK_EQ(pread(fd, &byte, 1, 3 * PAGE), 1);
	CHECK_EQ(byte, 4);
	char *r = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 5 * PAGE);
	CHECK_EQ(r[0], 6);
}

TEST(a_shared_file_mapping_is_the_file)
{
	int fd = numbered_file(4);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[PAGE] = 55;
	char byte;
	CHECK_EQ(pread(fd, &byte, 1, PAGE), 1);
	CHECK_EQ(byte, 55);
	byte = 66;
	CHECK_EQ(pwrite(fd, &byte, 1, 2 * PAGE), 1);
	CHECK_EQ(p[2 * PAGE], 66);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(msync(p, 4 * PAGE, MS_SYNC), 0);
	CHECK_EQ(p[3 * PAGE], 4);
}

TEST(pages_past_the_end_of_the_file_raise_sigbus)
{
	catch_faults();
	int fd = numbered_file(2);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK_EQ(SIGNAL_OF(READ(p + 2 * PAGE)), SIGBUS);
	CHECK_EQ(caught_code, BUS_ADRERR);
	CHECK_EQ(SIGNAL_OF(WRITE(q + 2 * PAGE, 1)), SIGBUS);
	q[PAGE] = 77;
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	CHECK_EQ(SIGNAL_OF(READ(p + PAGE)), SIGBUS);
	CHECK_EQ(SIGNAL_OF(READ(q + PAGE)), SIGBUS);
	CHECK_EQ(ftruncate(fd, 4 * PAGE), 0);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(q[PAGE], 0);
	CHECK_EQ(p[0], 1);
}

TEST(truncation_zeroes_the_rest_of_the_last_page)
{
	int fd = numbered_file(2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_EQ(ftruncate(fd, 100), 0);
	CHECK_EQ(p[99], 1);
	CHECK_EQ(p[100], 0);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	CHECK_EQ(p[100], 0);
	CHECK_EQ(p[PAGE], 0);
}

TEST(system_calls_see_faults_as_efault)
{
	char *p = map(3, RW, ANON);
	int ends[2];
	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(write(ends[1], p + PAGE, 10), 10);
	CHECK_ERRNO(read(ends[0], p + PAGE, 10), EFAULT);
	CHECK_ERRNO(write(ends[1], p + 2 * PAGE, 10), EFAULT);
	CHECK_ERRNO(syscall(SYS_write, ends[1], 16L, 10L), EFAULT);
	CHECK_ERRNO(syscall(SYS_write, ends[1], 1UL << 63, 10L), EFAULT);
	CHECK_ERRNO(pipe((int *)(p + PAGE)), EFAULT);
}

TEST(a_transfer_stops_where_memory_ends)
{
	char *p = map(2, RW, ANON);
	int fd = numbered_file(2);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_EQ(pread(fd, p + PAGE - 100, 300, 0), 100);
	CHECK_EQ(p[PAGE - 1], 1);
	CHECK_EQ(pwrite(fd, p + PAGE - 100, 300, 0), 100);
	struct iovec iov[2] = { { p, 10 }, { p + PAGE, 10 } };
	CHECK_EQ(preadv(fd, iov, 2, 0), 10);
}

TEST(fork_copies_private_memory_and_shares_shared)
{
	char *own = map(300, RW, ANON);
	char *common = map(300, RW, MAP_SHARED | MAP_ANONYMOUS);
	for (int i = 0; i < 300; i++)
		own[i * PAGE] = common[i * PAGE] = (char)i;
	int status = IN_CHILD({
		for (int i = 0; i < 300; i++) {
			CHECK_EQ(own[i * PAGE], (char)i);
			own[i * PAGE] = 1;
			common[i * PAGE]++;
		}
		for (int i = 0; i < 300; i++)
			CHECK_EQ(own[i * PAGE], 1);
	});
	CHECK_EQ(status, 0);
	for (int i = 0; i < 300; i++) {
		CHECK_EQ(own[i * PAGE], (char)i);
		CHECK_EQ(common[i * PAGE], (char)(i + 1));
		own[i * PAGE] = 3;
	}
	for (int i = 0; i < 300; i++)
		CHECK_EQ(own[i * PAGE], 3);
}

TEST(a_parent_writes_while_its_child_looks)
{
	char *own = map(64, RW, ANON);
	int go[2], done[2];
	char byte = 0;
	CHECK_EQ(pipe(go) | pipe(done), 0);
	memset(own, 1, 64 * PAGE);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_EQ(read(go[0], &byte, 1), 1);
		for (size_t i = 0; i < 64 * PAGE; i += 100)
			CHECK_EQ(own[i], 1);
		_exit(0);
	}
	memset(own, 2, 64 * PAGE);
	/* By the kernel too: it must not write into the shared page. */
	CHECK_EQ(write(go[1], &byte, 1), 1);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(the_kernel_writes_to_the_right_copy)
{
	char *own = map(4, RW, ANON);
	int fd = numbered_file(4);
	memset(own, 9, 4 * PAGE);
	int status = IN_CHILD({
		CHECK_EQ(pread(fd, own, 4 * PAGE, 0), 4 * (long)PAGE);
		for (int i = 0; i < 4; i++)
			CHECK_EQ(own[i * PAGE + 9], i + 1);
	});
	CHECK_EQ(status, 0);
	for (size_t i = 0; i < 4 * PAGE; i += 64)
		CHECK_EQ(own[i], 9);
}

TEST(many_generations_keep_their_memory)
{
	char *own = map(16, RW, ANON);
	memset(own, 0, 16 * PAGE);
	for (int depth = 1; depth <= 12; depth++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid > 0) {
			int status;
			CHECK_EQ(waitpid(pid, &status, 0), pid);
			CHECK_EQ(status, 0);
			for (int i = 0; i < 16; i++)
				CHECK_EQ(own[i * PAGE],
					 i < depth ? i : 0);
			_exit(0);
		}
		own[depth * PAGE] = (char)depth;
	}
}

TEST(madvise_decides_what_a_child_gets)
{
	catch_faults();
	char *p = map(3, RW, ANON);
	memset(p, 5, 3 * PAGE);
	CHECK_EQ(madvise(p, PAGE, MADV_DONTFORK), 0);
	CHECK_EQ(madvise(p + PAGE, PAGE, MADV_WIPEONFORK), 0);
	int status = IN_CHILD({
		CHECK_EQ(SIGNAL_OF(READ(p)), SIGSEGV);
		CHECK_EQ(p[PAGE], 0);
		CHECK_EQ(p[2 * PAGE], 5);
	});
	CHECK_EQ(status, 0);
	CHECK_EQ(p[0], 5);
	CHECK_EQ(p[PAGE], 5);
}

TEST(madv_dontneed_forgets)
{
	int fd = numbered_file(2);
	char *p = map(40, RW, ANON);
	char *q = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	memset(p, 5, 40 * PAGE);
	q[PAGE] = 88;
	CHECK_EQ(madvise(p + PAGE, 30 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(madvise(q, 2 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 5);
	for (int i = 1; i < 31; i++)
		CHECK_EQ(p[i * PAGE], 0);
	CHECK_EQ(p[31 * PAGE], 5);
	CHECK_EQ(q[PAGE], 2);
	p[PAGE] = 6;
	CHECK_EQ(p[PAGE], 6);
	/* Copy-on-write pages too. */
	int status = IN_CHILD({
		CHECK_EQ(madvise(p, 40 * PAGE, MADV_DONTNEED), 0);
		for (int i = 0; i < 40; i++)
			CHECK_EQ(p[i * PAGE], 0);
		memset(p, 1, 40 * PAGE);
	});
	CHECK_EQ(status, 0);
	CHECK_EQ(p[0], 5);
	CHECK_EQ(p[PAGE], 6);
}

TEST(madvise_checks_its_arguments)
{
	char *p = map(3, RW, ANON);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, 12345), EINVAL);
	CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
	p[0] = p[2 * PAGE] = 1;
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[2 * PAGE], 0);
	CHECK_ERRNO(madvise(p, PAGE, MADV_REMOVE), EINVAL);
}

TEST(madv_remove_makes_a_hole)
{
	char *p = map(4, RW, MAP_SHARED | MAP_ANONYMOUS);
	memset(p, 1, 4 * PAGE);
	CHECK_EQ(madvise(p + PAGE, PAGE, MADV_REMOVE), 0);
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[2 * PAGE], 1);
	int fd = numbered_file(4);
	char *q = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_EQ(q[PAGE], 2);
	CHECK_EQ(madvise(q + PAGE, PAGE, MADV_REMOVE), 0);
	CHECK_EQ(q[PAGE], 0);
	CHECK_EQ(q[2 * PAGE], 3);
	char byte;
	CHECK_EQ(pread(fd, &byte, 1, PAGE), 1);
	CHECK_EQ(byte, 0);
}

TEST(madv_populate_brings_pages_in)
{
	char *p = map(64, RW, ANON);
	if (madvise(p, 64 * PAGE, MADV_POPULATE_WRITE) != 0) {
		CHECK_EQ(errno, EINVAL);
		return;
	}
	unsigned char in[64];
	CHECK_EQ(mincore(p, 64 * PAGE, in), 0);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(in[i] & 1, 1);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_ERRNO(madvise(p, PAGE, MADV_POPULATE_WRITE), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(madvise(p, 2 * PAGE, MADV_POPULATE_READ), ENOMEM);
}

TEST(mremap_shrinks_and_grows)
{
	catch_faults();
	char *p = map(21, RW, ANON);
	CHECK_EQ(munmap(p + 10 * PAGE, 11 * PAGE), 0);
	for (int i = 0; i < 10; i++)
		p[i * PAGE] = (char)i;
	CHECK(mremap(p, 10 * PAGE, 5 * PAGE, 0) == p);
	CHECK_EQ(SIGNAL_OF(READ(p + 5 * PAGE)), SIGSEGV);
	CHECK(mremap(p, 5 * PAGE, 20 * PAGE, 0) == p);
	CHECK_EQ(p[4 * PAGE], 4);
	CHECK_EQ(p[5 * PAGE], 0);
	p[19 * PAGE] = 1;
	CHECK(mmap(p + 20 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0) !=
	      MAP_FAILED);
	CHECK_ERRNO((long)mremap(p, 20 * PAGE, 21 * PAGE, 0), ENOMEM);
	char *q = mremap(p, 20 * PAGE, 400 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(q[i * PAGE], i);
	CHECK_EQ(q[19 * PAGE], 1);
	CHECK_EQ(q[399 * PAGE], 0);
	CHECK_EQ(SIGNAL_OF(READ(p)), SIGSEGV);
}

TEST(mremap_moves_to_a_fixed_place)
{
	catch_faults();
	char *p = map(4, RW, ANON);
	char *room = map(8, RW, ANON);
	memset(room, 9, 8 * PAGE);
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = (char)(i + 1);
	CHECK(mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     room + 2 * PAGE) == room + 2 * PAGE);
	CHECK_EQ(room[PAGE], 9);
	CHECK_EQ(room[2 * PAGE], 1);
	CHECK_EQ(room[5 * PAGE], 4);
	CHECK_EQ(room[6 * PAGE], 9);
	CHECK_EQ(SIGNAL_OF(READ(p)), SIGSEGV);
	CHECK_ERRNO((long)mremap(room, 4 * PAGE, 4 * PAGE,
				 MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE),
		    EINVAL);
	CHECK_ERRNO((long)mremap(room, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	CHECK_ERRNO((long)mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERRNO((long)mremap(room, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
}

TEST(mremap_moves_pages_shared_since_fork)
{
	char *p = map(8, RW, ANON);
	memset(p, 6, 8 * PAGE);
	char *wall = mmap(p + 8 * PAGE, PAGE, PROT_NONE, ANON, -1, 0);
	(void)wall;
	int status = IN_CHILD({
		char *q = mremap(p, 8 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
		CHECK(q != MAP_FAILED);
		CHECK_EQ(q[7 * PAGE], 6);
		memset(q, 7, 64 * PAGE);
	});
	CHECK_EQ(status, 0);
	CHECK_EQ(p[0], 6);
	CHECK_EQ(p[7 * PAGE], 6);
}

TEST(mremap_of_size_zero_doubles_a_shared_mapping)
{
	char *p = map(4, RW, MAP_SHARED | MAP_ANONYMOUS);
	p[PAGE] = 1;
	char *q = mremap(p, 0, 4 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	CHECK_EQ(q[PAGE], 1);
	q[2 * PAGE] = 2;
	CHECK_EQ(p[2 * PAGE], 2);
	char *own = map(4, RW, ANON);
	CHECK_ERRNO((long)mremap(own, 0, 4 * PAGE, MREMAP_MAYMOVE), EINVAL);
}

TEST(mremap_dontunmap_leaves_an_empty_mapping)
{
	char *p = map(4, RW, ANON);
	memset(p, 3, 4 * PAGE);
	char *q = mremap(p, 4 * PAGE, 4 * PAGE,
			 MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	if (q == MAP_FAILED) {
		CHECK_EQ(errno, EINVAL);
		return;
	}
	CHECK(q != p);
	CHECK_EQ(q[PAGE], 3);
	CHECK_EQ(p[PAGE], 0);
	p[PAGE] = 1;
	CHECK_EQ(q[PAGE], 3);
}

TEST(brk_moves_the_heap)
{
	char *start = sbrk(0);
	CHECK(sbrk(100 * PAGE) == start);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(start[i * PAGE], 0);
	memset(start, 1, 100 * PAGE);
	CHECK(sbrk(-50 * (long)PAGE) == start + 100 * PAGE);
	CHECK_EQ(start[49 * PAGE], 1);
	CHECK(sbrk(50 * PAGE) == start + 50 * PAGE);
	CHECK_EQ(start[60 * PAGE], 0);
	CHECK_EQ(syscall(SYS_brk, 0), (long)sbrk(0));
	CHECK_EQ(syscall(SYS_brk, 1L << 60), (long)sbrk(0));
}

static int recurse(int depth)
{
	volatile char page[PAGE];
	page[0] = (char)depth;
	if (depth == 0)
		return 0;
	return recurse(depth - 1) + 1 + (page[0] != (char)depth);
}

TEST(the_stack_grows)
{
	CHECK_EQ(recurse(1500), 1500);
}

TEST(the_stack_grows_up_to_its_limit)
{
	char alternate[16384];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
	CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
	CHECK_EQ(SIGNAL_OF(recurse(1000)), SIGSEGV);
	CHECK_EQ(recurse(100), 100);
}

TEST(a_growsdown_mapping_grows)
{
	catch_faults();
	char *room = map(1024, PROT_NONE, ANON);
	CHECK_EQ(munmap(room, 1024 * PAGE), 0);
	char *p = mmap(room + 1000 * PAGE, PAGE, RW,
		       ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(SIGNAL_OF(WRITE(p - 1, 1)), 0);
	CHECK_EQ(SIGNAL_OF(WRITE(p - 5 * PAGE, 1)), 0);
}

TEST(rlimit_as_bounds_mmap)
{
	struct rlimit limit = { 1UL << 30, 1UL << 30 };
	CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	CHECK_ERRNO((long)mmap(NULL, 2UL << 30, RW, ANON, -1, 0), ENOMEM);
	CHECK(mmap(NULL, 100UL << 20, RW, ANON, -1, 0) != MAP_FAILED);
}

TEST(mlock_counts_against_its_limit)
{
	struct rlimit limit = { 16 * PAGE, 16 * PAGE };
	char *p = map(64, RW, ANON);
	CHECK_EQ(mlock(p, 8 * PAGE), 0);
	CHECK_EQ(munlock(p, 8 * PAGE), 0);
	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (geteuid() != 0) {
		CHECK_EQ(mlock(p, 16 * PAGE), 0);
		CHECK_ERRNO(mlock(p, 32 * PAGE), ENOMEM);
	}
	CHECK_EQ(munlockall(), 0);
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlock2(p, PAGE, 8), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(mlock(p, 3 * PAGE), ENOMEM);
}

TEST(locked_memory_cannot_be_dropped)
{
	char *p = map(2, RW, ANON);
	p[0] = 1;
	CHECK_EQ(mlock(p, PAGE), 0);
	CHECK_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_EQ(p[0], 1);
	CHECK_ERRNO(msync(p, PAGE, MS_INVALIDATE), EBUSY);
	CHECK_EQ(munlock(p, PAGE), 0);
	CHECK_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
}

TEST(msync_checks_its_arguments)
{
	char *p = map(3, RW, ANON);
	CHECK_EQ(msync(p, 3 * PAGE, MS_ASYNC), 0);
	CHECK_ERRNO(msync(p, PAGE, MS_ASYNC | MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 64), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
}

TEST(mincore_knows_what_was_touched)
{
	unsigned char in[64];
	char *p = map(64, RW, ANON);
	p[0] = p[20 * PAGE] = p[63 * PAGE] = 1;
	CHECK_EQ(mincore(p, 64 * PAGE, in), 0);
	CHECK_EQ(in[0] & in[20] & in[63] & 1, 1);
	CHECK_EQ((in[1] | in[19] | in[21] | in[40] | in[62]) & 1, 0);
}

TEST(mincore_checks_its_arguments)
{
	unsigned char in[4];
	char *p = map(3, RW, ANON);
	memset(p, 1, 3 * PAGE);
	CHECK_EQ(mincore(p, 3 * PAGE, in), 0);
	CHECK_EQ(in[0] & in[1] & in[2] & 1, 1);
	CHECK_ERRNO(mincore(p + 1, PAGE, in), EINVAL);
	CHECK_ERRNO(mincore(p, PAGE, (void *)16), EFAULT);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(mincore(p, 3 * PAGE, in), ENOMEM);
}

static void *write_pages(void *argument)
{
	char *p = argument;
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < 64; i++)
			p[i * PAGE]++;
	return NULL;
}

TEST(threads_fault_in_the_same_memory)
{
	pthread_t threads[4];
	char *p = map(4 * 64, RW, ANON);
	memset(p, 1, 4 * 64 * PAGE);
	/* Everything is copy-on-write while the child lives. */
	int hold[2];
	char byte;
	CHECK_EQ(pipe(hold), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(hold[1]);
		(void)!read(hold[0], &byte, 1);
		for (int i = 0; i < 4 * 64; i++)
			CHECK_EQ(p[i * PAGE], 1);
		_exit(0);
	}
	close(hold[0]);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, write_pages,
					p + i * 64 * PAGE),
			 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	close(hold[1]);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	for (int i = 0; i < 4 * 64; i++)
		CHECK_EQ(p[i * PAGE], 21);
}

static void *churn(void *argument)
{
	long seed = (long)argument;
	for (int round = 0; round < 200; round++) {
		size_t pages = 1 + (size_t)((seed * 31 + round * 7) % 40);
		char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);
		if (p == MAP_FAILED)
			return (void *)1;
		for (size_t i = 0; i < pages; i++) {
			if (p[i * PAGE] != 0)
				return (void *)2;
			p[i * PAGE] = (char)seed;
		}
		for (size_t i = 0; i < pages; i++)
			if (p[i * PAGE] != (char)seed)
				return (void *)3;
		if (munmap(p, pages * PAGE) != 0)
			return (void *)4;
	}
	return NULL;
}

TEST(threads_map_and_unmap_at_once)
{
	pthread_t threads[4];
	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, churn,
					(void *)(i + 1)),
			 0);
	for (int i = 0; i < 4; i++) {
		void *result;
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, 0);
	}
}

TEST(process_vm_calls_copy_between_processes)
{
	char *p = map(4, RW, ANON);
	char buffer[PAGE];
	int ready[2], hold[2];
	char byte = 0;
	CHECK_EQ(pipe(ready) | pipe(hold), 0);
	pid_t pid = fork();
	if (pid == 0) {
		memset(p, 42, 4 * PAGE);
		CHECK_EQ(write(ready[1], &byte, 1), 1);
		CHECK_EQ(read(hold[0], &byte, 1), 1);
		CHECK_EQ(p[PAGE], 17);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	struct iovec local = { buffer, sizeof buffer };
	struct iovec remote[2] = { { p + 100, 1000 },
				   { p + PAGE, 2 * PAGE } };
	CHECK_EQ(process_vm_readv(pid, &local, 1, remote, 2, 0), (long)PAGE);
	CHECK_EQ(buffer[0], 42);
	CHECK_EQ(buffer[PAGE - 1], 42);
	CHECK_EQ(p[100], 0);
	memset(buffer, 17, sizeof buffer);
	CHECK_EQ(process_vm_writev(pid, &local, 1, remote, 2, 0), (long)PAGE);
	CHECK_ERRNO(process_vm_readv(pid, &local, 1, remote, 2, 1), EINVAL);
	struct iovec bad = { (void *)16, 10 };
	CHECK_ERRNO(process_vm_readv(pid, &local, 1, &bad, 1, 0), EFAULT);
	CHECK_EQ(write(hold[1], &byte, 1), 1);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_ERRNO(process_vm_readv(pid, &local, 1, remote, 2, 0), ESRCH);
}

TEST(an_exec_frees_everything)
{
	char *p = map(1024, RW, ANON);
	memset(p, 1, 1024 * PAGE);
	for (int i = 0; i < 8; i++) {
		int status = IN_CHILD({
			p[i * PAGE] = 2;
			execl("/bin/true", "true", NULL);
			_exit(9);
		});
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(p[0], 1);
}
