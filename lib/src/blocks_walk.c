// SPDX-License-Identifier: MIT
/*
 * Looking at all chunks of a range, busy and free. What is read here may have
 * been overwritten by the program, or be changed meanwhile by a thread that does
 * without locks: every number is compared with the range before it is used, and
 * every loop ends.
 */
#include "bins.h"
#include "blocks.h"
#include "chunk.h"

/* The pointers to the range agree; where they point to, chunks may begin. */
static bool blocks_sane(const struct blocks *blocks)
{
	return blocks->start <= blocks->top && blocks->top <= blocks->end &&
	       blocks->top <= blocks->fresh && blocks->end <= blocks->limit &&
	       (uintptr_t)blocks->start % BLOCKS_ALIGN == 0 &&
	       (uintptr_t)blocks->top % BLOCKS_ALIGN == 0;
}

/* A chunk could begin there, before top, and its header can be read. */
static bool blocks_reach(const struct blocks *blocks, const void *at)
{
	uintptr_t address = (uintptr_t)at;

	return address % BLOCKS_ALIGN == 0 &&
	       address >= (uintptr_t)blocks->start &&
	       address < (uintptr_t)blocks->top &&
	       (uintptr_t)blocks->top - address >= CHUNK_MIN &&
	       !holes_has(&blocks->holes, at) &&
	       !holes_has(&blocks->holes, (const char *)at + CHUNK_MIN - 1);
}

/*
 * The free chunk is in its bin, as far as its neighbour there can tell. The prev
 * of the first one is the last one, which has no next.
 */
static bool chunk_is_linked(const struct blocks *blocks,
			    const struct free_chunk *chunk)
{
	const struct free_chunk *prev = chunk->prev;

	if (blocks->bins[bins_index(chunk_size(chunk))] == chunk)
		return true;
	return blocks_reach(blocks, prev) && prev->next == chunk;
}

/* What lies behind the chunks. */
static void piece_set_end(const struct blocks *blocks,
			  struct block_piece *piece)
{
	piece->start = blocks->top;
	piece->size = blocks->end - blocks->top;
	piece->block = blocks->top + HEADER;
	piece->wanted = piece->size >= CHUNK_MIN ? piece->size - HEADER : 0;
	piece->busy = false;
}

int blocks_piece(const struct blocks *blocks, char *at,
		 struct block_piece *piece)
{
	if (!blocks_sane(blocks))
		return -1;
	if (at == blocks->end)
		return 0;
	if (at == blocks->top) {
		piece_set_end(blocks, piece);
		return 1;
	}
	if (!blocks_reach(blocks, at))
		return -1;

	piece->start = at;
	piece->size = chunk_size(at);
	piece->block = at + HEADER;
	if (chunk_is_busy(blocks, at)) {
		if (piece->size - HEADER <
		    (((struct chunk *)at)->check & SLACK_MASK))
			return -1;
		piece->wanted = blocks_size(blocks, piece->block);
		piece->busy = true;
		return 1;
	}
	if (!chunk_free_at(blocks, at))
		return -1;
	piece->wanted = piece->size - HEADER;
	piece->busy = false;
	return 1;
}

bool blocks_piece_of(const struct blocks *blocks, const void *block, bool busy,
		     struct block_piece *piece)
{
	char *at = (char *)((uintptr_t)block - HEADER);

	if (!blocks_sane(blocks) || (uintptr_t)block < HEADER)
		return false;
	/* The free end, though it may be empty by now. */
	if (!busy && at == blocks->top) {
		piece_set_end(blocks, piece);
		return true;
	}
	if (!blocks_reach(blocks, at) || blocks_piece(blocks, at, piece) <= 0)
		return false;
	if (piece->busy != busy)
		return false;
	return busy || chunk_is_linked(blocks, (struct free_chunk *)at);
}

int blocks_next(const struct blocks *blocks, struct block_view *view)
{
	struct block_piece piece;
	char *at = blocks->start;
	int more;

	if (view->block) {
		at = view->block - HEADER;
		at += chunk_size(at);
	}
	while ((more = blocks_piece(blocks, at, &piece)) > 0) {
		at = piece.start + piece.size;
		if (!piece.busy)
			continue;
		view->block = piece.block;
		view->size = piece.wanted;
		return 1;
	}
	return more;
}

/* The bins hold @count chunks, each in the right one, and no others. */
static bool bins_check(const struct blocks *blocks, size_t count)
{
	struct free_chunk *chunk, *prev;
	unsigned int bin;

	for (bin = 0; bin < BLOCKS_BINS; bin++) {
		prev = NULL;
		for (chunk = blocks->bins[bin]; chunk; chunk = chunk->next) {
			if (!count-- || !blocks_reach(blocks, chunk) ||
			    !chunk_free_at(blocks, (char *)chunk) ||
			    bins_index(chunk_size(chunk)) != bin ||
			    (prev && chunk->prev != prev))
				return false;
			prev = chunk;
		}
		if (prev && blocks->bins[bin]->prev != prev)
			return false;
		if (!prev != !(blocks->bin_map[bin / BINS_WORD_BITS] >>
			       (bin % BINS_WORD_BITS) & 1))
			return false;
	}
	return !count;
}

bool blocks_check(const struct blocks *blocks)
{
	bool prev_free = false, marked;
	struct block_piece piece;
	char *at = blocks->start;
	size_t count = 0;

	if (!blocks_sane(blocks))
		return false;
	while (at != blocks->top) {
		if (blocks_piece(blocks, at, &piece) <= 0)
			return false;
		marked = ((struct chunk *)at)->head & PREV_FREE;
		/* Free neighbours would be one. */
		if (piece.busy ? marked != prev_free : prev_free)
			return false;
		prev_free = !piece.busy;
		count += prev_free;
		at += piece.size;
	}
	return !prev_free && bins_check(blocks, count);
}

/* The most that a block in a free chunk can have without another commit. */
static size_t chunk_room(const struct blocks *blocks,
			 const struct free_chunk *chunk)
{
	const char *end = (const char *)chunk + chunk_size(chunk), *hole = NULL;

	if (chunk->head & HOLE)
		hole = holes_first(&blocks->holes, (const char *)chunk, end);
	return (hole ? hole : end) - (const char *)chunk - HEADER;
}

size_t blocks_largest_free(const struct blocks *blocks)
{
	size_t most = 0, room = blocks->end - blocks->top, left;
	struct free_chunk *chunk;
	unsigned int bin;

	if (!blocks_sane(blocks))
		return 0;
	if (room >= CHUNK_MIN)
		most = room - HEADER;

	/* No more chunks than have room: a damaged list ends there. */
	left = (blocks->top - blocks->start) / CHUNK_MIN;
	for (bin = BLOCKS_BINS; bin--;) {
		for (chunk = blocks->bins[bin]; chunk && left--;
		     chunk = chunk->next) {
			if (!blocks_reach(blocks, chunk) ||
			    !chunk_free_at(blocks, (char *)chunk))
				return most;
			room = chunk_room(blocks, chunk);
			if (room > most)
				most = room;
			/* No smaller chunk has more, unless this is a hole. */
			if (!(chunk->head & HOLE) && bin + 1 < BLOCKS_BINS &&
			    bins_index(most + HEADER) > bin)
				return most;
		}
	}
	return most;
}
