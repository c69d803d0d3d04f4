// SPDX-License-Identifier: MIT
/* Making and destroying heaps. */
#include <errno.h>
#include <sys/mman.h>

#include <privheap/region.h>

#include "front.h"
#include "heap.h"
#include "heap_lock.h"
#include "heaps.h"
#include "region.h"

/* What a growable heap reserves at least for its first region. */
#define HEAP_RESERVE	((size_t)1 << 20)

#define HEAP_OPTIONS	(HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | \
			 HEAP_CREATE_ENABLE_EXECUTE)

void heap_release_region(void *base, size_t reserved)
{
	/*
	 * A region ends with its mapping, too, should the device be out of
	 * reach. ENOENT: what is at that address is not ours any more.
	 */
	if (privheap_region_destroy(base) && errno != ENOENT)
		munmap(base, reserved);
}

static void *heap_create_region(size_t *reserve, size_t commit, bool fixed,
				DWORD options)
{
	unsigned int flags = 0;
	void *base;

	if (options & HEAP_CREATE_ENABLE_EXECUTE)
		flags |= PRIVHEAP_CREATE_EXEC;
	if (!fixed && *reserve < HEAP_RESERVE) {
		base = privheap_region_create(HEAP_RESERVE, commit, 0, flags);
		if (base) {
			*reserve = HEAP_RESERVE;
			return base;
		}
	}
	return privheap_region_create(*reserve, commit, 0, flags);
}

struct heap *heap_create(DWORD options, size_t initial, size_t maximum,
			 bool process)
{
	bool fixed = maximum != 0;
	size_t commit, reserve;
	struct heap *heap;

	static_assert(sizeof(struct heap) < 2048,
		      "a heap of one page has room for blocks");

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	if (!page_round_up(initial ? initial : 1, &commit) ||
	    !page_round_up(fixed ? maximum : commit, &reserve) ||
	    commit > reserve)
		return NULL;
	heap = heap_create_region(&reserve, commit, fixed, options);
	if (!heap)
		return NULL;

	heap_lock_init(heap);
	heap->options = options & HEAP_OPTIONS;
	heap->fixed = fixed;
	heap->regions = &heap->first;
	heap->first.base = (char *)heap;
	heap->first.reserved = reserve;
	heap->first.committed = commit;
	blocks_init(&heap->first.blocks, (char *)(heap + 1),
		    heap->first.base + commit, heap->first.base + reserve);

	if (!heaps_add(heap, process)) {
		heap_release_region(heap, reserve);
		return NULL;
	}
	return heap;
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

	while (heap->large)
		large_free(heap, heap->large);
	while (heap->regions != &heap->first) {
		region = heap->regions;
		heap->regions = region->next;
		heap_abandon_region(region);
	}
	if (heap->front)
		front_destroy(heap->front);
	heap_release_region(heap, heap->first.reserved);
	return NO_ERROR;
}
