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
#include "systrap_platform.h"

#define PAGE_BYTES 4096ul
#define ORDERS_BYTES \
	(ORDERS_FILE_FIRST + (size_t)STUBS_MAX * ORDERS_FILE_STRIDE)

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
	if (p->free_slots == NULL || p->free_stubs == NULL ||
	    p->guests == NULL || p->running == NULL)
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
	int orders_fd = -1, threads_fd = -1;
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
	rc = orders_fd = open_shared("runsc-orders", ORDERS_BYTES,
				     &p->orders_file);
	if (rc < 0)
		goto out;
	rc = threads_fd = open_shared("runsc-threads",
				      (size_t)p->slot_count * THREAD_BYTES,
				      &p->threads_file);
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
	rc = template_start(p, memory_fd, stub_fd, orders_fd, threads_fd);
out:
	if (orders_fd >= 0)
		close(orders_fd);
	if (threads_fd >= 0)
		close(threads_fd);
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
		free(p->stubs[i]);
	}
	free(p->stubs);
	free(p->busy);
	free(p->spaces);
	free(p->guests);
	free(p->running);
	free(p->free_slots);
	free(p->free_stubs);
	if (p->control != NULL)
		munmap(p->control, p->control_bytes);
	if (p->orders_file != NULL)
		munmap(p->orders_file, ORDERS_BYTES);
	if (p->threads_file != NULL)
		munmap(p->threads_file, (size_t)p->slot_count * THREAD_BYTES);
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
