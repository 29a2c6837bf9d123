/*
 * memory.c: the memory file, a sparse sealed memfd mapped once for life.
 */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096u

/*
 * A memory file of `size` bytes. It is sealed against resizing: stubs hold the
 * descriptor too, and one that shrank it would kill us with SIGBUS. Returns
 * NULL and sets *error to -errno on failure.
 */
HOST_EXPORT struct host_memory *host_memory_new(double size, int32_t *error)
{
	struct host_memory *memory = NULL;
	void *base;
	int fd = -1;

	*error = -EINVAL;
	if (!(size >= PAGE && size <= (double)(1ull << 46)))
		return NULL;
	fd = memfd_create("runsc-memory", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("runsc-memory",
				  MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		goto fail;
	memory = malloc(sizeof(*memory));
	if (memory == NULL)
		goto fail;
	memory->fd = fd;
	memory->size = (uint64_t)size & ~(uint64_t)(PAGE - 1);
	if (ftruncate(fd, (off_t)memory->size) < 0)
		goto fail;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	base = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		goto fail;
	memory->base = base;
	/* A core dump of the Sentry shall not hold the guest's memory. */
	madvise(base, memory->size, MADV_DONTDUMP);
	*error = 0;
	return memory;

fail:
	*error = -errno;
	free(memory);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* Precondition: nothing reads or writes the mapping any more. */
HOST_EXPORT void host_memory_free(struct host_memory *memory)
{
	munmap(memory->base, memory->size);
	close(memory->fd);
	free(memory);
}

HOST_EXPORT void *host_memory_base(struct host_memory *memory)
{
	return memory->base;
}

HOST_EXPORT int32_t host_memory_fd(struct host_memory *memory)
{
	return memory->fd;
}

/* Gives pages back to the host; the range reads as zero afterwards. */
HOST_EXPORT int32_t host_memory_punch(struct host_memory *memory,
				      double offset, double length)
{
	if (!host_range_ok(offset, length, memory->size))
		return -EINVAL;
	if (length == 0)
		return 0;
	return host_result(HOST_RETRY(
		fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)offset, (off_t)length)));
}

/*
 * Allocates the pages of a range and enters them into our page table. -ENOMEM
 * as the host reports it; a host before Linux 5.14 only allocates.
 */
HOST_EXPORT int32_t host_memory_populate(struct host_memory *memory,
					 double offset, double length)
{
	uint64_t first, end;
	int32_t result;

	if (!host_range_ok(offset, length, memory->size))
		return -EINVAL;
	first = (uint64_t)offset & ~(uint64_t)(PAGE - 1);
	end = ((uint64_t)offset + (uint64_t)length + PAGE - 1) &
	      ~(uint64_t)(PAGE - 1);
	if (first == end)
		return 0;
	result = host_result(HOST_RETRY(
		madvise(memory->base + first, end - first,
			MADV_POPULATE_WRITE)));
	if (result == -EINVAL)
		result = host_result(HOST_RETRY(
			fallocate(memory->fd, FALLOC_FL_KEEP_SIZE,
				  (off_t)first, (off_t)(end - first))));
	return result;
}

/*
 * Bytes of a range that have pages. The host counts those of the whole file;
 * elsewhere runs of pages are found by seeking, whose cost is that of the pages
 * there are (80 ns each) and not of the range. Nobody else uses the
 * descriptor's position.
 */
HOST_EXPORT double host_memory_resident(struct host_memory *memory,
					double offset, double length)
{
	off_t at, end;
	double total = 0;
	struct stat status;

	if (!host_range_ok(offset, length, memory->size))
		return -EINVAL;
	if (length == (double)memory->size) {
		/* Not fstat(3), which the filter knows as newfstatat(2). */
		if (syscall(SYS_fstat, memory->fd, &status) < 0)
			return -errno;
		return (double)status.st_blocks * 512;
	}
	at = (off_t)offset;
	end = at + (off_t)length;
	while (at < end) {
		off_t hole;

		at = lseek(memory->fd, at, SEEK_DATA);
		if (at < 0)
			return errno == ENXIO ? total : -errno;
		if (at >= end)
			break;
		hole = lseek(memory->fd, at, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		if (hole > end)
			hole = end;
		total += (double)(hole - at);
		at = hole;
	}
	return total;
}

HOST_EXPORT int32_t host_memory_copy(struct host_memory *memory, double to,
				     double from, double length)
{
	if (!host_range_ok(to, length, memory->size) ||
	    !host_range_ok(from, length, memory->size))
		return -EINVAL;
	memmove(memory->base + (uint64_t)to, memory->base + (uint64_t)from,
		(size_t)length);
	return 0;
}

HOST_EXPORT int32_t host_memory_zero(struct host_memory *memory, double offset,
				     double length)
{
	if (!host_range_ok(offset, length, memory->size))
		return -EINVAL;
	memset(memory->base + (uint64_t)offset, 0, (size_t)length);
	return 0;
}

/* Copies out of the file. `length` is that of the array behind `into`. */
HOST_EXPORT int32_t host_memory_read(struct host_memory *memory, double offset,
				     uint8_t *into, double length)
{
	if (!host_range_ok(offset, length, memory->size))
		return -EINVAL;
	memcpy(into, memory->base + (uint64_t)offset, (size_t)length);
	return 0;
}

HOST_EXPORT int32_t host_memory_write(struct host_memory *memory, double offset,
				      const uint8_t *from, double length)
{
	if (!host_range_ok(offset, length, memory->size))
		return -EINVAL;
	memcpy(memory->base + (uint64_t)offset, from, (size_t)length);
	return 0;
}
