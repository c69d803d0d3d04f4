// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on heaps, against a model that knows every block, every
 * size and every byte. Reads only the public headers, so that it holds for
 * whatever lies behind them.
 *
 *   PRIVHEAP_MODEL_OPS      operations, over all tests (300000)
 *   PRIVHEAP_MODEL_SEED     other random numbers (1)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "heap_model_books.h"
#include "patient_harness.h"

/* --------------------------------------------------------- operations */

/* Every call refuses the address, and says so alike. */
static void check_refused(unsigned int h, void *bad)
{
	HANDLE heap = model.heap[h].handle;
	BOOL freed;

	model.bad++;
	model_set_stale();
	MODEL_CHECK(HeapSize(heap, 0, bad) == (SIZE_T)-1 &&
		    model_has_error(ERROR_INVALID_PARAMETER),
		    "operation %" PRIu64 ", heap %u, %p: error %u", model.op, h,
		    bad, GetLastError());
	model_set_stale();
	MODEL_CHECK(!HeapReAlloc(heap, below(2) ? HEAP_ZERO_MEMORY : 0, bad,
				 below(5000)) &&
		    model_has_error(ERROR_INVALID_PARAMETER),
		    "operation %" PRIu64 ", heap %u, %p: error %u", model.op, h,
		    bad, GetLastError());
	model_set_stale();
	freed = HeapFree(heap, 0, bad);
	MODEL_CHECK(!freed && model_has_error(ERROR_INVALID_PARAMETER),
		    "operation %" PRIu64 ", heap %u, %p: error %u", model.op, h,
		    bad, GetLastError());
	model_set_stale();
	MODEL_CHECK(HeapValidate(heap, 0, bad) == FALSE && model_is_stale(),
		    "operation %" PRIu64 ", heap %u, %p: error %u", model.op, h,
		    bad, GetLastError());
}

/* What was freed a while ago and now lies inside this block is no block. */
static void check_buried(unsigned int h, const unsigned char *at, SIZE_T size)
{
	unsigned char *old;

	for (unsigned int i = 0; i < RECENT; i++) {
		old = model.recent[i].at;
		if (old > at && (SIZE_T)(old - at) < size)
			check_refused(h, old);
	}
}

static void do_alloc(unsigned int h)
{
	struct heap_state *heap = &model.heap[h];
	SIZE_T size = model_size(&model.random, heap->maximum && below(8) ?
				 heap->maximum / 4 : 8 * MIB), at;
	DWORD flags = below(3) ? 0 : HEAP_ZERO_MEMORY;
	uint64_t seed = model_seed(&model.random);
	void *block;

	if (below(1000) == 0)
		size = SIZE_MAX - below(70000);
	if (below(8) == 0)
		flags |= HEAP_NO_SERIALIZE;

	model_set_stale();
	block = HeapAlloc(heap->handle, flags, size);
	if (!block) {
		model.refused++;
		MODEL_CHECK(model_has_error(ERROR_NOT_ENOUGH_MEMORY),
			    "operation %" PRIu64 ", error %u", model.op,
			    GetLastError());
		MODEL_CHECK(size > 8 * MIB || (heap->maximum &&
					       (heap->blocks || size > heap->largest)),
			    IN_HEAP "no room for %zu beside %" PRIu64 " blocks",
			    model.op, h, size, heap->blocks);
		return;
	}
	MODEL_CHECK(model_is_stale() &&
		    (uintptr_t)block % MEMORY_ALLOCATION_ALIGNMENT == 0,
		    "operation %" PRIu64 ": %p of %zu, error %u", model.op,
		    block, size, GetLastError());
	if (!MODEL_CHECK(size <= 8 * MIB, "%zu bytes were served", size))
		return;
	if (flags & HEAP_ZERO_MEMORY) {
		at = model_nonzero(block, 0, size);
		MODEL_CHECK(at == size,
			    "operation %" PRIu64 ", heap %u, %p: byte %zu of %zu is not zero",
			    model.op, h, block, at, size);
	}
	/*
	 * Some stay as they are, with all that lay there before, so that
	 * control data of blocks long gone can be taken for real ones.
	 */
	if (below(8) == 0)
		seed = 0;
	if (seed)
		model_fill(block, 0, size, seed);
	else
		check_buried(h, block, size);
	model_add(h, block, size, seed);
}

static void do_free(struct block *block)
{
	HANDLE heap = model.heap[block->heap].handle;
	unsigned int slot = below(RECENT);
	void *at = block->at;

	check_size(block);
	check_bytes(block, 0, block->size);
	model_set_stale();
	MODEL_CHECK(HeapFree(heap, 0, at) == TRUE && model_is_stale(),
		    "error %u: " AT, GetLastError(), AT_OF(block));
	model.recent[slot].at = at;
	model.recent[slot].heap = block->heap;
	model_remove(block);
	if (below(16) == 0) {
		model_set_stale();
		MODEL_CHECK(HeapFree(heap, 0, at) == FALSE &&
			    model_has_error(ERROR_INVALID_PARAMETER),
			    "operation %" PRIu64 ": %p freed twice, error %u",
			    model.op, at, GetLastError());
	}
}

static SIZE_T new_size(const struct block *block, SIZE_T most)
{
	SIZE_T size;

	switch (below(5)) {
	case 0:		/* a little more or less */
		size = block->size + below(200);
		return size < 100 ? 0 : size - 100 <= most ? size - 100 : most;
	case 1:		/* shrink */
		return block->size ? below(block->size) : 0;
	case 2:		/* as a growing array does */
		size = block->size + block->size / 2 + 1;
		return size <= most ? size : block->size;
	default:
		return model_size(&model.random, most);
	}
}

static void do_realloc(struct block *block)
{
	struct heap_state *heap = &model.heap[block->heap];
	SIZE_T old = block->size, size = new_size(block, 8 * MIB), keep, at;
	DWORD flags = below(2) ? 0 : HEAP_ZERO_MEMORY;
	struct block before = *block;
	unsigned char *moved;

	if (below(4) == 0)
		flags |= HEAP_REALLOC_IN_PLACE_ONLY;
	if (below(1000) == 0)
		size = SIZE_MAX - below(70000);
	/* Sampled: what it was like before is checked below, if it moves. */
	check_size(block);

	model_set_stale();
	moved = HeapReAlloc(heap->handle, flags, block->at, size);
	if (!moved) {
		model.refused++;
		MODEL_CHECK(model_has_error(ERROR_NOT_ENOUGH_MEMORY),
			    "realloc to %zu, error %u: " AT, size,
			    GetLastError(), AT_OF(block));
		/* Shrinking needs no room. */
		MODEL_CHECK(size > old && (size > 8 * MIB || heap->maximum ||
					   flags & HEAP_REALLOC_IN_PLACE_ONLY),
			    "realloc to %zu, flags %#x, refused: " AT, size,
			    flags, AT_OF(block));
		check_size(block);
		check_bytes(block, 0, block->size);
		return;
	}
	keep = old < size ? old : size;
	MODEL_CHECK(model_is_stale() && (moved == block->at ||
					 !(flags & HEAP_REALLOC_IN_PLACE_ONLY)) &&
		    (uintptr_t)moved % MEMORY_ALLOCATION_ALIGNMENT == 0,
		    "realloc to %zu gave %p, error %u: " AT, size, moved,
		    GetLastError(), AT_OF(block));
	if (!MODEL_CHECK(size <= 8 * MIB, "%zu bytes were served", size))
		return;

	model_remove(block);
	model_add(before.heap, moved, size, before.seed);
	block = model_find(moved);
	check_bytes(block, 0, keep);
	if (flags & HEAP_ZERO_MEMORY && size > old) {
		at = model_nonzero(moved, old, size);
		MODEL_CHECK(at == size,
			    "grown from %zu, byte %zu is not zero: " AT, old,
			    at, AT_OF(block));
	}
	if (before.seed)
		model_fill(moved, keep, size, before.seed);
	check_size(block);
}

/* Is the address a live block of this heap, by our books? */
static bool is_live(unsigned int h, const void *at)
{
	struct block *block = model_find(at);

	return block && block->heap == h;
}

/* Large blocks are few, and have ways of their own to go wrong. */
static struct block *pick_block(void)
{
	struct block *pick, *other;

	if (!model.live)
		return NULL;
	pick = &model.block[below(model.live)];
	for (int i = below(2) ? 32 : 0; i; i--) {
		other = &model.block[below(model.live)];
		if (other->size > pick->size)
			pick = other;
	}
	return pick;
}

static void do_bad_pointer(void)
{
	static char other_memory[256];
	const unsigned int align = MEMORY_ALLOCATION_ALIGNMENT;
	unsigned int h = below(model.heaps), slot = below(RECENT);
	struct block *block = pick_block();
	unsigned char *bad;

	switch (below(6)) {
	case 0:		/* freed a while ago */
		bad = model.recent[slot].at;
		h = model.recent[slot].heap;
		break;
	case 1:		/* inside a block, where one could begin */
		if (!block || block->size < 2 * align)
			return;
		h = block->heap;
		bad = block->at + below(block->size / align - 1) * align + align;
		break;
	case 2:		/* where none can begin */
		if (!block)
			return;
		h = block->heap;
		bad = block->at + 1 + below(align - 1);
		break;
	case 3:		/* behind or before a block */
		if (!block)
			return;
		h = block->heap;
		bad = below(2) ? block->at - align :
		      block->at + (block->size + align) / align * align;
		break;
	case 4:		/* of another heap, or of nobody */
		if (block && below(2))
			bad = block->at;
		else
			bad = (unsigned char *)other_memory + below(16) * align;
		break;
	default:
		bad = (unsigned char *)model.heap[h].handle +
		      below(4096 / align) * align;
		break;
	}
	if (!bad || is_live(h, bad))
		return;
	check_refused(h, bad);
	if (block)
		check_some(block);
}

/* ---------------------------------------------------------- the run */

static void open_heap(unsigned int h, DWORD options, SIZE_T maximum)
{
	struct heap_state *heap = &model.heap[h];
	SIZE_T low = 0, high = FIXED_MAX, middle;
	void *block;

	memset(heap, 0, sizeof(*heap));
	heap->options = options;
	heap->maximum = maximum;
	heap->handle = HeapCreate(options, maximum && below(2) ? maximum / 2 : 0,
				  maximum);
	if (!MODEL_CHECK(heap->handle, "error %u", GetLastError()))
		exit(1);
	/* The largest block that there is room for, while it is empty. */
	while (maximum && low < high) {
		middle = low + (high - low + 1) / 2;
		block = HeapAlloc(heap->handle, 0, middle);
		if (block)
			low = middle;
		else
			high = middle - 1;
		HeapFree(heap->handle, 0, block);
	}
	heap->largest = low;
	MODEL_CHECK(low >= maximum / 2 || low == FIXED_MAX,
		    "a heap of %zu serves no more than %zu", maximum, low);
}

/* With all its blocks, whatever they are. */
static void do_destroy(unsigned int h)
{
	struct heap_state *heap = &model.heap[h];
	HANDLE handle = heap->handle;
	void *block = NULL;

	for (unsigned int i = model.live; i-- > 0;) {
		if (model.block[i].heap == h) {
			block = model.block[i].at;
			model_remove(&model.block[i]);
		}
	}
	for (unsigned int i = 0; i < RECENT; i++)
		if (model.recent[i].heap == h)
			model.recent[i].at = NULL;
	model_set_stale();
	MODEL_CHECK(HeapDestroy(handle) == TRUE && model_is_stale(),
		    "operation %" PRIu64 ", heap %u", model.op, h);
	model_set_stale();
	MODEL_CHECK(!HeapFree(handle, 0, block ? block : handle) &&
		    model_has_error(ERROR_INVALID_HANDLE),
		    "operation %" PRIu64 ", error %u", model.op,
		    GetLastError());
	open_heap(h, heap->options, heap->maximum);
}

static void do_compact(unsigned int h)
{
	SIZE_T free_bytes;

	SetLastError(STALE);
	free_bytes = HeapCompact(model.heap[h].handle, 0);
	MODEL_CHECK(free_bytes || GetLastError() == NO_ERROR,
		    "operation %" PRIu64 ", error %u", model.op,
		    GetLastError());
}

static void step(bool many)
{
	uint32_t kind = below(100), down = model.growing ? 20 : 45;

	if (model.live == MAX_LIVE || model.bytes > MAX_BYTES ||
	    below(10000) == 0)
		model.growing = false;
	else if (!model.live || below(10000) == 0)
		model.growing = true;

	if (kind < 2)
		do_bad_pointer();
	else if (kind < 2 + down && model.live)
		do_free(&model.block[below(model.live)]);
	else if (kind < 30 + down && model.live)
		do_realloc(&model.block[below(model.live)]);
	else if (kind < 35 + down && model.live)
		check_some(&model.block[below(model.live)]);
	else if (model.live < MAX_LIVE)
		do_alloc(below(model.heaps));

	if (below(20000) == 0)
		do_compact(below(model.heaps));
	if (many && below(3000) == 0)
		do_destroy(below(model.heaps));
}

static void finish(void)
{
	struct heap_state *heap;
	void *block;

	check_all();
	while (model.live)
		do_free(&model.block[below(model.live)]);
	check_all();
	for (unsigned int h = 0; h < model.heaps; h++) {
		heap = &model.heap[h];
		/* What was free in pieces is free in one again. */
		if (heap->maximum) {
			block = HeapAlloc(heap->handle, HEAP_ZERO_MEMORY,
					  heap->largest);
			MODEL_CHECK(block, "empty heap %u of %zu has no room for %zu any more",
				    h, heap->maximum, heap->largest);
			if (block)
				MODEL_CHECK(model_nonzero(block, 0,
							  heap->largest) ==
					    heap->largest, "heap %u", h);
		}
		MODEL_CHECK(HeapDestroy(heap->handle) == TRUE, "heap %u", h);
	}
	MODEL_CHECK(model_process_regions() == 0, "regions are left: %" PRIu64,
		    model_process_regions());
}

static void run(uint64_t ops, bool many)
{
	uint64_t next = 0;

	for (model.op = 0; model.op < ops && !model_failures; model.op++) {
		step(many);
		/* As often as costs no more than all the rest. */
		if (model.op >= next) {
			check_all();
			next = model.op + 1000 + 4 * model.live;
		}
	}
	finish();
}

FIXTURE(heap_model) {
};

FIXTURE_VARIANT(heap_model) {
	DWORD options;
	SIZE_T maximum;
	unsigned int heaps;
	unsigned int percent;	/* of the operations */
};

FIXTURE_VARIANT_ADD(heap_model, growable) {
	.heaps = 1, .percent = 30,
};

FIXTURE_VARIANT_ADD(heap_model, growable_no_serialize) {
	.options = HEAP_NO_SERIALIZE, .heaps = 1, .percent = 15,
};

FIXTURE_VARIANT_ADD(heap_model, fixed_64K) {
	.maximum = 64 * KIB, .heaps = 1, .percent = 10,
};

FIXTURE_VARIANT_ADD(heap_model, fixed_1M) {
	.maximum = MIB, .heaps = 1, .percent = 10,
};

FIXTURE_VARIANT_ADD(heap_model, fixed_16M) {
	.maximum = 16 * MIB, .heaps = 1, .percent = 15,
};

/* Of all kinds, which come and go. */
FIXTURE_VARIANT_ADD(heap_model, many_heaps) {
	.heaps = MAX_HEAPS, .percent = 20,
};

FIXTURE_SETUP(heap_model)
{
	static const SIZE_T maxima[] = { 0, 0, 64 * KIB, MIB, 16 * MIB };
	uint64_t seed = model_option("PRIVHEAP_MODEL_SEED", 1);

	model.random = seed * UINT64_C(0x2545f4914f6cdd1d) | 1;
	model.heaps = variant->heaps;
	model.growing = true;
	for (unsigned int h = 0; h < model.heaps; h++) {
		if (model.heaps == 1)
			open_heap(h, variant->options, variant->maximum);
		else
			open_heap(h, h % 3 ? 0 : HEAP_NO_SERIALIZE,
				  maxima[h % ARRAY_SIZE(maxima)]);
	}
}

FIXTURE_TEARDOWN(heap_model)
{
}

TEST_F_TIMEOUT(heap_model, matches, 1800)
{
	uint64_t ops = model_option("PRIVHEAP_MODEL_OPS", 300000);

	run(ops * variant->percent / 100, variant->heaps > 1);
	EXPECT_EQ(0, atomic_load(&model_failures));
	/* it did run into walls, and lived */
	EXPECT_GT(model.refused, 0);
	EXPECT_GT(model.bad, 0);
}

TEST_HARNESS_MAIN
