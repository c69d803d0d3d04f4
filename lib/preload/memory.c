// SPDX-License-Identifier: MIT
/*
 * Where blocks come from: see preload.h.
 *
 * Nearly all are blocks of the heap, as they are, and free(3) is HeapFree(). A heap
 * refuses what is no block of its own: only then is it looked whether the
 * pointer is one of the others:
 *
 * - a block that was to be aligned more than a heap aligns, and begins inside the
 *   heap's block. Right before it lies where that begins;
 * - one of the time before there was a heap (early.c);
 * - in a child of fork(2), one that its parent has allocated (inherited.c).
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"
#include "../src/chunk.h"

/**
 * struct inner - lies right before a block inside of a block
 * @start: of the heap's block
 * @check: a check value of both addresses
 */
struct inner {
	char *start;
	uintptr_t check;
};

static_assert(sizeof(struct inner) == BLOCKS_ALIGN,
	      "a block that does not begin at its start has room for it before");

enum origin {
	ORIGIN_HEAP,
	ORIGIN_EARLY,
	ORIGIN_PARENT,
};

/**
 * struct found - what a pointer is
 * @origin: where it comes from
 * @start: where the block begins for those
 * @size: bytes from the pointer on
 */
struct found {
	enum origin origin;
	void *start;
	size_t size;
};

static _Atomic(HANDLE) the_heap;

/* For making it. */
static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
static bool started;	/* in this process or in a parent */

HANDLE memory_heap(void)
{
	return atomic_load_explicit(&the_heap, memory_order_acquire);
}

void memory_lock(void)
{
	pthread_mutex_lock(&start_lock);
}

void memory_unlock(void)
{
	pthread_mutex_unlock(&start_lock);
}

void memory_forget(void)
{
	pthread_mutex_init(&start_lock, NULL);
	atomic_store_explicit(&the_heap, NULL, memory_order_relaxed);
}

static HANDLE memory_start(void)
{
	HANDLE heap;

	memory_lock();
	heap = memory_heap();
	if (!heap) {
		forks_watch();
		started = true;
		heap = HeapCreate(0, 0, 0);
		if (heap)
			settings_apply(heap);
		else
			settings_complain();
		atomic_store_explicit(&the_heap, heap, memory_order_release);
	}
	memory_unlock();
	return heap;
}

static void *out_of_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static __attribute__((noinline)) void *
get_first(size_t align, size_t size, size_t whole, DWORD flags)
{
	int saved = errno;
	HANDLE heap;
	void *block;

	/* The library reads the environment, which the loader is before. */
	if (!environ && !started) {
		block = early_get(align, size);
		if (block)
			return block;
	}
	heap = memory_start();
	block = heap ? HeapAlloc(heap, flags, whole) : NULL;
	if (!block)
		return out_of_memory();
	errno = saved;
	return block;
}

/* @whole bytes, at least: enough for @size at a multiple of @align. */
static inline void *get(size_t align, size_t size, size_t whole, DWORD flags)
{
	HANDLE heap = memory_heap();
	void *block;

	if (unlikely(!heap))
		return get_first(align, size, whole, flags);
	block = HeapAlloc(heap, flags, whole);
	return likely(block) ? block : out_of_memory();
}

static uintptr_t inner_check(const void *pointer, const char *start)
{
	uint64_t hash = (uintptr_t)pointer ^ chunk_secret;

	hash = (hash << 32 | hash >> 32) ^ (uintptr_t)start;
	hash *= 0x9fb21c651e98df25u;
	return (uintptr_t)(hash ^ hash >> 32);
}

/* Where the heap's block begins that this one is inside of; NULL: of none. */
static char *inner_start(const void *pointer)
{
	const struct inner *inner = (const struct inner *)pointer - 1;

	if ((uintptr_t)pointer % MEMORY_ALIGN)
		return NULL;
	return inner->check == inner_check(pointer, inner->start) ?
	       inner->start : NULL;
}

static void *get_inner(size_t align, size_t size, DWORD flags)
{
	char *block, *pointer;
	struct inner *inner;
	size_t whole;

	if (__builtin_add_overflow(size, align - BLOCKS_ALIGN, &whole) ||
	    whole > PTRDIFF_MAX)
		return out_of_memory();
	block = get(align, size, whole, flags);
	if (!block)
		return NULL;
	pointer = (char *)(((uintptr_t)block + align - 1) &
			   ~(uintptr_t)(align - 1));
	if (pointer == block)
		return block;
	inner = (struct inner *)pointer - 1;
	inner->start = block;
	inner->check = inner_check(pointer, block);
	return pointer;
}

void *memory_get(size_t size, DWORD flags)
{
	if (unlikely(size > PTRDIFF_MAX))
		return out_of_memory();
	if (MEMORY_ALIGN > BLOCKS_ALIGN)
		return get_inner(MEMORY_ALIGN, size, flags);
	return get(MEMORY_ALIGN, size, size, flags);
}

void *memory_get_aligned(size_t align, size_t size)
{
	if (align <= MEMORY_ALIGN)
		return memory_get(size, 0);
	return get_inner(align, size, 0);
}

/* A block of the heap, or of a parent's, that begins there. */
static bool find_start(void *start, struct found *found)
{
	HANDLE heap = memory_heap();

	found->start = start;
	found->origin = ORIGIN_HEAP;
	if (heap) {
		found->size = HeapSize(heap, 0, start);
		if (found->size != (size_t)-1)
			return true;
	}
	found->origin = ORIGIN_PARENT;
	return inherited_size(start, &found->size);
}

/* Ends the process if there is no such block. Changes errno. */
static void find(const char *what, const void *pointer, struct found *found)
{
	char *start;

	if (early_owns(pointer)) {
		found->origin = ORIGIN_EARLY;
		found->start = (void *)(uintptr_t)pointer;
		found->size = early_size(pointer);
		return;
	}
	if (find_start((void *)(uintptr_t)pointer, found))
		return;
	start = inner_start(pointer);
	if (!start || !find_start(start, found))
		settings_die(what, pointer);
	found->size -= (size_t)((const char *)pointer - start);
}

static __attribute__((noinline)) void put_slowly(void *pointer)
{
	struct found found;

	find("free(): not a block, or not any more", pointer, &found);
	switch (found.origin) {
	case ORIGIN_HEAP:
		HeapFree(memory_heap(), 0, found.start);
		break;
	case ORIGIN_PARENT:
		inherited_put(found.start);
		break;
	case ORIGIN_EARLY:
		break;
	}
}

void memory_put(void *pointer)
{
	int saved = errno;

	if (!pointer)
		return;
	if (unlikely(!HeapFree(memory_heap(), 0, pointer)))
		put_slowly(pointer);
	errno = saved;
}

size_t memory_size(const void *pointer)
{
	HANDLE heap = memory_heap();
	struct found found;
	int saved = errno;

	found.size = heap ? HeapSize(heap, 0, pointer) : (size_t)-1;
	if (unlikely(found.size == (size_t)-1))
		find("malloc_usable_size(): not a block", pointer, &found);
	errno = saved;
	return found.size;
}

static __attribute__((noinline)) void *resize_slowly(void *pointer, size_t size)
{
	struct found found;
	void *moved;

	find("realloc(): not a block, or not any more", pointer, &found);
	/* An aligned one stays aligned for as long as that is no waste. */
	if (size <= found.size && size >= found.size / 2)
		return pointer;
	moved = memory_get(size, 0);
	if (!moved)
		return NULL;
	memcpy(moved, pointer, size < found.size ? size : found.size);
	memory_put(pointer);
	return moved;
}

void *memory_resize(void *pointer, size_t size)
{
	/* Where it moves by itself it may be aligned to less. */
	const bool stays = BLOCKS_ALIGN % MEMORY_ALIGN;
	const DWORD flags = stays ? HEAP_REALLOC_IN_PLACE_ONLY : 0;
	HANDLE heap = memory_heap();
	int saved = errno;
	void *block;

	if (unlikely(size > PTRDIFF_MAX))
		return out_of_memory();
	block = heap ? HeapReAlloc(heap, flags, pointer, size) : NULL;
	if (likely(block))
		return block;
	if (heap && !stays && GetLastError() == ERROR_NOT_ENOUGH_MEMORY)
		return out_of_memory();
	block = resize_slowly(pointer, size);
	if (block)
		errno = saved;
	return block;
}
