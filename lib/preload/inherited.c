// SPDX-License-Identifier: MIT
/*
 * Heaps of a parent's, in a child of fork(2). The library has forgotten them, and
 * nothing is allocated from them any more; but their memory is here, with all
 * that they know of their blocks, and that can be read as ever.
 *
 * What the child frees of it is not given out again. Pages that are all of one
 * block's go back.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "preload.h"
#include "../src/heap.h"

/* Blocks of fewer pages keep them. */
#define PAGES_LEAST	4

/* For the lists of large blocks. */
static pthread_mutex_t inherited_lock = PTHREAD_MUTEX_INITIALIZER;

/* The youngest first; @next of each, which is no list's any more, leads on. */
static struct heap *inherited;

void inherited_add(HANDLE handle)
{
	struct heap *heap = handle;

	pthread_mutex_init(&inherited_lock, NULL);
	if (!heap)
		return;
	heap->next = inherited;
	inherited = heap;
}

/* inherited_lock is held. */
static struct large_block *find_large(struct heap *heap, const void *block)
{
	struct large_block *large = heap->large;

	if (((uintptr_t)block & (page_size() - 1)) != LARGE_HEADER)
		return NULL;
	while (large && (const char *)large + LARGE_HEADER != block)
		large = large->next;
	return large;
}

static struct heap *find_heap(const void *block, struct large_block **large,
			      size_t *size)
{
	struct heap *heap;

	for (heap = inherited; heap; heap = heap->next) {
		*large = find_large(heap, block);
		if (*large) {
			*size = (*large)->size;
			return heap;
		}
		if (!heap_size(heap, block, size))
			return heap;
	}
	return NULL;
}

bool inherited_size(const void *block, size_t *size)
{
	struct large_block *large;
	struct heap *heap;

	if (!inherited)
		return false;
	pthread_mutex_lock(&inherited_lock);
	heap = find_heap(block, &large, size);
	pthread_mutex_unlock(&inherited_lock);
	return heap;
}

static void put_large(struct heap *heap, struct large_block *large)
{
	size_t length = large->committed;

	large_unlink(heap, large);
	/* What lies behind may be somebody else's by now. */
	munmap(large, length);
}

void inherited_put(void *block)
{
	uintptr_t mask = page_size() - 1, start, end;
	struct large_block *large;
	struct heap *heap;
	size_t size;

	pthread_mutex_lock(&inherited_lock);
	heap = find_heap(block, &large, &size);
	if (heap && large)
		put_large(heap, large);
	pthread_mutex_unlock(&inherited_lock);
	if (!heap || large)
		return;
	start = ((uintptr_t)block + mask) & ~mask;
	end = ((uintptr_t)block + size) & ~mask;
	if (start < end && end - start >= PAGES_LEAST * page_size())
		madvise((void *)start, end - start, MADV_DONTNEED);
}
