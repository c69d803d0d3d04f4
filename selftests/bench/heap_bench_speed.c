// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread: instructions, or nanoseconds. The loops are functions of their
 * own, so that the compiler makes the same code of them for every measure, and
 * they do nothing but the calls: blocks are not touched, save where it says so.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <string.h>

#include "heap_bench.h"
#include "heap_bench_ops.h"

#define NOINLINE	__attribute__((noinline))

#define MIB		(1UL << 20)
#define MASS		1000000UL

/* Fewer where they are counted one by one: each is as good as any other. */
static unsigned long rounds(unsigned long counted, unsigned long timed)
{
	return bench_counting ? counted : timed;
}

/* What a window costs by itself; "run-heap" subtracts it. */
static void empty(const struct bench *bench)
{
	if (!bench_counting)
		return;
	while (bench_again()) {
		window_begin();
		window_end(bench->name, 1);
	}
}

static NOINLINE void pair_loop(heap_t heap, size_t size, unsigned long count)
{
	while (count--)
		heap_free(heap, heap_alloc(heap, size));
}

static void pair(const struct bench *bench)
{
	unsigned long count = rounds(10000, 50000);
	heap_t heap = heap_create();

	pair_loop(heap, bench->size, 10000);
	while (bench_again()) {
		window_begin();
		pair_loop(heap, bench->size, count);
		window_end(bench->name, count);
	}
	heap_destroy(heap);
}

static NOINLINE void batch_loop(heap_t heap, size_t size, void **block, void **end,
				unsigned long count)
{
	void **at;

	while (count--) {
		for (at = block; at < end; at++)
			*at = heap_alloc(heap, size);
		for (at = block; at < end; at++)
			heap_free(heap, *at);
	}
}

static void batch(const struct bench *bench)
{
	unsigned long count = (rounds(20000, 20000) + bench_batch - 1) / bench_batch;
	void **block = bench_array(bench_batch * sizeof(*block));
	void **end = block + bench_batch;
	heap_t heap = heap_create();

	batch_loop(heap, bench->size, block, end, count);
	while (bench_again()) {
		window_begin();
		batch_loop(heap, bench->size, block, end, count);
		window_end(bench->name, count * bench_batch);
	}
	heap_destroy(heap);
}

/* Touching is what a program does next, and most of a cold block's cost. */
static inline __attribute__((always_inline))
void churn_steps(heap_t heap, struct churn *churn, unsigned long from,
		 unsigned long count, bool touch)
{
	const struct churn_step *step = churn->step + from;
	const struct churn_step *end = step + count;
	void **block = churn->block;

	for (; step < end; step++) {
		heap_free(heap, block[step->slot]);
		block[step->slot] = heap_alloc(heap, step->size);
		if (touch)
			*(volatile char *)block[step->slot] = 1;
	}
}

static NOINLINE void churn_loop(heap_t heap, struct churn *churn,
				unsigned long from, unsigned long count)
{
	churn_steps(heap, churn, from, count, false);
}

static NOINLINE void churn_touch_loop(heap_t heap, struct churn *churn,
				      unsigned long from, unsigned long count)
{
	churn_steps(heap, churn, from, count, true);
}

/* bench->size: live blocks. */
static void churn(const struct bench *bench)
{
	unsigned long count = bench->size;
	struct churn churn;
	unsigned long at;
	unsigned int i;
	heap_t heap;

	churn_prepare(&churn, bench->size, bench->sizes);
	heap = heap_create();
	for (i = 0; i < churn.slots; i++)
		churn.block[i] = heap_alloc(heap, churn.size[i]);
	/* Long enough that the order of the beginning is gone. */
	churn_touch_loop(heap, &churn, 0, 2 * count);
	for (at = 2 * count; bench_again(); at = (at + count) % (4 * count)) {
		window_begin();
		if (bench_counting)
			churn_loop(heap, &churn, at, count);
		else
			churn_touch_loop(heap, &churn, at, count);
		window_end(bench->name, count);
	}
	heap_destroy(heap);
}

static NOINLINE void create_loop(unsigned long count)
{
	while (count--)
		heap_destroy(heap_create());
}

static void create_destroy(const struct bench *bench)
{
	unsigned long count = rounds(100, 200);

	create_loop(20);
	while (bench_again()) {
		window_begin();
		create_loop(count);
		window_end(bench->name, count);
	}
}

/* With memory of destroyed heaps kept for new ones, if it can. */
static void create_destroy_cached(const struct bench *bench)
{
	if (!heap_keep(1))
		return;
	create_destroy(bench);
}

static NOINLINE void create_alloc_loop(unsigned long count, size_t size)
{
	heap_t heap;

	while (count--) {
		heap = heap_create();
		*(volatile char *)heap_alloc(heap, size) = 1;
		heap_destroy(heap);
	}
}

static void create_alloc_destroy(const struct bench *bench)
{
	unsigned long count = rounds(100, 200);

	create_alloc_loop(20, bench->size);
	while (bench_again()) {
		window_begin();
		create_alloc_loop(count, bench->size);
		window_end(bench->name, count);
	}
}

static void create_alloc_destroy_cached(const struct bench *bench)
{
	if (!heap_keep(1))
		return;
	create_alloc_destroy(bench);
}

/* bench->size: 0, or 1 if the first page is touched in between. */
static NOINLINE void map_loop(unsigned long count, bool touch)
{
	char *memory;

	while (count--) {
		memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			bench_die("mmap");
		if (touch)
			*(volatile char *)memory = 1;
		munmap(memory, MIB);
	}
}

static void map_unmap(const struct bench *bench)
{
	if (bench_counting)
		return;
	map_loop(20, bench->size);
	while (bench_again()) {
		window_begin();
		map_loop(200, bench->size);
		window_end(bench->name, 200);
	}
}

static NOINLINE void alloc_loop(heap_t heap, size_t size, void **block,
				unsigned long count)
{
	void **end = block + count;

	for (; block < end; block++)
		*block = heap_alloc(heap, size);
}

static NOINLINE void free_loop(heap_t heap, void **block, unsigned long count)
{
	void **end = block + count;

	for (; block < end; block++)
		heap_free(heap, *block);
}

static void touch_blocks(void **block, size_t size, unsigned long count)
{
	while (count--)
		memset(*block++, 1, size);
}

/* What the kernel takes to have back as many bytes as the heap had. */
static void unmap_as_much(unsigned long bytes)
{
	char *memory;

	if (!bytes)
		return;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		bench_die("mmap");
	memset(memory, 1, bytes);
	window_begin();
	munmap(memory, bytes);
	window_end("munmap-1M", 1);
}

/* As programs do: each block is written to before there is the next. */
static void destroy_used(size_t size, void **block)
{
	heap_t heap = heap_create();

	for (unsigned long i = 0; i < MASS; i++) {
		alloc_loop(heap, size, block, 1);
		touch_blocks(block++, size, 1);
	}
	window_begin();
	heap_destroy(heap);
	window_end("destroy-1M-used", 1);
}

/* A heap of very many blocks: filled and emptied, filled and destroyed. */
static void mass(const struct bench *bench)
{
	void **block = bench_array(MASS * sizeof(*block));
	unsigned long before, resident, i;
	heap_t heap = heap_create();

	window_begin();
	alloc_loop(heap, bench->size, block, MASS);
	window_end("alloc-1M", MASS);
	if (!bench_counting)
		touch_blocks(block, bench->size, MASS);
	window_begin();
	free_loop(heap, block, MASS);
	window_end("free-1M", MASS);
	if (!HAVE_HEAPS)
		return;
	heap_destroy(heap);

	for (i = 0; i < rounds(1, 3); i++) {
		before = bench_resident();
		heap = heap_create();
		alloc_loop(heap, bench->size, block, MASS);
		if (!bench_counting)
			touch_blocks(block, bench->size, MASS);
		resident = bench_resident() - before;
		window_begin();
		heap_destroy(heap);
		window_end("destroy-1M", 1);
		if (bench_counting)
			continue;
		unmap_as_much(resident);
		destroy_used(bench->size, block);
	}
}

#define GROWN_SIZE	MIB
#define GROWN_BLOCKS	8

static NOINLINE void grow_loop(heap_t heap, unsigned int blocks)
{
	void *block[GROWN_BLOCKS];
	unsigned int i;
	size_t size;

	for (i = 0; i < blocks; i++)
		block[i] = heap_alloc(heap, 16);
	for (size = 24; size < GROWN_SIZE; size += size / 2)
		for (i = 0; i < blocks; i++)
			block[i] = heap_realloc(heap, block[i], size);
	for (i = 0; i < blocks; i++)
		block[i] = heap_realloc(heap, block[i], GROWN_SIZE);
	for (i = 0; i < blocks; i++)
		heap_free(heap, block[i]);
}

/* bench->size: blocks that grow side by side. For the whole growth of one. */
static void grow(const struct bench *bench)
{
	heap_t heap = heap_create();
	unsigned int i;

	for (i = 0; i < 3; i++)
		grow_loop(heap, bench->size);
	while (bench_again()) {
		window_begin();
		grow_loop(heap, bench->size);
		window_end(bench->name, bench->size);
	}
	heap_destroy(heap);
}

static NOINLINE void size_loop(heap_t heap, void *block, unsigned long count)
{
	while (count--)
		heap_size(heap, block);
}

static void size(const struct bench *bench)
{
	unsigned long count = rounds(10000, 100000);
	heap_t heap = heap_create();
	void *block = NULL;
	int i;

	/* In a heap at work; "size-cold" is the first block of a heap. */
	for (i = 0; i < (bench->cold ? 1 : 100); i++)
		block = heap_alloc(heap, bench->size);
	size_loop(heap, block, 1000);
	while (bench_again()) {
		window_begin();
		size_loop(heap, block, count);
		window_end(bench->name, count);
	}
	heap_destroy(heap);
}

#define KIB		1024

const struct bench speed_benches[] = {
	{ .name = "empty", .run = empty },
	{ .name = "pair-16", .run = pair, .size = 16 },
	{ .name = "pair-64", .run = pair, .size = 64 },
	{ .name = "pair-256", .run = pair, .size = 256 },
	{ .name = "pair-1K", .run = pair, .size = KIB },
	{ .name = "pair-4K", .run = pair, .size = 4 * KIB },
	{ .name = "pair-64K", .run = pair, .size = 64 * KIB },
	{ .name = "batch-16", .run = batch, .size = 16 },
	{ .name = "batch-256", .run = batch, .size = 256 },
	{ .name = "batch-1K", .run = batch, .size = KIB },
	{ .name = "batch-4K", .run = batch, .size = 4 * KIB },
	{ .name = "batch-64K", .run = batch, .size = 64 * KIB },
	{ .name = "churn", .run = churn, .size = 100000 },
	{ .name = "churn-small", .run = churn, .size = 100000,
	  .sizes = CHURN_SMALL },
	{ .name = "churn-wide", .run = churn, .size = 10000,
	  .sizes = CHURN_WIDE },
	{ .name = "create-destroy", .run = create_destroy, .needs_heaps = true },
	{ .name = "create-alloc-destroy", .run = create_alloc_destroy, .size = 100,
	  .needs_heaps = true },
	{ .name = "create-destroy-cached", .run = create_destroy_cached,
	  .needs_heaps = true },
	{ .name = "create-alloc-destroy-cached",
	  .run = create_alloc_destroy_cached, .size = 100, .needs_heaps = true },
	{ .name = "mmap-munmap", .run = map_unmap, .size = 0 },
	{ .name = "mmap-touch-munmap", .run = map_unmap, .size = 1 },
	{ .name = "mass", .run = mass, .size = 64 },
	{ .name = "realloc-one", .run = grow, .size = 1 },
	{ .name = "realloc-eight", .run = grow, .size = GROWN_BLOCKS },
	{ .name = "size", .run = size, .size = 64 },
	{ .name = "size-cold", .run = size, .size = 64, .cold = true },
	{ 0 },
};
