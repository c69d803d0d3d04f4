// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resident bytes, with every block touched in full: what the whole process has
 * more than before, so that an allocator's own data count, wherever they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap_bench.h"
#include "heap_bench_ops.h"

#define HEAPS		1000
#define SMALL_BLOCK	100
/* How often each block is replaced, on average. */
#define TURNS		10

/* Give back what can be; false if this allocator has no such call. */
static bool compact(heap_t heap)
{
#if defined(BENCH_PRIVHEAP)
	SIZE_T (*heap_compact)(HANDLE heap, DWORD flags);

	heap_compact = (SIZE_T (*)(HANDLE, DWORD))dlsym(RTLD_DEFAULT, "HeapCompact");
	if (!heap_compact)
		return false;
	heap_compact(heap, bench_call_flags);
	return true;
#elif defined(BENCH_MIMALLOC)
	mi_heap_collect(heap, true);
	return true;
#else
	(void)heap;
	/* The C library has this name, also when its malloc() is not in use. */
	if (getenv("LD_PRELOAD"))
		return false;
	malloc_trim(0);
	return true;
#endif
}

static unsigned long more_than(unsigned long before)
{
	unsigned long now = bench_resident();

	return now > before ? now - before : 0;
}

static void put(heap_t heap, struct churn *churn, unsigned int slot, size_t size)
{
	churn->block[slot] = heap_alloc(heap, size);
	if (!churn->block[slot])
		bench_die("alloc");
	memset(churn->block[slot], 1, size);
	churn->size[slot] = size;
}

static void report(const char *name, const char *what, double value)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s", name, what);
	bench_report(text, value);
}

/*
 * bench->size: live blocks. Resident for each live byte; after all is freed,
 * the share of what was resident; and after a compaction.
 */
static void churned(const struct bench *bench)
{
	unsigned long before, resident, live = 0, i;
	struct churn_step step;
	struct churn churn;
	bool compacted;
	heap_t heap;

	churn_prepare(&churn, bench->size, bench->sizes);
	before = bench_resident();
	heap = heap_create();
	for (i = 0; i < churn.slots; i++)
		put(heap, &churn, i, churn.size[i]);
	/* Never the same again, as it would be if the steps were repeated. */
	for (i = 0; i < TURNS * churn.slots; i++) {
		step = churn_next(&churn);
		heap_free(heap, churn.block[step.slot]);
		put(heap, &churn, step.slot, step.size);
	}
	resident = more_than(before);
	for (i = 0; i < churn.slots; i++)
		live += churn.size[i];
	report(bench->name, "", (double)resident / live);

	for (i = 0; i < churn.slots; i++)
		heap_free(heap, churn.block[i]);
	report(bench->name, "-freed", (double)more_than(before) / resident);
	compacted = compact(heap);
	if (compacted)
		report(bench->name, "-compacted", (double)more_than(before) / resident);
	heap_destroy(heap);
}

/* Very many heaps with one block each: resident bytes of each. */
static void many_heaps(const struct bench *bench)
{
	heap_t *heap = bench_array(HEAPS * sizeof(*heap));
	unsigned long before;
	unsigned int i;
	char *block;

	/* What is needed once, and the code of all that: it is resident, too. */
	heap[0] = heap_create();
	heap_alloc(heap[0], bench->size);
	heap_destroy(heap[0]);
	bench_resident();
	before = bench_resident();
	for (i = 0; i < HEAPS; i++) {
		heap[i] = heap_create();
		block = heap_alloc(heap[i], bench->size);
		if (!block)
			bench_die("alloc");
		memset(block, 1, bench->size);
	}
	bench_report(bench->name, (double)more_than(before) / HEAPS);
	for (i = 0; i < HEAPS; i++)
		heap_destroy(heap[i]);
}

const struct bench memory_benches[] = {
	{ .name = "resident", .run = churned, .size = 100000 },
	{ .name = "resident-small", .run = churned, .size = 100000,
	  .sizes = CHURN_SMALL },
	{ .name = "resident-wide", .run = churned, .size = 10000,
	  .sizes = CHURN_WIDE },
	{ .name = "resident-heap", .run = many_heaps, .size = SMALL_BLOCK,
	  .needs_heaps = true },
	{ 0 },
};
