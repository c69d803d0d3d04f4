// SPDX-License-Identifier: MIT
/*
 * How a heap gives memory back to the system: all that is free, when it is
 * asked to, and by itself, by a rule that counts bytes and not time:
 *
 * A heap looks at itself when so many bytes became free that the rule may
 * apply. When more than a quarter of what it has committed is free, and more
 * than it holds on to anyway, it gives back until an eighth is left, or half of
 * what it holds on to. That is 256 KiB at first. When memory is needed after
 * some was given back it becomes as much as would have kept that, and at least
 * twice what it was, up to 4 MiB; it is halved when more than 4 MiB were given
 * back and none was needed: a program that takes and frees the same blocks over
 * and over soon does so without a system call, and a heap that shrinks goes down
 * to a few hundred KiB. What HeapCreate() committed stays, and so do free pieces
 * that are too small to be worth a system call.
 */
#include <errno.h>

#include "heap.h"

#define HOLD_MIN	((size_t)256 << 10)
#define HOLD_MAX	((size_t)4 << 20)

/* Pieces smaller than this stay, but when everything is to go. */
#define TRIM_LEAST	((size_t)32 << 10)

/* So many bytes become free between one look and the next, at least. */
#define TRIM_CREDIT	((ptrdiff_t)64 << 10)

/*
 * Each hole in an anonymous mapping makes two more of it, of which a process
 * can have some 65,000. The holes of a region of the module cost less, but are
 * no use in such numbers either.
 */
#define TRIM_HOLES	4096

void heap_trim_init(struct heap *heap)
{
	heap->trimmed = 0;
	heap->trim_hold = HOLD_MIN;
	heap->trim_credit = HOLD_MIN;
}

/* What was given back is needed again: it would have been better to keep it. */
static void heap_hold_more(struct heap *heap)
{
	size_t kept = heap->trim_hold / 2, hold = heap->trim_hold * 2;

	if (hold < kept + heap->trimmed)
		hold = kept + heap->trimmed;
	heap->trim_hold = hold < HOLD_MAX ? hold : HOLD_MAX;
	heap->trimmed = 0;
}

void heap_grew(struct heap *heap, size_t bytes)
{
	/* Some of it is free. */
	heap->trim_credit -= (ptrdiff_t)bytes;
	if (unlikely(heap->trimmed))
		heap_hold_more(heap);
}

enum blocks_decommit blocks_decommit(struct blocks *blocks, char *start,
				     char *end)
{
	struct heap_region *region = container_of(blocks, struct heap_region,
						  blocks);

	if (!heap_decommit(region, start, end))
		return DECOMMIT_DONE;
	switch (errno) {
	case EBUSY:
		/*
		 * Pages that are pinned stay; they are zero, but whoever has
		 * pinned them may yet write there.
		 */
		return DECOMMIT_BUSY;
	case ENOMEM:
		/* Some of it may have gone before that. */
		return DECOMMIT_SHORT;
	default:
		return DECOMMIT_FAILED;
	}
}

/* Gives back up to @want bytes of the regions. */
static size_t heap_trim_regions(struct heap *heap, size_t keep, size_t least,
				size_t want)
{
	struct heap_region *region;
	size_t given = 0;

	for (region = heap->regions; region && given < want;
	     region = region->next) {
		struct blocks_trim trim = {
			.floor = region->base + page_size(),
			.least = least,
			.want = want - given,
			.holes = TRIM_HOLES,
		};

		if (region == &heap->first)
			trim.floor = region->base + keep;
		given += blocks_trim(&region->blocks, &trim);
	}
	return given;
}

/* Bytes that are committed, and those of them that are free. */
static size_t heap_count(struct heap *heap, size_t *idle)
{
	struct heap_region *region;
	size_t committed = 0;

	*idle = 0;
	for (region = heap->regions; region; region = region->next) {
		committed += blocks_committed(&region->blocks);
		*idle += blocks_idle(&region->blocks);
	}
	return committed;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* What the rule says. Returns the bytes given back. */
static size_t heap_trim_some(struct heap *heap)
{
	size_t idle, committed = heap_count(heap, &idle), given = 0, rest;
	ptrdiff_t credit;

	if (idle > larger(committed / 4, heap->trim_hold)) {
		if (heap->trimmed > HOLD_MAX)
			heap->trim_hold = larger(heap->trim_hold / 2, HOLD_MIN);
		/* Of what is left then, an eighth is free. */
		rest = (committed - idle) / 7;
		given = heap_trim_regions(heap, heap->initial, TRIM_LEAST,
					  idle - larger(rest,
							heap->trim_hold / 2));
		heap->trimmed += given;
		committed -= given;
		idle -= given;
	}

	credit = (ptrdiff_t)larger(committed / 4, heap->trim_hold) -
		 (ptrdiff_t)idle;
	/* Where nothing can go, it is no use to look soon again. */
	if (credit < 0)
		credit = (ptrdiff_t)(committed / 8);
	heap->trim_credit = credit < TRIM_CREDIT ? TRIM_CREDIT : credit;
	return given;
}

void heap_trim_check(struct heap *heap)
{
	heap_trim_some(heap);
}

size_t heap_trim(struct heap *heap, size_t keep)
{
	struct large_block *large;
	size_t given;

	given = heap_trim_regions(heap, keep, page_size(), SIZE_MAX);
	for (large = heap->large; large; large = large->next)
		given += large_trim(large);
	return given;
}
