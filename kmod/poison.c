// SPDX-License-Identifier: GPL-2.0-only
/* Pages that the hardware has lost, and what takes their place. */
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "region.h"

/*
 * A page in the page cache that is not up to date stands for one that is lost:
 * whoever touches it gets SIGBUS, as the hardware would have it, until it is
 * decommitted. It is charged and counted as the lost one was.
 */
static int add_lost(struct privheap_region *region, struct folio *lost, unsigned long index)
{
	struct address_space *mapping = region->inode.i_mapping;
	struct mem_cgroup *old_memcg;
	int ret;

	/* Nobody may throw it away to make room. */
	folio_set_dirty(lost);
	old_memcg = set_active_memcg(region->memcg);
	ret = filemap_add_folio(mapping, lost, index, GFP_KERNEL | __GFP_NOFAIL);
	set_active_memcg(old_memcg);
	if (ret)
		folio_clear_dirty(lost);
	else
		folio_unlock(lost);
	return ret;
}

/**
 * privheap_error_remove_folio() - take a lost page out of the page cache
 * @mapping: the region's
 * @folio: one page, locked; it is not mapped any more, and the caller,
 *	memory_failure(), has a reference
 *
 * If there were just a hole, the next touch would fill it with zeros, and the
 * program never know that it lost something.
 *
 * Return: 0, -ENOMEM, or -EBUSY for a large folio; then it stays where it is.
 */
int privheap_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	struct privheap_region *region = privheap_region_of(mapping->host);
	struct folio *lost;
	int ret = 0;

	/* They are split before this. */
	if (folio_test_large(folio))
		return -EBUSY;
	lost = folio_alloc(GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 0);
	if (!lost)
		return -ENOMEM;
	/* All of the region goes, and nobody will see the hole. */
	if (!igrab(mapping->host)) {
		ret = generic_error_remove_folio(mapping, folio);
		goto put_lost;
	}

	/*
	 * Between the two steps no fault may take a page here, and nobody may
	 * count them. That lock comes before the folio's.
	 */
	folio_unlock(folio);
	filemap_invalidate_lock(mapping);
	folio_lock(folio);
	/* Unless DECOMMIT was faster. */
	if (folio->mapping == mapping) {
		unsigned long index = folio->index;

		ret = generic_error_remove_folio(mapping, folio);
		if (!WARN_ON_ONCE(ret))
			WARN_ON_ONCE(add_lost(region, lost, index));
	}
	filemap_invalidate_unlock(mapping);
	iput(mapping->host);
put_lost:
	folio_put(lost);
	return ret;
}
