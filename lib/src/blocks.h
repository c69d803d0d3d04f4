/* SPDX-License-Identifier: MIT */
/*
 * Blocks inside one range of memory. The heap knows nothing of how they are
 * kept, and this layer knows nothing of regions, heaps and locks: the caller
 * commits memory at the end, says so with blocks_extend(), and keeps threads
 * apart. For what lies inside there are blocks_commit() and blocks_decommit(),
 * which the caller has.
 *
 * No function writes to the body of a live block, so that memory which the
 * program has not touched stays without pages.
 */
#ifndef PRIVHEAP_SRC_BLOCKS_H
#define PRIVHEAP_SRC_BLOCKS_H

#include "common.h"
#include "holes.h"

#define BLOCKS_ALIGN	(2 * sizeof(void *))	/* 16, or 8 with 32 bits */

/* Eight for each doubling; the last is for 65,536 times the alignment and more. */
#define BLOCKS_BINS		113
#define BLOCKS_BIN_WORDS	((BLOCKS_BINS - 1) / HOLES_WORD_BITS + 1)

struct free_chunk;

/**
 * struct blocks - the blocks of one range; lives outside the range
 * @start: first byte of the range that is used
 * @top: end of the chunks; from here to @end everything is free
 * @fresh: from here on nothing was ever written: it reads as zero
 * @end: end of the committed part
 * @limit: end of the range
 * @free: bytes of all free chunks, that is without what follows @top
 * @hole_chunks: those of them that have pages which were given back
 * @holes: which pages these are
 * @bin_map: a bit a bin: not empty
 * @bins: free chunks by size
 */
struct blocks {
	char *start;
	char *top;
	char *fresh;
	char *end;
	char *limit;
	size_t free;
	size_t hole_chunks;
	struct holes holes;
	unsigned long bin_map[BLOCKS_BIN_WORDS];
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

/*
 * What the caller has: commits whole pages of the range, of which some may be
 * committed already; false: refused, and nothing has changed.
 */
bool blocks_commit(struct blocks *blocks, char *start, char *end);

/*
 * What the caller has: gives whole pages of the range back, of which some may
 * be so already.
 */
enum blocks_decommit {
	DECOMMIT_DONE,		/* they read as zero when they are committed */
	DECOMMIT_BUSY,		/* they have to be committed, and hold anything */
	DECOMMIT_SHORT,		/* the same, and there is no use in going on */
	DECOMMIT_FAILED,	/* nothing has changed */
};
enum blocks_decommit blocks_decommit(struct blocks *blocks, char *start,
				     char *end);

/*
 * The range @start to @limit, all zero, of which @end - @start are committed.
 * @end and @limit are at pages. @blocks must be all zero, too.
 */
void blocks_init(struct blocks *blocks, char *start, char *end, char *limit);

/* Frees what is kept outside the range. */
void blocks_exit(struct blocks *blocks);

/*
 * Before memory up to @end is used for another range at the same place: no
 * address of today's blocks passes for one there.
 */
void blocks_erase(struct blocks *blocks, char *end);

/* Says that @bytes more behind the committed part are committed, and zero. */
void blocks_extend(struct blocks *blocks, size_t bytes);

/*
 * A block of @size bytes, or NULL if the committed part has no room. The first
 * *@dirty bytes of it may hold anything, the others are zero.
 */
void *blocks_alloc(struct blocks *blocks, size_t size, size_t *dirty);

/*
 * The same without a look at the end, but at every free chunk that might do,
 * where blocks_alloc() stops after a few that are a little too small.
 */
void *blocks_alloc_scan(struct blocks *blocks, size_t size, size_t *dirty);

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
 * The size of @block, or SIZE_MAX if that is no live block; any value may be
 * asked for. All functions below want a live one.
 */
size_t blocks_valid_size(const struct blocks *blocks, const void *block);

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

/* Returns the bytes that became free. */
size_t blocks_free(struct blocks *blocks, void *block);

/* Bytes that are committed and free; those of the range that are committed. */
static inline size_t blocks_idle(const struct blocks *blocks)
{
	return blocks->free - blocks->holes.gone +
	       (size_t)(blocks->end - blocks->top);
}

static inline size_t blocks_committed(const struct blocks *blocks)
{
	return (size_t)(blocks->end - blocks->start) - blocks->holes.gone;
}

/**
 * struct blocks_trim - what to give back
 * @floor: nothing before this address
 * @least: bytes that must go at once, so that it is worth a system call
 * @want: bytes, and then stop
 * @holes: the most that there shall be
 */
struct blocks_trim {
	char *floor;
	size_t least;
	size_t want;
	size_t holes;
};

/*
 * Gives back free pages, those at the end first, then those of free chunks,
 * large ones first. Returns the bytes.
 */
size_t blocks_trim(struct blocks *blocks, const struct blocks_trim *trim);

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
