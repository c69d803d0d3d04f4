// SPDX-License-Identifier: MIT
/* Blocks that have a region of their own. */
#include <errno.h>
#include <string.h>

#include <privheap/region.h>

#include "heap.h"
#include "process.h"
#include "ptrset.h"

/* The bases of all large blocks of all heaps. */
static struct ptrset larges = PTRSET_INIT;

static_assert(LARGE_HEADER % BLOCKS_ALIGN == 0, "large blocks are aligned");

static char *large_block(struct large_block *large)
{
	return (char *)large + LARGE_HEADER;
}

void *large_alloc(struct heap *heap, size_t size)
{
	struct large_block *large;
	unsigned int flags = 0;
	size_t length;

	if (__builtin_add_overflow(size, LARGE_HEADER, &length) ||
	    !page_round_up(length, &length))
		return NULL;
	if (heap->options & HEAP_CREATE_ENABLE_EXECUTE)
		flags |= PRIVHEAP_CREATE_EXEC;

	/* The page of the header is populated, the others come when touched. */
	large = privheap_region_create(length, page_size(), 0, flags);
	if (!large)
		return NULL;
	if (privheap_region_grow(large, length, 0) || !ptrset_add(&larges, large)) {
		heap_release_region(large, length);
		return NULL;
	}

	large->heap = heap;
	large->reserved = length;
	large->committed = length;
	large->size = size;
	large->prev = NULL;
	large->next = heap->large;
	if (large->next)
		large->next->prev = large;
	heap->large = large;
	return large_block(large);
}

struct large_block *large_find(struct heap *heap, const void *block)
{
	struct large_block *large = (void *)((uintptr_t)block - LARGE_HEADER);

	if (!page_aligned((uintptr_t)large) || !ptrset_has(&larges, large))
		return NULL;
	return large->heap == heap ? large : NULL;
}

bool large_resize(struct large_block *large, size_t size, bool zero)
{
	size_t length, old_size = large->size, old = large->committed, dirty;

	if (__builtin_add_overflow(size, LARGE_HEADER, &length) ||
	    !page_round_up(length, &length) || length > large->reserved)
		return false;

	if (length > old) {
		if (privheap_region_grow(large, length, 0))
			return false;
		large->committed = length;
	} else if (length < old) {
		/* EBUSY: all zeroed, and some pages not given back: as good. */
		if (!privheap_region_decommit(large, length, old - length) ||
		    errno == EBUSY)
			large->committed = length;
	}

	/* Pages that were committed just now are zero without our doing. */
	dirty = old - LARGE_HEADER;
	if (zero && size > old_size && dirty > old_size)
		memset(large_block(large) + old_size, 0,
		       (size < dirty ? size : dirty) - old_size);
	large->size = size;
	return true;
}

void large_free(struct heap *heap, struct large_block *large)
{
	if (large->prev)
		large->prev->next = large->next;
	else
		heap->large = large->next;
	if (large->next)
		large->next->prev = large->prev;

	ptrset_remove(&larges, large);
	heap_release_region(large, large->reserved);
}

void large_forget(void)
{
	ptrset_forget(&larges);
}
