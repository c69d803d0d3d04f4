// SPDX-License-Identifier: GPL-2.0-only
/*
 * A heap whose memory was scribbled upon: blocks, and what lies between them. What
 * asks about a heap must notice, or answer something; it must neither crash, nor
 * go on for ever, nor touch anything outside of the heap.
 *
 * What is written to is what HeapWalk() told of before: not the heap's header, nor
 * its control area, which no block's overflow reaches. Where nothing but blocks was
 * written to, and the header of a block behind one, blocks are freed as well. With
 * free memory damaged that may crash, as lib/README.md says.
 */
#include <stdbool.h>

#include <privheap/heapapi.h>

#include "fuzz.h"

#define BLOCKS	24
#define RUNS	64
#define STEPS	100000		/* more entries than such a heap can have */

static unsigned char *blocks[BLOCKS];
static SIZE_T sizes[BLOCKS];
static struct {
	unsigned char *start;
	size_t length;
} runs[RUNS];
static unsigned int count;

/* Where blocks are, and free memory if that is wanted, with what is behind them. */
static void find_runs(HANDLE heap, bool unused)
{
	PROCESS_HEAP_ENTRY entry = { 0 };
	bool busy, before = false;

	count = 0;
	while (HeapWalk(heap, &entry)) {
		if (entry.wFlags & (PROCESS_HEAP_REGION | PROCESS_HEAP_UNCOMMITTED_RANGE) ||
		    entry.iRegionIndex == 64 || count == RUNS) {
			before = false;
			continue;
		}
		busy = entry.wFlags & PROCESS_HEAP_ENTRY_BUSY;
		/* The header of this one is behind the one before. */
		if (before && (busy || unused))
			runs[count - 1].length += 16;
		before = false;
		if (!entry.cbData || !(busy || unused))
			continue;
		runs[count].start = entry.lpData;
		/* The last of the free memory may lie beyond what is committed. */
		runs[count].length = busy || entry.cbData < 64 ? entry.cbData : 64;
		before = busy;
		count++;
	}
	FUZZ_CHECK(GetLastError() == ERROR_NO_MORE_ITEMS, "a walk: %u", GetLastError());
}

static void scribble(struct fuzz_input *input)
{
	unsigned int times = 1 + fuzz_u8(input) % 8;

	while (times-- && count) {
		unsigned int run = fuzz_u8(input) % count;
		size_t at = fuzz_u16(input) % runs[run].length;
		size_t length = 1 + fuzz_u8(input) % 16;

		/* At its end, and beyond. */
		if (fuzz_u8(input) & 1)
			at = runs[run].length - 1 - at % 24 % runs[run].length;
		if (length > runs[run].length - at)
			length = runs[run].length - at;
		fuzz_take(input, runs[run].start + at, length);
	}
}

static void ask(HANDLE heap)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	PROCESS_HEAP_ENTRY entry = { 0 };
	unsigned int steps = 0;

	HeapValidate(heap, 0, NULL);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (!blocks[i])
			continue;
		if (HeapValidate(heap, 0, blocks[i]))
			HeapSize(heap, 0, blocks[i]);
	}
	while (HeapWalk(heap, &entry))
		FUZZ_CHECK(++steps < STEPS, "a walk that does not end");
	HeapSummary(heap, 0, &summary);
	PrivheapQueryHeap(heap, &usage);
}

/* Blocks are freed that were damaged: refused, or done. */
static void use(HANDLE heap, struct fuzz_input *input)
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (!blocks[i] || !(fuzz_u8(input) & 1))
			continue;
		if (!HeapFree(heap, 0, blocks[i]))
			FUZZ_CHECK(GetLastError() == ERROR_INVALID_PARAMETER, "%u",
				   GetLastError());
		blocks[i] = NULL;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };
	uint8_t how = fuzz_u8(&input);
	bool unused = how & 2;
	HANDLE heap = HeapCreate(0, 0, how & 1 ? 1 << 20 : 0);

	if (!heap)
		return 0;
	for (unsigned int i = 0; i < BLOCKS; i++) {
		uint8_t kind = fuzz_u8(&input);

		sizes[i] = kind & 3 ? kind : kind * 200;
		blocks[i] = HeapAlloc(heap, 0, sizes[i]);
		if (blocks[i])
			memset(blocks[i], 0x5a, sizes[i]);
	}
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (blocks[i] && fuzz_u8(&input) % 3 == 0) {
			HeapFree(heap, 0, blocks[i]);
			blocks[i] = NULL;
		}
	}
	find_runs(heap, unused);
	scribble(&input);
	ask(heap);
	if (!unused) {
		use(heap, &input);
		ask(heap);
	}
	FUZZ_CHECK(HeapDestroy(heap), "a damaged heap stays: %u", GetLastError());
	return 0;
}
