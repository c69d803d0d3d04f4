// SPDX-License-Identifier: MIT
/* Regions of destroyed heaps, for the next ones: see region_cache.h. */
#include "annotate.h"
#include "heap.h"
#include "lock_among.h"
#include "region_cache.h"

/* Never held while a region is made or given back. */
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint cache_limit;
static unsigned int cache_count;
static void *cache_bases[REGION_CACHE_MAX];

bool region_cache_wants(void)
{
	/* Off in most programs: no more than this look. */
	return atomic_load_explicit(&cache_limit, memory_order_relaxed) &&
	       !annotating();
}

bool region_cache_put(void *base)
{
	bool locked = lock_among(&cache_lock), room;

	room = cache_count < atomic_load_explicit(&cache_limit,
						  memory_order_relaxed);
	if (room)
		cache_bases[cache_count++] = base;
	unlock_among(&cache_lock, locked);
	return room;
}

/* The last one while there are more than @keep of them; or NULL. */
static void *region_cache_pop(unsigned int keep)
{
	bool locked = lock_among(&cache_lock);
	void *base = NULL;

	if (cache_count > keep)
		base = cache_bases[--cache_count];
	unlock_among(&cache_lock, locked);
	return base;
}

void *region_cache_take(void)
{
	process_check();
	return region_cache_wants() ? region_cache_pop(0) : NULL;
}

static bool region_cache_shrink(unsigned int keep)
{
	bool any = false;
	void *base;

	while ((base = region_cache_pop(keep))) {
		heap_release_region(base, HEAP_RESERVE);
		any = true;
	}
	return any;
}

bool region_cache_release(void)
{
	return region_cache_shrink(0);
}

unsigned int region_cache_limit(unsigned int limit)
{
	unsigned int before;
	bool locked;

	process_check();
	if (limit > REGION_CACHE_MAX)
		limit = REGION_CACHE_MAX;
	/* Under the lock: nobody puts one there by the former limit later on. */
	locked = lock_among(&cache_lock);
	before = atomic_exchange_explicit(&cache_limit, limit,
					  memory_order_relaxed);
	unlock_among(&cache_lock, locked);
	region_cache_shrink(limit);
	return before;
}

void region_cache_forget(void)
{
	pthread_mutex_init(&cache_lock, NULL);
	cache_count = 0;
}
