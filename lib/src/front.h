/* SPDX-License-Identifier: MIT */
/*
 * The front end of a heap: slots of fixed sizes for what is allocated often,
 * from slabs in one of the heap's regions, by way of depots and caches.
 *
 * A size class is served by the front end once the heap has been asked for it
 * a few times: until then its blocks come from the back end, so that a small
 * heap has no slabs that are nearly empty. What the front end knows of itself
 * lies in a region of its own, the control area, which is committed as needed.
 *
 * All functions want the heap's lock.
 */
#ifndef PRIVHEAP_SRC_FRONT_H
#define PRIVHEAP_SRC_FRONT_H

#include "cache.h"
#include "slab.h"

/* Threads that can have caches at the same time. */
#define FRONT_SLOTS	512

/* The least reservation that is worth slabs. */
#define FRONT_RESERVE_MIN	((size_t)256 << 10)

/* Requests for a class after which it gets slabs. */
#define FRONT_HOT	16

#define DEPOT_MAX	190

/* The most of a class that a depot, and the least that a line has room for. */
#define FRONT_DEPOT_BYTES	((size_t)4 << 20)
#define FRONT_LINE_MIN		16

/*
 * How memory goes back by itself: the clock is looked at on the slow path, and
 * when at two looks in a row, at least so many milliseconds apart, the slots
 * that are not in use have more bytes than a quarter of those that are and this
 * many, then caches and depots are emptied and empty slabs given up.
 */
#define FRONT_WINDOW_MS		50
#define FRONT_SPARE_MIN		((size_t)1 << 20)

struct heap;
struct heap_region;

/**
 * struct depot - free slots of one class that caches have given back, or may
 *	have next, without a look at their slabs
 * @count: entries
 * @limit: how many there may be
 */
struct depot {
	uint16_t count;
	uint16_t limit;
	uint32_t entries[DEPOT_MAX];
};

/**
 * struct front - the front end in one region; begins its control area
 * @heap: the heap
 * @region: where the slabs are
 * @base: of the region: granule 0
 * @map: bytes that describe blocks, one for a granule: see size_class.h
 * @pages: which slabs are where
 * @slabs: by number; 0 is none
 * @slabs_committed: how many of @slabs have memory
 * @slabs_max: how many there can be
 * @slabs_used: the highest number given out
 * @slab_unused: a list of numbers that are free again
 * @slab_target: bytes that a slab of small slots has
 * @limit: granules that have map bytes and pages
 * @slab_bytes: bytes of all slots
 * @free_bytes: bytes of the slots that are free in their slabs
 * @ticks: slots' ways to and from the depots, to look at the clock now and then
 * @looked: when that was, in milliseconds of the system's clock
 * @spare: there was too much then
 * @shared: the cache of those who have none, or NULL
 * @partial: by class, slabs with free slots
 * @cache_list: caches of this front
 * @caches: by thread slot
 * @depots: by class
 */
struct front {
	struct heap *heap;
	struct heap_region *region;
	char *base;
	uint8_t *map;
	struct slab_page *pages;
	struct slab *slabs;
	uint32_t slabs_committed;
	uint32_t slabs_max;
	uint32_t slabs_used;
	uint32_t slab_unused;
	size_t slab_target;
	size_t limit;
	size_t slab_bytes;
	size_t free_bytes;
	unsigned int ticks;
	uint64_t looked;
	bool spare;
	struct cache *shared;
	uint32_t partial[CLASS_COUNT];
	struct cache *cache_list;
	struct cache *caches[FRONT_SLOTS];
	struct depot depots[CLASS_COUNT];
};

/* front_control.c: the control area */

/* For a region that has none; NULL: no memory. */
struct front *front_create(struct heap *heap, struct heap_region *region);
void front_destroy(struct front *front);

/* The cache of those who have none, under the lock; NULL: no memory. */
struct cache *front_shared(struct front *front);

/* Sees to it that slabs up to this granule, and one more slab, can be described. */
bool front_extend(struct front *front, size_t granules);

/* front.c */

/* A block that the front end serves; NULL: it does not, ask the back end. */
void *front_alloc(struct heap *heap, size_t size);

/*
 * Without the lock, by the calling thread's cache alone: if that is there, but
 * is not the current one.
 */
void *front_alloc_unlocked(struct heap *heap, size_t size);
bool front_free_unlocked(struct heap *heap, void *block);

/* Whether the address is in a slab; if so, of which front. */
struct front *front_of(struct heap *heap, const void *block);

/* The class of a live block in a slab, or 0: none begins there. */
static inline unsigned int front_class(const struct front *front,
				       const void *block)
{
	size_t offset = (const char *)block - front->base;
	unsigned int tag;

	if (offset % GRANULE)
		return 0;
	tag = front->map[offset / GRANULE];
	return tag & CLASS_LIVE ? tag & ~CLASS_LIVE : 0;
}

/* The bytes that were asked for, of a live block of the front end. */
size_t front_size(const struct front *front, const void *block);

/*
 * Gives a live block another size where it is; false: it has to move. One that
 * shrinks to less than half of its slot stays only if it must.
 */
bool front_resize(struct front *front, void *block, size_t size, bool zero,
		  bool in_place);

/* Gives a live block of the front end back. */
void front_free(struct front *front, void *block);

/* Keeps all other threads out of their caches, as long as the lock is held. */
void front_revoke(struct heap *heap);

/* Empties caches and depots, and gives empty slabs to the back end. */
void front_drain(struct heap *heap);

#endif /* PRIVHEAP_SRC_FRONT_H */
