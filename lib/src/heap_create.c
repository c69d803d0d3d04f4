// SPDX-License-Identifier: MIT
/* Making and destroying heaps. */
#include <errno.h>
#include <string.h>

#include <privheap/region.h>

#include "annotate.h"
#include "front.h"
#include "heap.h"
#include "heap_lock.h"
#include "heaps.h"
#include "region.h"
#include "region_cache.h"

/* Pages beyond the first that may have to go before a region is kept. */
#define CACHE_EXTRA	16

#define HEAP_OPTIONS	(HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | \
			 HEAP_CREATE_ENABLE_EXECUTE)

void *heap_reserve_region(DWORD options, size_t size, size_t commit)
{
	unsigned int flags = 0;
	size_t reserve;
	void *base;

	if (__builtin_add_overflow(size, page_size(), &reserve)) {
		errno = ENOMEM;
		return NULL;
	}
	if (options & HEAP_CREATE_ENABLE_EXECUTE)
		flags |= PRIVHEAP_CREATE_EXEC;
	base = privheap_region_create(reserve, commit, size, flags);
	if (annotating() && base) {
		annotate_region(base, size);
		annotate_commit(base, commit);
	}
	return base;
}

void heap_release_region(void *base, size_t size)
{
	if (annotating())
		annotate_region_end(base, size);
	/* with its guard */
	region_end(base, size + page_size());
}

/*
 * A region for a new heap, whose first bytes, those of a struct heap, are zero;
 * *@dirty: its first page may hold anything else.
 */
static void *heap_create_region(size_t *reserve, size_t commit, bool fixed,
				DWORD options, bool *dirty)
{
	void *base = NULL;

	*dirty = false;
	if (!fixed && commit == page_size() &&
	    !(options & HEAP_CREATE_ENABLE_EXECUTE))
		base = region_cache_take();
	if (base) {
		memset(base, 0, sizeof(struct heap));
		*reserve = HEAP_RESERVE;
		*dirty = true;
		return base;
	}
	if (!fixed && *reserve < HEAP_RESERVE) {
		base = heap_reserve_region(options, HEAP_RESERVE, commit);
		if (base) {
			*reserve = HEAP_RESERVE;
			return base;
		}
	}
	return heap_reserve_region(options, *reserve, commit);
}

struct heap *heap_create(DWORD options, size_t initial, size_t maximum,
			 bool process)
{
	bool fixed = maximum != 0;
	size_t commit, reserve, wish;
	struct heap *heap;
	bool dirty;

	static_assert(sizeof(struct heap) < 2048,
		      "a heap of one page has room for blocks");

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	if (!page_round_up(initial ? initial : 1, &commit) ||
	    !page_round_up(fixed ? maximum : commit, &wish) ||
	    commit > wish)
		return NULL;
	do {
		reserve = wish;
		heap = heap_create_region(&reserve, commit, fixed, options,
					  &dirty);
		/* What is kept is not kept at the expense of who needs it. */
	} while (!heap && region_cache_release());
	if (!heap)
		return NULL;

	if (annotating())
		annotate_header(heap, sizeof(*heap));
	heap_lock_init(heap);
	heap->options = options & HEAP_OPTIONS;
	heap->fixed = fixed;
	heap->initial = commit;
	heap->growth = heap_next_growth(reserve);
	heap_trim_init(heap);
	heap_limit_init(heap);
	heap->regions = &heap->first;
	heap->first.heap = heap;
	heap->first.base = (char *)heap;
	heap->first.reserved = reserve;
	blocks_init(&heap->first.blocks, (char *)(heap + 1),
		    heap->first.base + commit, heap->first.base + reserve);
	if (dirty)
		heap->first.blocks.fresh = heap->first.base + commit;

	if (!heaps_add(heap, process)) {
		heap_release_region(heap, reserve);
		return NULL;
	}
	return heap;
}

/*
 * Keeps the first region, and all there is, of a heap that was destroyed for the
 * next one; false: it is not of the kind that is kept, or there are enough.
 */
static bool heap_keep_region(struct heap *heap)
{
	struct heap_region *first = &heap->first;
	size_t page = page_size(), extra = heap_region_end(first) - page;

	if (!region_cache_wants() || heap->fixed ||
	    first->reserved != HEAP_RESERVE ||
	    (heap->options & HEAP_CREATE_ENABLE_EXECUTE) ||
	    extra > CACHE_EXTRA * page)
		return false;
	if (extra && heap_decommit(first, first->base + page,
				   first->base + page + extra))
		return false;
	if (first->charged != page)
		return false;
	/* The next heap has none, and does not look whether it has. */
	if (region_limits_used() && !region_clear_limits(first->base))
		return false;
	blocks_erase(&first->blocks, first->base + page);
	return region_cache_put(heap);
}

DWORD heap_destroy(HANDLE handle)
{
	struct heap *heap = handle;
	struct heap_region *region;
	DWORD error;

	error = heaps_remove(handle);
	if (error)
		return error;
	heap_lock_end(heap);
	if (annotating())
		heap_end_annotated(heap);

	while (heap->large)
		large_free(heap, heap->large);
	while (heap->regions != &heap->first) {
		region = heap->regions;
		heap->regions = region->next;
		heap_abandon_region(region);
	}
	if (heap->front)
		front_destroy(heap->front);
	blocks_exit(&heap->first.blocks);
	if (!heap_keep_region(heap))
		heap_release_region(heap, heap->first.reserved);
	return NO_ERROR;
}
