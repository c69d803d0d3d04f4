/* SPDX-License-Identifier: MIT */
/*
 * The chunks that a range of blocks is a row of. Only for blocks*.c and
 * grow_last.h.
 *
 * A chunk begins with a header:
 *
 *   head   size of the chunk | BUSY | PREV_FREE | HOLE
 *   check  busy: a check value of address and head, and in its low byte the
 *          slack: bytes of the chunk's body beyond what was asked for
 *
 * The body of a busy chunk is the block. A free chunk keeps its list there, and
 * its size once more in its last word, where the next chunk finds it when that
 * is PREV_FREE. A free chunk that is a HOLE has pages that were given back;
 * never those of its header and of its last word.
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
#define HOLE		((size_t)4)
#define FLAGS		(BUSY | PREV_FREE | HOLE)
#define SLACK_MASK	((size_t)0xff)

struct chunk {
	size_t head;
	size_t check;
};

/**
 * struct free_chunk - header of a free chunk
 * @head: size, and perhaps HOLE
 * @prev: in the list of its bin; of the first one, the last
 * @next: in the list of its bin
 *
 * The size once more, at the very end, is no member: where that is depends.
 */
struct free_chunk {
	size_t head;
	struct free_chunk *prev;
	struct free_chunk *next;
};

/**
 * struct hole_chunk - header of a free chunk that is a HOLE
 * @free: as of all
 * @gone: bytes of it that were given back
 */
struct hole_chunk {
	struct free_chunk free;
	size_t gone;
};

#define HEADER		(sizeof(struct chunk))
#define CHUNK_MIN	(sizeof(struct free_chunk) + sizeof(size_t))

static_assert(BLOCKS_ALIGN > FLAGS, "sizes leave the flags' bits alone");
static_assert(HEADER % BLOCKS_ALIGN == 0, "headers keep the alignment");
static_assert(CHUNK_MIN % BLOCKS_ALIGN == 0, "so do the smallest chunks");
static_assert(CHUNK_MIN >= sizeof(struct hole_chunk),
	      "any chunk can become the first part of a hole");
static_assert(CHUNK_MIN + BLOCKS_ALIGN <= SLACK_MASK, "any slack fits");

/* Set by the first blocks_init(), and never again. */
extern uint64_t chunk_secret __attribute__((visibility("hidden")));

static inline size_t chunk_size(const void *chunk)
{
	return ((const struct chunk *)chunk)->head & ~FLAGS;
}

/*
 * One multiplication spreads every bit of address, head and slack over the
 * upper half, which is then folded into the lower one. All 56 bits that are
 * kept (24 in a 32-bit process) depend on all of the secret.
 */
static inline size_t chunk_hash(const struct chunk *chunk, size_t slack)
{
	uint64_t hash = (uint64_t)chunk->head << 8 | slack;

	hash = (hash << 32 | hash >> 32) ^ (uintptr_t)chunk ^ chunk_secret;
	hash *= 0x9fb21c651e98df25u;
	hash ^= hash >> 32;
	return (size_t)hash;
}

static inline size_t chunk_check(const struct chunk *chunk, size_t slack)
{
	return (chunk_hash(chunk, slack) & ~SLACK_MASK) | slack;
}

/* Whether the check value is the one that this head needs. */
static inline bool chunk_check_fits(const struct chunk *chunk)
{
	size_t check = chunk->check;

	return (chunk_hash(chunk, check & SLACK_MASK) ^ check) <= SLACK_MASK;
}

static inline struct chunk *block_chunk(const void *block)
{
	return (struct chunk *)((uintptr_t)block - HEADER);
}

static inline void *chunk_block(const struct chunk *chunk)
{
	return (char *)chunk + HEADER;
}

static inline size_t hole_gone(const struct free_chunk *chunk)
{
	return chunk->head & HOLE ? ((const struct hole_chunk *)chunk)->gone :
				    0;
}

/* The same for a block that does not fit into the smallest chunk. */
static inline size_t chunk_needed_most(size_t size)
{
	return (size + HEADER + BLOCKS_ALIGN - 1) & ~(BLOCKS_ALIGN - 1);
}

/* The chunk for a block of @size bytes, which is at most SIZE_MAX / 2. */
static inline size_t chunk_needed(size_t size)
{
	size_t needed = chunk_needed_most(size);

	return needed < CHUNK_MIN ? CHUNK_MIN : needed;
}

static inline void chunk_set_busy(struct chunk *chunk, size_t size,
				  size_t flags, size_t wanted)
{
	chunk->head = size | flags | BUSY;
	chunk->check = chunk_check(chunk, size - HEADER - wanted);
}

/* Grows the last chunk, for which enough is committed. */
static inline void chunk_grow_last(struct blocks *blocks, struct chunk *chunk,
				   size_t needed, size_t size)
{
	blocks->top = (char *)chunk + needed;
	if (blocks->fresh < blocks->top)
		blocks->fresh = blocks->top;
	chunk_set_busy(chunk, needed, chunk->head & PREV_FREE, size);
}

/* The pages of a free chunk that can be given back; false: there is none. */
static inline bool chunk_pages(const struct free_chunk *chunk, char **start,
			       char **end)
{
	uintptr_t mask = page_size() - 1, at = (uintptr_t)chunk;
	uintptr_t from = (at + sizeof(struct hole_chunk) + mask) & ~mask;
	uintptr_t to = (at + chunk_size(chunk) - sizeof(size_t)) & ~mask;

	*start = (char *)from;
	*end = (char *)to;
	return from < to;
}

static inline bool chunk_is_busy(const struct blocks *blocks, const char *at)
{
	const struct chunk *chunk = (const struct chunk *)at;
	size_t size = chunk_size(chunk);

	return (chunk->head & (BUSY | HOLE)) == BUSY && size >= CHUNK_MIN &&
	       size % BLOCKS_ALIGN == 0 && size <= (size_t)(blocks->top - at) &&
	       chunk_check_fits(chunk);
}

/* The free chunk at @at, or NULL: it is busy, damaged, or top. */
static inline struct free_chunk *chunk_free_at(const struct blocks *blocks,
					       char *at)
{
	struct free_chunk *chunk = (struct free_chunk *)at;
	size_t size, tag;
	char *last;

	if (at == blocks->top || (chunk->head & (BUSY | PREV_FREE)))
		return NULL;
	size = chunk_size(chunk);
	if (size < CHUNK_MIN || size % BLOCKS_ALIGN ||
	    size >= (size_t)(blocks->top - at))
		return NULL;
	last = at + size - sizeof(tag);
	if (unlikely(holes_has(&blocks->holes, last)))
		return NULL;
	memcpy(&tag, last, sizeof(tag));
	return tag == size ? chunk : NULL;
}

#endif /* PRIVHEAP_SRC_CHUNK_H */
