// SPDX-License-Identifier: MIT
/*
 * Blocks inside one range of memory: good fit in bins, with boundary tags.
 *
 * The range is a row of chunks (chunk.h) from start to top. Free neighbours are
 * always merged, and a free chunk before top becomes part of it: what lies from
 * top to end has no header, is committed, and was not written to beyond fresh.
 *
 * A free chunk may be a hole: whole pages of it were given back. Its header and
 * its last word stay, so that only who takes from it has to commit anything.
 * A hole that becomes part of top ends the committed part.
 */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "bins.h"
#include "blocks.h"
#include "chunk.h"
#include "no_cancel.h"

/* Free chunks of the right bin to look at before one of a larger bin is taken. */
#define BIN_TRIES	8

uint64_t chunk_secret;

static __attribute__((noinline)) void blocks_make_secret(void)
{
	uint64_t value, expected = 0;
	struct timespec now;
	NO_CANCEL;

	if (no_cancel_getrandom(&value, sizeof(value), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(value)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		value = (uint64_t)now.tv_nsec << 32 ^ (uintptr_t)&value;
	}
	value |= 1;
	/* The first one stays, whoever was first. */
	__atomic_compare_exchange_n(&chunk_secret, &expected, value, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Tells the chunk at @next, if there is one, whether what lies before is free. */
static void chunk_set_prev_free(struct blocks *blocks, char *next, bool prev)
{
	struct chunk *chunk = (struct chunk *)next;

	if (next == blocks->top || !(chunk->head & PREV_FREE) == !prev)
		return;
	chunk->head ^= PREV_FREE;
	chunk->check = chunk_check(chunk, chunk->check & SLACK_MASK);
}

/* What lies from @at on, @gone bytes of it not committed, becomes top. */
static void chunk_release_top(struct blocks *blocks, char *at, size_t gone)
{
	char *first;

	/* In case that the program frees what once began here. */
	((struct chunk *)at)->head = 0;
	blocks->top = at;
	if (likely(!gone))
		return;
	first = holes_first(&blocks->holes, at, blocks->end);
	if (!first)
		return;
	holes_remove(&blocks->holes, first, blocks->end);
	if (blocks_decommit(blocks, first, blocks->end) == DECOMMIT_DONE &&
	    blocks->fresh > first)
		blocks->fresh = first;
	blocks->end = first;
}

/*
 * Makes a range of @size bytes free, of which @gone are not committed; its
 * neighbours on both sides are busy.
 */
static void chunk_release(struct blocks *blocks, char *at, size_t size,
			  size_t gone)
{
	struct free_chunk *chunk = (struct free_chunk *)at;

	if (at + size == blocks->top) {
		chunk_release_top(blocks, at, gone);
		return;
	}
	chunk->head = size;
	if (unlikely(gone)) {
		chunk->head |= HOLE;
		((struct hole_chunk *)chunk)->gone = gone;
	}
	memcpy(at + size - sizeof(size), &size, sizeof(size));
	bins_add(blocks, chunk);
	chunk_set_prev_free(blocks, at + size, true);
}

/* The free chunk before a chunk at @at that is PREV_FREE; NULL: damaged. */
static struct free_chunk *chunk_free_before(struct blocks *blocks, char *at)
{
	size_t tag;

	memcpy(&tag, at - sizeof(tag), sizeof(tag));
	if (tag > (size_t)(at - blocks->start) || tag % BLOCKS_ALIGN ||
	    unlikely(holes_has(&blocks->holes, at - tag)))
		return NULL;
	return chunk_free_at(blocks, at - tag);
}

/*
 * Commits what is needed to take the first @taken bytes of a free chunk, if it
 * is a hole; false: refused. The chunk stays as it is, and where it is, but for
 * what of it is gone.
 */
static bool chunk_commit(struct blocks *blocks, struct free_chunk *chunk,
			 size_t taken)
{
	size_t mask = page_size() - 1;
	char *end = (char *)chunk + chunk_size(chunk), *start;

	if (likely(!(chunk->head & HOLE)))
		return true;
	/* The header of what is left needs its memory as well. */
	if (end - (char *)chunk - taken > sizeof(struct hole_chunk))
		end = (char *)chunk + taken + sizeof(struct hole_chunk);
	start = holes_first(&blocks->holes, (char *)chunk, end);
	if (!start)
		return true;
	end = (char *)(((uintptr_t)end + mask) & ~mask);
	if (!blocks_commit(blocks, start, end))
		return false;
	((struct hole_chunk *)chunk)->gone -=
		holes_remove(&blocks->holes, start, end);
	return true;
}

void blocks_init(struct blocks *blocks, char *start, char *end, char *limit)
{
	uintptr_t misfit = (uintptr_t)start % BLOCKS_ALIGN;

	if (unlikely(!__atomic_load_n(&chunk_secret, __ATOMIC_RELAXED)))
		blocks_make_secret();
	blocks->start = start + (misfit ? BLOCKS_ALIGN - misfit : 0);
	blocks->top = blocks->start;
	blocks->fresh = blocks->start;
	blocks->end = end;
	blocks->limit = limit;
	holes_init(&blocks->holes,
		   (char *)((uintptr_t)start & ~(page_size() - 1)));
}

void blocks_exit(struct blocks *blocks)
{
	holes_exit(&blocks->holes);
}

void blocks_erase(struct blocks *blocks, char *end)
{
	char *at = blocks->start;
	struct chunk *chunk;
	size_t size;

	if (end > blocks->top)
		end = blocks->top;
	/* What is no header any more lost its BUSY when it ceased to be one. */
	for (; at < end && (size_t)(end - at) >= HEADER; at += size) {
		chunk = (struct chunk *)at;
		size = chunk_size(chunk);
		chunk->head = 0;
		chunk->check = 0;
		if (size < CHUNK_MIN || size > (size_t)(blocks->top - at)) {
			/* Damaged: where the others are is not known. */
			memset(at, 0, end - at);
			break;
		}
	}
}

void blocks_extend(struct blocks *blocks, size_t bytes)
{
	blocks->end += bytes;
}

/*
 * A free chunk of at least @needed bytes that is committed as far as it takes,
 * or NULL. After a refusal only chunks that are no holes are looked at.
 */
static struct free_chunk *blocks_find(struct blocks *blocks, size_t needed,
				      size_t tries)
{
	unsigned int bin = bins_index(needed);
	struct free_chunk *chunk;
	bool refused = false;
	size_t left;

	for (bin = bins_next(blocks, bin); bin < BLOCKS_BINS;
	     bin = bins_next(blocks, bin + 1)) {
		left = tries;
		for (chunk = blocks->bins[bin]; chunk && left--;
		     chunk = chunk->next) {
			if (chunk_size(chunk) < needed ||
			    (refused && (chunk->head & HOLE)))
				continue;
			if (chunk_commit(blocks, chunk, needed))
				return chunk;
			refused = true;
		}
	}
	return NULL;
}

/* Takes a block of @size bytes from the bins, or returns NULL. */
static void *blocks_take(struct blocks *blocks, size_t size, size_t tries,
			 size_t *dirty)
{
	size_t needed = chunk_needed(size), have;
	struct free_chunk *chunk = blocks_find(blocks, needed, tries);

	if (!chunk)
		return NULL;
	have = chunk_size(chunk);
	bins_remove(blocks, chunk);
	if (have - needed >= CHUNK_MIN) {
		chunk_release(blocks, (char *)chunk + needed, have - needed,
			      hole_gone(chunk));
		have = needed;
	} else {
		chunk_set_prev_free(blocks, (char *)chunk + have, false);
	}
	chunk_set_busy((struct chunk *)chunk, have, 0, size);
	*dirty = size;
	return chunk_block((struct chunk *)chunk);
}

void *blocks_alloc_scan(struct blocks *blocks, size_t size, size_t *dirty)
{
	return blocks_take(blocks, size, SIZE_MAX, dirty);
}

void *blocks_alloc(struct blocks *blocks, size_t size, size_t *dirty)
{
	size_t needed = chunk_needed(size);
	struct chunk *chunk;
	char *block;

	if (blocks->free) {
		block = blocks_take(blocks, size, BIN_TRIES, dirty);
		if (block)
			return block;
	}
	if (needed > (size_t)(blocks->end - blocks->top))
		return NULL;
	chunk = (struct chunk *)blocks->top;
	blocks->top += needed;
	chunk_set_busy(chunk, needed, 0, size);

	block = chunk_block(chunk);
	*dirty = blocks->fresh > block ? blocks->fresh - block : 0;
	if (*dirty > size)
		*dirty = size;
	if (blocks->fresh < blocks->top)
		blocks->fresh = blocks->top;
	return block;
}

size_t blocks_shortfall(const struct blocks *blocks, size_t size)
{
	size_t needed = chunk_needed(size);
	size_t have = blocks->end - blocks->top;

	if (needed <= have)
		return 0;
	if (needed > (size_t)(blocks->limit - blocks->top))
		return SIZE_MAX;
	return needed - have;
}

size_t blocks_footprint(size_t size)
{
	return chunk_needed(size) + BLOCKS_ALIGN;
}

static inline bool block_is_live(const struct blocks *blocks,
				 const void *block)
{
	uintptr_t at = (uintptr_t)block;

	/* Compared as numbers: the address can be of anything. */
	if (at % BLOCKS_ALIGN || at < (uintptr_t)blocks->start + HEADER ||
	    at >= (uintptr_t)blocks->top)
		return false;
	/* A page that is gone must not even be read. */
	if (unlikely(holes_has(&blocks->holes, block_chunk(block))))
		return false;
	return chunk_is_busy(blocks, (const char *)block_chunk(block));
}

static inline size_t block_size(const void *block)
{
	const struct chunk *chunk = block_chunk(block);

	return chunk_size(chunk) - HEADER - (chunk->check & SLACK_MASK);
}

size_t blocks_valid_size(const struct blocks *blocks, const void *block)
{
	return block_is_live(blocks, block) ? block_size(block) : SIZE_MAX;
}

size_t blocks_size(const struct blocks *blocks, const void *block)
{
	(void)blocks;
	return block_size(block);
}

/* Takes a free chunk out of its bin to be a part of another; returns its size. */
static size_t chunk_merge(struct blocks *blocks, struct free_chunk *chunk,
			  size_t *gone)
{
	size_t size = chunk_size(chunk);

	bins_remove(blocks, chunk);
	*gone += hole_gone(chunk);
	/* What was a header must not look like a live one. */
	chunk->head = 0;
	return size;
}

size_t blocks_free(struct blocks *blocks, void *block)
{
	struct chunk *chunk = block_chunk(block);
	struct free_chunk *other;
	char *at = (char *)chunk;
	size_t freed = chunk_size(chunk), size = freed, gone = 0;
	bool prev_free = chunk->head & PREV_FREE;

	/* Both words: what is written over one may by chance fit the other. */
	chunk->head = 0;
	chunk->check = 0;
	other = chunk_free_at(blocks, at + size);
	if (other)
		size += chunk_merge(blocks, other, &gone);
	if (prev_free) {
		other = chunk_free_before(blocks, at);
		if (other) {
			at = (char *)other;
			size += chunk_merge(blocks, other, &gone);
		}
	}
	chunk_release(blocks, at, size, gone);
	return freed;
}

/* Grows a chunk into the free one behind it; false: no room, or refused. */
static bool blocks_grow_into(struct blocks *blocks, struct chunk *chunk,
			     size_t needed, size_t size)
{
	size_t have = chunk_size(chunk), rest, gone = 0;
	char *at = (char *)chunk;
	struct free_chunk *after = chunk_free_at(blocks, at + have);

	if (!after || needed - have > chunk_size(after) ||
	    !chunk_commit(blocks, after, needed - have))
		return false;
	have += chunk_merge(blocks, after, &gone);
	rest = have - needed;
	if (rest < CHUNK_MIN) {
		needed = have;
		chunk_set_prev_free(blocks, at + have, false);
	}
	chunk_set_busy(chunk, needed, chunk->head & PREV_FREE, size);
	if (rest >= CHUNK_MIN)
		chunk_release(blocks, at + needed, rest, gone);
	return true;
}

static void blocks_shrink(struct blocks *blocks, struct chunk *chunk,
			  size_t needed, size_t size)
{
	size_t have = chunk_size(chunk), flags = chunk->head & PREV_FREE;
	size_t gone = 0, rest = have - needed;
	char *at = (char *)chunk;
	struct free_chunk *after;

	if (rest < CHUNK_MIN) {
		chunk_set_busy(chunk, have, flags, size);
		return;
	}
	after = chunk_free_at(blocks, at + have);
	if (after)
		rest += chunk_merge(blocks, after, &gone);
	/* Before the release, which may make the end of this one top. */
	chunk_set_busy(chunk, needed, flags, size);
	chunk_release(blocks, at + needed, rest, gone);
}

bool blocks_resize(struct blocks *blocks, void *block, size_t size,
		   size_t *dirty)
{
	struct chunk *chunk = block_chunk(block);
	size_t needed = chunk_needed(size), have = chunk_size(chunk);
	size_t old = block_size(block);

	*dirty = size > old ? size - old : 0;
	if (needed <= have) {
		blocks_shrink(blocks, chunk, needed, size);
		return true;
	}
	if ((char *)chunk + have == blocks->top) {
		if (needed > (size_t)(blocks->end - (char *)chunk))
			return false;
		/* Beyond fresh nothing needs to be written to. */
		if (blocks->fresh < (char *)block + size)
			*dirty = blocks->fresh - ((char *)block + old);
		chunk_grow_last(blocks, chunk, needed, size);
		return true;
	}
	return blocks_grow_into(blocks, chunk, needed, size);
}

size_t blocks_resize_shortfall(const struct blocks *blocks, const void *block,
			       size_t size)
{
	const struct chunk *chunk = block_chunk(block);
	size_t have = chunk_size(chunk), needed = chunk_needed(size);
	size_t room = blocks->end - blocks->top;

	/* Only the last chunk can grow into what is committed behind it. */
	if ((const char *)chunk + have != blocks->top ||
	    needed - have > (size_t)(blocks->limit - blocks->top))
		return SIZE_MAX;
	return needed - have > room ? needed - have - room : 0;
}

bool blocks_empty(const struct blocks *blocks)
{
	return blocks->top == blocks->start;
}
