/* SPDX-License-Identifier: MIT */
/*
 * The front end of a heap: slots of fixed sizes for what is allocated often,
 * from slabs, by way of depots and caches.
 *
 * A size class is served by the front end once the heap has been asked for it
 * a few times: until then its blocks come from the back end, so that a small
 * heap has no slabs that are nearly empty.
 *
 * A slab is a block of the back end, in any of the heap's regions that lies in
 * the front's window: a range of addresses around the first region, of which
 * granules are numbered with 32 bits. What the front end knows of itself lies
 * in a mapping of its own, the control area. It is large, but has pages only
 * where something was written; and all of it may be read, so that an address
 * that is no block's needs no more than a look at its map byte.
 *
 * All functions want the heap's lock.
 */
#ifndef PRIVHEAP_SRC_FRONT_H
#define PRIVHEAP_SRC_FRONT_H

#include "cache.h"
#include "slab.h"

/* Threads that can have caches at the same time. */
#define FRONT_SLOTS	512

/* The least maximum of a heap that is worth slabs. */
#define FRONT_RESERVE_MIN	((size_t)256 << 10)

/* Requests for a class after which it gets slabs. */
#define FRONT_HOT	16

#define DEPOT_MAX	190

/* All depots together have no more than this part of the slots, or so much. */
#define FRONT_DEPOT_PART	32
#define FRONT_DEPOT_BYTES	((size_t)64 << 10)

/*
 * How memory goes back by itself, to the back end, which has a rule of its own:
 *
 * - When more than a quarter of all slots' bytes, and more than the front holds
 *   on to anyway, are free in their slabs, empty slabs go. What it holds on to
 *   is doubled when a slab has to be made after that, and halved when not.
 * - On the slow path the clock is looked at. When at two looks in a row, at
 *   least so many milliseconds apart, the slots that are not in use, those in
 *   caches and depots included, have more bytes than a quarter of those that
 *   are and the least to hold, caches and depots are emptied, too.
 */
#define FRONT_HOLD_MIN		((size_t)1 << 20)
#define FRONT_HOLD_MAX		((size_t)16 << 20)
#define FRONT_WINDOW_MS		50

struct heap;

/**
 * struct depot - free slots of one class that caches have given back, or may
 *	have next, without a look at their slabs
 * @entries: struct front's @depot_count of them
 */
struct depot {
	uint32_t entries[DEPOT_MAX];
};

/**
 * struct front - the front end of a heap; begins its control area
 * @tables: a copy of class_tables, CACHE_MAP bytes before @map
 * @heap: the heap
 * @length: bytes of the control area
 * @base: of the window: granule 0
 * @limit: granules of the window
 * @map: bytes that describe blocks, one for a granule: see size_class.h
 * @pages: which slabs are where
 * @slabs: by number; 0 is none
 * @slabs_max: how many there can be
 * @slabs_used: the highest number given out
 * @slab_unused: a list of numbers that are free again
 * @slab_target: bytes that a slab of small slots has
 * @slab_most: bytes that any slab has at the most
 * @class_slots: by class, slots in slabs
 * @slab_bytes: bytes of all slots
 * @free_bytes: bytes of the slots that are free in their slabs
 * @hold: bytes of free slots that it holds on to
 * @look_at: @free_bytes at which to look for empty slabs
 * @released: empty slabs went, and no slab was made since
 * @ticks: slots' ways to and from the depots, to look at the clock now and then
 * @looked: when that was, in milliseconds of the system's clock
 * @spare: there was too much then
 * @shared: the cache of those who have none, or NULL
 * @partial: by class, slabs with free slots
 * @cache_list: caches of this front
 * @caches: by thread slot
 * @depot_bytes: bytes of the slots in depots
 * @depot_count: by class
 * @depots: by class; apart from the rest, so that they have pages when used
 */
struct front {
	struct class_tables tables;
	struct heap *heap;
	size_t length;
	char *base;
	size_t limit;
	uint8_t *map;
	struct slab_page *pages;
	struct slab *slabs;
	uint32_t slabs_max;
	uint32_t slabs_used;
	uint32_t slab_unused;
	size_t slab_target;
	size_t slab_most;
	uint32_t class_slots[CLASS_COUNT];
	size_t slab_bytes;
	size_t free_bytes;
	size_t hold;
	size_t look_at;
	bool released;
	unsigned int ticks;
	uint64_t looked;
	bool spare;
	struct cache *shared;
	uint32_t partial[CLASS_COUNT];
	struct cache *cache_list;
	struct cache *caches[FRONT_SLOTS];
	size_t depot_bytes;
	uint16_t depot_count[CLASS_COUNT];
	struct depot depots[CLASS_COUNT];
};

/* front_control.c: the control area */

/* For a heap that has none; NULL: no memory. */
struct front *front_create(struct heap *heap);
void front_destroy(struct front *front);

/* The cache of those who have none, used under the lock. */
struct cache *front_shared(struct front *front);

/* There are no slabs: what described them gives its pages back. */
void front_clear(struct front *front);

/* front.c */

/* A block that the front end serves; NULL: it does not, ask the back end. */
void *front_alloc(struct heap *heap, size_t size);

/*
 * Without the lock, by the calling thread's cache alone: if that is there, but
 * is not the current one.
 */
void *front_alloc_unlocked(struct heap *heap, size_t size);
enum cache_push front_free_unlocked(struct heap *heap, void *block);
bool front_size_unlocked(struct heap *heap, const void *block, size_t *size);

/* The granule that an address lies in; may be none of the window. */
static inline unsigned long front_granule(const struct front *front,
					  const void *address)
{
	return ((uintptr_t)address - (uintptr_t)front->base) / GRANULE;
}

/* The slab over an address, or NULL. */
static inline struct slab *front_slab(const struct front *front,
				      const void *address)
{
	return front ? slab_find(front, front_granule(front, address)) : NULL;
}

/* The class of the live block that begins there, in a slab; 0: none does. */
static inline unsigned int front_class(const struct front *front,
				       const void *block)
{
	unsigned int tag = front->map[front_granule(front, block)];

	if ((uintptr_t)block % GRANULE)
		return 0;
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

/*
 * The same without the lock, by the calling thread's cache, which is this heap's
 * and knows the block; false also: the cache was revoked, or interrupted.
 */
bool front_resize_unlocked(struct cache *cache, const void *heap, void *block,
			   size_t size, bool zero, bool in_place);

/* Gives a live block of the front end back. */
void front_free(struct front *front, void *block);

/* The same for one whose map byte is cleared already. */
void front_free_cleared(struct front *front, void *block);

/* Keeps all other threads out of their caches, as long as the lock is held. */
void front_revoke(struct heap *heap);

/* Empties caches and depots, and gives empty slabs to the back end. */
void front_drain(struct heap *heap);

/*
 * The owner of the lock ended in the middle of something. Slots that it had in
 * its hands are lost, but none is in two places: they are always taken out of
 * one before they are put into the other.
 */
void front_repair(struct heap *heap);

/* Whether what is known of the slabs is in order. */
bool front_check(struct heap *heap);

#endif /* PRIVHEAP_SRC_FRONT_H */
