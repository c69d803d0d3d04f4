// SPDX-License-Identifier: MIT
/*
 * Steps through everything that a heap has: region by region, as they were
 * made, in each its pieces from its base up; large blocks at last. Nothing but
 * the caller's entry knows how far a walk has come, so any number of them can be
 * under way, and the heap may change between the steps of one.
 */
#include <string.h>

#include "front.h"
#include "heap.h"

/* The index of all large blocks; no region has it. */
#define WALK_INDEX_LARGE	64

static DWORD walk_size(size_t size)
{
	return size < UINT32_MAX ? (DWORD)size : UINT32_MAX;
}

/* How many regions are older; 255 stands for all that are beyond. */
static BYTE walk_index(const struct heap_region *region)
{
	unsigned int index = 0;

	while ((region = region->next))
		index++;
	if (index >= WALK_INDEX_LARGE)
		index++;
	return index < 255 ? index : 255;
}

static void walk_set(PROCESS_HEAP_ENTRY *entry, const void *data, size_t size,
		     BYTE index, WORD flags)
{
	memset(entry, 0, sizeof(*entry));
	entry->lpData = (void *)(uintptr_t)data;
	entry->cbData = walk_size(size);
	entry->iRegionIndex = index;
	entry->wFlags = flags;
}

static DWORD walk_to_large(struct heap *heap, struct large_block *large,
			   PROCESS_HEAP_ENTRY *entry)
{
	char *block;

	if (!large)
		return ERROR_NO_MORE_ITEMS;
	block = (char *)large + LARGE_HEADER;
	if (!large_find(heap, block))
		return ERROR_GEN_FAILURE;
	walk_set(entry, block, large->size, WALK_INDEX_LARGE,
		 PROCESS_HEAP_ENTRY_BUSY);
	return NO_ERROR;
}

static DWORD walk_to_region(const struct heap_region *region,
			    PROCESS_HEAP_ENTRY *entry)
{
	struct block_piece piece;
	int more = blocks_piece(&region->blocks, region->blocks.start, &piece);
	size_t committed;

	if (more < 0)
		return ERROR_GEN_FAILURE;
	walk_set(entry, region->base, region->reserved, walk_index(region),
		 PROCESS_HEAP_REGION);
	committed = heap_region_end(region) - region->blocks.holes.gone;
	entry->Region.dwCommittedSize = walk_size(committed);
	entry->Region.dwUnCommittedSize =
		walk_size(region->reserved - committed);
	entry->Region.lpFirstBlock = more ? piece.block : region->blocks.end;
	entry->Region.lpLastBlock = region->base + region->reserved;
	return NO_ERROR;
}

/* To the region that was made after this one, or beyond the last. */
static DWORD walk_past_region(struct heap *heap,
			      const struct heap_region *region,
			      PROCESS_HEAP_ENTRY *entry)
{
	const struct heap_region *newer = heap->regions;

	if (newer == region)
		return walk_to_large(heap, heap->large, entry);
	while (newer->next != region)
		newer = newer->next;
	return walk_to_region(newer, entry);
}

static char *slab_begin(const struct front *front, const struct slab *slab)
{
	return front->base + slab->first * GRANULE;
}

/* To the block, or to the free slots up to the next one, at @at in a slab. */
static void walk_to_slot(const struct front *front, const struct slab *slab,
			 char *at, BYTE index, PROCESS_HEAP_ENTRY *entry)
{
	size_t slot = class_size(slab->class);
	char *end = slab_begin(front, slab) + slab->slots * slot, *next = at;
	size_t size;

	if (front_class(front, at)) {
		size = front_size(front, at);
		walk_set(entry, at, size, index, PROCESS_HEAP_ENTRY_BUSY);
		entry->cbOverhead = slot - size < 255 ? slot - size : 255;
		return;
	}
	while (next < end && !front_class(front, next))
		next += slot;
	walk_set(entry, at, next - at, index, 0);
}

/*
 * The next piece inside the region: the one that begins at @at. NO_ERROR,
 * ERROR_NO_MORE_ITEMS at the end of what is committed, or ERROR_GEN_FAILURE.
 */
static DWORD walk_to_piece(struct heap *heap, const struct heap_region *region,
			   char *at, PROCESS_HEAP_ENTRY *entry)
{
	struct block_piece piece;
	int more = blocks_piece(&region->blocks, at, &piece);
	const struct slab *slab;
	size_t overhead;

	if (more < 0)
		return ERROR_GEN_FAILURE;
	if (!more)
		return ERROR_NO_MORE_ITEMS;
	slab = piece.busy ? front_slab(heap->front, piece.block) : NULL;
	if (slab) {
		walk_to_slot(heap->front, slab, piece.block, walk_index(region),
			     entry);
		return NO_ERROR;
	}
	walk_set(entry, piece.block, piece.wanted, walk_index(region),
		 piece.busy ? PROCESS_HEAP_ENTRY_BUSY : 0);
	overhead = piece.size - piece.wanted;
	entry->cbOverhead = overhead < 255 ? overhead : 255;
	return NO_ERROR;
}

/* To what begins at @at in this region, or beyond the region. */
static DWORD walk_on(struct heap *heap, const struct heap_region *region,
		     char *at, PROCESS_HEAP_ENTRY *entry)
{
	DWORD error = walk_to_piece(heap, region, at, entry);

	if (error != ERROR_NO_MORE_ITEMS)
		return error;
	if (heap_region_end(region) == region->reserved)
		return walk_past_region(heap, region, entry);
	walk_set(entry, region->base + heap_region_end(region),
		 region->reserved - heap_region_end(region), walk_index(region),
		 PROCESS_HEAP_UNCOMMITTED_RANGE);
	return NO_ERROR;
}

/* From a block, or from free slots, in a slab. */
static DWORD walk_from_slot(struct heap *heap, const struct heap_region *region,
			    const struct slab *slab, PROCESS_HEAP_ENTRY *entry)
{
	const struct front *front = heap->front;
	bool busy = entry->wFlags & PROCESS_HEAP_ENTRY_BUSY;
	size_t slot = class_size(slab->class);
	char *begin = slab_begin(front, slab), *at = entry->lpData;
	struct block_piece piece;

	if ((size_t)(at - begin) % slot || !front_class(front, at) == busy)
		return ERROR_INVALID_PARAMETER;
	do {
		at += slot;
	} while (!busy && at < begin + slab->slots * slot &&
		 !front_class(front, at));
	if (at < begin + slab->slots * slot) {
		walk_to_slot(front, slab, at, walk_index(region), entry);
		return NO_ERROR;
	}
	if (!blocks_piece_of(&region->blocks, begin, true, &piece))
		return ERROR_GEN_FAILURE;
	return walk_on(heap, region, piece.start + piece.size, entry);
}

/* From a block, or from what is free. */
static DWORD walk_from_piece(struct heap *heap,
			     const struct heap_region *region,
			     PROCESS_HEAP_ENTRY *entry)
{
	bool busy = entry->wFlags & PROCESS_HEAP_ENTRY_BUSY;
	struct large_block *large;
	struct block_piece piece;
	struct slab *slab = front_slab(heap->front, entry->lpData);

	if (slab && region)
		return walk_from_slot(heap, region, slab, entry);
	if (region && blocks_piece_of(&region->blocks, entry->lpData, busy,
				      &piece))
		return walk_on(heap, region, piece.start + piece.size, entry);
	large = busy ? large_find(heap, entry->lpData) : NULL;
	if (!large)
		return ERROR_INVALID_PARAMETER;
	return walk_to_large(heap, large->next, entry);
}

DWORD heap_walk(struct heap *heap, PROCESS_HEAP_ENTRY *entry)
{
	uintptr_t data = (uintptr_t)entry->lpData;
	const struct heap_region *region;

	if (!heap_regions_sound(heap))
		return ERROR_GEN_FAILURE;
	if (!data) {
		/* What was freed is free, and not kept back for some thread. */
		front_drain(heap);
		return walk_to_region(&heap->first, entry);
	}

	/* What an empty tail's entry points to is the end of the region. */
	if (entry->wFlags == 0)
		data--;
	for (region = heap->regions; region; region = region->next) {
		if (data - (uintptr_t)region->base < region->reserved)
			break;
	}

	switch (entry->wFlags) {
	case 0:
	case PROCESS_HEAP_ENTRY_BUSY:
		return walk_from_piece(heap, region, entry);
	case PROCESS_HEAP_REGION:
		if (!region || data != (uintptr_t)region->base)
			return ERROR_INVALID_PARAMETER;
		return walk_on(heap, region, region->blocks.start, entry);
	case PROCESS_HEAP_UNCOMMITTED_RANGE:
		if (!region)
			return ERROR_INVALID_PARAMETER;
		return walk_past_region(heap, region, entry);
	default:
		return ERROR_INVALID_PARAMETER;
	}
}
