/* SPDX-License-Identifier: MIT */
/*
 * The free chunks of a range, by size: eight bins for each doubling, and a
 * bitmap of those that are not empty. Only for blocks*.c.
 *
 * A list has no tail pointer: the prev of its first member is its last. Chunks
 * that are hardly more than a hole stand behind all others, so that those with
 * memory are taken first, and found first by who wants to give that back.
 */
#ifndef PRIVHEAP_SRC_BINS_H
#define PRIVHEAP_SRC_BINS_H

#include "chunk.h"

#define BINS_WORD_BITS	(8 * sizeof(unsigned long))

/* A hole of which no more than this is left goes behind the others. */
#define BINS_HOLE_REST	((size_t)4 * 4096)

static inline unsigned int bins_index(size_t size)
{
	size_t units = size / BLOCKS_ALIGN;
	unsigned int log, bin;

	if (units < 8)
		return units;
	log = BINS_WORD_BITS - 1 - __builtin_clzl(units);
	bin = (log - 2) * 8 + (units >> (log - 3) & 7);
	return bin < BLOCKS_BINS ? bin : BLOCKS_BINS - 1;
}

/* The first bin from @bin on that is not empty, or BLOCKS_BINS. */
static inline unsigned int bins_next(const struct blocks *blocks,
				     unsigned int bin)
{
	unsigned int word = bin / BINS_WORD_BITS;
	unsigned long bits;

	if (bin >= BLOCKS_BINS)
		return BLOCKS_BINS;
	bits = blocks->bin_map[word] & ~0UL << (bin % BINS_WORD_BITS);
	while (!bits) {
		if (++word == BLOCKS_BIN_WORDS)
			return BLOCKS_BINS;
		bits = blocks->bin_map[word];
	}
	return word * BINS_WORD_BITS + __builtin_ctzl(bits);
}

static inline bool bins_goes_last(const struct free_chunk *chunk)
{
	return (chunk->head & HOLE) &&
	       chunk_size(chunk) - hole_gone(chunk) <= BINS_HOLE_REST;
}

static inline void bins_add(struct blocks *blocks, struct free_chunk *chunk)
{
	size_t size = chunk_size(chunk);
	unsigned int bin = bins_index(size);
	struct free_chunk *first = blocks->bins[bin];

	blocks->free += size;
	if (unlikely(chunk->head & HOLE))
		blocks->hole_chunks++;
	if (!first) {
		blocks->bin_map[bin / BINS_WORD_BITS] |=
			1UL << (bin % BINS_WORD_BITS);
		chunk->prev = chunk;
		chunk->next = NULL;
		blocks->bins[bin] = chunk;
		return;
	}
	chunk->prev = first->prev;
	first->prev = chunk;
	if (unlikely(bins_goes_last(chunk))) {
		chunk->prev->next = chunk;
		chunk->next = NULL;
	} else {
		chunk->next = first;
		blocks->bins[bin] = chunk;
	}
}

static inline void bins_remove(struct blocks *blocks, struct free_chunk *chunk)
{
	size_t size = chunk_size(chunk);
	unsigned int bin = bins_index(size);
	struct free_chunk *first = blocks->bins[bin], *next = chunk->next;

	blocks->free -= size;
	if (unlikely(chunk->head & HOLE))
		blocks->hole_chunks--;
	if (chunk == first) {
		blocks->bins[bin] = next;
		if (next)
			next->prev = chunk->prev;
		else
			blocks->bin_map[bin / BINS_WORD_BITS] &=
				~(1UL << (bin % BINS_WORD_BITS));
		return;
	}
	chunk->prev->next = next;
	if (next)
		next->prev = chunk->prev;
	else
		first->prev = chunk->prev;
}

#endif /* PRIVHEAP_SRC_BINS_H */
