// SPDX-License-Identifier: MIT
/* The control area of a front end: made, committed as needed, destroyed. */
#include <errno.h>

#include <privheap/region.h>

#include "front.h"
#include "heap.h"

/* A slab of small slots has this many bytes, or less in a small heap. */
#define SLAB_TARGET	((size_t)16 << 10)

static_assert(FRONT_RESERVE_MIN / 64 >= SLAB_PAGE, "slabs are no smaller");

/* Where the parts of a control area are, in bytes from its beginning. */
struct front_layout {
	size_t shared;
	size_t slabs;
	size_t pages;
	size_t map;
	size_t end;
};

static size_t slab_target(size_t reserved)
{
	size_t target = reserved / 64;

	return target < SLAB_TARGET ? target & ~(SLAB_PAGE - 1) : SLAB_TARGET;
}

static size_t front_round(size_t n)
{
	return (n + page_size() - 1) & ~(page_size() - 1);
}

/* A slab of small slots is at least half of what it aims at. */
static size_t front_slabs_max(size_t reserved)
{
	return reserved / (slab_target(reserved) / 2) + 2;
}

static void front_lay_out(struct front_layout *layout, size_t reserved)
{
	layout->shared = front_round(sizeof(struct front));
	layout->slabs = layout->shared + front_round(CACHE_SIZE);
	layout->pages = layout->slabs +
			front_round(front_slabs_max(reserved) *
				    sizeof(struct slab));
	layout->map = layout->pages + front_round((reserved / SLAB_PAGE + 1) *
						  sizeof(struct slab_page));
	layout->end = layout->map + front_round(reserved / GRANULE);
}

struct front *front_create(struct heap *heap, struct heap_region *region)
{
	size_t reserved = region->reserved;
	struct front_layout layout;
	struct front *front;
	unsigned int class;
	size_t limit;

	front_lay_out(&layout, reserved);
	front = privheap_region_create(layout.end, layout.shared, 0,
				       PRIVHEAP_CREATE_LAZY);
	if (!front)
		return NULL;
	front->heap = heap;
	front->region = region;
	front->base = region->base;
	front->slabs = (struct slab *)((char *)front + layout.slabs);
	front->pages = (struct slab_page *)((char *)front + layout.pages);
	front->map = (uint8_t *)front + layout.map;
	front->slabs_max = front_slabs_max(reserved) - 1;
	front->slab_target = slab_target(reserved);
	for (class = 1; class < CLASS_COUNT; class++) {
		limit = FRONT_DEPOT_BYTES / class_size(class);
		if (limit > DEPOT_MAX)
			limit = DEPOT_MAX;
		front->depots[class].limit = limit < FRONT_LINE_MIN ?
					     FRONT_LINE_MIN : limit;
	}
	region->front = front;
	return front;
}

void front_destroy(struct front *front)
{
	struct front_layout layout;

	cache_detach(front);
	front_lay_out(&layout, front->region->reserved);
	front->region->front = NULL;
	heap_release_region(front, layout.end);
}

/* Commits what of a part of the control area is not yet. */
static bool front_commit(struct front *front, void *part, size_t have,
			 size_t want)
{
	size_t offset = (char *)part - (char *)front;

	have = front_round(have);
	want = front_round(want);
	return want <= have || !privheap_region_commit(front, offset + have,
						       want - have, 0);
}

struct cache *front_shared(struct front *front)
{
	struct cache *cache;

	if (likely(front->shared))
		return front->shared;
	cache = (struct cache *)((char *)front +
				 front_round(sizeof(struct front)));
	if (!front_commit(front, cache, 0, CACHE_SIZE))
		return NULL;
	cache_attach(cache, front);
	front->shared = cache;
	return cache;
}

bool front_extend(struct front *front, size_t granules)
{
	const size_t per_page = SLAB_PAGE / GRANULE;
	struct cache *cache;
	uint32_t slabs = front->slabs_used + 2;

	if (front->slabs_used >= front->slabs_max && !front->slab_unused)
		return false;
	if (slabs > front->slabs_committed) {
		if (!front_commit(front, front->slabs,
				  front->slabs_committed * sizeof(struct slab),
				  slabs * sizeof(struct slab)))
			return false;
		front->slabs_committed = slabs;
	}
	if (granules <= front->limit)
		return true;

	/* The map is committed by whole pages, and so are its granules. */
	granules = front_round(granules);
	if (granules > front->region->reserved / GRANULE)
		granules = front->region->reserved / GRANULE;
	if (!front_commit(front, front->pages,
			  front->limit / per_page * sizeof(struct slab_page),
			  (granules / per_page + 1) * sizeof(struct slab_page)) ||
	    !front_commit(front, front->map, front->limit, granules))
		return false;
	front->limit = granules;
	for (cache = front->cache_list; cache; cache = cache->next)
		cache->limit = granules;
	return true;
}
