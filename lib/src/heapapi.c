// SPDX-License-Identifier: MIT
/*
 * The Win32 face of heaps and blocks: handles, flags, locks, errors. Whatever
 * fails sets the last error and then errno, to the same number, as its last act;
 * whatever succeeds leaves both as they were. So do the other heapapi_*.c.
 */
#include <errno.h>
#include <string.h>

#include <privheap/heapapi.h>

#include "annotate.h"
#include "corruption.h"
#include "error.h"
#include "front.h"
#include "grow_last.h"
#include "heap.h"
#include "heap_lock.h"
#include "no_cancel.h"
#include "region_cache.h"

/* For a call that returns a block: fails, or raises if it was asked to. */
static void *heap_fail(HANDLE handle, DWORD flags, SIZE_T bytes, DWORD error)
{
	if (flags & HEAP_GENERATE_EXCEPTIONS)
		error_raise(error == ERROR_NOT_ENOUGH_MEMORY ?
			    STATUS_NO_MEMORY : STATUS_ACCESS_VIOLATION,
			    handle, bytes);
	error_set(error);
	return NULL;
}

/*
 * The calls under the lock. A thread may be cancelled at any moment, if it wants
 * so (PTHREAD_CANCEL_ASYNCHRONOUS), but not in here.
 */
static void *locked_alloc(struct heap *heap, DWORD flags, SIZE_T size)
{
	NO_CANCEL_BY_OTHERS;
	bool locked = heap_enter(heap, flags);
	void *block = annotating() ?
		      heap_alloc_annotated(heap, size, flags & HEAP_ZERO_MEMORY) :
		      heap_alloc(heap, size, flags & HEAP_ZERO_MEMORY);

	heap_leave(heap, locked);
	return block;
}

static DWORD locked_realloc(struct heap *heap, DWORD flags, void **block,
			    SIZE_T size)
{
	NO_CANCEL_BY_OTHERS;
	bool locked = heap_enter(heap, flags);
	DWORD error = NO_ERROR;

	bool zero = flags & HEAP_ZERO_MEMORY;
	bool in_place = flags & HEAP_REALLOC_IN_PLACE_ONLY;

	if (annotating())
		error = heap_realloc_annotated(heap, block, size, zero, in_place);
	else if (zero || process_alone() || !heap_grow_last(heap, *block, size))
		error = heap_realloc(heap, block, size, zero, in_place);
	heap_leave(heap, locked);
	return error;
}

static DWORD locked_free(struct heap *heap, DWORD flags, void *block)
{
	NO_CANCEL_BY_OTHERS;
	bool locked = heap_enter(heap, flags);
	DWORD error = annotating() ? heap_free_annotated(heap, block) :
				     heap_free(heap, block);

	heap_leave(heap, locked);
	return error;
}

static DWORD locked_size(struct heap *heap, DWORD flags, const void *block,
			 SIZE_T *size)
{
	NO_CANCEL_BY_OTHERS;
	bool locked = heap_enter(heap, flags);
	DWORD error = heap_size(heap, block, size);

	heap_leave(heap, locked);
	return error;
}

EXPORT HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize,
				SIZE_T dwMaximumSize)
{
	int saved = errno;
	struct heap *heap;
	NO_CANCEL_BY_OTHERS;

	heap = heap_create(flOptions, dwInitialSize, dwMaximumSize, false);
	if (!heap) {
		error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	errno = saved;
	return heap;
}

EXPORT BOOL WINAPI HeapDestroy(HANDLE hHeap)
{
	int saved = errno;
	DWORD error;
	NO_CANCEL_BY_OTHERS;

	error = heap_destroy(hHeap);
	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT DWORD WINAPI PrivheapSetRegionCache(DWORD dwRegions)
{
	int saved = errno;
	DWORD before;
	NO_CANCEL_BY_OTHERS;

	before = region_cache_limit(dwRegions);
	errno = saved;
	return before;
}

/*
 * What a cache does not do at once. It may be that only the thread's last call
 * was for another heap.
 */
static __attribute__((noinline)) void *heap_alloc_slowly(HANDLE handle,
							 DWORD flags,
							 SIZE_T size)
{
	struct heap *heap = heap_lookup(handle);
	int saved = errno;
	void *block;

	if (!heap)
		return heap_fail(handle, flags, size, ERROR_INVALID_HANDLE);

	block = front_alloc_unlocked(heap, size);
	if (!block)
		block = locked_alloc(heap, flags, size);
	else if (flags & HEAP_ZERO_MEMORY)
		memset(block, 0, size);

	if (!block)
		return heap_fail(handle, flags | heap->options, size,
				 ERROR_NOT_ENOUGH_MEMORY);
	errno = saved;
	return block;
}

EXPORT LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
	struct cache *cache = cache_current;
	void *block = NULL;

	static_assert(HEAP_ZERO_MEMORY == 1 << CACHE_FLAG_ZERO, "seen in there");
	if (likely(dwBytes < cache->small))
		block = cache_pop_small(cache, hHeap, dwFlags, dwBytes);
	/* In a new thread there is no cache yet, and small sizes come by, too. */
	else if (likely(dwBytes < cache->medium))
		block = cache_pop_medium(cache, hHeap, dwFlags, dwBytes);
	if (unlikely(!block))
		return heap_alloc_slowly(hHeap, dwFlags, dwBytes);
	return block;
}

static __attribute__((noinline)) void *
heap_realloc_slowly(HANDLE handle, DWORD flags, void *block, SIZE_T size)
{
	struct heap *heap = heap_lookup(handle);
	int saved = errno;
	DWORD error;

	if (!heap)
		return heap_fail(handle, flags, size, ERROR_INVALID_HANDLE);
	if (!block) {
		/* What Windows does: neither a block nor an error. */
		error_set(NO_ERROR);
		return NULL;
	}

	error = locked_realloc(heap, flags, &block, size);
	if (error == ERROR_INVALID_PARAMETER) {
		if (annotating())
			annotate_bad_free(block);
		corruption_found("HeapReAlloc", handle, block);
	}
	if (error)
		return heap_fail(handle, flags | heap->options, size, error);
	errno = saved;
	return block;
}

/* The caller's cache knows the block: its slot may be large enough. */
static __attribute__((noinline)) void *
heap_realloc_slot(HANDLE handle, DWORD flags, void *block, SIZE_T size)
{
	if (front_resize_unlocked(cache_current, handle, block, size,
				  flags & HEAP_ZERO_MEMORY,
				  flags & HEAP_REALLOC_IN_PLACE_ONLY))
		return block;
	return heap_realloc_slowly(handle, flags, block, size);
}

EXPORT LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem,
				 SIZE_T dwBytes)
{
	const struct cache *cache = cache_current;
	unsigned long entry = cache_granule(cache, lpMem);

	if (entry < cache->limit && cache->heap == hHeap &&
	    cache->map[entry] & CLASS_LIVE)
		return heap_realloc_slot(hHeap, dwFlags, lpMem, dwBytes);
	/* Nobody to keep out, and no error to save: nothing fails in here. */
	if (process_alone() && !(dwFlags & HEAP_ZERO_MEMORY) && !annotating() &&
	    process_is_ready() && ptrset_has(&heaps_known, hHeap) &&
	    heap_grow_last(hHeap, lpMem, dwBytes))
		return lpMem;
	return heap_realloc_slowly(hHeap, dwFlags, lpMem, dwBytes);
}

/* A block that is no block any more, but was not put anywhere: see cache_push(). */
static __attribute__((noinline)) BOOL heap_free_cleared(struct heap *heap,
							DWORD flags,
							void *block)
{
	NO_CANCEL_BY_OTHERS;
	int saved = errno;
	bool locked = heap_enter(heap, flags);

	front_free_cleared(heap->front, block);
	heap_leave(heap, locked);
	errno = saved;
	return TRUE;
}

static __attribute__((noinline)) BOOL heap_free_slowly(HANDLE handle,
						       DWORD flags, void *block)
{
	struct heap *heap;
	int saved = errno;
	DWORD error;

	/* Whatever the handle is. */
	if (!block)
		return TRUE;

	heap = heap_lookup(handle);
	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	switch (front_free_unlocked(heap, block)) {
	case CACHE_PUSHED:
		return TRUE;
	case CACHE_CLEARED:
		return heap_free_cleared(heap, flags, block);
	case CACHE_MISSED:
		break;
	}
	error = locked_free(heap, flags, block);
	if (error) {
		if (annotating())
			annotate_bad_free(block);
		corruption_found("HeapFree", handle, block);
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
	struct cache *cache = cache_current;
	unsigned long entry = cache_granule(cache, lpMem);

	if (likely(entry < cache->limit)) {
		switch (cache_push(cache, hHeap, entry)) {
		case CACHE_PUSHED:
			return TRUE;
		case CACHE_CLEARED:
			return heap_free_cleared(hHeap, dwFlags,
						 cache_address(entry));
		case CACHE_MISSED:
			break;
		}
	}
	return heap_free_slowly(hHeap, dwFlags, cache_address(entry));
}

static __attribute__((noinline)) SIZE_T heap_size_slowly(HANDLE handle,
							 DWORD flags,
							 LPCVOID block)
{
	struct heap *heap = heap_lookup(handle);
	SIZE_T size = 0;
	DWORD error;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return (SIZE_T)-1;
	}
	if (front_size_unlocked(heap, block, &size))
		return size;
	error = locked_size(heap, flags, block, &size);
	if (error) {
		if (block)
			corruption_found("HeapSize", handle, block);
		error_set(error);
		return (SIZE_T)-1;
	}
	return size;
}

/* The caller's cache knows the heap; most sizes above 1,024 come by here. */
static __attribute__((noinline)) SIZE_T heap_size_slot(HANDLE handle,
						       DWORD flags,
						       LPCVOID block)
{
	const struct cache *cache = cache_current;
	const uint8_t *map = cache->map + cache_granule(cache, block);

	if (*map & CLASS_LIVE)
		return class_block_size(map, block);
	return heap_size_slowly(handle, flags, block);
}

EXPORT SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	const struct cache *cache = cache_current;
	unsigned long entry = cache_granule(cache, lpMem);
	long size;

	/* The program must not free it meanwhile: nothing here can change. */
	if (likely(entry < cache->limit && cache->heap == hHeap)) {
		size = class_near_size(cache_tables(cache), cache->map[entry],
				       cache->map[entry + 1]);
		if (likely(size >= 0))
			return size;
		return heap_size_slot(hHeap, dwFlags, cache_address(entry));
	}
	return heap_size_slowly(hHeap, dwFlags, cache_address(entry));
}
