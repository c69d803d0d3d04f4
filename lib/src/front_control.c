// SPDX-License-Identifier: MIT
/* The control area of a front end: made, cleared, destroyed. */
#include <sys/mman.h>

#include "front.h"
#include "heap.h"

/* A slab of small slots has this many bytes, or less in a small heap. */
#define SLAB_TARGET	((size_t)16 << 10)

/*
 * The window of a growable heap, as large as 32 bits can number its granules;
 * less where address space is limited.
 */
#ifndef WINDOW_MOST
#define WINDOW_MOST	((size_t)GRANULE << 31 << (sizeof(size_t) > 4))
#endif
#define WINDOW_LEAST	((size_t)64 << 20)

static_assert(FRONT_RESERVE_MIN / 64 >= SLAB_PAGE, "slabs are no smaller");

/* Where the shared cache is, in bytes from the control area's beginning. */
#define FRONT_SHARED	((sizeof(struct front) + 4095) & ~(size_t)4095)

static_assert(!offsetof(struct front, tables), "found by the map's address");
static_assert(FRONT_SHARED + CACHE_SIZE <= CACHE_MAP, "that comes next");

/* Where the other parts are that are not of the same size in all heaps. */
struct front_layout {
	size_t slabs;
	size_t pages;
	size_t end;
};

static size_t front_round(size_t n)
{
	return (n + page_size() - 1) & ~(page_size() - 1);
}

static size_t slab_target(const struct heap *heap)
{
	size_t target = heap->first.reserved / 64;

	return heap->fixed && target < SLAB_TARGET ?
	       target & ~(SLAB_PAGE - 1) : SLAB_TARGET;
}

/*
 * A slab of small slots is at least half of what it aims at. In a heap with a
 * maximum the first ones of a class are smaller.
 */
static size_t front_slabs_max(const struct heap *heap, size_t window)
{
	return window / (heap->fixed ? SLAB_PAGE : SLAB_TARGET / 2) + 2;
}

static void front_lay_out(struct front_layout *layout, const struct heap *heap,
			  size_t window)
{
	layout->slabs = CACHE_MAP + front_round(window / GRANULE + 1);
	layout->pages = layout->slabs +
			front_round(front_slabs_max(heap, window) *
				    sizeof(struct slab));
	layout->end = layout->pages + front_round((window / SLAB_PAGE + 2) *
						  sizeof(struct slab_page));
}

static void *front_map_area(size_t length)
{
	void *area = mmap(NULL, length, PROT_NONE, MAP_PRIVATE |
			  MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		return NULL;
	/* A program that has called mlockall() does not mean all of this. */
	munlock(area, length);
	/* Not of use to a child. */
	if (mprotect(area, length, PROT_READ | PROT_WRITE) ||
	    madvise(area, length, MADV_DONTFORK)) {
		munmap(area, length);
		return NULL;
	}
	/*
	 * Nor as a part of a core file: it is gigabytes, nearly all of them zero, which
	 * not everybody who writes one leaves out. And scattered bytes need no huge pages.
	 */
	madvise(area, length, MADV_DONTDUMP);
	madvise(area, length, MADV_NOHUGEPAGE);
	return area;
}

struct front *front_create(struct heap *heap)
{
	uintptr_t base = (uintptr_t)heap->first.base;
	size_t window = heap->fixed ? heap->first.reserved : WINDOW_MOST;
	struct front_layout layout;
	struct front *front;

	for (;;) {
		front_lay_out(&layout, heap, window);
		front = front_map_area(layout.end);
		if (front)
			break;
		if (heap->fixed || window <= WINDOW_LEAST)
			return NULL;
		window /= 4;
	}
	/* Around the first region: others may come on both sides. */
	if (!heap->fixed)
		base = base > window / 2 ? base - window / 2 : 0;

	front->tables = class_tables;
	front->heap = heap;
	front->length = layout.end;
	front->base = (char *)base;
	front->limit = window / GRANULE;
	front->slabs = (struct slab *)((char *)front + layout.slabs);
	front->pages = (struct slab_page *)((char *)front + layout.pages);
	front->map = (uint8_t *)front + CACHE_MAP;
	front->slabs_max = front_slabs_max(heap, window) - 1;
	front->slab_target = slab_target(heap);
	front->slab_most = heap->fixed ? window / 16 : window;
	front->hold = FRONT_HOLD_MIN;
	front->look_at = FRONT_HOLD_MIN;
	return front;
}

void front_destroy(struct front *front)
{
	cache_detach(front);
	munmap(front, front->length);
}

struct cache *front_shared(struct front *front)
{
	struct cache *cache = front->shared;

	if (unlikely(!cache)) {
		cache = (struct cache *)((char *)front + FRONT_SHARED);
		cache_attach(cache, front);
		front->shared = cache;
	}
	return cache;
}

void front_clear(struct front *front)
{
	/* Other threads may look at the map at this moment: zero as before. */
	madvise(front->map, front->length - CACHE_MAP, MADV_DONTNEED);
	front->slabs_used = 0;
	front->slab_unused = 0;
}
