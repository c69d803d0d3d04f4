// SPDX-License-Identifier: MIT
/* What a heap does with blocks, without the Win32 face and without locks. */
#include <string.h>

#include <linux/privheap.h>
#include <privheap/region.h>

#include "heap.h"
#include "region.h"

/*
 * A block that is as large as this when it has to move because it grew will
 * probably grow again, and is given room for that. Smaller ones are copied as
 * cheaply as a region is made.
 */
#define HEAP_SPACIOUS	((size_t)32 << 10)

/* The region of this heap that the address lies in; NULL: none. */
static struct heap_region *heap_find_region(struct heap *heap,
					    const void *block)
{
	struct heap_region *region;

	for (region = heap->regions; region; region = region->next) {
		if ((uintptr_t)block - (uintptr_t)region->base <
		    heap_region_end(region))
			return region;
	}
	return NULL;
}

/*
 * The region of a live block that is not a large one, and the block's size;
 * NULL: it is not.
 */
static inline struct heap_region *heap_find_block(struct heap *heap,
						  const void *block,
						  size_t *size)
{
	struct heap_region *region = heap_find_region(heap, block);

	if (!region)
		return NULL;
	*size = blocks_valid_size(&region->blocks, block);
	return *size != SIZE_MAX ? region : NULL;
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
		if (heap_region_commit(region, need))
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
		if (!refused || (!tries && !heap_trim(heap, true)))
			break;
	}
	if (!refused)
		region_set_denied(PRIVHEAP_LEVEL_REGION);
	return NULL;
}

/* A block of which the first *@dirty bytes may hold anything. */
static void *heap_get(struct heap *heap, size_t size, size_t *dirty)
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

/* A block for the contents of one that is to have @size bytes, and had @old. */
static void *heap_get_moved(struct heap *heap, size_t size, size_t old,
			    size_t *dirty)
{
	void *block;

	if (size >= HEAP_SPACIOUS && size > old && !heap->fixed) {
		*dirty = 0;
		block = large_alloc_spacious(heap, size);
		if (block)
			return block;
	}
	return heap_get(heap, size, dirty);
}

void *heap_alloc(struct heap *heap, size_t size, bool zero)
{
	size_t dirty;
	void *block = heap_get(heap, size, &dirty);

	if (block && zero)
		memset(block, 0, dirty);
	return block;
}

/* Gives an ordinary block back, and its region when that was the last one. */
static void heap_put(struct heap *heap, struct heap_region *region,
		     void *block)
{
	size_t freed = blocks_free(&region->blocks, block);

	if (region != &heap->first && blocks_empty(&region->blocks))
		heap_remove_region(heap, region);
	heap_freed(heap, freed);
}

DWORD heap_free(struct heap *heap, void *block)
{
	size_t size;
	struct heap_region *region = heap_find_block(heap, block, &size);
	struct large_block *large;

	if (likely(region)) {
		heap_put(heap, region, block);
		return NO_ERROR;
	}
	large = large_find(heap, block);
	if (!large)
		return ERROR_INVALID_PARAMETER;
	large_free(heap, large);
	return NO_ERROR;
}

DWORD heap_size(struct heap *heap, const void *block, size_t *size)
{
	struct large_block *large;

	if (likely(heap_find_block(heap, block, size)))
		return NO_ERROR;
	large = large_find(heap, block);
	if (!large)
		return ERROR_INVALID_PARAMETER;
	*size = large->size;
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

	/* The last block of a heap that grows may become as large as it likes. */
	if (unlikely(size > HEAP_MAX_BLOCK) &&
	    (heap->fixed || size > region->reserved))
		return false;
	if (!blocks_resize(&region->blocks, block, size, &dirty))
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

	if (size > HEAP_MAX_BLOCK && (heap->fixed || size > region->reserved))
		return false;
	do {
		need = blocks_resize_shortfall(&region->blocks, block, size);
		if (need == SIZE_MAX)
			return false;
		/* Once more, if the heap itself has something to give back. */
		while (!heap_region_commit(region, need)) {
			if (trimmed || !heap_trim(heap, true))
				return false;
			trimmed = true;
			need = blocks_resize_shortfall(&region->blocks, block,
						       size);
		}
	} while (!heap_resize(heap, region, block, old, size, zero));
	return true;
}

/* Gives a block, the large one if there is, another size; it may move. */
static __attribute__((noinline)) DWORD
heap_realloc_slowly(struct heap *heap, struct heap_region *region,
		    struct large_block *large, void **block, size_t old,
		    size_t size, bool zero, bool in_place)
{
	size_t dirty;
	char *moved;

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	if (large ? large_resize(large, size, zero) :
		    heap_resize_slowly(heap, region, *block, old, size, zero))
		return NO_ERROR;
	if (in_place)
		return ERROR_NOT_ENOUGH_MEMORY;

	moved = heap_get_moved(heap, size, old, &dirty);
	if (!moved)
		return ERROR_NOT_ENOUGH_MEMORY;
	memcpy(moved, *block, old < size ? old : size);
	if (zero && dirty > old)
		memset(moved + old, 0, dirty - old);
	if (large)
		large_free(heap, large);
	else
		heap_put(heap, region, *block);
	*block = moved;
	return NO_ERROR;
}

DWORD heap_realloc(struct heap *heap, void **block, size_t size, bool zero,
		   bool in_place)
{
	size_t old;
	struct heap_region *region = heap_find_block(heap, *block, &old);
	struct large_block *large = NULL;

	if (likely(region)) {
		if (heap_resize(heap, region, *block, old, size, zero))
			return NO_ERROR;
	} else {
		large = large_find(heap, *block);
		if (!large)
			return ERROR_INVALID_PARAMETER;
		old = large->size;
	}
	return heap_realloc_slowly(heap, region, large, block, old, size, zero,
				   in_place);
}
