// SPDX-License-Identifier: GPL-2.0-only
/* See heap_fail_books.h. */
#include <errno.h>

#include "heap_fail_books.h"

/* So much of either end is looked at. */
#define ENDS		(4 * KIB)

struct books books;

void track_check(bool whole)
{
	uint64_t blocks[MAX_HEAPS] = { 0 }, bytes[MAX_HEAPS] = { 0 };
	PRIVHEAP_USAGE usage;
	struct tracked *block;
	SIZE_T at, end;

	for (unsigned int i = 0; i < MAX_BLOCKS; i++) {
		block = &books.block[i];
		if (!block->at)
			continue;
		blocks[block->heap]++;
		bytes[block->heap] += block->size;
		MODEL_CHECK(HeapSize(books.heap[block->heap], 0, block->at) ==
			    block->size, WHERE "block %u of %zu", HERE, i,
			    block->size);
		end = block->size;
		if (!whole && end > 2 * ENDS) {
			at = model_differs(block->at, end - ENDS, end,
					   block->seed);
			if (at == end) {
				end = ENDS;
				at = model_differs(block->at, 0, end,
						   block->seed);
			}
		} else {
			at = model_differs(block->at, 0, end, block->seed);
		}
		MODEL_CHECK(at == end,
			    WHERE "block %u of %zu: byte %zu has changed", HERE,
			    i, block->size, at);
	}
	for (unsigned int h = 0; h < MAX_HEAPS; h++) {
		if (!books.heap[h])
			continue;
		usage = usage_of(books.heap[h]);
		MODEL_CHECK(usage.cBlocks == blocks[h] &&
			    usage.cbAllocated == bytes[h],
			    WHERE "heap %u counts %llu blocks", HERE, h,
			    (unsigned long long)usage.cBlocks);
		/* Whatever failed, what was charged is what there is. */
		MODEL_CHECK(charged_of(books.heap[h]) == usage.cbCommitted,
			    WHERE "heap %u charges %llu of %llu", HERE, h,
			    (unsigned long long)charged_of(books.heap[h]),
			    (unsigned long long)usage.cbCommitted);
		MODEL_CHECK(HeapValidate(books.heap[h], 0, NULL) == TRUE,
			    WHERE "heap %u", HERE, h);
	}
}

static void begin_call(void)
{
	books.before = inject.injected;
	model_set_stale();
}

/*
 * A call that failed: it may if one was refused meanwhile, or if it is meant
 * to, and must say that memory is short, and nothing more has happened.
 */
static void call_failed(const char *what, bool meant)
{
	MODEL_CHECK(model_has_error(ERROR_NOT_ENOUGH_MEMORY),
		    WHERE "%s, error %u, errno %d", HERE, what, GetLastError(),
		    errno);
	/* Pages that somebody has pinned are no reason. */
	MODEL_CHECK(meant || (inject.injected > books.before &&
			      inject.error != EBUSY),
		    WHERE "%s failed, and nothing was refused", HERE, what);
	track_check(false);
}

static void call_succeeded(const char *what)
{
	MODEL_CHECK(model_is_stale(), WHERE "%s, error %u, errno %d", HERE, what,
		    GetLastError(), errno);
}

void track_create(unsigned int h, DWORD options, SIZE_T initial, SIZE_T maximum)
{
	begin_call();
	books.heap[h] = HeapCreate(options, initial, maximum);
	if (books.heap[h])
		call_succeeded("HeapCreate");
	else
		call_failed("HeapCreate", false);
}

void track_destroy(unsigned int h)
{
	if (!books.heap[h])
		return;
	begin_call();
	MODEL_CHECK(HeapDestroy(books.heap[h]) == TRUE, WHERE "heap %u", HERE,
		    h);
	call_succeeded("HeapDestroy");
	books.heap[h] = NULL;
	for (unsigned int i = 0; i < MAX_BLOCKS; i++)
		if (books.block[i].heap == h)
			books.block[i].at = NULL;
}

void track_alloc(unsigned int h, unsigned int i, SIZE_T size, bool meant)
{
	struct tracked *block = &books.block[i];

	if (!books.heap[h])
		return;
	begin_call();
	block->at = HeapAlloc(books.heap[h], HEAP_ZERO_MEMORY, size);
	if (!block->at) {
		call_failed("HeapAlloc", meant);
		return;
	}
	call_succeeded("HeapAlloc");
	MODEL_CHECK(model_nonzero(block->at, 0, size) == size,
		    WHERE "block %u of %zu is not zero", HERE, i, size);
	block->heap = h;
	block->size = size;
	block->seed = ++books.next_seed * UINT64_C(0xd1342543de82ef95);
	model_fill(block->at, 0, size, block->seed);
}

void track_resize(unsigned int i, SIZE_T size, DWORD flags)
{
	struct tracked *block = &books.block[i];
	SIZE_T old = block->size;
	unsigned char *moved;

	if (!block->at)
		return;
	begin_call();
	moved = HeapReAlloc(books.heap[block->heap], flags | HEAP_ZERO_MEMORY,
			    block->at, size);
	if (!moved) {
		MODEL_CHECK(size > old, WHERE "shrinking %zu to %zu failed",
			    HERE, old, size);
		call_failed("HeapReAlloc", flags & HEAP_REALLOC_IN_PLACE_ONLY);
		return;
	}
	call_succeeded("HeapReAlloc");
	block->at = moved;
	block->size = size;
	if (size > old) {
		MODEL_CHECK(model_nonzero(moved, old, size) == size,
			    WHERE "block %u, %zu to %zu is not zero", HERE, i,
			    old, size);
		model_fill(moved, old, size, block->seed);
	}
	MODEL_CHECK(model_differs(moved, 0, size, block->seed) == size,
		    WHERE "block %u, %zu to %zu has changed", HERE, i, old, size);
}

void track_release(unsigned int i)
{
	struct tracked *block = &books.block[i];

	if (!block->at)
		return;
	begin_call();
	MODEL_CHECK(HeapFree(books.heap[block->heap], 0, block->at) == TRUE,
		    WHERE "block %u", HERE, i);
	call_succeeded("HeapFree");
	block->at = NULL;
}
