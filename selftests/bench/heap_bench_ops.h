/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of a family of allocators, one family for each build, so that
 * the measured loops call them as any program would: directly, through the PLT.
 * Whatever has no heaps takes the place of one heap that is always there.
 */
#ifndef HEAP_BENCH_OPS_H
#define HEAP_BENCH_OPS_H

#include <stdbool.h>
#include <stddef.h>

#if defined(BENCH_PRIVHEAP)

#include <privheap/heapapi.h>

typedef HANDLE heap_t;

#define HAVE_HEAPS	true

/* HEAP_NO_SERIALIZE or 0: set by options. */
extern DWORD bench_create_flags;
extern DWORD bench_call_flags;

/*
 * May a thread allocate from a heap that another one uses at the same time? May
 * it free another one's blocks? A heap without serialization is for one.
 */
static inline bool can_share(void)
{
	return !bench_create_flags && !bench_call_flags;
}

static inline bool can_free_others(void)
{
	return can_share();
}

/* Have memory of destroyed heaps kept for new ones; false: no such thing. */
static inline bool heap_keep(unsigned int heaps)
{
	PrivheapSetRegionCache(heaps);
	return true;
}

static inline heap_t heap_create(void)
{
	return HeapCreate(bench_create_flags, 0, 0);
}

static inline void heap_destroy(heap_t heap)
{
	HeapDestroy(heap);
}

static inline void *heap_alloc(heap_t heap, size_t size)
{
	return HeapAlloc(heap, bench_call_flags, size);
}

static inline void heap_free(heap_t heap, void *block)
{
	HeapFree(heap, bench_call_flags, block);
}

static inline void *heap_realloc(heap_t heap, void *block, size_t size)
{
	return HeapReAlloc(heap, bench_call_flags, block, size);
}

static inline size_t heap_size(heap_t heap, void *block)
{
	return HeapSize(heap, bench_call_flags, block);
}

#elif defined(BENCH_MIMALLOC)

/*
 * Weak, because the library comes by LD_PRELOAD, whichever version of it. Its
 * header is not needed for these few, which have stayed the same from version
 * 1 to 3.
 */
typedef struct mi_heap_s *heap_t;

heap_t mi_heap_new(void) __attribute__((weak));
void mi_heap_destroy(heap_t heap) __attribute__((weak));
void *mi_heap_malloc(heap_t heap, size_t size) __attribute__((weak));
void *mi_heap_realloc(heap_t heap, void *block, size_t size) __attribute__((weak));
void mi_free(void *block) __attribute__((weak));
size_t mi_usable_size(const void *block) __attribute__((weak));
void mi_heap_collect(heap_t heap, bool force) __attribute__((weak));
void *mi_heap_theap(heap_t heap) __attribute__((weak));

#define HAVE_HEAPS	true

/*
 * Up to version 2 a heap is its maker's, and others may only free its blocks.
 * Where they may do more, a heap has a part for each thread, and this call.
 */
static inline bool can_share(void)
{
	return mi_heap_theap;
}

static inline bool can_free_others(void)
{
	return true;
}

static inline bool heap_keep(unsigned int heaps)
{
	(void)heaps;
	return false;
}

static inline heap_t heap_create(void)
{
	return mi_heap_new();
}

static inline void heap_destroy(heap_t heap)
{
	mi_heap_destroy(heap);
}

static inline void *heap_alloc(heap_t heap, size_t size)
{
	return mi_heap_malloc(heap, size);
}

static inline void heap_free(heap_t heap, void *block)
{
	(void)heap;
	mi_free(block);
}

static inline void *heap_realloc(heap_t heap, void *block, size_t size)
{
	return mi_heap_realloc(heap, block, size);
}

static inline size_t heap_size(heap_t heap, void *block)
{
	(void)heap;
	return mi_usable_size(block);
}

#elif defined(BENCH_MALLOC)

#include <malloc.h>
#include <stdlib.h>

typedef void *heap_t;

#define HAVE_HEAPS	false

static inline bool can_share(void)
{
	return true;
}

static inline bool can_free_others(void)
{
	return true;
}

static inline bool heap_keep(unsigned int heaps)
{
	(void)heaps;
	return false;
}

static inline heap_t heap_create(void)
{
	static char heap;

	return &heap;
}

static inline void heap_destroy(heap_t heap)
{
	(void)heap;
}

static inline void *heap_alloc(heap_t heap, size_t size)
{
	(void)heap;
	return malloc(size);
}

static inline void heap_free(heap_t heap, void *block)
{
	(void)heap;
	free(block);
}

static inline void *heap_realloc(heap_t heap, void *block, size_t size)
{
	(void)heap;
	return realloc(block, size);
}

static inline size_t heap_size(heap_t heap, void *block)
{
	(void)heap;
	return malloc_usable_size(block);
}

#else
#error "one of BENCH_PRIVHEAP, BENCH_MIMALLOC, BENCH_MALLOC"
#endif

#endif /* HEAP_BENCH_OPS_H */
