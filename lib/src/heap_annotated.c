// SPDX-License-Identifier: MIT
/*
 * What a heap does with blocks while a tool watches: see annotate.h. The tool is told
 * under the heap's lock, so that it hears of a block's end before its memory is another
 * block's. What the program may not touch is not zeroed or copied by functions that the
 * tool has taken the place of: first it is told.
 */
#include <string.h>

#include "annotate.h"
#include "heap.h"

void *heap_alloc_annotated(struct heap *heap, size_t size, bool zero)
{
	void *block = heap_alloc(heap, size, false);

	if (!block)
		return NULL;
	annotate_alloc(block, size);
	if (zero)
		memset(block, 0, size);
	return block;
}

DWORD heap_free_annotated(struct heap *heap, void *block)
{
	size_t size;
	DWORD error = heap_size(heap, block, &size);

	if (error)
		return error;
	annotate_free(block, size);
	return heap_free(heap, block);
}

DWORD heap_realloc_annotated(struct heap *heap, void **block, size_t size, bool zero,
			     bool in_place)
{
	void *moved;
	size_t old;
	DWORD error = heap_size(heap, *block, &old);

	if (error)
		return error;
	error = heap_realloc(heap, block, size, false, true);
	if (!error) {
		annotate_resize(*block, old, size);
		if (zero && size > old)
			memset((char *)*block + old, 0, size - old);
		return NO_ERROR;
	}
	if (in_place)
		return error;
	moved = heap_alloc_annotated(heap, size, zero);
	if (!moved)
		return ERROR_NOT_ENOUGH_MEMORY;
	/* With what the tool knows of each byte, which it copies, too. */
	memcpy(moved, *block, old < size ? old : size);
	annotate_free(*block, old);
	heap_free(heap, *block);
	*block = moved;
	return NO_ERROR;
}

void heap_end_annotated(struct heap *heap)
{
	PROCESS_HEAP_ENTRY entry = {};
	size_t size;

	/* The entry has 32 bits for the size. */
	while (!heap_walk(heap, &entry))
		if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) &&
		    !heap_size(heap, entry.lpData, &size))
			annotate_free(entry.lpData, size);
}
