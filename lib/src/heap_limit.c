// SPDX-License-Identifier: MIT
/*
 * What a heap has committed, over all of its regions, and the limit on it.
 *
 * A heap that grows has as many regions as it needs, so that no region's limit
 * is the heap's: its own is kept here. Every commit is charged before it is
 * made, under the heap's lock, and what the region then says that it has is what
 * is counted: it can be less than was asked for, where pages that somebody has
 * pinned could not be given back before.
 *
 * For a heap with a maximum its region keeps the limit, and the kernel looks
 * after it; what is here is how many charges may pass until one fails. A region
 * cannot know that: the heap tries again with less when it was refused.
 */
#include <errno.h>

#include <linux/privheap.h>
#include <privheap/region.h>

#include "annotate.h"
#include "heap.h"
#include "region.h"

void heap_limit_init(struct heap *heap)
{
	/* All else is zero. */
	heap->quota.soft = PRIVHEAP_NO_LIMIT;
	heap->quota.hard = PRIVHEAP_NO_LIMIT;
	heap->quota.ceiling = PRIVHEAP_NO_LIMIT;
	heap->quota.usage = heap->initial;
	heap->quota.peak = heap->initial;
	heap->first.charged = heap->initial;
}

size_t heap_limit_room(const struct heap *heap)
{
	uint64_t limit = quota_in_force(&heap->quota), room;

	if (limit <= heap->quota.usage)
		return 0;
	room = limit - heap->quota.usage;
	return room < SIZE_MAX ? room : SIZE_MAX;
}

bool heap_charge(struct heap *heap, size_t bytes)
{
	bool fails = heap->quota.fail_nth == 1;

	if (likely(!heap->failing && quota_ask(&heap->quota, bytes))) {
		/* The peak is known when this has become something. */
		heap->quota.usage += bytes;
		return true;
	}
	/* What is to fail is the call, and not its first attempt alone. */
	if (fails)
		heap->failing = true;
	region_set_denied(PRIVHEAP_LEVEL_REGION);
	errno = EDQUOT;
	return false;
}

void heap_uncharge(struct heap *heap, size_t bytes)
{
	quota_uncharge(&heap->quota, bytes);
}

void heap_charged(struct heap *heap, size_t asked, size_t got)
{
	quota_uncharge(&heap->quota, asked);
	quota_charge(&heap->quota, got);
}

bool heap_commit(struct heap_region *region, char *start, char *end,
		 size_t fresh)
{
	struct heap *heap = region->heap;
	size_t before = region->charged;

	if (!heap_charge(heap, fresh))
		return false;
	/* COMMIT and not GROW, which would look at all that is committed. */
	if (privheap_region_commit(region->base, start - region->base,
				   end - start, 0)) {
		heap_uncharge(heap, fresh);
		return false;
	}
	region->charged = region_last_committed();
	heap_charged(heap, fresh, region->charged - before);
	heap_grew(heap, end - start);
	if (annotating())
		annotate_commit(start, end - start);
	return true;
}

size_t region_committed(void *base, size_t otherwise)
{
	struct privheap_region_info info;
	int saved = errno;

	if (!privheap_region_query(base, &info))
		otherwise = info.committed;
	errno = saved;
	return otherwise;
}

int heap_decommit(struct heap_region *region, char *start, char *end)
{
	size_t before = region->charged;
	int result = privheap_region_decommit(region->base,
					      start - region->base,
					      end - start);

	/* One that fails can have given some of it back. */
	region->charged = result ? region_committed(region->base, before) :
				   region_last_committed();
	heap_uncharge(region->heap, before - region->charged);
	return result;
}

void heap_limit_repair(struct heap *heap)
{
	struct heap_region *region;
	struct large_block *large;
	uint64_t usage = 0;

	for (region = heap->regions; region; region = region->next) {
		region->charged = region_committed(region->base,
						   region->charged);
		usage += region->charged;
	}
	for (large = heap->large; large; large = large->next) {
		size_t committed = region_committed(large, large->committed);

		large->stray = committed != large->committed;
		usage += committed;
	}
	heap->quota.usage = usage;
	heap_call_failed(heap);
}

/* Whether the limit is that of the heap's only region. */
static bool limit_is_regions(const struct heap *heap, unsigned int resource)
{
	return heap->fixed || resource != PRIVHEAP_RESOURCE_COMMIT;
}

static int heap_limit_region(struct heap *heap, struct privheap_limit *arg)
{
	bool commit = arg->resource == PRIVHEAP_RESOURCE_COMMIT;
	bool fails = commit && (arg->set & PRIVHEAP_SET_FAIL_NTH);
	int err;

	arg->base = (uintptr_t)heap->first.base;
	if (fails)
		arg->set &= ~PRIVHEAP_SET_FAIL_NTH;
	err = region_limit(arg) ? -errno : 0;
	if (err || !commit)
		return err;
	if (fails)
		heap->quota.fail_nth = arg->fail_nth;
	arg->out_fail_nth = heap->quota.fail_nth;
	arg->out_denials += heap->quota.refused;
	return 0;
}

int heap_limit(struct heap *heap, struct privheap_limit *arg)
{
	int saved = errno, err;

	if (!limit_is_regions(heap, arg->resource)) {
		/* Nobody listens to the events of what the kernel does not know. */
		if (arg->set & PRIVHEAP_SET_SOFT)
			return -ENOTSUP;
		return quota_limit(&heap->quota, arg);
	}
	if (!heap->fixed)
		return -ENOTSUP;
	err = heap_limit_region(heap, arg);
	errno = saved;
	return err;
}
