// SPDX-License-Identifier: MIT
/*
 * The functions that programs call, as malloc(3), posix_memalign(3) and
 * malloc_usable_size(3) describe them. Where the standards leave a choice they do
 * what the GNU C library does: malloc(0) is a block, realloc(p, 0) is free(p).
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "preload.h"

EXPORT void *malloc(size_t size)
{
	return memory_get(size, 0);
}

EXPORT void free(void *pointer)
{
	memory_put(pointer);
}

EXPORT void *calloc(size_t count, size_t size)
{
	if (__builtin_mul_overflow(count, size, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return memory_get(size, HEAP_ZERO_MEMORY);
}

EXPORT void *realloc(void *pointer, size_t size)
{
	if (!pointer)
		return memory_get(size, 0);
	if (!size) {
		memory_put(pointer);
		return NULL;
	}
	return memory_resize(pointer, size);
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size)
{
	if (__builtin_mul_overflow(count, size, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(pointer, size);
}

/* As in the C library, any number is rounded up to a power of two. */
EXPORT void *memalign(size_t align, size_t size)
{
	size_t power = MEMORY_ALIGN;

	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	while (power < align)
		power *= 2;
	return memory_get_aligned(power, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *pointer;

	if (!align || align & (align - 1) || align % sizeof(void *))
		return EINVAL;
	pointer = memory_get_aligned(align, size);
	errno = saved;
	if (!pointer)
		return ENOMEM;
	*out = pointer;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return memory_get_aligned(page_size(), size);
}

EXPORT void *pvalloc(size_t size)
{
	if (!page_round_up(size, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return memory_get_aligned(page_size(), size);
}

EXPORT size_t malloc_usable_size(void *pointer)
{
	return pointer ? memory_size(pointer) : 0;
}

static size_t committed(void)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	HANDLE heap = memory_heap();

	if (!heap || !PrivheapQueryHeap(heap, &usage))
		return 0;
	return usage.cbCommitted;
}

/* What is free goes back, and nothing is kept at the top. */
EXPORT int malloc_trim(size_t keep)
{
	size_t before = committed();
	int saved = errno;

	(void)keep;
	if (before)
		HeapCompact(memory_heap(), 0);
	errno = saved;
	return committed() < before;
}

/* The members that mean something here; the others are 0. */
EXPORT struct mallinfo2 mallinfo2(void)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	struct mallinfo2 info = { 0 };
	HANDLE heap = memory_heap();

	if (!heap || !PrivheapQueryHeap(heap, &usage))
		return info;
	info.arena = usage.cbCommitted;
	info.uordblks = usage.cbAllocated;
	info.fordblks = usage.cbCommitted - usage.cbAllocated;
	return info;
}

EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct mallinfo){
		.arena = (int)info.arena,
		.uordblks = (int)info.uordblks,
		.fordblks = (int)info.fordblks,
	};
}
