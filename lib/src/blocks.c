// SPDX-License-Identifier: MIT
/*
 * Blocks inside one range of memory: first fit in bins, with boundary tags. The
 * layout is described in chunk.h.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "chunk.h"
#include "no_cancel.h"

static _Atomic(size_t) secret;

static __attribute__((noinline)) size_t blocks_make_secret(void)
{
	size_t value, expected = 0;
	struct timespec now;
	NO_CANCEL;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(value)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		value = (size_t)now.tv_nsec ^ (uintptr_t)&value;
	}
	value |= 1;
	/* The first one stays, whoever was first. */
	if (!atomic_compare_exchange_strong(&secret, &expected, value))
		value = expected;
	return value;
}

size_t blocks_secret(void)
{
	size_t value = atomic_load_explicit(&secret, memory_order_relaxed);

	return likely(value) ? value : blocks_make_secret();
}

/* The chunk for a block of @size bytes, which is at most SIZE_MAX / 2. */
static size_t chunk_needed(size_t size)
{
	size_t needed = (size + HEADER + BLOCKS_ALIGN - 1) & ~(BLOCKS_ALIGN - 1);

	return needed < CHUNK_MIN ? CHUNK_MIN : needed;
}

/* Tells the chunk at @next, if there is one, whether what lies before is free. */
static void chunk_set_prev_free(struct blocks *blocks, char *next, bool prev)
{
	struct chunk *chunk = (struct chunk *)next;
	size_t slack;

	if (next == blocks->top)
		return;
	slack = chunk->check & SLACK_MASK;
	if (prev)
		chunk->head |= PREV_FREE;
	else
		chunk->head &= ~PREV_FREE;
	chunk->check = chunk_check(chunk, slack);
}

static void chunk_set_busy(struct chunk *chunk, size_t size, size_t flags,
			   size_t wanted)
{
	chunk->head = size | flags | BUSY;
	chunk->check = chunk_check(chunk, size - HEADER - wanted);
}

static void bin_add(struct blocks *blocks, struct free_chunk *chunk)
{
	struct free_chunk **bin = &blocks->bins[chunk_bin(chunk_size(chunk))];

	chunk->prev = NULL;
	chunk->next = *bin;
	if (chunk->next)
		chunk->next->prev = chunk;
	*bin = chunk;
}

static void bin_remove(struct blocks *blocks, struct free_chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		blocks->bins[chunk_bin(chunk_size(chunk))] = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
}

/* Makes a range of @size bytes free; its neighbours on both sides are busy. */
static void chunk_release(struct blocks *blocks, char *at, size_t size)
{
	struct free_chunk *chunk = (struct free_chunk *)at;

	if (at + size == blocks->top) {
		/* In case that the program frees what once began here. */
		chunk->head = 0;
		blocks->top = at;
		return;
	}
	chunk->head = size;
	memcpy(at + size - sizeof(size), &size, sizeof(size));
	bin_add(blocks, chunk);
	chunk_set_prev_free(blocks, at + size, true);
}

void blocks_init(struct blocks *blocks, char *start, char *end, char *limit)
{
	uintptr_t misfit = (uintptr_t)start % BLOCKS_ALIGN;

	memset(blocks, 0, sizeof(*blocks));
	blocks->start = start + (misfit ? BLOCKS_ALIGN - misfit : 0);
	blocks->top = blocks->start;
	blocks->fresh = blocks->start;
	blocks->end = end;
	blocks->limit = limit;
}

void blocks_extend(struct blocks *blocks, size_t bytes)
{
	blocks->end += bytes;
}

/* Takes a chunk of @needed bytes from the bins; sets its head, but not busy. */
static struct chunk *chunk_from_bins(struct blocks *blocks, size_t needed)
{
	struct free_chunk *chunk = NULL;
	unsigned int bin;
	size_t size;

	for (bin = chunk_bin(needed); bin < BLOCKS_BINS && !chunk; bin++) {
		chunk = blocks->bins[bin];
		while (chunk && chunk_size(chunk) < needed)
			chunk = chunk->next;
	}
	if (!chunk)
		return NULL;

	size = chunk_size(chunk);
	bin_remove(blocks, chunk);
	if (size - needed >= CHUNK_MIN) {
		chunk_release(blocks, (char *)chunk + needed, size - needed);
		size = needed;
	} else {
		chunk_set_prev_free(blocks, (char *)chunk + size, false);
	}
	chunk->head = size;
	return (struct chunk *)chunk;
}

void *blocks_alloc(struct blocks *blocks, size_t size, size_t *dirty)
{
	size_t needed = chunk_needed(size);
	struct chunk *chunk;
	char *block;

	chunk = chunk_from_bins(blocks, needed);
	if (chunk) {
		chunk_set_busy(chunk, chunk_size(chunk), 0, size);
		*dirty = size;
		return chunk_block(chunk);
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

bool blocks_valid(const struct blocks *blocks, const void *block)
{
	uintptr_t at = (uintptr_t)block;

	/* Compared as numbers: the address can be of anything. */
	if (at % BLOCKS_ALIGN || at < (uintptr_t)blocks->start + HEADER ||
	    at >= (uintptr_t)blocks->top)
		return false;
	return chunk_is_busy(blocks, (const char *)block_chunk(block));
}

size_t blocks_size(const struct blocks *blocks, const void *block)
{
	const struct chunk *chunk = block_chunk(block);

	(void)blocks;
	return chunk_size(chunk) - HEADER - (chunk->check & SLACK_MASK);
}

void blocks_free(struct blocks *blocks, void *block)
{
	struct chunk *chunk = block_chunk(block);
	struct free_chunk *other;
	char *at = (char *)chunk;
	size_t size = chunk_size(chunk), tag;

	other = chunk_free_at(blocks, at + size);
	if (other) {
		bin_remove(blocks, other);
		size += chunk_size(other);
		other->head = 0;
	}
	if (chunk->head & PREV_FREE) {
		memcpy(&tag, at - sizeof(tag), sizeof(tag));
		if (tag <= (size_t)(at - blocks->start) &&
		    chunk_free_at(blocks, at - tag)) {
			/* What was a header must not look like a live one. */
			chunk->head = 0;
			at -= tag;
			size += tag;
			bin_remove(blocks, (struct free_chunk *)at);
		}
	}
	chunk_release(blocks, at, size);
}

bool blocks_resize(struct blocks *blocks, void *block, size_t size,
		   size_t *dirty)
{
	struct chunk *chunk = block_chunk(block);
	size_t needed = chunk_needed(size);
	size_t old = blocks_size(blocks, block);
	size_t have = chunk_size(chunk), flags = chunk->head & PREV_FREE;
	char *at = (char *)chunk, *next = at + have;
	struct free_chunk *after;

	*dirty = size > old ? size - old : 0;

	if (next == blocks->top && needed > have) {
		if (needed - have > (size_t)(blocks->end - next))
			return false;
		/* Beyond fresh nothing needs to be written to. */
		if (blocks->fresh < at + HEADER + size)
			*dirty = blocks->fresh - (at + HEADER + old);
		blocks->top = at + needed;
		if (blocks->fresh < blocks->top)
			blocks->fresh = blocks->top;
		have = needed;
	}
	if (needed > have) {
		after = chunk_free_at(blocks, next);
		if (!after || needed - have > chunk_size(after))
			return false;
		bin_remove(blocks, after);
		have += chunk_size(after);
		after->head = 0;
		chunk_set_prev_free(blocks, at + have, false);
	}
	if (have - needed >= CHUNK_MIN) {
		after = chunk_free_at(blocks, at + have);
		next = at + have;
		have = needed;
		if (after) {
			bin_remove(blocks, after);
			next += chunk_size(after);
			after->head = 0;
		}
		/* Here, so that a release into top finds the right chunk. */
		chunk_set_busy(chunk, have, flags, size);
		chunk_release(blocks, at + have, next - (at + have));
		return true;
	}
	chunk_set_busy(chunk, have, flags, size);
	return true;
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
