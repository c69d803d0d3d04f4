// SPDX-License-Identifier: MIT
/*
 * Whether a heap's control data are as they must be. They may be anything: no
 * address is followed before it is known to be ours, and every loop ends.
 */
#include <privheap/region.h>

#include "front.h"
#include "heap.h"

/* More than fit into any address space, for each is larger than the last. */
#define REGIONS_MAX	(1u << 17)

static bool heap_region_sound(const struct heap *heap,
			      const struct heap_region *region)
{
	const struct blocks *blocks = &region->blocks;
	uintptr_t base = (uintptr_t)region;

	if (region == &heap->first)
		base = (uintptr_t)heap;
	return (uintptr_t)region->base == base &&
	       (uintptr_t)blocks->holes.base == base &&
	       region->heap == heap && page_aligned(region->reserved) &&
	       page_aligned((uintptr_t)blocks->end) &&
	       (uintptr_t)blocks->start >= (uintptr_t)(region + 1) &&
	       blocks->start <= blocks->top && blocks->top <= blocks->end &&
	       blocks->end <= blocks->limit &&
	       (uintptr_t)blocks->limit == base + region->reserved;
}

bool heap_regions_sound(const struct heap *heap)
{
	const struct heap_region *region = heap->regions;
	unsigned int count = 0;

	for (;;) {
		if (region != &heap->first && !heap_region_known(region))
			return false;
		if (!heap_region_sound(heap, region) || ++count > REGIONS_MAX)
			return false;
		if (region == &heap->first)
			return !region->next;
		region = region->next;
	}
}

bool heap_larges_sound(struct heap *heap)
{
	struct large_block *large, *prev = NULL;

	/* A ring would have a member with two predecessors. */
	for (large = heap->large; large; large = large->next) {
		if (!large_find(heap, (char *)large + LARGE_HEADER) ||
		    large->prev != prev || large->committed > large->reserved ||
		    large->committed < LARGE_HEADER ||
		    large->size > large->committed - LARGE_HEADER)
			return false;
		prev = large;
	}
	return true;
}

bool heap_check(struct heap *heap)
{
	struct heap_region *region;

	if (!heap_regions_sound(heap) || !heap_larges_sound(heap))
		return false;
	for (region = heap->regions; region; region = region->next) {
		if (!blocks_check(&region->blocks))
			return false;
	}
	return front_check(heap);
}

bool heap_check_block(struct heap *heap, const void *block)
{
	struct block_piece piece;
	struct heap_region *region;

	if (!heap_regions_sound(heap))
		return false;
	if (front_slab(heap->front, block))
		return front_class(heap->front, block);
	for (region = heap->regions; region; region = region->next) {
		if (blocks_piece_of(&region->blocks, block, true, &piece))
			return true;
	}
	return large_find(heap, block);
}
