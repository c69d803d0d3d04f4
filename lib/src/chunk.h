/* SPDX-License-Identifier: MIT */
/*
 * How blocks are kept in a range of memory; for blocks*.c alone.
 *
 * The range is a row of chunks from start to top. A chunk begins with a header:
 *
 *   head   size of the chunk | BUSY | PREV_FREE
 *   check  busy: a check value of address and head, and in its low byte the
 *          slack: bytes of the chunk's body beyond what was asked for
 *
 * The body of a busy chunk is the block. A free chunk keeps its list there, and
 * its size once more in its last word, where the next chunk finds it when that
 * is PREV_FREE. Free neighbours are always merged, and a free chunk before top
 * becomes part of it: what lies from top to end has no header, and was not
 * written to beyond fresh.
 *
 * The check value tells a block from an address that is none: it depends on a
 * secret number, and a header that stops being one stops being BUSY. It is no
 * defence against a program that forges headers in its own memory.
 */
#ifndef PRIVHEAP_SRC_CHUNK_H
#define PRIVHEAP_SRC_CHUNK_H

#include <string.h>

#include "blocks.h"

#define BUSY		((size_t)1)
#define PREV_FREE	((size_t)2)
#define FLAGS		(BUSY | PREV_FREE)
#define SLACK_MASK	((size_t)0xff)

struct chunk {
	size_t head;
	size_t check;
};

struct free_chunk {
	size_t head;
	struct free_chunk *prev;
	struct free_chunk *next;
	/* ... and size_t size at the very end */
};

#define HEADER		(sizeof(struct chunk))
#define CHUNK_MIN	(sizeof(struct free_chunk) + sizeof(size_t))

static_assert(HEADER % BLOCKS_ALIGN == 0, "headers keep the alignment");
static_assert(CHUNK_MIN % BLOCKS_ALIGN == 0, "so do the smallest chunks");
static_assert(CHUNK_MIN + BLOCKS_ALIGN <= SLACK_MASK, "any slack fits");

/* A number that differs from process to process; in blocks.c. */
size_t blocks_secret(void);

static inline size_t chunk_check(const struct chunk *chunk, size_t slack)
{
	uint64_t hash = (uintptr_t)chunk ^ blocks_secret();

	hash = (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9u;
	hash += chunk->head ^ slack << 4;
	hash = (hash ^ (hash >> 32)) * 0x94d049bb133111ebu;
	hash ^= hash >> 32;
	return ((size_t)hash & ~SLACK_MASK) | slack;
}

static inline size_t chunk_size(const void *chunk)
{
	return ((const struct chunk *)chunk)->head & ~FLAGS;
}

static inline struct chunk *block_chunk(const void *block)
{
	return (struct chunk *)((uintptr_t)block - HEADER);
}

static inline void *chunk_block(const struct chunk *chunk)
{
	return (char *)chunk + HEADER;
}

static inline unsigned int chunk_bin(size_t size)
{
	return BLOCKS_BINS - 1 - __builtin_clzl(size);
}

static inline bool chunk_is_busy(const struct blocks *blocks, const char *at)
{
	const struct chunk *chunk = (const struct chunk *)at;
	size_t size = chunk_size(chunk);

	return (chunk->head & BUSY) && size >= CHUNK_MIN &&
	       size % BLOCKS_ALIGN == 0 && size <= (size_t)(blocks->top - at) &&
	       chunk->check == chunk_check(chunk, chunk->check & SLACK_MASK);
}

/* The free chunk at @at, or NULL: it is busy, damaged, or top. */
static inline struct free_chunk *chunk_free_at(const struct blocks *blocks,
					       char *at)
{
	struct free_chunk *chunk = (struct free_chunk *)at;
	size_t size, tag;

	if (at == blocks->top || (chunk->head & FLAGS))
		return NULL;
	size = chunk->head;
	if (size < CHUNK_MIN || size % BLOCKS_ALIGN ||
	    size >= (size_t)(blocks->top - at))
		return NULL;
	memcpy(&tag, at + size - sizeof(tag), sizeof(tag));
	return tag == size ? chunk : NULL;
}

#endif /* PRIVHEAP_SRC_CHUNK_H */
