/*
 * Maps a page of time parameters and the vDSO behind it, as the kernel does,
 * and prints what its functions say:
 *
 *   read_vdso PAGE IMAGE  ->  tsc-before mono real boot tod-sec tod-usec time
 *                             tsc-after   (clocks as sec.nsec)
 *
 * Symbols are found the way a libc does it: by the dynamic section.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGE 4096
#define IMAGE_MAX (2 * PAGE)

static char *base;

static void load(const char *path, char *to, size_t max)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, to, max);

	if (length <= 0) {
		perror(path);
		exit(2);
	}
	close(fd);
}

static void *symbol(const char *name)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(base + header->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *symbols = NULL;
	const char *strings = NULL;
	const unsigned *hash = NULL;

	for (int i = 0; i < header->e_phnum; i++)
		if (phdr[i].p_type == PT_DYNAMIC)
			dyn = (const Elf64_Dyn *)(base + phdr[i].p_offset);
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			symbols = (const Elf64_Sym *)(base + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_STRTAB)
			strings = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_HASH)
			hash = (const unsigned *)(base + dyn->d_un.d_ptr);
	}
	for (unsigned i = 0; hash && i < hash[1]; i++)
		if (strcmp(strings + symbols[i].st_name, name) == 0)
			return base + symbols[i].st_value;
	fprintf(stderr, "no symbol %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	int (*gettime)(int, struct timespec *);
	int (*tod)(struct timeval *, struct timezone *);
	int (*getres)(int, struct timespec *);
	long (*get_time)(long *);
	long (*getcpu)(unsigned *, unsigned *, void *);
	struct timespec mono, real, boot, res;
	struct timezone zone = { 7, 7 };
	struct timeval tv;
	unsigned cpu = -1u, node = -1u;
	unsigned long long before, after;
	long now;
	char *page;

	if (argc != 3)
		return 2;
	page = mmap(NULL, PAGE + IMAGE_MAX, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return 2;
	base = page + PAGE;
	load(argv[1], page, PAGE);
	load(argv[2], base, IMAGE_MAX);
	if (mprotect(page, PAGE, PROT_READ) ||
	    mprotect(base, IMAGE_MAX, PROT_READ | PROT_EXEC))
		return 2;
	gettime = symbol("__vdso_clock_gettime");
	tod = symbol("__vdso_gettimeofday");
	get_time = symbol("__vdso_time");
	getres = symbol("__vdso_clock_getres");
	getcpu = symbol("__vdso_getcpu");
	if ((void *)gettime != symbol("clock_gettime") ||
	    (void *)getcpu != symbol("getcpu"))
		return 3;

	before = __rdtsc();
	if (gettime(CLOCK_MONOTONIC, &mono) || gettime(CLOCK_REALTIME, &real) ||
	    gettime(CLOCK_BOOTTIME, &boot) || tod(&tv, &zone))
		return 4;
	now = get_time(NULL);
	after = __rdtsc();

	/* What the page does not answer must come from the kernel. */
	if (gettime(CLOCK_PROCESS_CPUTIME_ID, &res) || res.tv_sec != 0 ||
	    gettime(9999, &res) != -22)
		return 5;
	if (getres(CLOCK_MONOTONIC, &res) || getcpu(&cpu, &node, NULL))
		return 6;
	if (cpu >= (unsigned)sysconf(_SC_NPROCESSORS_CONF) || zone.tz_dsttime)
		return 7;
	if (tod(NULL, NULL))
		return 8;
	printf("%llu %ld.%09ld %ld.%09ld %ld.%09ld %ld %ld %ld %llu\n", before,
	       (long)mono.tv_sec, mono.tv_nsec, (long)real.tv_sec, real.tv_nsec,
	       (long)boot.tv_sec, boot.tv_nsec, (long)tv.tv_sec,
	       (long)tv.tv_usec, now, after);
	return 0;
}
