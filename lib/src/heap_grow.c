// SPDX-License-Identifier: MIT
/* How the memory of a heap grows: what it commits, and its further regions. */
#include <errno.h>

#include <privheap/region.h>

#include "heap.h"
#include "ptrset.h"

/*
 * Least and most to commit at once beyond what a block needs, and the part of
 * what is committed that is aimed at in between.
 */
#define GROW_STEP_MIN	((size_t)64 << 10)
#define GROW_STEP_MAX	((size_t)2 << 20)
#define GROW_STEP_PART	8

/*
 * Each further region of a heap reserves several times as much as the one
 * before, so that a heap has few of them, and whose region an address is in is
 * soon found. Address space is scarce with 32 bits only.
 */
#if UINTPTR_MAX > 0xFFFFFFFF
#define GROW_FACTOR	8
#define GROW_FIRST	((size_t)64 << 20)
#define GROW_LAST	((size_t)32 << 30)
#else
#define GROW_FACTOR	2
#define GROW_FIRST	((size_t)2 << 20)
#define GROW_LAST	((size_t)16 << 20)
#endif

/* The regions that heaps have grown by, so that a check can follow a list. */
static struct ptrset regions = PTRSET_INIT;

size_t heap_next_growth(size_t reserved)
{
	if (reserved < GROW_FIRST / GROW_FACTOR)
		return GROW_FIRST;
	return reserved < GROW_LAST / GROW_FACTOR ? reserved * GROW_FACTOR :
						    GROW_LAST;
}

/* What the heap has committed, as if it had no holes. */
static size_t heap_extent(const struct heap *heap)
{
	const struct heap_region *region;
	size_t sum = 0;

	for (region = heap->regions; region; region = region->next)
		sum += heap_region_end(region);
	return sum;
}

static bool heap_region_extend(struct heap_region *region, size_t bytes)
{
	char *end = region->blocks.end;

	if (!heap_commit(region, end, end + bytes, bytes))
		return false;
	blocks_extend(&region->blocks, bytes);
	return true;
}

bool heap_region_commit(struct heap_region *region, size_t need, size_t spare)
{
	size_t room = region->reserved - heap_region_end(region);
	size_t least, step, allowed;

	if (!page_round_up(need, &least) || least > room)
		return false;
	if (!least)
		return true;

	/* A part more than the heap has, within reason: few calls. */
	step = heap_extent(region->heap) / GROW_STEP_PART;
	if (step < GROW_STEP_MIN)
		step = GROW_STEP_MIN;
	if (step > GROW_STEP_MAX)
		step = GROW_STEP_MAX;
	if (spare > GROW_STEP_MAX)
		spare = GROW_STEP_MAX;
	if (step < least + spare)
		step = least + spare;
	page_round_up(step, &step);
	if (step > room)
		step = room;
	/* No more than the heap may have: what is refused is what is needed. */
	allowed = heap_limit_room(region->heap);
	if (step > allowed)
		step = allowed > least ? allowed : least;

	if (heap_region_extend(region, step))
		return true;
	/* Use a quota up to its last page. */
	return step > least && heap_region_extend(region, least);
}

bool blocks_commit(struct blocks *blocks, char *start, char *end)
{
	struct heap_region *region = container_of(blocks, struct heap_region,
						  blocks);

	return heap_commit(region, start, end,
			   holes_count(&blocks->holes, start, end));
}

/* Reserves @wish bytes, or less where address space is short. */
static void *heap_reserve_some(DWORD options, size_t *wish, size_t least)
{
	size_t size = *wish > least ? *wish : least;
	void *base;

	for (;;) {
		/* The page of the header is populated at once. */
		base = heap_reserve_region(options, size, page_size());
		if (base || errno != ENOMEM || size == least)
			break;
		page_round_up(size / 2, &size);
		if (size < least)
			size = least;
	}
	*wish = size;
	return base;
}

struct heap_region *heap_add_region(struct heap *heap, size_t size)
{
	size_t least, need, reserve = heap->growth;
	struct heap_region *region;

	if (!page_round_up(sizeof(*region) + blocks_footprint(size), &least))
		return NULL;
	if (!heap_charge(heap, page_size()))
		return NULL;
	region = heap_reserve_some(heap->options, &reserve, least);
	if (!region) {
		heap_uncharge(heap, page_size());
		return NULL;
	}
	heap_charged(heap, page_size(), page_size());

	region->heap = heap;
	region->base = (char *)region;
	region->reserved = reserve;
	region->charged = page_size();
	blocks_init(&region->blocks, (char *)(region + 1),
		    region->base + page_size(), region->base + reserve);

	need = blocks_shortfall(&region->blocks, size);
	if ((need && !heap_region_commit(region, need, 0)) ||
	    !ptrset_add(&regions, region)) {
		heap_uncharge(heap, region->charged);
		heap_release_region(region, reserve);
		return NULL;
	}

	heap->growth = heap_next_growth(reserve);
	region->next = heap->regions;
	heap->regions = region;
	return region;
}

void heap_remove_region(struct heap *heap, struct heap_region *region)
{
	struct heap_region **link = &heap->regions;

	while (*link != region)
		link = &(*link)->next;
	*link = region->next;
	/* The next one need not be larger than this was. */
	if (heap->growth > region->reserved && region->reserved >= GROW_FIRST)
		heap->growth = region->reserved;
	heap_uncharge(heap, region->charged);
	heap_abandon_region(region);
}

void heap_abandon_region(struct heap_region *region)
{
	ptrset_remove(&regions, region);
	blocks_exit(&region->blocks);
	heap_release_region(region->base, region->reserved);
}

bool heap_region_known(const struct heap_region *region)
{
	return ptrset_has(&regions, region);
}

void heap_regions_forget(void)
{
	ptrset_forget(&regions);
}
