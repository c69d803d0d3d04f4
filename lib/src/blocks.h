/* SPDX-License-Identifier: MIT */
/*
 * Blocks inside one range of memory. The heap knows nothing of how they are
 * kept, and this layer knows nothing of regions, heaps and locks: the caller
 * commits memory, says so with blocks_extend(), and keeps threads apart.
 *
 * No function writes to the body of a live block, so that memory which the
 * program has not touched stays without pages.
 */
#ifndef PRIVHEAP_SRC_BLOCKS_H
#define PRIVHEAP_SRC_BLOCKS_H

#include "common.h"

#define BLOCKS_ALIGN	(2 * sizeof(void *))	/* 16, or 8 with 32 bits */
#define BLOCKS_BINS	(8 * sizeof(size_t))

struct free_chunk;

/**
 * struct blocks - the blocks of one range; lives outside the range
 * @start: first byte of the range that is used
 * @top: end of the chunks; from here to @end everything is free
 * @fresh: from here on nothing was ever written: it reads as zero
 * @end: end of the committed part
 * @limit: end of the range
 * @bins: free chunks by the logarithm of their size
 */
struct blocks {
	char *start;
	char *top;
	char *fresh;
	char *end;
	char *limit;
	struct free_chunk *bins[BLOCKS_BINS];
};

/**
 * struct block_view - a place in a walk over the live blocks
 * @block: the block; NULL before the first
 * @size: bytes that were asked for
 */
struct block_view {
	char *block;
	size_t size;
};

/* The range @start to @limit, all zero, of which @end - @start are committed. */
void blocks_init(struct blocks *blocks, char *start, char *end, char *limit);

/* Says that @bytes more behind the committed part are committed, and zero. */
void blocks_extend(struct blocks *blocks, size_t bytes);

/*
 * A block of @size bytes, or NULL if the committed part has no room. The first
 * *@dirty bytes of it may hold anything, the others are zero.
 */
void *blocks_alloc(struct blocks *blocks, size_t size, size_t *dirty);

/*
 * Bytes to extend by so that blocks_alloc() finds room for @size at the end;
 * SIZE_MAX if there are not that many.
 */
size_t blocks_shortfall(const struct blocks *blocks, size_t size);

/*
 * What one block of @size bytes needs of an empty range, at most; no overflow
 * for sizes up to SIZE_MAX / 2.
 */
size_t blocks_footprint(size_t size);

/*
 * Whether @block is a live block; any value may be asked for. All functions
 * below want one that is.
 */
bool blocks_valid(const struct blocks *blocks, const void *block);

size_t blocks_size(const struct blocks *blocks, const void *block);

/*
 * Gives the block another size where it is; false if there is no room. Of the
 * bytes that a larger size adds *@dirty may hold anything, the others are zero.
 */
bool blocks_resize(struct blocks *blocks, void *block, size_t size,
		   size_t *dirty);

/*
 * Bytes to extend by so that blocks_resize() to @size, for which there was no
 * room, succeeds; SIZE_MAX if that would not help.
 */
size_t blocks_resize_shortfall(const struct blocks *blocks, const void *block,
			       size_t size);

void blocks_free(struct blocks *blocks, void *block);

/* No live block at all. */
bool blocks_empty(const struct blocks *blocks);

/* blocks_walk.c: none of these trusts the control data, nor its arguments. */

/**
 * struct block_piece - a piece of the range: a chunk, or the free end
 * @start: its first byte
 * @size: all of its bytes
 * @block: the block, or where one would begin
 * @wanted: busy: bytes that were asked for; free: those that a block could have
 * @busy: is a live block
 */
struct block_piece {
	char *start;
	size_t size;
	char *block;
	size_t wanted;
	bool busy;
};

/*
 * The piece that begins at @at, which is @blocks->start or where a piece ended.
 * 1: there it is; 0: that was the end of the committed part; -1: the control
 * data are damaged.
 */
int blocks_piece(const struct blocks *blocks, char *at,
		 struct block_piece *piece);

/* The piece with this @block; false: there is none that is @busy, or not. */
bool blocks_piece_of(const struct blocks *blocks, const void *block, bool busy,
		     struct block_piece *piece);

/*
 * Steps to the next live block, in the order of addresses. 1: there it is; 0:
 * no more; -1: the control data are damaged.
 */
int blocks_next(const struct blocks *blocks, struct block_view *view);

/* Whether all control data are as they must be. */
bool blocks_check(const struct blocks *blocks);

/*
 * The most that one block can have without another commit; 0 if there is not
 * even room for a small one.
 */
size_t blocks_largest_free(const struct blocks *blocks);

#endif /* PRIVHEAP_SRC_BLOCKS_H */
