// SPDX-License-Identifier: MIT
/* How the memory of a heap grows and shrinks. */
#include <errno.h>

#include <privheap/region.h>

#include "heap.h"
#include "ptrset.h"

/* Least and most to commit at once, beyond what a block needs. */
#define GROW_STEP_MIN	((size_t)64 << 10)
#define GROW_STEP_MAX	((size_t)4 << 20)

/*
 * Each further region of a heap reserves twice as much as the one before, so
 * that a heap has few of them. Address space is scarce with 32 bits only.
 */
#define GROW_FIRST	((size_t)4 << 20)
#if UINTPTR_MAX > 0xFFFFFFFF
#define GROW_LAST	((size_t)1 << 30)
#else
#define GROW_LAST	((size_t)16 << 20)
#endif

/* The regions that heaps have grown by, so that a check can follow a list. */
static struct ptrset regions = PTRSET_INIT;

bool heap_region_commit(struct heap_region *region, size_t need)
{
	size_t room = region->reserved - region->committed;
	size_t least, step;

	if (!page_round_up(need, &least) || least > room)
		return false;

	/* A quarter more than there was, within reason: few calls. */
	step = region->committed / 4;
	if (step < GROW_STEP_MIN)
		step = GROW_STEP_MIN;
	if (step > GROW_STEP_MAX)
		step = GROW_STEP_MAX;
	page_round_up(step, &step);
	if (step > room)
		step = room;
	if (step < least)
		step = least;

	if (privheap_region_grow(region->base, region->committed + step, 0)) {
		/* Use a quota up to its last page. */
		if (step == least)
			return false;
		step = least;
		if (privheap_region_grow(region->base,
					 region->committed + step, 0))
			return false;
	}
	region->committed += step;
	blocks_extend(&region->blocks, step);
	return true;
}

/* Reserves @wish bytes, or less where address space is short. */
static void *heap_reserve_some(size_t *wish, size_t least, unsigned int flags)
{
	size_t size = *wish > least ? *wish : least;
	void *base;

	for (;;) {
		/* The page of the header is populated at once. */
		base = privheap_region_create(size, page_size(), 0, flags);
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
	struct heap_region *region;
	size_t least, reserve = heap->growth ? heap->growth : GROW_FIRST;
	size_t need;
	unsigned int flags = 0;

	if (!page_round_up(sizeof(*region) + blocks_footprint(size), &least))
		return NULL;
	if (heap->options & HEAP_CREATE_ENABLE_EXECUTE)
		flags |= PRIVHEAP_CREATE_EXEC;
	region = heap_reserve_some(&reserve, least, flags);
	if (!region)
		return NULL;

	region->base = (char *)region;
	region->reserved = reserve;
	region->committed = page_size();
	blocks_init(&region->blocks, (char *)(region + 1),
		    region->base + region->committed, region->base + reserve);

	need = blocks_shortfall(&region->blocks, size);
	if ((need && !heap_region_commit(region, need)) ||
	    !ptrset_add(&regions, region)) {
		heap_release_region(region, reserve);
		return NULL;
	}

	heap->growth = reserve < GROW_LAST / 2 ? reserve * 2 : GROW_LAST;
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
	if (heap->growth > GROW_FIRST)
		heap->growth /= 2;
	heap_abandon_region(region);
}

void heap_abandon_region(struct heap_region *region)
{
	ptrset_remove(&regions, region);
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
