// SPDX-License-Identifier: MIT
/* The way of a slot from slabs by depots to caches, and back: see front.h. */
#include <time.h>

#include "annotate.h"
#include "front.h"
#include "heap.h"

/* What a line holds at first; it doubles each time that it was too short. */
#define FRONT_LINE_FIRST	8

/* Visits to depots between two looks at the clock. */
#define FRONT_TICKS		8

/* --- depots */

/* Bytes of slots that wait in depots and, as far as can be seen, in caches. */
static size_t front_waiting(const struct front *front)
{
	const struct cache *cache;
	unsigned int class, count;
	size_t bytes = 0;

	for (class = 1; class < CLASS_COUNT; class++) {
		count = front->depot_count[class];
		/* Their owners are at work on them: good for an estimate. */
		for (cache = front->cache_list; cache; cache = cache->next)
			count += cache_count(cache, class);
		bytes += count * class_size(class);
	}
	return bytes;
}

static void front_look(struct front *front)
{
	size_t spare = front->free_bytes + front_waiting(front);
	bool before = front->spare;

	front->spare = spare > (front->slab_bytes - spare) / 4 + FRONT_HOLD_MIN;
	if (!front->spare || !before)
		return;
	front_drain(front->heap);
	front->spare = false;
}

/* So many slots are free that there may be empty slabs to do without. */
static void front_release(struct front *front)
{
	size_t least = front->slab_bytes / 4;

	if (least < front->hold)
		least = front->hold;
	if (front->free_bytes > least) {
		if (front->released && front->hold > FRONT_HOLD_MIN)
			front->hold /= 2;
		slab_release_empty(front);
		front->released = true;
		/* Where they are not empty it is no use to look soon again. */
		least = front->free_bytes + front->slab_bytes / 8;
	}
	front->look_at = least < FRONT_HOLD_MIN ? FRONT_HOLD_MIN : least;
}

/* A slab was made. */
static void front_grew(struct front *front)
{
	if (!front->released)
		return;
	front->released = false;
	if (front->hold < FRONT_HOLD_MAX)
		front->hold *= 2;
}

/* Comes by with each visit to a depot. */
static void front_tick(struct front *front)
{
	struct timespec now;
	uint64_t ms;

	if (++front->ticks % FRONT_TICKS)
		return;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ms = (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (ms - front->looked < FRONT_WINDOW_MS)
		return;
	front->looked = ms;
	front_look(front);
}

static void depot_put(struct front *front, unsigned int class,
		      const uint32_t *entries, unsigned int count)
{
	size_t bytes = count * class_size(class);
	size_t most = front->slab_bytes / FRONT_DEPOT_PART;
	uint16_t *have = &front->depot_count[class];

	if (most < FRONT_DEPOT_BYTES)
		most = FRONT_DEPOT_BYTES;
	if (*have + count <= DEPOT_MAX && front->depot_bytes + bytes <= most) {
		memcpy(front->depots[class].entries + *have, entries,
		       count * sizeof(*entries));
		*have += count;
		front->depot_bytes += bytes;
	} else {
		slab_put(front, entries, count);
		if (unlikely(front->free_bytes > front->look_at))
			front_release(front);
	}
	front_tick(front);
}

/* Takes up to @count slots out of a depot. */
static unsigned int depot_get(struct front *front, unsigned int class,
			      uint32_t *entries, unsigned int count)
{
	uint16_t *have = &front->depot_count[class];

	if (count > *have)
		count = *have;
	*have -= count;
	front->depot_bytes -= count * class_size(class);
	memcpy(entries, front->depots[class].entries + *have,
	       count * sizeof(*entries));
	return count;
}

/* Up to @count slots; a new slab is made only if there is none at all. */
static unsigned int depot_take(struct front *front, unsigned int class,
			       uint32_t *entries, unsigned int count,
			       unsigned int number)
{
	front_tick(front);
	if (front->depot_count[class])
		return depot_get(front, class, entries, count);
	if (!front->partial[class]) {
		if (!slab_create(front, class))
			return 0;
		front_grew(front);
	}
	return slab_take(front, class, entries, count, number);
}

/* --- lines */

/* The calling thread's cache, ready for use, or else the one that all share. */
static struct cache *front_cache(struct front *front)
{
	struct cache *cache;

	/* While HeapLock() is in force everything goes through the lock. */
	if (likely(!front->heap->held)) {
		cache = cache_get(front);
		if (likely(cache)) {
			cache_enable(cache, front->heap);
			return cache;
		}
	}
	return front_shared(front);
}

static unsigned int line_next_cap(unsigned int cap)
{
	if (!cap)
		return FRONT_LINE_FIRST;
	return cap * 2 < CACHE_LINE_MAX ? cap * 2 : CACHE_LINE_MAX;
}

/* A slot off the cache's line, which is filled if need be; 0: none. */
static uint32_t line_pop(struct front *front, struct cache *cache,
			 unsigned int class)
{
	uint32_t entries[CACHE_LINE_MAX], entry;
	unsigned int cap = cache->caps[class], count;

	if (!cache_count(cache, class)) {
		cap = line_next_cap(cap);
		count = depot_take(front, class, entries, (cap + 1) / 2,
				   cache_number(cache));
		if (!count)
			return 0;
		cache_set_cap(cache, class, cap);
		cache_fill(cache, class, entries, count);
	}
	cache_drain_newest(cache, class, &entry);
	return entry;
}

static void line_push(struct front *front, struct cache *cache,
		      unsigned int class, uint32_t entry)
{
	unsigned int cap = cache->caps[class], count;
	uint32_t entries[CACHE_LINE_MAX];

	if (cache_count(cache, class) < cap) {
		cache_fill(cache, class, &entry, 1);
		return;
	}
	if (cap < CACHE_LINE_MAX) {
		count = cache_drain(cache, class, entries, cap);
		cache_set_cap(cache, class, line_next_cap(cap));
		cache_fill(cache, class, entries, count);
		cache_fill(cache, class, &entry, 1);
		return;
	}
	/* The older half goes, and the newer one stays. */
	count = cache_drain(cache, class, entries, cap / 2);
	cache_fill(cache, class, &entry, 1);
	/* This may empty the caches: nothing of the line is needed any more. */
	depot_put(front, class, entries, count);
}

/* --- a heap's fronts */

/* The front, or a first one; NULL: the heap is too small, or no memory. */
static struct front *front_start(struct heap *heap)
{
	struct front *front = heap->front;

	if (likely(front))
		return front;
	if (sizeof(void *) < 8 || annotating() ||
	    (heap->fixed && heap->first.reserved < FRONT_RESERVE_MIN))
		return NULL;
	front = front_create(heap);
	/* Others look at it without the lock: it is complete when they see it. */
	atomic_store_explicit(&heap->front, front, memory_order_release);
	return front;
}

void *front_alloc(struct heap *heap, size_t size)
{
	unsigned int class;
	struct front *front;
	uint32_t entry;
	char *block;

	if (size > SLOT_MAX)
		return NULL;
	class = class_of(size);
	if (heap->heat[class] < FRONT_HOT) {
		heap->heat[class]++;
		return NULL;
	}
	front = front_start(heap);
	if (!front)
		return NULL;
	entry = line_pop(front, front_cache(front), class);
	if (unlikely(!entry)) {
		/* No room for a slab: ask again after some more requests. */
		heap->heat[class] = 0;
		return NULL;
	}
	block = front->base + entry * GRANULE;
	class_mark(front->map + entry, class, size, block);
	return block;
}

/* Makes the calling thread's cache of a heap the current one; NULL: no such. */
static struct cache *front_choose(struct heap *heap)
{
	struct front *front = atomic_load_explicit(&heap->front,
						   memory_order_acquire);
	struct cache *cache = front ? cache_peek(front) : NULL;

	if (!cache || cache->heap != heap)
		return NULL;
	cache_current = cache;
	return cache;
}

void *front_alloc_unlocked(struct heap *heap, size_t size)
{
	struct cache *cache;

	if (size > SLOT_MAX)
		return NULL;
	cache = front_choose(heap);
	if (!cache)
		return NULL;
	if (size <= SMALL_MAX)
		return cache_pop_small(cache, heap, 0, size);
	return cache_pop_medium(cache, heap, 0, size);
}

enum cache_push front_free_unlocked(struct heap *heap, void *block)
{
	struct cache *cache = front_choose(heap);
	unsigned long entry;

	if (!cache)
		return CACHE_MISSED;
	entry = cache_granule(cache, block);
	if (entry >= cache->limit)
		return CACHE_MISSED;
	return cache_push(cache, heap, entry);
}

bool front_size_unlocked(struct heap *heap, const void *block, size_t *size)
{
	const struct cache *cache = front_choose(heap);
	const uint8_t *map;
	unsigned long entry;

	if (!cache)
		return false;
	entry = cache_granule(cache, block);
	if (entry >= cache->limit)
		return false;
	map = cache->map + entry;
	if (!(*map & CLASS_LIVE))
		return false;
	*size = class_block_size(map, block);
	return true;
}

static uint8_t *front_map(const struct front *front, const void *block)
{
	return front->map + front_granule(front, block);
}

size_t front_size(const struct front *front, const void *block)
{
	return class_block_size(front_map(front, block), block);
}

/* Whether the block's slot will do for that size; then makes zero what comes. */
static bool front_prepare_resize(const struct front *front, void *block,
				 size_t size, bool zero, bool in_place)
{
	unsigned int class = front_class(front, block);
	size_t old = front_size(front, block), slot = class_size(class);

	if (size > slot || (!in_place && size < slot / 2 && class > 1))
		return false;
	if (zero && size > old)
		memset((char *)block + old, 0, size - old);
	return true;
}

bool front_resize(struct front *front, void *block, size_t size, bool zero,
		  bool in_place)
{
	if (!front_prepare_resize(front, block, size, zero, in_place))
		return false;
	class_mark(front_map(front, block), front_class(front, block), size,
		   block);
	return true;
}

/* As class_mark(), but the size changes with one store, or not at all. */
bool front_resize_unlocked(struct cache *cache, const void *heap, void *block,
			   size_t size, bool zero, bool in_place)
{
	const struct front *front = cache->front;
	uint8_t *map = front_map(front, block);
	unsigned int class = front_class(front, block);
	uint32_t mark, far = size;
	uint16_t was;
	char *to;

	if (!front_prepare_resize(front, block, size, zero, in_place))
		return false;
	mark = class_mark_of(class, size);
	if (class > CLASS_SMALL)
		return cache_store_4(cache, heap, map, mark);
	if (class_mark_is_far(mark)) {
		to = class_far(class, block);
		memcpy(&was, map, sizeof(was));
		if (class_mark_is_far(was))
			return cache_store_4(cache, heap, to, far);
		memcpy(to, &far, sizeof(far));
	}
	return cache_store_2(cache, heap, map, mark);
}

void front_free(struct front *front, void *block)
{
	unsigned int class = front_class(front, block);
	unsigned long granule = front_granule(front, block);

	front->map[granule] = 0;
	line_push(front, front_cache(front), class, granule);
}

void front_free_cleared(struct front *front, void *block)
{
	line_push(front, front_cache(front), front_slab(front, block)->class,
		  front_granule(front, block));
}

void front_revoke(struct heap *heap)
{
	if (heap->front)
		cache_revoke(heap->front);
}

void front_drain(struct heap *heap)
{
	uint32_t entries[CACHE_LINE_MAX];
	struct front *front = heap->front;
	unsigned int class, count;
	struct cache *cache;

	if (!front)
		return;
	front_revoke(heap);
	for (cache = front->cache_list; cache; cache = cache->next) {
		for (class = 1; class < CLASS_COUNT; class++) {
			count = cache_drain(cache, class, entries,
					    CACHE_LINE_MAX);
			slab_put(front, entries, count);
		}
	}
	for (class = 1; class < CLASS_COUNT; class++) {
		while ((count = depot_get(front, class, entries,
					  CACHE_LINE_MAX)))
			slab_put(front, entries, count);
	}
	slab_release_empty(front);
	if (!front->slab_bytes)
		front_clear(front);
}

void front_repair(struct heap *heap)
{
	if (heap->front)
		slab_repair(heap->front);
}

bool front_check(struct heap *heap)
{
	return !heap->front || slab_check(heap->front);
}
