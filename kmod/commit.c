// SPDX-License-Identifier: GPL-2.0-only
/* Commit and decommit: what a region may use, and giving it back. */
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "region.h"
#include "trace.h"

static unsigned long region_committed(struct privheap_region *region)
{
	return privheap_quota_usage(&region->account.quota, PRIVHEAP_RESOURCE_COMMIT);
}

/*
 * Drop the pages of a range from the page cache; invalidate_lock is held. Returns
 * how many are gone, and still charged.
 */
static unsigned long truncate_pages(struct privheap_region *region, unsigned long first,
				    unsigned long last)
{
	struct address_space *mapping = region->inode.i_mapping;
	unsigned long before = mapping->nrpages;

	if (!before)
		return 0;
	truncate_inode_pages_range(mapping, (loff_t)first << PAGE_SHIFT,
				   ((loff_t)(last + 1) << PAGE_SHIFT) - 1);
	return before - mapping->nrpages;
}

/*
 * Undo a populate that failed: drop what is in the parts of the range that are
 * not committed. Nobody has seen these pages, for faults go by the commit; so they
 * are in no peak either.
 */
static void rollback_populate(struct privheap_region *region, unsigned long first,
			      unsigned long last)
{
	unsigned long page, end, gone = 0;

	filemap_invalidate_lock(region->inode.i_mapping);
	for (page = first; page <= last; page = end + 1)
		if (!privheap_extents_run(&region->extents, page, last, &end))
			gone += truncate_pages(region, page, end);
	privheap_cancel(&region->account, PRIVHEAP_RESOURCE_RESIDENT, gone);
	filemap_invalidate_unlock(region->inode.i_mapping);
}

/**
 * privheap_commit() - commit a range
 * @region: the region
 * @first: the first page
 * @last: the last page
 * @populate: whether to take all pages, too
 * @committed: pages committed in the region afterwards
 * @denied: the level that refused, with -EDQUOT
 *
 * All or nothing. What was committed before is neither charged nor, on
 * failure, taken away.
 *
 * Return: 0, -EDQUOT, -ENOMEM, or -EINTR for a process that is being killed.
 */
int privheap_commit(struct privheap_region *region, unsigned long first,
		    unsigned long last, bool populate,
		    unsigned long *committed, unsigned int *denied)
{
	struct privheap_extent *spare;
	unsigned long new;
	int ret;

	ret = mutex_lock_killable(&region->lock);
	if (ret)
		return ret;

	new = last - first + 1 - privheap_extents_count(&region->extents, first, last);
	if (!new && !populate)
		goto done;

	ret = privheap_extents_prepare_add(&region->extents, first, last, &spare);
	if (ret)
		goto unlock;
	if (new) {
		*denied = privheap_charge(&region->account, PRIVHEAP_RESOURCE_COMMIT, new) &
			  ~PRIVHEAP_INJECTED;
		if (*denied) {
			ret = -EDQUOT;
			goto unreserve;
		}
	}
	if (populate) {
		/* Before it is committed: no thread can touch it half done. */
		ret = privheap_populate_range(region, first, last, denied);
		if (ret) {
			rollback_populate(region, first, last);
			goto cancel;
		}
	}
	if (new) {
		spare = privheap_extents_add(&region->extents, first, last, spare);
		trace_privheap_commit(region->id, first, last - first + 1, new);
	}
	privheap_extents_unreserve(&region->extents, spare);
done:
	*committed = region_committed(region);
	mutex_unlock(&region->lock);
	return 0;

cancel:
	privheap_cancel(&region->account, PRIVHEAP_RESOURCE_COMMIT, new);
unreserve:
	privheap_extents_unreserve(&region->extents, spare);
unlock:
	mutex_unlock(&region->lock);
	return ret;
}

/* A folio that is still there: its pages, and whether a device may use them. */
struct kept {
	unsigned long first;
	unsigned long last;
	bool pinned;
};

/* Is a page of the region still there, and with which others? */
static bool page_kept(struct privheap_region *region, unsigned long page, struct kept *kept)
{
	struct folio *folio = filemap_get_folio(region->inode.i_mapping, page);

	if (IS_ERR_OR_NULL(folio))
		return false;
	kept->first = folio->index;
	kept->last = folio->index + folio_nr_pages(folio) - 1;
	kept->pinned = folio_maybe_dma_pinned(folio);
	folio_put(folio);
	return true;
}

/*
 * Only a large folio that crosses an end of the range can be left over: it has
 * to be split, which fails while anybody else holds it. Most do so for a
 * moment only, such as migration or a racing reader of /proc/PID/mem. Not so
 * who has pinned it: nobody waits for that.
 */
#define SPLIT_ATTEMPTS	8

/* Drop the pages of a range; narrows it to what is really gone. */
static int drop_pages(struct privheap_region *region, unsigned long *first,
		      unsigned long *last)
{
	bool low_kept = false, high_kept = false;
	struct kept low, high;
	int attempt;

	for (attempt = 0; attempt < SPLIT_ATTEMPTS; attempt++) {
		if (attempt)
			schedule_timeout_uninterruptible(1);
		privheap_uncharge(&region->account, PRIVHEAP_RESOURCE_RESIDENT,
				  truncate_pages(region, *first, *last));
		if (!region->inode.i_mapping->nrpages)
			return 0;
		low_kept = page_kept(region, *first, &low);
		high_kept = page_kept(region, *last, &high);
		if (!low_kept && !high_kept)
			return 0;
		if ((!low_kept || low.pinned) && (!high_kept || high.pinned))
			break;
	}

	if (high_kept) {
		if (high.first <= *first) {
			*first = *last + 1;
			return -EBUSY;
		}
		*last = high.first - 1;
	}
	if (low_kept)
		*first = low.last + 1;
	return -EBUSY;
}

/**
 * privheap_decommit() - give a range back
 * @region: the region
 * @first: the first page
 * @last: the last page
 * @gfp: for what it allocates; with __GFP_NOFAIL it is never -ENOMEM
 * @committed: pages committed in the region afterwards
 *
 * Return: 0, -ENOMEM when nothing was done, -EBUSY when pages at the ends of
 * the range are held by others and stay committed, -EINTR for a process that
 * is being killed.
 */
int privheap_decommit(struct privheap_region *region, unsigned long first,
		      unsigned long last, gfp_t gfp, unsigned long *committed)
{
	struct address_space *mapping = region->inode.i_mapping;
	struct privheap_extent *spare;
	unsigned long gone;
	int ret;

	ret = mutex_lock_killable(&region->lock);
	if (ret)
		return ret;

	if (!privheap_extents_count(&region->extents, first, last))
		goto done;
	ret = privheap_extents_prepare_remove(&region->extents, first, last, gfp, &spare);
	if (ret)
		goto unlock;

	filemap_invalidate_lock(mapping);
	if (mapping->nrpages) {
		unmap_mapping_range(mapping, (loff_t)first << PAGE_SHIFT,
				    (loff_t)(last - first + 1) << PAGE_SHIFT, 1);
		ret = drop_pages(region, &first, &last);
	}
	if (first <= last) {
		gone = privheap_extents_count(&region->extents, first, last);
		spare = privheap_extents_remove(&region->extents, first, last, spare);
		privheap_uncharge(&region->account, PRIVHEAP_RESOURCE_COMMIT, gone);
		trace_privheap_decommit(region->id, first, last - first + 1, gone);
	}
	filemap_invalidate_unlock(mapping);
	privheap_extents_unreserve(&region->extents, spare);
done:
	*committed = region_committed(region);
unlock:
	mutex_unlock(&region->lock);
	return ret;
}
