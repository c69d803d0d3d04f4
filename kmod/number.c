// SPDX-License-Identifier: GPL-2.0-only
/* Regions by number, as observers see them. */
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include "number.h"
#include "process.h"
#include "region.h"
#include "subject.h"

static struct rb_root privheap_numbers = RB_ROOT;
/*
 * Guards the table. A region leaves it before anything of it ends, so observers
 * hold this, and no reference: a region's DESTROY is final whoever looks on.
 * extents.lock and quota.watch_lock are taken under it.
 */
static DECLARE_RWSEM(privheap_numbers_lock);

static struct privheap_region *region_of(struct rb_node *rb)
{
	return rb_entry(rb, struct privheap_region, number);
}

/**
 * privheap_number_add() - show a region to observers
 * @region: the region, mapped
 */
void privheap_number_add(struct privheap_region *region)
{
	struct rb_node **link = &privheap_numbers.rb_node, *parent = NULL;

	down_write(&privheap_numbers_lock);
	while (*link) {
		parent = *link;
		link = region->id < region_of(parent)->id ? &parent->rb_left :
							    &parent->rb_right;
	}
	rb_link_node(&region->number, parent, link);
	rb_insert_color(&region->number, &privheap_numbers);
	privheap_generation_bump();
	up_write(&privheap_numbers_lock);
}

/**
 * privheap_number_remove() - show it no more
 * @region: the region
 */
void privheap_number_remove(struct privheap_region *region)
{
	down_write(&privheap_numbers_lock);
	rb_erase(&region->number, &privheap_numbers);
	RB_CLEAR_NODE(&region->number);
	privheap_generation_bump();
	up_write(&privheap_numbers_lock);
}

/* The region with the smallest number from @id on. */
static struct privheap_region *number_from(u64 id)
{
	struct rb_node *rb = privheap_numbers.rb_node;
	struct privheap_region *found = NULL;

	while (rb) {
		if (region_of(rb)->id < id) {
			rb = rb->rb_right;
		} else {
			found = region_of(rb);
			rb = rb->rb_left;
		}
	}
	return found;
}

static struct privheap_region *number_at(u64 id)
{
	struct privheap_region *region = number_from(id);

	return region && region->id == id ? region : NULL;
}

/**
 * privheap_region_read() - a region as observers see it
 * @region: the region
 * @info: result; its pid has a reference for the caller
 */
void privheap_region_read(struct privheap_region *region, struct privheap_region_info *info)
{
	privheap_quota_read(&region->account.quota, &info->quota);
	info->base = region->base;
	info->cgroup_id = privheap_account_cgroup_id(&region->account);
	info->flags = region->flags;
	info->uid = region->account.quota.uid;
	info->pid = get_pid(region->process->pid);
}

/**
 * privheap_number_next() - the next region by number
 * @after: a number, 0 to begin with
 * @info: result; its pid has a reference for the caller
 *
 * Return: 0, or -ENOENT when there is none.
 */
int privheap_number_next(u64 after, struct privheap_region_info *info)
{
	struct privheap_region *region = NULL;

	down_read(&privheap_numbers_lock);
	if (after < U64_MAX)
		region = number_from(after + 1);
	if (region)
		privheap_region_read(region, info);
	up_read(&privheap_numbers_lock);
	return region ? 0 : -ENOENT;
}

/**
 * privheap_number_find() - a region by number
 * @id: the number
 * @info: result; its pid has a reference for the caller
 *
 * Return: 0 or -ENOENT.
 */
int privheap_number_find(u64 id, struct privheap_region_info *info)
{
	struct privheap_region *region;

	down_read(&privheap_numbers_lock);
	region = number_at(id);
	if (region)
		privheap_region_read(region, info);
	up_read(&privheap_numbers_lock);
	return region ? 0 : -ENOENT;
}

/**
 * privheap_number_in_cgroup() - for a filter: is a region charged to a cgroup?
 * @id: the region's number
 * @cgroup_id: id of the cgroup
 *
 * Return: whether it is there and charged to that cgroup or to one below it.
 */
bool privheap_number_in_cgroup(u64 id, u64 cgroup_id)
{
	struct privheap_region *region;
	bool inside;

	down_read(&privheap_numbers_lock);
	region = number_at(id);
	inside = region && privheap_account_in_cgroup(&region->account, cgroup_id);
	up_read(&privheap_numbers_lock);
	return inside;
}

/**
 * privheap_number_set() - set limits of a region, as an administrator
 * @id: the region's number
 * @sets: what to set
 * @count: number of @sets
 * @info: result, as it is afterwards
 *
 * Return: 0, -ENOENT or -EINVAL.
 */
int privheap_number_set(u64 id, const struct privheap_limit_set *sets, unsigned int count,
			struct privheap_quota_info *info)
{
	struct privheap_region *region;
	int ret = -ENOENT;

	down_read(&privheap_numbers_lock);
	region = number_at(id);
	if (region)
		ret = privheap_quota_set(&region->account.quota, sets, count, true);
	if (!ret)
		privheap_quota_read(&region->account.quota, info);
	up_read(&privheap_numbers_lock);
	return ret;
}

/* Add the pages from @first to @last, which lie in the region, to their cells. */
static void map_add(u64 *value, unsigned long cell, unsigned long first, unsigned long last)
{
	while (first <= last) {
		unsigned long end = min(last, first - first % cell + cell - 1);

		value[2 * (first / cell)] += (u64)(end - first + 1) << PAGE_SHIFT;
		first = end + 1;
	}
}

static int map_committed(struct privheap_region *region, unsigned long cell, u64 *pairs)
{
	unsigned long page = 0, end, last = region->pages - 1;

	for (; page <= last; page = end + 1) {
		if (privheap_extents_run(&region->extents, page, last, &end))
			map_add(pairs, cell, page, end);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int map_resident(struct privheap_region *region, unsigned long cell, u64 *pairs)
{
	XA_STATE(xas, &region->inode.i_mapping->i_pages, 0);
	unsigned long last = region->pages - 1, next = 0;
	unsigned int count = 0;
	struct folio *folio;

	rcu_read_lock();
	xas_for_each(&xas, folio, last) {
		unsigned long first, pages;

		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		/* What was read of a folio that is no longer there means nothing. */
		first = data_race(folio->index);
		/* The same. */
		pages = data_race(folio_nr_pages(folio));
		if (folio != xas_reload(&xas)) {
			xas_reset(&xas);
			continue;
		}
		/* Nor is a page counted twice when its folio is split just now. */
		if (first < next || first > last || pages - 1 > last - first)
			continue;
		next = first + pages;
		map_add(pairs + 1, cell, first, next - 1);
		if (++count % XA_CHECK_SCHED)
			continue;
		xas_pause(&xas);
		rcu_read_unlock();
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	return 0;
}

/**
 * privheap_number_map() - a region's parts
 * @id: the region's number
 * @cells: how many parts to divide it into at most, at least 1
 * @pairs: result, two for each cell: its committed and its resident bytes
 * @cells_out: result, how many there are; they have the same number of pages,
 *	but for the last one, which may have fewer
 *
 * A region that changes meanwhile is seen partly before and partly after.
 *
 * Return: 0, -ENOENT, or -EINTR for a process that is being killed.
 */
int privheap_number_map(u64 id, unsigned int cells, u64 *pairs, unsigned int *cells_out)
{
	struct privheap_region *region;
	unsigned long cell;
	int ret = -ENOENT;

	down_read(&privheap_numbers_lock);
	region = number_at(id);
	if (!region)
		goto unlock;
	cell = DIV_ROUND_UP(region->pages, cells);
	*cells_out = DIV_ROUND_UP(region->pages, cell);
	memset(pairs, 0, 2 * sizeof(*pairs) * *cells_out);
	ret = map_committed(region, cell, pairs);
	if (!ret)
		ret = map_resident(region, cell, pairs);
unlock:
	up_read(&privheap_numbers_lock);
	return ret;
}
