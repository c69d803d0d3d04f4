// SPDX-License-Identifier: MIT
/*
 * fork(2): a child goes on with all that its parent has allocated, at the same
 * addresses. By themselves heaps do not survive it: the library's mappings are
 * not inherited, and the module's regions cannot be.
 *
 * - Anonymous mappings are inherited after all, for the time of the fork: the
 *   kernel copies what is written to later on.
 * - Of the module's regions the parent makes a copy before the fork, which the
 *   child moves to where they were. So that is memory of the child's own, and no
 *   quota counts it.
 *
 * In the child that is an inherited heap, of which nothing new comes: the child's
 * first allocation makes a heap of its own, for which all limits are in force.
 *
 * These handlers are the first that are registered, so of the parent's they run
 * last: what other handlers lock is not being changed when a copy is made. What
 * other threads do without a lock may be in it or not.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include <privheap/region.h>

#include "preload.h"
#include "snapshot.h"
#include "streams.h"
#include "../src/front.h"

/* What is passed on by the fork that is under way; under memory_lock(). */
static struct heap *forked;
static struct snapshot *copy;

static bool is_module(void)
{
	return privheap_backend() == PRIVHEAP_BACKEND_MODULE;
}

/* Whether children inherit the mappings: MADV_DOFORK or MADV_DONTFORK. */
static void share(struct heap *heap, int advice)
{
	bool regions = !is_module();
	struct heap_region *region;
	struct large_block *large;
	struct front *front = heap->front;

	/* What describes blocks is never in a region of the module. */
	if (front)
		madvise(front, front->length, advice);
	for (region = heap->regions; region; region = region->next) {
		if (region->blocks.holes.map)
			madvise(region->blocks.holes.map,
				region->blocks.holes.length, advice);
		if (regions)
			madvise(region->base, region->reserved, advice);
	}
	for (large = heap->large; large && regions; large = large->next)
		madvise(large, large->reserved, advice);
}

static void before(void)
{
	int saved = errno;

	streams_hold(is_module());
	memory_lock();
	forked = memory_heap();
	if (forked) {
		HeapLock(forked);
		share(forked, MADV_DOFORK);
		if (is_module())
			copy = snapshot_take(forked);
	}
	errno = saved;
}

static void in_parent(void)
{
	int saved = errno;

	if (forked) {
		snapshot_drop(copy);
		copy = NULL;
		share(forked, MADV_DONTFORK);
		HeapUnlock(forked);
		forked = NULL;
	}
	memory_unlock();
	streams_release();
	errno = saved;
}

static void in_child(void)
{
	int saved = errno;

	if (forked && is_module() && (!copy || !snapshot_use(copy)))
		settings_die("fork(): no memory for a copy of the heap", NULL);
	inherited_add(forked);
	forked = NULL;
	copy = NULL;
	memory_forget();
	streams_adopt();
	errno = saved;
}

void forks_watch(void)
{
	static bool watching;

	/* memory_lock() is held; children have the handlers, and this. */
	if (watching)
		return;
	watching = true;
	pthread_atfork(before, in_parent, in_child);
}
