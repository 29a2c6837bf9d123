/*
 * open.c: start and end of the platform, and the memory that it shares: with
 * the kernel the control region, with the stubs their request tables.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "host_calls.h"
#include "ptrace_platform.h"

#define PAGE_BYTES 4096ul
#define TABLES_BYTES ((size_t)STUBS_MAX * STUB_TABLE_BYTES)

static size_t page_round(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

static int open_tables(struct rsp_platform *p)
{
	int fd, rc;

	fd = memfd_create("runsc-requests", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)TABLES_BYTES) < 0)
		goto fail;
	p->tables = mmap(NULL, TABLES_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p->tables == MAP_FAILED)
		goto fail;
	p->free_slots = calloc(STUBS_MAX, sizeof *p->free_slots);
	p->used_slots = 1;	/* slot 0: the template's */
	if (p->free_slots == NULL) {
		close(fd);
		return -ENOMEM;
	}
	return fd;
fail:
	rc = -errno;
	p->tables = NULL;
	close(fd);
	return rc;
}

static uint64_t read_xcr0(void)
{
	uint32_t low, high;

	/* The host saves XSAVE areas for us, so the instruction exists. */
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static int open_control(struct rsp_platform *p, uint32_t max_contexts)
{
	size_t stride = page_round(RSP_CONTEXT_XSAVE + p->xsave_bytes);
	size_t offset = page_round(sizeof(struct rsp_control));
	uint64_t xcr0 = read_xcr0();
	void *region;

	p->control_bytes = offset + max_contexts * stride;
	region = mmap(NULL, p->control_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region == MAP_FAILED)
		return -errno;
	p->control = region;
	p->control->contextStride = (uint32_t)stride;
	p->control->contextsOffset = (uint32_t)offset;
	p->control->contextCount = max_contexts;
	p->control->xsaveBytes = (uint32_t)p->xsave_bytes;
	p->control->xcr0Low = (uint32_t)xcr0;
	p->control->xcr0High = (uint32_t)(xcr0 >> 32);
	p->guests = calloc(max_contexts, sizeof *p->guests);
	p->context_count = max_contexts;
	return p->guests == NULL ? -ENOMEM : 0;
}

int rsp_open(int memory_fd, int stub_fd, uint32_t max_contexts,
	     struct rsp_platform **out)
{
	struct rsp_platform *p;
	int table_fd, rc;

	*out = NULL;
	if (max_contexts == 0 || max_contexts > RSP_MAX_CONTEXTS)
		return -EINVAL;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	p->tgid = getpid();
	p->tid = (pid_t)syscall(SYS_gettid);
	rc = table_fd = open_tables(p);
	if (rc < 0)
		goto fail;
	placement_open(p);
	rc = template_start(p, memory_fd, stub_fd, table_fd);
	close(table_fd);
	if (rc < 0)
		goto fail;
	rc = open_control(p, max_contexts);
	if (rc < 0)
		goto fail;
	rc = sleep_open(p);
	if (rc < 0)
		goto fail;
	*out = p;
	return 0;
fail:
	rsp_close(p);
	return rc;
}

/* Kills every stub and reaps until none is left. */
static void end_stubs(struct rsp_platform *p)
{
	struct host_thread *t;
	uint32_t i;
	int status;
	long rc;

	if (p->group == 0)
		return;
	for (i = 0; i < p->threads.capacity; i++) {
		t = p->threads.slots[i];
		if (t == NULL)
			continue;
		if (t->stub != NULL)
			stub_kill(p, t->stub);
		else	/* its maker died before it could tell */
			thread_exit(p, t, STUB_EXIT_GROUP);
	}
	do
		rc = host_wait(p->group, &status, 0);
	while (rc > 0 || rc == -EINTR);
}

void rsp_close(struct rsp_platform *p)
{
	uint32_t i;

	end_stubs(p);
	placement_close(p);
	sleep_close(p);
	/* Stubs are reached through spaces, or through threads if released. */
	for (i = 0; i < p->threads.capacity; i++) {
		struct host_thread *t = p->threads.slots[i];
		if (t == NULL)
			continue;
		if (t->stub != NULL && t->stub != p->template &&
		    --t->stub->threads == 0 && t->stub->released)
			free(t->stub);
		free(t);
	}
	for (i = 0; i < p->space_capacity; i++)
		free(p->spaces[i]);
	free(p->template);
	free(p->threads.slots);
	free(p->spaces);
	free(p->guests);
	free(p->free_slots);
	if (p->control != NULL)
		munmap(p->control, p->control_bytes);
	if (p->tables != NULL)
		munmap(p->tables, TABLES_BYTES);
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
