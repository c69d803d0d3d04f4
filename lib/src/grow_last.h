/* SPDX-License-Identifier: MIT */
/*
 * The shortest way of HeapReAlloc(): what grows step by step is most often the
 * last block of its heap, and has room behind it. This takes all the checks of
 * the longer way, once, and neither a call nor a system call. Wherever it says
 * no nothing has changed, and the longer way finds out why.
 */
#ifndef PRIVHEAP_SRC_GROW_LAST_H
#define PRIVHEAP_SRC_GROW_LAST_H

#include "chunk.h"
#include "front.h"
#include "heap.h"

/*
 * Makes the last block larger, of which only the caller knows that @size is not
 * too much. Any value may be asked for; false: it is no live block, not the
 * last, not to become larger, or there is no room.
 */
static inline __attribute__((always_inline)) bool
blocks_grow_last(struct blocks *blocks, void *block, size_t size)
{
	struct chunk *chunk = block_chunk(block);
	uintptr_t top = (uintptr_t)blocks->top;
	size_t have = top - (uintptr_t)chunk;
	/* One that grows is not of the smallest any more. */
	size_t needed = chunk_needed_most(size);

	/* What cannot be the last, or has no room, need not be read. */
	if (unlikely((uintptr_t)block % BLOCKS_ALIGN || have < CHUNK_MIN ||
		     have > top - (uintptr_t)blocks->start ||
		     needed - have - 1 >= (uintptr_t)blocks->end - top ||
		     holes_has(&blocks->holes, chunk)))
		return false;
	if (unlikely((chunk->head & ~PREV_FREE) != (have | BUSY) ||
		     !chunk_check_fits(chunk)))
		return false;
	/* To be read again: to keep it takes registers that must be saved. */
	__asm__("" ::: "memory");
	chunk_grow_last(blocks, chunk, needed, size);
	return true;
}

/* Whether there is certainly no slab at the address. */
static inline bool front_no_slab(const struct front *front, const void *address)
{
	unsigned long granule = front_granule(front, address);
	const struct slab_page *page;

	if (granule >= front->limit)
		return true;
	page = &front->pages[granule / (SLAB_PAGE / GRANULE)];
	return !page->begins && !page->covers;
}

/* Any value may be asked for, as above. */
static inline __attribute__((always_inline)) bool
heap_grow_last(struct heap *heap, void *block, size_t size)
{
	struct heap_region *region = heap_find_region(heap, block);

	if (unlikely(!region || !heap_resizable(heap, region, size)))
		return false;
	/* A slab is a block of the region, but not the program's. */
	if (heap->front && !front_no_slab(heap->front, block))
		return false;
	return blocks_grow_last(&region->blocks, block, size);
}

#endif /* PRIVHEAP_SRC_GROW_LAST_H */
