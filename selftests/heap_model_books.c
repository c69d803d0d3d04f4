// SPDX-License-Identifier: GPL-2.0-only
/* The books of heap_model_test.c: see heap_model_books.h. */
#include <inttypes.h>

#include "heap_model_books.h"

struct model model;

/* ------------------------------------------------- blocks by address */

static uint32_t slot_of(const void *at)
{
	return (uint64_t)(uintptr_t)at / 8 * UINT64_C(0x9e3779b97f4a7c15) >>
	       32 & (TABLE_SIZE - 1);
}

/* The slot that holds the address, or the empty one where it would be. */
static uint32_t *table_find(const void *at)
{
	uint32_t i = slot_of(at);

	while (model.table[i] && model.block[model.table[i] - 1].at != at)
		i = (i + 1) & (TABLE_SIZE - 1);
	return &model.table[i];
}

static void table_remove(const void *at)
{
	uint32_t hole = table_find(at) - model.table, i = hole, home;

	for (;;) {
		i = (i + 1) & (TABLE_SIZE - 1);
		if (!model.table[i])
			break;
		home = slot_of(model.block[model.table[i] - 1].at);
		/* Move it into the hole, unless its home is behind that. */
		if (((i - home) & (TABLE_SIZE - 1)) >=
		    ((i - hole) & (TABLE_SIZE - 1))) {
			model.table[hole] = model.table[i];
			hole = i;
		}
	}
	model.table[hole] = 0;
}

struct block *model_find(const void *at)
{
	uint32_t index = *table_find(at);

	return index ? &model.block[index - 1] : NULL;
}

void model_add(unsigned int heap, void *at, SIZE_T size, uint64_t seed)
{
	uint32_t *slot = table_find(at);
	struct block *block = &model.block[model.live];

	*block = (struct block){ at, size, seed, heap, 0 };
	MODEL_CHECK(!*slot, "an address served twice: " AT, AT_OF(block));
	*slot = ++model.live;
	model.heap[heap].blocks++;
	model.heap[heap].bytes += size;
	model.bytes += size;
}

void model_remove(struct block *block)
{
	struct block *last = &model.block[model.live - 1];
	struct heap_state *heap = &model.heap[block->heap];

	heap->blocks--;
	heap->bytes -= block->size;
	model.bytes -= block->size;
	table_remove(block->at);
	if (block != last) {
		*table_find(last->at) = block - model.block + 1;
		*block = *last;
	}
	model.live--;
}

/* ------------------------------------------------------------- checks */

void check_size(const struct block *block)
{
	SIZE_T size;

	model_set_stale();
	size = HeapSize(model.heap[block->heap].handle, 0, block->at);
	MODEL_CHECK(size == block->size && model_is_stale(),
		    "HeapSize() says %zu, error %u: " AT, size,
		    GetLastError(), AT_OF(block));
}

void check_bytes(const struct block *block, SIZE_T from, SIZE_T to)
{
	SIZE_T at = block->seed ? model_differs(block->at, from, to,
						block->seed) : to;

	MODEL_CHECK(at == to, "byte %zu has changed: " AT, at, AT_OF(block));
}

void check_some(const struct block *block)
{
	SIZE_T from;

	check_size(block);
	if (block->size <= 256) {
		check_bytes(block, 0, block->size);
		return;
	}
	from = below(block->size - 64);
	check_bytes(block, 0, 64);
	check_bytes(block, from, from + 64);
	check_bytes(block, block->size - 64, block->size);
	if (below(4) == 0) {
		model_set_stale();
		MODEL_CHECK(HeapValidate(model.heap[block->heap].handle, 0,
					 block->at) == TRUE && model_is_stale(),
			    "HeapValidate() of a live block: " AT,
			    AT_OF(block));
	}
}

static void visit(void *arg, void *at, SIZE_T size)
{
	unsigned int heap = *(unsigned int *)arg;
	struct block *block = model_find(at);

	if (!block || block->heap != heap) {
		MODEL_FAIL(IN_HEAP "a walk lists %p of %zu, which is no block",
			   model.op, heap, at, size);
		return;
	}
	MODEL_CHECK(block->seen != model.walks, "listed twice: " AT,
		    AT_OF(block));
	MODEL_CHECK(size == block->size, "a walk says %zu: " AT, size,
		    AT_OF(block));
	block->seen = model.walks;
}

static void check_heap(unsigned int h)
{
	struct heap_state *heap = &model.heap[h];
	PRIVHEAP_USAGE usage = usage_of(heap->handle);
	struct model_walk walk;

	MODEL_CHECK(usage.cBlocks == heap->blocks &&
		    usage.cbAllocated == heap->bytes,
		    IN_HEAP "%" PRIu64 " blocks of %" PRIu64
		    " bytes, and it says %" PRIu64 " of %" PRIu64, model.op, h,
		    heap->blocks, heap->bytes, usage.cBlocks,
		    usage.cbAllocated);
	MODEL_CHECK(usage.cbCommitted <= usage.cbReserved &&
		    (!heap->maximum || usage.cbReserved <= heap->maximum),
		    IN_HEAP "reserves %" PRIu64 ", commits %" PRIu64,
		    model.op, h, usage.cbReserved, usage.cbCommitted);
	MODEL_CHECK(usage.cbCommitted == charged_of(heap->handle),
		    IN_HEAP "commits %" PRIu64 ", charges %" PRIu64, model.op,
		    h, usage.cbCommitted, charged_of(heap->handle));
	model_set_stale();
	MODEL_CHECK(HeapValidate(heap->handle, 0, NULL) == TRUE &&
		    model_is_stale(), IN_HEAP "not valid", model.op, h);
	model.walks++;
	model_walk_heap(heap->handle, visit, &h, &walk);
	MODEL_CHECK(walk.blocks == heap->blocks &&
		    walk.bytes == heap->bytes,
		    IN_HEAP "a walk lists %" PRIu64 " blocks, there are %"
		    PRIu64, model.op, h, walk.blocks, heap->blocks);
}

void check_all(void)
{
	for (unsigned int h = 0; h < model.heaps; h++)
		check_heap(h);
}
