// SPDX-License-Identifier: MIT
/* What a heap does with blocks, without the Win32 face and without locks. */
#include <string.h>

#include <linux/privheap.h>

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

/* The region of a live block that is not a large one; NULL: it is not. */
static struct heap_region *heap_find_block(struct heap *heap,
					   const void *block)
{
	struct heap_region *region = heap_find_region(heap, block);

	if (!region || !blocks_valid(&region->blocks, block))
		return NULL;
	return region;
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
	blocks_free(&region->blocks, block);
	if (region != &heap->first && blocks_empty(&region->blocks))
		heap_remove_region(heap, region);
}

DWORD heap_free(struct heap *heap, void *block)
{
	struct heap_region *region = heap_find_block(heap, block);
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
	struct heap_region *region = heap_find_block(heap, block);
	struct large_block *large;

	if (likely(region)) {
		*size = blocks_size(&region->blocks, block);
		return NO_ERROR;
	}
	large = large_find(heap, block);
	if (!large)
		return ERROR_INVALID_PARAMETER;
	*size = large->size;
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

DWORD heap_realloc(struct heap *heap, void **block, size_t size, bool zero,
		   bool in_place)
{
	struct heap_region *region = heap_find_block(heap, *block);
	struct large_block *large = NULL;
	size_t old, dirty;
	char *moved;

	if (!region) {
		large = large_find(heap, *block);
		if (!large)
			return ERROR_INVALID_PARAMETER;
	}

	region_set_denied(PRIVHEAP_LEVEL_NONE);
	old = large ? large->size : blocks_size(&region->blocks, *block);
	if (large ? large_resize(large, size, zero) :
		    heap_resize(region, *block, size, zero))
		return NO_ERROR;
	if (in_place)
		return ERROR_NOT_ENOUGH_MEMORY;

	moved = heap_get(heap, size, &dirty);
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
