// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the heap's API as the input says, each answer held against what is
 * known of every block: where, how large and with what bytes.
 */
#include <stdbool.h>

#include <privheap/heapapi.h>

#include "../heap_model.h"
#include "fuzz.h"

#define HEAPS	3
#define BLOCKS	64
#define MOST	(1 << 20)	/* bytes of a block, and of all of them 16 times as much */

struct block {
	unsigned char *at;
	SIZE_T size;
	uint64_t seed;
	unsigned int heap;
};

static HANDLE heaps[HEAPS];
static struct block blocks[BLOCKS];
static SIZE_T bytes;
static uint64_t last_seed;

static SIZE_T some_size(struct fuzz_input *input)
{
	uint8_t kind = fuzz_u8(input);

	switch (kind >> 5) {
	case 0 ... 3:
		return kind;
	case 4 ... 5:
		return fuzz_u16(input);
	case 6:
		return fuzz_u32(input) % MOST;
	default:
		return fuzz_u64(input);
	}
}

static void check_block(const struct block *block)
{
	HANDLE heap = heaps[block->heap];

	FUZZ_CHECK(HeapSize(heap, 0, block->at) == block->size, "%p of %zu: %zu", block->at,
		   block->size, HeapSize(heap, 0, block->at));
	FUZZ_CHECK(HeapValidate(heap, 0, block->at), "%p", block->at);
	FUZZ_CHECK(model_differs(block->at, 0, block->size, block->seed) == block->size,
		   "%p of %zu differs at %zu", block->at, block->size,
		   model_differs(block->at, 0, block->size, block->seed));
}

static void fill(struct block *block, SIZE_T from)
{
	if (!from)
		block->seed = ++last_seed * 0x9e3779b97f4a7c15;
	model_fill(block->at, from, block->size, block->seed);
}

static void create(struct fuzz_input *input, unsigned int heap)
{
	DWORD options = fuzz_u8(input) & (HEAP_NO_SERIALIZE | HEAP_CREATE_ALIGN_16);
	SIZE_T initial = some_size(input) % MOST, maximum = some_size(input) % (4 * MOST);

	if (heaps[heap])
		return;
	if (fuzz_u8(input) & 1)
		maximum = 0;
	heaps[heap] = HeapCreate(options, initial, maximum);
	if (!heaps[heap])
		FUZZ_CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY ||
			   GetLastError() == ERROR_INVALID_PARAMETER, "%u", GetLastError());
}

static void destroy(unsigned int heap)
{
	if (!heaps[heap])
		return;
	FUZZ_CHECK(HeapDestroy(heaps[heap]), "error %u", GetLastError());
	FUZZ_CHECK(!HeapDestroy(heaps[heap]) && GetLastError() == ERROR_INVALID_HANDLE,
		   "destroyed twice");
	heaps[heap] = NULL;
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (blocks[i].at && blocks[i].heap == heap) {
			bytes -= blocks[i].size;
			blocks[i].at = NULL;
		}
	}
}

static void allocate(struct fuzz_input *input, struct block *block, unsigned int heap)
{
	bool zero = fuzz_u8(input) & 1;
	SIZE_T size = some_size(input);

	if (block->at || !heaps[heap])
		return;
	if (size <= MOST && bytes > 16 * MOST)
		return;
	SetLastError(STALE);
	block->at = HeapAlloc(heaps[heap], zero ? HEAP_ZERO_MEMORY : 0, size);
	if (!block->at) {
		FUZZ_CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "%u", GetLastError());
		return;
	}
	/* Addresses are all that it takes, until it is touched. */
	FUZZ_CHECK(size < 1ULL << 47, "a block of %zu", size);
	FUZZ_CHECK(!((uintptr_t)block->at % MEMORY_ALLOCATION_ALIGNMENT), "%p", block->at);
	if (size > MOST) {
		/* Never filled: it is more than this machine has. */
		FUZZ_CHECK(HeapFree(heaps[heap], 0, block->at), "%u", GetLastError());
		block->at = NULL;
		return;
	}
	if (zero)
		FUZZ_CHECK(model_nonzero(block->at, 0, size) == size, "%p of %zu is not zero",
			   block->at, size);
	block->size = size;
	block->heap = heap;
	bytes += size;
	fill(block, 0);
}

static void reallocate(struct fuzz_input *input, struct block *block)
{
	static const DWORD some[] = { 0, HEAP_ZERO_MEMORY, HEAP_REALLOC_IN_PLACE_ONLY,
				      HEAP_ZERO_MEMORY | HEAP_REALLOC_IN_PLACE_ONLY };
	DWORD flags = some[fuzz_u8(input) % 4];
	SIZE_T size = some_size(input), kept;
	unsigned char *at;

	if (!block->at || size > MOST)
		return;
	at = HeapReAlloc(heaps[block->heap], flags, block->at, size);
	if (!at) {
		FUZZ_CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "%u", GetLastError());
		check_block(block);
		return;
	}
	if (flags & HEAP_REALLOC_IN_PLACE_ONLY)
		FUZZ_CHECK(at == block->at, "it was to stay");
	kept = size < block->size ? size : block->size;
	FUZZ_CHECK(model_differs(at, 0, kept, block->seed) == kept, "contents are lost");
	if (flags & HEAP_ZERO_MEMORY)
		FUZZ_CHECK(model_nonzero(at, kept, size) == size, "the new part is not zero");
	bytes += size - block->size;
	block->at = at;
	block->size = size;
	fill(block, kept);
}

static void release(struct block *block)
{
	if (!block->at)
		return;
	check_block(block);
	FUZZ_CHECK(HeapFree(heaps[block->heap], 0, block->at), "%u", GetLastError());
	/* No other block can begin there yet. */
	FUZZ_CHECK(!HeapFree(heaps[block->heap], 0, block->at) &&
		   GetLastError() == ERROR_INVALID_PARAMETER, "freed twice");
	bytes -= block->size;
	block->at = NULL;
}

/* A pointer that is no block: inside of one, or of another heap, or anything. */
static void refuse(struct fuzz_input *input, const struct block *block)
{
	unsigned int heap = fuzz_u8(input) % HEAPS;
	uint16_t offset = fuzz_u16(input);
	unsigned char *bad = (unsigned char *)((uintptr_t)block->at + offset);

	if (!block->at || !heaps[heap])
		return;
	for (unsigned int i = 0; i < BLOCKS; i++)
		if (blocks[i].at == bad && blocks[i].heap == heap)
			return;
	FUZZ_CHECK(!HeapValidate(heaps[heap], 0, bad), "%p", bad);
	FUZZ_CHECK(!HeapFree(heaps[heap], 0, bad) &&
		   GetLastError() == ERROR_INVALID_PARAMETER, "%p", bad);
	FUZZ_CHECK(HeapSize(heaps[heap], 0, bad) == (SIZE_T)-1, "%p", bad);
	FUZZ_CHECK(!HeapReAlloc(heaps[heap], 0, bad, 10), "%p", bad);
}

static void visit(void *arg, void *block, SIZE_T size)
{
	(void)arg;
	(void)block;
	(void)size;
}

/* Every block is found by a walk, and nothing else is. */
static void check_heap(unsigned int heap)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	struct model_walk walk = { 0 };
	uint64_t count = 0, sum = 0;
	uintptr_t addresses = 0;

	if (!heaps[heap])
		return;
	FUZZ_CHECK(HeapValidate(heaps[heap], 0, NULL), "heap %u", heap);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (!blocks[i].at || blocks[i].heap != heap)
			continue;
		count++;
		sum += blocks[i].size;
		addresses ^= (uintptr_t)blocks[i].at;
		check_block(&blocks[i]);
	}
	FUZZ_CHECK(model_walk_heap(heaps[heap], visit, NULL, &walk), "a walk failed");
	FUZZ_CHECK(walk.blocks == count && walk.bytes == sum && walk.addresses == addresses,
		   "%lu blocks, %lu bytes, should be %lu and %lu", walk.blocks, walk.bytes,
		   count, sum);
	FUZZ_CHECK(HeapSummary(heaps[heap], 0, &summary), "%u", GetLastError());
	FUZZ_CHECK(summary.cbAllocated == sum && summary.cbAllocated <= summary.cbCommitted &&
		   summary.cbCommitted <= summary.cbReserved, "%zu %zu %zu",
		   summary.cbAllocated, summary.cbCommitted, summary.cbReserved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };

	bytes = 0;
	while (input.left) {
		uint8_t what = fuzz_u8(&input);
		struct block *block = &blocks[fuzz_u8(&input) % BLOCKS];

		switch (what % 16) {
		case 0:
			create(&input, what / 16 % HEAPS);
			break;
		case 1 ... 5:
			allocate(&input, block, what / 16 % HEAPS);
			break;
		case 6 ... 8:
			reallocate(&input, block);
			break;
		case 9 ... 11:
			release(block);
			break;
		case 12:
			refuse(&input, block);
			break;
		case 13:
			check_heap(what / 16 % HEAPS);
			break;
		case 14:
			if (heaps[what / 16 % HEAPS])
				HeapCompact(heaps[what / 16 % HEAPS], 0);
			break;
		default:
			if (!(what / 64))
				destroy(what / 16 % HEAPS);
		}
	}
	for (unsigned int i = 0; i < HEAPS; i++) {
		check_heap(i);
		destroy(i);
	}
	return 0;
}
