// SPDX-License-Identifier: MIT
/* What a heap does with blocks, without the Win32 face and without locks. */
#include <string.h>

#include <linux/privheap.h>

#include "front.h"
#include "heap.h"
#include "region.h"

/* The region of this heap that the address lies in; NULL: none. */
static struct heap_region *heap_find_region(struct heap *heap,
					    const void *block)
{
	struct heap_region *region;

	for (region = heap->regions; region; region = region->next) {
		if ((uintptr_t)block - (uintptr_t)region->base <
		    region->committed)
			return region;
	}
	return NULL;
}

/**
 * struct place - where a live block is
 * @front: in a slab of this one
 * @region: or among the blocks of this region
 * @large: or in a region of its own
 * @size: bytes that were asked for
 */
struct place {
	struct front *front;
	struct heap_region *region;
	struct large_block *large;
	size_t size;
};

/* false: no live block of this heap begins there. */
static bool heap_find(struct heap *heap, const void *block, struct place *place)
{
	struct heap_region *region = heap_find_region(heap, block);

	*place = (struct place){};
	if (region) {
		/* The slabs are blocks of the region, but not the program's. */
		if (front_slab(heap->front, block)) {
			if (!front_class(heap->front, block))
				return false;
			place->front = heap->front;
			place->size = front_size(place->front, block);
			return true;
		}
		if (!blocks_valid(&region->blocks, block))
			return false;
		place->region = region;
		place->size = blocks_size(&region->blocks, block);
		return true;
	}
	place->large = large_find(heap, block);
	if (!place->large)
		return false;
	place->size = place->large->size;
	return true;
}

/* A block from memory that must be committed first. */
static void *heap_alloc_slowly(struct heap *heap, size_t size, size_t *dirty)
{
	struct heap_region *region;
	size_t need;

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	for (region = heap->regions; region; region = region->next) {
		need = blocks_shortfall(&region->blocks, size);
		if (need == SIZE_MAX)
			continue;
		if (!heap_region_commit(region, need))
			return NULL;
		return blocks_alloc(&region->blocks, size, dirty);
	}
	if (heap->fixed) {
		region_set_denied(PRIVHEAP_LEVEL_REGION);
		return NULL;
	}
	region = heap_add_region(heap, size);
	return region ? blocks_alloc(&region->blocks, size, dirty) : NULL;
}

void *heap_get(struct heap *heap, size_t size, size_t *dirty)
{
	struct heap_region *region;
	void *block;

	if (unlikely(size > HEAP_MAX_BLOCK)) {
		region_set_denied(PRIVHEAP_LEVEL_NONE);
		*dirty = 0;
		return heap->fixed ? NULL : large_alloc(heap, size);
	}
	for (region = heap->regions; region; region = region->next) {
		block = blocks_alloc(&region->blocks, size, dirty);
		if (likely(block))
			return block;
	}
	return heap_alloc_slowly(heap, size, dirty);
}

/* The same; what caches hold back is used before the heap says no. */
static void *heap_get_or_drain(struct heap *heap, size_t size, size_t *dirty)
{
	void *block = heap_get(heap, size, dirty);

	if (likely(block) || !heap->front)
		return block;
	front_drain(heap);
	return heap_get(heap, size, dirty);
}

void *heap_alloc(struct heap *heap, size_t size, bool zero)
{
	size_t dirty = size;
	void *block = front_alloc(heap, size);

	if (!block)
		block = heap_get_or_drain(heap, size, &dirty);
	if (block && zero && dirty)
		memset(block, 0, dirty);
	return block;
}

static void heap_put_into(struct heap *heap, struct heap_region *region,
			  void *block)
{
	blocks_free(&region->blocks, block);
	if (region != &heap->first && blocks_empty(&region->blocks))
		heap_remove_region(heap, region);
}

void heap_put(struct heap *heap, void *block)
{
	heap_put_into(heap, heap_find_region(heap, block), block);
}

static void heap_release(struct heap *heap, const struct place *place,
			 void *block)
{
	if (place->front)
		front_free(place->front, block);
	else if (place->region)
		heap_put_into(heap, place->region, block);
	else
		large_free(heap, place->large);
}

DWORD heap_free(struct heap *heap, void *block)
{
	struct place place;

	if (!heap_find(heap, block, &place))
		return ERROR_INVALID_PARAMETER;
	heap_release(heap, &place, block);
	return NO_ERROR;
}

DWORD heap_size(struct heap *heap, const void *block, size_t *size)
{
	struct place place;

	if (!heap_find(heap, block, &place))
		return ERROR_INVALID_PARAMETER;
	*size = place.size;
	return NO_ERROR;
}

/* Changes the size of an ordinary block where it is; false: impossible. */
static bool heap_resize(struct heap_region *region, void *block, size_t size,
			bool zero)
{
	size_t old = blocks_size(&region->blocks, block), need, dirty;

	if (size > HEAP_MAX_BLOCK)
		return false;
	if (!blocks_resize(&region->blocks, block, size, &dirty)) {
		need = blocks_resize_shortfall(&region->blocks, block, size);
		if (need == SIZE_MAX || !heap_region_commit(region, need) ||
		    !blocks_resize(&region->blocks, block, size, &dirty))
			return false;
	}
	if (zero && size > old)
		memset((char *)block + old, 0, dirty);
	return true;
}

static bool heap_resize_place(const struct place *place, void *block,
			      size_t size, bool zero, bool in_place)
{
	if (place->front)
		return front_resize(place->front, block, size, zero, in_place);
	if (place->region)
		return heap_resize(place->region, block, size, zero);
	return large_resize(place->large, size, zero);
}

/*
 * What grows will often grow again, which the back end may be able to do in
 * place: larger blocks that have to move go there.
 */
#define REALLOC_SLOT_MAX	((size_t)1024)

DWORD heap_realloc(struct heap *heap, void **block, size_t size, bool zero,
		   bool in_place)
{
	struct place place;
	size_t dirty = size, old;
	char *moved = NULL;

	if (!heap_find(heap, *block, &place))
		return ERROR_INVALID_PARAMETER;
	old = place.size;

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	if (heap_resize_place(&place, *block, size, zero, in_place))
		return NO_ERROR;
	if (in_place)
		return ERROR_NOT_ENOUGH_MEMORY;

	if (size <= REALLOC_SLOT_MAX || size < old)
		moved = front_alloc(heap, size);
	if (!moved)
		moved = heap_get_or_drain(heap, size, &dirty);
	if (!moved) {
		/* It may only be that its slot is too good for what it is now. */
		return heap_resize_place(&place, *block, size, zero, true) ?
		       NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
	}
	memcpy(moved, *block, old < size ? old : size);
	if (zero && dirty > old)
		memset(moved + old, 0, dirty - old);
	heap_release(heap, &place, *block);
	*block = moved;
	return NO_ERROR;
}
