/*
 * open.c: start and end of the platform, and the memory that it shares: with
 * the kernel the control region, with the stubs orders and thread slots.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "patches.h"

#define PAGE_BYTES 4096ul
#define ORDERS_BYTES \
	(ORDERS_FILE_FIRST + (size_t)STUBS_MAX * ORDERS_FILE_STRIDE)

#define PATCHES_BYTES ((size_t)PATCH_BLOCKS * PATCH_BLOCK_PAGES * PAGE_BYTES)

static size_t page_round(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/* A shared file and a window on all of it; the descriptor or -errno. */
static int open_shared(const char *name, size_t bytes, uint8_t **window)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	void *map;
	int rc;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) == 0) {
		map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_NORESERVE, fd, 0);
		if (map != MAP_FAILED) {
			*window = map;
			return fd;
		}
	}
	rc = -errno;
	close(fd);
	return rc;
}

static int open_files(struct rsp_platform *p, struct shared_fds *fds)
{
	fds->orders = open_shared("runsc-orders", ORDERS_BYTES,
				  &p->orders_file);
	if (fds->orders < 0)
		return fds->orders;
	fds->threads = open_shared("runsc-threads",
				   (size_t)p->slot_count * THREAD_BYTES,
				   &p->threads_file);
	if (fds->threads < 0)
		return fds->threads;
	fds->patches = open_shared("runsc-patches", PATCHES_BYTES,
				   &p->patch_file);
	return fds->patches < 0 ? fds->patches : 0;
}

/* The CPUs that we, and hence guests, may run on. */
static void read_cpus(struct rsp_platform *p)
{
	cpu_set_t cpus;

	_Static_assert(sizeof cpus == CPU_MASK_BYTES, "a mask of the C library");
	CPU_ZERO(&cpus);
	if (sched_getaffinity(0, sizeof cpus, &cpus) < 0)
		CPU_SET(0, &cpus);
	memcpy(p->board->cpus, &cpus, sizeof cpus);
	p->cpus = (uint32_t)CPU_COUNT(&cpus);
}

static int open_tables(struct rsp_platform *p, uint32_t max_contexts)
{
	p->context_count = max_contexts;
	p->slot_count = max_contexts + SPARE_SLOTS;
	p->free_slots = calloc(p->slot_count, sizeof *p->free_slots);
	p->free_stubs = calloc(STUBS_MAX, sizeof *p->free_stubs);
	p->guests = calloc(max_contexts, sizeof *p->guests);
	p->running = calloc(max_contexts, sizeof *p->running);
	p->free_blocks = calloc(PATCH_BLOCKS, sizeof *p->free_blocks);
	if (p->free_slots == NULL || p->free_stubs == NULL ||
	    p->guests == NULL || p->running == NULL || p->free_blocks == NULL)
		return -ENOMEM;
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->event_fd < 0 ? -errno : 0;
}

static int open_control(struct rsp_platform *p)
{
	size_t stride = page_round(RSP_CONTEXT_XSAVE + p->xsave_bytes);
	size_t offset = page_round(sizeof(struct rsp_control));
	void *region;

	p->control_bytes = offset + p->context_count * stride;
	region = mmap(NULL, p->control_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region == MAP_FAILED)
		return -errno;
	p->control = region;
	p->control->contextStride = (uint32_t)stride;
	p->control->contextsOffset = (uint32_t)offset;
	p->control->contextCount = p->context_count;
	p->control->xsaveBytes = p->xsave_bytes;
	p->control->xcr0Low = (uint32_t)p->features;
	p->control->xcr0High = (uint32_t)(p->features >> 32);
	return 0;
}

int rsp_open(int memory_fd, int stub_fd, uint32_t max_contexts,
	     struct rsp_platform **out)
{
	struct shared_fds fds = { -1, -1, -1 };
	struct rsp_platform *p;
	int rc;

	*out = NULL;
	if (max_contexts == 0 || max_contexts > RSP_MAX_CONTEXTS)
		return -EINVAL;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	p->event_fd = -1;
	rc = open_tables(p, max_contexts);
	if (rc < 0)
		goto out;
	rc = open_files(p, &fds);
	if (rc < 0)
		goto out;
	p->board = (void *)p->orders_file;
	p->board->sentry = (uint32_t)getpid();
	read_cpus(p);
	p->pace.contended = 1;	/* long over: the first look begins */
	rc = fpu_open(p);
	if (rc < 0)
		goto out;
	rc = open_control(p);
	if (rc < 0)
		goto out;
	p->memory_fd = memory_fd;
	p->patching = true;
	rc = template_start(p, memory_fd, stub_fd, &fds);
out:
	if (fds.orders >= 0)
		close(fds.orders);
	if (fds.threads >= 0)
		close(fds.threads);
	if (fds.patches >= 0)
		close(fds.patches);
	if (rc < 0)
		rsp_close(p);
	else
		*out = p;
	return rc < 0 ? rc : 0;
}

void rsp_close(struct rsp_platform *p)
{
	uint32_t i;

	for (i = 0; i < p->stub_count; i++)
		stub_kill(p, p->stubs[i]);
	reaper_stop(p);
	for (i = 0; i < p->stub_count; i++) {
		threads_free(p, p->stubs[i]);
		patches_free(p, p->stubs[i]);
		free(p->stubs[i]);
	}
	free(p->stubs);
	free(p->busy);
	free(p->spaces);
	free(p->guests);
	free(p->running);
	free(p->free_slots);
	free(p->free_stubs);
	free(p->free_blocks);
	if (p->control != NULL)
		munmap(p->control, p->control_bytes);
	if (p->orders_file != NULL)
		munmap(p->orders_file, ORDERS_BYTES);
	if (p->threads_file != NULL)
		munmap(p->threads_file, (size_t)p->slot_count * THREAD_BYTES);
	if (p->patch_file != NULL)
		munmap(p->patch_file, PATCHES_BYTES);
	if (p->event_fd >= 0)
		close(p->event_fd);
	free(p);
}

void *rsp_control_region(struct rsp_platform *p)
{
	return p->control;
}

double rsp_control_bytes(struct rsp_platform *p)
{
	return (double)p->control_bytes;
}

void systrap_set_patching(struct rsp_platform *p, int enabled)
{
	p->patching = enabled != 0;
}

void systrap_counters(struct rsp_platform *p, double counters[3])
{
	counters[0] = (double)p->calls_jumped;
	counters[1] = (double)p->calls_signalled;
	counters[2] = (double)p->sites_patched;
}
