// SPDX-License-Identifier: MIT
/* How the free pages among blocks go back to the system. */
#include "bins.h"
#include "blocks.h"
#include "chunk.h"

/* Ends the committed part at @end. Returns the bytes given back. */
static size_t blocks_trim_end(struct blocks *blocks, char *end, bool *stop)
{
	size_t bytes = blocks->end - end;
	enum blocks_decommit result;

	result = blocks_decommit(blocks, end, blocks->end);
	*stop = result == DECOMMIT_SHORT || result == DECOMMIT_FAILED;
	if (result == DECOMMIT_FAILED)
		return 0;
	if (result == DECOMMIT_DONE && blocks->fresh > end)
		blocks->fresh = end;
	blocks->end = end;
	return bytes;
}

/* Gives back what is left of a free chunk's pages. Returns the bytes. */
static size_t chunk_trim(struct blocks *blocks, struct free_chunk *chunk,
			 const struct blocks_trim *trim, bool *stop)
{
	size_t gone = hole_gone(chunk), given;
	enum blocks_decommit result;
	char *start, *end;

	if (!chunk_pages(chunk, &start, &end))
		return 0;
	if (start < trim->floor)
		start = trim->floor;
	if (start >= end || (size_t)(end - start) < trim->least + gone)
		return 0;
	if ((!(chunk->head & HOLE) && blocks->hole_chunks >= trim->holes) ||
	    !holes_prepare(&blocks->holes,
			   blocks->limit - blocks->holes.base)) {
		*stop = true;
		return 0;
	}
	result = blocks_decommit(blocks, start, end);
	*stop = result == DECOMMIT_SHORT || result == DECOMMIT_FAILED;
	if (result == DECOMMIT_FAILED)
		return 0;

	given = holes_add(&blocks->holes, start, end);
	bins_remove(blocks, chunk);
	chunk->head |= HOLE;
	((struct hole_chunk *)chunk)->gone = gone + given;
	bins_add(blocks, chunk);
	return given;
}

/* Where the committed part shall end. */
static char *blocks_trim_to(const struct blocks *blocks,
			    const struct blocks_trim *trim)
{
	uintptr_t mask = page_size() - 1;
	char *end = (char *)(((uintptr_t)blocks->top + mask) & ~mask);

	if (end < trim->floor)
		end = trim->floor;
	if (end < blocks->end && trim->want < (size_t)(blocks->end - end))
		end = (char *)(((uintptr_t)blocks->end - trim->want) & ~mask);
	return end;
}

size_t blocks_trim(struct blocks *blocks, const struct blocks_trim *trim)
{
	char *end = blocks_trim_to(blocks, trim);
	struct free_chunk *chunk, *next;
	unsigned int bin = BLOCKS_BINS;
	size_t given = 0;
	bool stop = false;

	if (end < blocks->end && (size_t)(blocks->end - end) >= trim->least)
		given = blocks_trim_end(blocks, end, &stop);

	while (bin-- > bins_index(trim->least)) {
		for (chunk = blocks->bins[bin]; chunk; chunk = next) {
			if (stop || given >= trim->want)
				return given;
			/* Behind this one there are such as well. */
			if (trim->least > BINS_HOLE_REST &&
			    bins_goes_last(chunk))
				break;
			next = chunk->next;
			given += chunk_trim(blocks, chunk, trim, &stop);
		}
	}
	return given;
}
