// SPDX-License-Identifier: GPL-2.0-only
/*
 * libprivheap-malloc.so with an account of what it does, to use real programs as
 * load:
 *
 *   LD_PRELOAD=./malloc_shim.so PRIVHEAP_SHIM_REPORT=FILE program
 *
 * PRIVHEAP_SHIM_FAIL_NTH=N makes the Nth allocation fail, and no other.
 *
 * All of lib/preload is in it, and the linker has its functions for blocks called
 * by way of these (--wrap). A block that has another size than it was given ends
 * the program. At exit a line of counters is added to FILE.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "preload.h"

void *__real_memory_get(size_t size, DWORD flags);
void *__real_memory_get_aligned(size_t align, size_t size);
void *__real_memory_resize(void *pointer, size_t size);
void __real_memory_put(void *pointer);
void *__wrap_memory_get(size_t size, DWORD flags);
void *__wrap_memory_get_aligned(size_t align, size_t size);
void *__wrap_memory_resize(void *pointer, size_t size);
void __wrap_memory_put(void *pointer);

static struct {
	atomic_size_t calls;		/* allocations served by the heap */
	atomic_size_t bytes;		/* that they asked for */
	atomic_size_t live;		/* blocks in the heap */
	atomic_size_t early;		/* allocations before there was a heap */
} shim_count;

/* The process has blocks of its parent's, too: their number is not known. */
static bool shim_inherits;

static void shim_in_child(void)
{
	shim_inherits = true;
}

__attribute__((constructor)) static void shim_start(void)
{
	pthread_atfork(NULL, NULL, shim_in_child);
}

static void shim_add(atomic_size_t *counter, size_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static _Noreturn void shim_die(const char *what, const void *pointer)
{
	char line[128];
	int length;

	length = snprintf(line, sizeof(line), "malloc_shim: %s: %p, error %u\n",
			  what, pointer, (unsigned int)GetLastError());
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		_exit(126);
	abort();
}

/* Whether this allocation is the one that PRIVHEAP_SHIM_FAIL_NTH says. */
static bool shim_fails(void)
{
	static atomic_ulong allocations;
	const char *nth;

	/* The loader's own do not count. */
	if (!environ)
		return false;
	nth = getenv("PRIVHEAP_SHIM_FAIL_NTH");
	if (!nth || atomic_fetch_add(&allocations, 1) + 1 != strtoul(nth, NULL, 10))
		return false;
	errno = ENOMEM;
	return true;
}

static void *shim_count_block(void *pointer, size_t size, bool exact, bool fresh)
{
	size_t usable;

	if (!pointer)
		return NULL;
	if (early_owns(pointer)) {
		shim_add(&shim_count.early, 1);
		return pointer;
	}
	usable = memory_size(pointer);
	if (exact ? usable != size : usable < size)
		shim_die("a block of another size", pointer);
	shim_add(&shim_count.calls, 1);
	shim_add(&shim_count.bytes, size);
	if (fresh)
		shim_add(&shim_count.live, 1);
	return pointer;
}

void *__wrap_memory_get(size_t size, DWORD flags)
{
	if (shim_fails())
		return NULL;
	return shim_count_block(__real_memory_get(size, flags), size,
				BLOCKS_ALIGN >= MEMORY_ALIGN, true);
}

void *__wrap_memory_get_aligned(size_t align, size_t size)
{
	if (shim_fails())
		return NULL;
	return shim_count_block(__real_memory_get_aligned(align, size), size,
				false, true);
}

void *__wrap_memory_resize(void *pointer, size_t size)
{
	bool early = early_owns(pointer);

	if (shim_fails())
		return NULL;
	/* One that was aligned may stay as large as it was. */
	return shim_count_block(__real_memory_resize(pointer, size), size, false,
				early);
}

void __wrap_memory_put(void *pointer)
{
	bool counted = pointer && !early_owns(pointer);

	__real_memory_put(pointer);
	if (counted)
		atomic_fetch_sub(&shim_count.live, 1);
}

/* ---------------------------------------------------------------- the report */

/* One line, in one write: the programs of a pipeline share the file. */
__attribute__((destructor)) static void shim_report(void)
{
	static const char *const backends[] = { "none", "module", "anonymous" };
	const char *file = getenv("PRIVHEAP_SHIM_REPORT");
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	HANDLE heap = memory_heap();
	char line[512];
	int fd, length;

	if (!file || !*file)
		return;
	if (heap && !PrivheapQueryHeap(heap, &usage))
		shim_die("PrivheapQueryHeap", heap);
	if (shim_inherits)
		usage.cBlocks = atomic_load(&shim_count.live);
	length = snprintf(line, sizeof(line),
			  "%s backend=%s calls=%zu bytes=%zu live=%zu blocks=%llu early=%zu inherits=%d\n",
			  program_invocation_short_name,
			  backends[PrivheapGetBackend() % 3],
			  atomic_load(&shim_count.calls),
			  atomic_load(&shim_count.bytes),
			  atomic_load(&shim_count.live),
			  (unsigned long long)usage.cBlocks,
			  atomic_load(&shim_count.early), shim_inherits);
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)length) != length)
		shim_die("cannot write the report", file);
	close(fd);
}
