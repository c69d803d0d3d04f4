// SPDX-License-Identifier: GPL-2.0-only
/* Calls that fail when they are told to: see heap_fail_inject.h. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/privheap.h>
#include <privheap/region.h>

#include "heap_fail_inject.h"
#include "win32_selftest.h"

struct inject inject;

/* Of the library, and hidden in it: lib/src/region.h. */
void region_set_denied(unsigned int level);

void refuse(unsigned int which, int error, unsigned long nth, bool on)
{
	inject.which = which;
	inject.error = error;
	inject.nth = nth;
	inject.on = on;
	inject.calls = 0;
	inject.injected = 0;
	SetLastError(STALE);
	errno = STALE_ERRNO;
}

void refuse_nothing(void)
{
	inject.nth = 0;
	inject.most = 0;
}

static bool injected(enum call call)
{
	inject.seen[call]++;
	if (!(inject.which >> call & 1))
		return false;
	inject.calls++;
	if (!inject.nth || (inject.on ? inject.calls < inject.nth :
					inject.calls != inject.nth))
		return false;
	inject.injected++;
	errno = inject.error;
	return true;
}

static bool too_long(size_t length)
{
	if (!inject.most || length <= inject.most)
		return false;
	errno = ENOMEM;
	return true;
}

/* A quota is one of a level, which the calling thread can ask for. */
static bool injected_denial(enum call call)
{
	if (!injected(call))
		return false;
	if (inject.error == EDQUOT)
		region_set_denied(PRIVHEAP_LEVEL_PROCESS);
	return true;
}

void *__real_privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags);
void *__wrap_privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags);
int __real_privheap_region_grow(void *base, size_t commit, unsigned int flags);
int __wrap_privheap_region_grow(void *base, size_t commit, unsigned int flags);
int __real_privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags);
int __wrap_privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags);
int __real_privheap_region_decommit(void *base, size_t offset, size_t length);
int __wrap_privheap_region_decommit(void *base, size_t offset, size_t length);
int __real_privheap_region_destroy(void *base);
int __wrap_privheap_region_destroy(void *base);
int __real_privheap_region_query(void *base, struct privheap_region_info *info);
int __wrap_privheap_region_query(void *base, struct privheap_region_info *info);
void *__real_mmap(void *address, size_t length, int prot, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *address, size_t length, int prot, int flags, int fd,
		  off_t offset);
int __real_mprotect(void *address, size_t length, int prot);
int __wrap_mprotect(void *address, size_t length, int prot);
int __real_madvise(void *address, size_t length, int advice);
int __wrap_madvise(void *address, size_t length, int advice);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, ...);

void *__wrap_privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags)
{
	if (injected_denial(REGION_CREATE) || too_long(reserve))
		return NULL;
	return __real_privheap_region_create(reserve, commit, limit, flags);
}

int __wrap_privheap_region_grow(void *base, size_t commit, unsigned int flags)
{
	if (injected_denial(REGION_GROW))
		return -1;
	return __real_privheap_region_grow(base, commit, flags);
}

int __wrap_privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags)
{
	if (injected_denial(REGION_COMMIT))
		return -1;
	return __real_privheap_region_commit(base, offset, length, flags);
}

static uint64_t committed(void *base)
{
	struct privheap_region_info info;

	return __real_privheap_region_query(base, &info) ? 0 : info.committed;
}

/*
 * What the module does when somebody has pinned the first page of the range:
 * it becomes zero and stays, if it was committed, and the others go.
 */
static int decommit_but_first(void *base, size_t offset, size_t length)
{
	uint64_t before = committed(base);
	size_t page = sysconf(_SC_PAGESIZE);
	bool stays;

	if (__real_privheap_region_decommit(base, offset, page))
		return -1;
	stays = committed(base) < before;
	if (stays && __real_privheap_region_commit(base, offset, page, 0))
		return -1;
	if (length > page &&
	    __real_privheap_region_decommit(base, offset + page, length - page))
		return -1;
	if (!stays)
		return 0;
	errno = EBUSY;
	return -1;
}

int __wrap_privheap_region_decommit(void *base, size_t offset, size_t length)
{
	if (injected(REGION_DECOMMIT))
		return inject.error == EBUSY ?
		       decommit_but_first(base, offset, length) : -1;
	return __real_privheap_region_decommit(base, offset, length);
}

int __wrap_privheap_region_destroy(void *base)
{
	if (injected(REGION_DESTROY))
		return -1;
	return __real_privheap_region_destroy(base);
}

int __wrap_privheap_region_query(void *base, struct privheap_region_info *info)
{
	if (injected(REGION_QUERY))
		return -1;
	return __real_privheap_region_query(base, info);
}

void *__wrap_mmap(void *address, size_t length, int prot, int flags, int fd,
		  off_t offset)
{
	if (injected(SYSTEM_MMAP) || too_long(length))
		return MAP_FAILED;
	return __real_mmap(address, length, prot, flags, fd, offset);
}

/* Taking access away cannot be refused for want of memory on a whole mapping. */
int __wrap_mprotect(void *address, size_t length, int prot)
{
	if (prot != PROT_NONE && injected(SYSTEM_MPROTECT))
		return -1;
	return __real_mprotect(address, length, prot);
}

/* Taking pages can fail for want of memory, other advice hardly ever. */
int __wrap_madvise(void *address, size_t length, int advice)
{
	if (injected(advice == MADV_POPULATE_WRITE ? SYSTEM_POPULATE :
						     SYSTEM_ADVICE))
		return -1;
	return __real_madvise(address, length, advice);
}

/* The calls of the module that may be refused. */
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if ((request == PRIVHEAP_IOC_CREATE || request == PRIVHEAP_IOC_GROW ||
	     request == PRIVHEAP_IOC_COMMIT ||
	     request == PRIVHEAP_IOC_DECOMMIT) && injected(SYSTEM_IOCTL))
		return -1;
	return __real_ioctl(fd, request, arg);
}

