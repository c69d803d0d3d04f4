// SPDX-License-Identifier: MIT
/* What a heap does with blocks, without the Win32 face and without locks. */
#include <string.h>

#include <linux/privheap.h>
#include <privheap/region.h>

#include "front.h"
#include "heap.h"
#include "region.h"

/*
 * A block that is as large as this when it has to move because it grew will
 * probably grow again, and is given room for that. Smaller ones are copied as
 * cheaply as a region is made.
 */
#define HEAP_SPACIOUS	((size_t)32 << 10)

/* The largest that is given a slot then, in which it cannot grow much. */
#define REALLOC_SLOT_MAX	((size_t)1024)

/* Of a block that grows where it is, this part is committed besides. */
#define RESIZE_SPARE	4

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
		place->region = region;
		place->size = blocks_valid_size(&region->blocks, block);
		return place->size != SIZE_MAX;
	}
	place->large = large_find(heap, block);
	if (!place->large)
		return false;
	place->size = place->large->size;
	return true;
}

/* A block at the end of a region; *@refused: there is a limit or a shortage. */
static void *heap_alloc_end(struct heap *heap, size_t size, size_t *dirty,
			    bool *refused)
{
	struct heap_region *region;
	size_t need;

	for (region = heap->regions; region; region = region->next) {
		need = blocks_shortfall(&region->blocks, size);
		if (need == SIZE_MAX)
			continue;
		if (heap_region_commit(region, need, 0))
			return blocks_alloc(&region->blocks, size, dirty);
		*refused = true;
	}
	return NULL;
}

/* A block of whatever is free anywhere. */
static void *heap_alloc_scan(struct heap *heap, size_t size, size_t *dirty)
{
	struct heap_region *region;
	void *block = NULL;

	for (region = heap->regions; region && !block; region = region->next)
		block = blocks_alloc_scan(&region->blocks, size, dirty);
	return block;
}

/* A block from a further region. */
static void *heap_alloc_region(struct heap *heap, size_t size, size_t *dirty,
			       bool *refused)
{
	struct heap_region *region = heap_add_region(heap, size);

	if (region)
		return blocks_alloc(&region->blocks, size, dirty);
	*refused = true;
	return NULL;
}

/* A block from memory that must be committed first. */
static void *heap_alloc_slowly(struct heap *heap, size_t size, size_t *dirty)
{
	bool refused;
	void *block;
	int tries;

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	/* Once more, if the heap itself has something to give back. */
	for (tries = 0; tries < 2; tries++) {
		refused = false;
		block = heap_alloc_end(heap, size, dirty, &refused);
		if (!block) {
			block = heap_alloc_scan(heap, size, dirty);
			/* There were holes, and they could not be filled. */
			if (privheap_last_denied() != PRIVHEAP_LEVEL_NONE)
				refused = true;
		}
		if (!block && !heap->fixed && !refused)
			block = heap_alloc_region(heap, size, dirty, &refused);
		if (block)
			return block;
		if (!refused || (!tries && !heap_trim(heap, page_size())))
			break;
	}
	if (!refused)
		region_set_denied(PRIVHEAP_LEVEL_REGION);
	return NULL;
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

/* A block for the contents of one that is to have @size bytes, and had @old. */
static void *heap_get_moved(struct heap *heap, size_t size, size_t old,
			    size_t *dirty)
{
	void *block;

	/* What grows will often grow again, which a slot cannot do in place. */
	if (size <= REALLOC_SLOT_MAX || size < old) {
		*dirty = size;
		block = front_alloc(heap, size);
		if (block)
			return block;
	}
	if (size >= HEAP_SPACIOUS && size > old && !heap->fixed) {
		*dirty = 0;
		block = large_alloc_spacious(heap, size);
		if (block)
			return block;
	}
	return heap_get_or_drain(heap, size, dirty);
}

void *heap_alloc(struct heap *heap, size_t size, bool zero)
{
	size_t dirty = size;
	void *block = front_alloc(heap, size);

	if (!block)
		block = heap_get_or_drain(heap, size, &dirty);
	if (unlikely(!block))
		heap_call_failed(heap);
	else if (zero && dirty)
		memset(block, 0, dirty);
	return block;
}

static void heap_put_into(struct heap *heap, struct heap_region *region,
			  void *block)
{
	size_t freed = blocks_free(&region->blocks, block);

	if (region != &heap->first && blocks_empty(&region->blocks))
		heap_remove_region(heap, region);
	heap_freed(heap, freed);
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

/*
 * Changes the size of an ordinary block where it is, and with the memory there
 * is; false: impossible.
 */
static inline bool heap_resize(struct heap *heap, struct heap_region *region,
			       void *block, size_t old, size_t size, bool zero)
{
	size_t dirty;

	if (!heap_resizable(heap, region, size) ||
	    !blocks_resize(&region->blocks, block, size, &dirty))
		return false;
	if (size < old)
		heap_freed(heap, old - size);
	else if (zero)
		memset((char *)block + old, 0, dirty);
	return true;
}

/* The same with memory that must be committed first. */
static bool heap_resize_slowly(struct heap *heap, struct heap_region *region,
			       void *block, size_t old, size_t size, bool zero)
{
	bool trimmed = false;
	size_t need;

	if (!heap_resizable(heap, region, size))
		return false;
	do {
		need = blocks_resize_shortfall(&region->blocks, block, size);
		if (need == SIZE_MAX)
			return false;
		/*
		 * What grows will often grow again. Once more, if the heap itself
		 * has something to give back.
		 */
		while (!heap_region_commit(region, need, size / RESIZE_SPARE)) {
			if (trimmed || !heap_trim(heap, page_size()))
				return false;
			trimmed = true;
			need = blocks_resize_shortfall(&region->blocks, block,
						       size);
		}
	} while (!heap_resize(heap, region, block, old, size, zero));
	return true;
}

/* Changes the size of a block where it is; false: impossible. */
static bool heap_resize_place(struct heap *heap, const struct place *place,
			      void *block, size_t size, bool zero,
			      bool in_place)
{
	if (place->front)
		return front_resize(place->front, block, size, zero, in_place);
	if (place->region)
		return heap_resize_slowly(heap, place->region, block,
					  place->size, size, zero);
	return large_resize(place->large, size, zero);
}

static __attribute__((noinline)) DWORD
heap_realloc_slowly(struct heap *heap, const struct place *place, void **block,
		    size_t size, bool zero, bool in_place)
{
	size_t dirty, old = place->size;
	char *moved;

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	if (heap_resize_place(heap, place, *block, size, zero, in_place))
		return NO_ERROR;
	if (in_place)
		goto failed;

	moved = heap_get_moved(heap, size, old, &dirty);
	if (!moved) {
		/* It may only be that its slot is too good for what it is now. */
		if (heap_resize_place(heap, place, *block, size, zero, true))
			return NO_ERROR;
		goto failed;
	}
	memcpy(moved, *block, old < size ? old : size);
	if (zero && dirty > old)
		memset(moved + old, 0, dirty - old);
	heap_release(heap, place, *block);
	*block = moved;
	return NO_ERROR;

failed:
	heap_call_failed(heap);
	return ERROR_NOT_ENOUGH_MEMORY;
}

DWORD heap_realloc(struct heap *heap, void **block, size_t size, bool zero,
		   bool in_place)
{
	struct place place;

	if (!heap_find(heap, *block, &place))
		return ERROR_INVALID_PARAMETER;
	if (place.region && heap_resize(heap, place.region, *block, place.size,
					size, zero))
		return NO_ERROR;
	return heap_realloc_slowly(heap, &place, block, size, zero, in_place);
}
