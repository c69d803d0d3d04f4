// SPDX-License-Identifier: MIT
/* Blocks that have a region of their own. */
#include <errno.h>
#include <string.h>

#include "annotate.h"
#include "heap.h"
#include "process.h"
#include "ptrset.h"
#include "region.h"

/*
 * A block that had to move as it grew gets this many times its size reserved,
 * at least so much, but not so much more than it has.
 */
#if UINTPTR_MAX > 0xFFFFFFFF
#define SPACE_FACTOR	16
#define SPACE_MIN	((size_t)2 << 20)
#define SPACE_MOST	((size_t)64 << 30)
#else
#define SPACE_FACTOR	4
#define SPACE_MIN	((size_t)256 << 10)
#define SPACE_MOST	((size_t)64 << 20)
#endif

/*
 * So many of them has a heap at most, for each is a region, and a process can
 * have some 65,000 mappings. All others are ordinary blocks.
 */
#define SPACE_BLOCKS	1024

/* Bytes to commit at once as such a block grows, beyond what it needs. */
#define SPACE_STEP_PART	8
#define SPACE_STEP_MAX	((size_t)2 << 20)

/* The bases of all large blocks of all heaps. */
static struct ptrset larges = PTRSET_INIT;

static_assert(LARGE_HEADER % BLOCKS_ALIGN == 0, "large blocks are aligned");

static char *large_block(struct large_block *large)
{
	return (char *)large + LARGE_HEADER;
}

/* Any value may be asked for. */
static struct large_block *block_large(const void *block)
{
	return (struct large_block *)((uintptr_t)block - LARGE_HEADER);
}

/* Bytes of the region that a block of this size takes; false: too many. */
static bool large_length(size_t size, size_t *length)
{
	return !__builtin_add_overflow(size, LARGE_HEADER, length) &&
	       page_round_up(*length, length);
}

/* What the heap is charged for it. */
static size_t large_charged(struct large_block *large)
{
	return unlikely(large->stray) ?
	       region_committed(large, large->committed) : large->committed;
}

/* A block of @size bytes in a region of @reserve, which has room for it. */
static void *large_make(struct heap *heap, size_t size, size_t reserve)
{
	struct large_block *large;
	size_t length;

	if (!large_length(size, &length))
		return NULL;
	if (!heap_charge(heap, length))
		return NULL;
	/* The page of the header is populated, the others come when touched. */
	large = heap_reserve_region(heap->options, reserve, page_size());
	if (!large)
		goto err_uncharge;
	if (privheap_region_grow(large, length, 0) || !ptrset_add(&larges, large))
		goto err_release;
	heap_charged(heap, length, length);
	if (annotating())
		annotate_commit(large, length);

	large->heap = heap;
	large->reserved = reserve;
	large->committed = length;
	large->fresh = length;
	large->size = size;
	large->prev = NULL;
	large->next = heap->large;
	if (large->next)
		large->next->prev = large;
	heap->large = large;
	return large_block(large);

err_release:
	heap_release_region(large, reserve);
err_uncharge:
	heap_uncharge(heap, length);
	return NULL;
}

void *large_alloc(struct heap *heap, size_t size)
{
	size_t length;
	void *block;

	if (!large_length(size, &length)) {
		errno = EINVAL;
		return NULL;
	}
	block = large_make(heap, size, length);
	if (!block && (errno == EDQUOT || errno == ENOMEM) &&
	    heap_trim(heap, page_size()))
		block = large_make(heap, size, length);
	return block;
}

void *large_alloc_spacious(struct heap *heap, size_t size)
{
	struct large_block *large;
	size_t reserve, length;
	void *block;

	if (heap->spacious >= SPACE_BLOCKS || !large_length(size, &length))
		return NULL;
	if (__builtin_mul_overflow(length, SPACE_FACTOR, &reserve))
		return NULL;
	if (reserve < SPACE_MIN)
		reserve = SPACE_MIN;
	if (reserve - length > SPACE_MOST)
		reserve = length + SPACE_MOST;
	block = large_make(heap, size, reserve);
	if (!block)
		return NULL;
	large = block_large(block);
	large->spacious = true;
	heap->spacious++;
	return block;
}

struct large_block *large_find(struct heap *heap, const void *block)
{
	struct large_block *large = block_large(block);

	if (!page_aligned((uintptr_t)large) || !ptrset_has(&larges, large))
		return NULL;
	return large->heap == heap ? large : NULL;
}

/* Gives back what lies behind the first @length bytes. Returns the bytes. */
static size_t large_cut(struct large_block *large, size_t length)
{
	size_t bytes = large->committed - length, before, now;

	if (!bytes)
		return 0;
	before = large_charged(large);
	if (!privheap_region_decommit(large, length, bytes)) {
		if (large->fresh > length)
			large->fresh = length;
		now = region_last_committed();
	} else if (errno == EBUSY || errno == ENOMEM) {
		/*
		 * Some of it stayed, and is not known to be zero; to commit it
		 * once more does no harm.
		 */
		now = region_committed(large, before);
	} else {
		return 0;
	}
	large->committed = length;
	large->stray = now != length;
	heap_uncharge(large->heap, before - now);
	return bytes;
}

/* Commits from what is committed up to @end; false: refused. */
static bool large_extend(struct large_block *large, size_t end)
{
	size_t bytes = end - large->committed, before = large_charged(large);

	if (!heap_charge(large->heap, bytes))
		return false;
	if (privheap_region_commit(large, large->committed, bytes, 0)) {
		heap_uncharge(large->heap, bytes);
		return false;
	}
	heap_charged(large->heap, bytes, region_last_committed() - before);
	if (annotating())
		annotate_commit((char *)large + large->committed, bytes);
	large->committed = end;
	large->stray = region_last_committed() != end;
	return true;
}

/* Commits the first @length bytes at least; false: refused. */
static bool large_commit(struct large_block *large, size_t length)
{
	size_t step = large->committed / SPACE_STEP_PART, allowed;

	if (step > SPACE_STEP_MAX)
		step = SPACE_STEP_MAX;
	/* What the heap may have; that decides of what is needed, too. */
	allowed = heap_limit_room(large->heap);
	if (step > allowed)
		step = allowed;
	page_round_up(large->committed + step, &step);
	if (step > large->reserved)
		step = large->reserved;
	if (step < length)
		step = length;
	return large_extend(large, step) ||
	       (step > length && large_extend(large, length));
}

bool large_resize(struct large_block *large, size_t size, bool zero)
{
	size_t length, dirty, old_size = large->size;

	if (!large_length(size, &length) || length > large->reserved)
		return false;

	if (length > large->committed) {
		if (!large_commit(large, length) &&
		    (!heap_trim(large->heap, page_size()) ||
		     !large_commit(large, length)))
			return false;
	} else if (size < old_size) {
		large_cut(large, length);
	}

	/* What was never written to is zero without our doing. */
	dirty = large->fresh - LARGE_HEADER;
	if (zero && size > old_size && dirty > old_size)
		memset(large_block(large) + old_size, 0,
		       (size < dirty ? size : dirty) - old_size);
	if (large->fresh < length)
		large->fresh = length;
	large->size = size;
	return true;
}

size_t large_trim(struct large_block *large)
{
	size_t length;

	if (!large_length(large->size, &length))
		return 0;
	return large_cut(large, length);
}

void large_unlink(struct heap *heap, struct large_block *large)
{
	if (large->prev)
		large->prev->next = large->next;
	else
		heap->large = large->next;
	if (large->next)
		large->next->prev = large->prev;
}

void large_free(struct heap *heap, struct large_block *large)
{
	large_unlink(heap, large);
	if (large->spacious)
		heap->spacious--;
	heap_uncharge(heap, large_charged(large));
	ptrset_remove(&larges, large);
	heap_release_region(large, large->reserved);
}

void large_forget(void)
{
	ptrset_forget(&larges);
}
