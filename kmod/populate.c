// SPDX-License-Identifier: GPL-2.0-only
/* Taking pages: which folio sizes, and how they get into the page cache. */
#include <linux/mm.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "region.h"
#include "trace.h"

/*
 * The largest folio. There is no order 1: before 6.9 a folio of two pages in
 * the page cache has no room for what splitting it needs.
 */
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define PRIVHEAP_MAX_ORDER	HPAGE_PMD_ORDER
#else
#define PRIVHEAP_MAX_ORDER	0
#endif

/**
 * privheap_memcg_is_current() - who pays for the region's pages
 * @region: the region
 *
 * Return: whether the current task is in the memory cgroup that is charged.
 */
bool privheap_memcg_is_current(struct privheap_region *region)
{
	bool same;

	if (mem_cgroup_disabled())
		return true;
	rcu_read_lock();
	same = mem_cgroup_from_task(current) == region->memcg;
	rcu_read_unlock();
	return same;
}

/*
 * Add one zeroed folio. Returns it locked, or -EEXIST (a page is there), -EDQUOT,
 * -EAGAIN (as that, but a smaller one may be granted) or -ENOMEM. The mapping's
 * invalidate lock is held, shared.
 */
static struct folio *add_folio(struct privheap_region *region, unsigned long index,
			       unsigned int order, gfp_t gfp, unsigned int *denied)
{
	struct address_space *mapping = region->inode.i_mapping;
	unsigned long nr = 1UL << order;
	struct mem_cgroup *old_memcg;
	struct folio *folio;
	int ret;

	*denied = PRIVHEAP_LEVEL_NONE;
	folio = folio_alloc(gfp | __GFP_ZERO, order);
	if (!folio)
		return ERR_PTR(-ENOMEM);

	/* Of a large folio it is no denial: there is always the small one. */
	*denied = order ? privheap_try_charge(&region->account, PRIVHEAP_RESOURCE_RESIDENT, nr) :
			  privheap_charge(&region->account, PRIVHEAP_RESOURCE_RESIDENT, nr);
	if (*denied) {
		/* A charge that is to fail must not succeed by being made smaller. */
		ret = order && !(*denied & PRIVHEAP_INJECTED) ? -EAGAIN : -EDQUOT;
		*denied &= ~PRIVHEAP_INJECTED;
		folio_put(folio);
		return ERR_PTR(ret);
	}

	/*
	 * Dirty from the start: truncation throws a clean folio away whole when
	 * it cannot split it, neighbours of the range included.
	 */
	__folio_mark_uptodate(folio);
	folio_set_dirty(folio);

	old_memcg = set_active_memcg(region->memcg);
	ret = filemap_add_folio(mapping, folio, index, gfp);
	set_active_memcg(old_memcg);
	if (ret) {
		folio_clear_dirty(folio);
		folio_put(folio);
		privheap_cancel(&region->account, PRIVHEAP_RESOURCE_RESIDENT, nr);
		return ERR_PTR(ret);
	}
	trace_privheap_populate(region->id, index, order);
	return folio;
}

/* A large folio must not cost a stall: there is always the small one. */
static gfp_t large_gfp(gfp_t gfp)
{
	return (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN | __GFP_NORETRY;
}

static bool range_empty(struct address_space *mapping, unsigned long first,
			unsigned long last)
{
	return !xa_find(&mapping->i_pages, &first, last, XA_PRESENT);
}

/* The order to try after one that was not to be had. */
static unsigned int lower_order(unsigned int order)
{
	if (order > 4)
		return 4;
	return order > 2 ? 2 : 0;
}

/*
 * A sequence of touches takes folios of 1, 4, 8, 16 ... 512 pages: a touch next
 * to the folio that was taken last asks for the next size. A touch anywhere
 * else takes one page. So no touch takes more than four times what the one
 * before it took, or twice from 4 pages up.
 *
 * What was taken last is remembered for a few places at once, chosen by address,
 * so that threads which each fill a part of their own are all seen. The note is
 * one word: the folio's first page and its order. It is a guess, not guarded;
 * whatever it leads to is checked.
 */
#define NOTE_ORDER_BITS	4
#define NOTE_ORDER_MASK	((1UL << NOTE_ORDER_BITS) - 1)

static unsigned long *note_of(struct privheap_region *region, unsigned long page)
{
	return &region->taken[(page / PRIVHEAP_NOTE_SPAN) % PRIVHEAP_NOTES];
}

static void note_taken(struct privheap_region *region, unsigned long index,
		       unsigned int order)
{
	WRITE_ONCE(*note_of(region, index), index << NOTE_ORDER_BITS | order);
}

/* The largest folio to take beside one that was taken for the page before. */
static unsigned int order_after(struct privheap_region *region, unsigned long page)
{
	unsigned long note = READ_ONCE(*note_of(region, page - 1));
	unsigned int order = note & NOTE_ORDER_MASK;

	if ((note >> NOTE_ORDER_BITS) + (1UL << order) != page)
		return 0;
	return clamp_t(unsigned int, order + 1, 2, PRIVHEAP_MAX_ORDER);
}

/* The same for one that was taken for the page after. */
static unsigned int order_before(struct privheap_region *region, unsigned long page)
{
	unsigned long note = READ_ONCE(*note_of(region, page + 1));
	unsigned int order = note & NOTE_ORDER_MASK;

	if (note >> NOTE_ORDER_BITS != page + 1)
		return 0;
	return clamp_t(unsigned int, order + 1, 2, PRIVHEAP_MAX_ORDER);
}

/* Choose the folio for a fault at @page inside the commit @first to @last. */
static unsigned int choose_order(struct privheap_region *region, unsigned long page,
				 unsigned long first, unsigned long last,
				 unsigned long *index)
{
	struct address_space *mapping = region->inode.i_mapping;
	unsigned int order;

	*index = page;
	if (!PRIVHEAP_MAX_ORDER)
		return 0;

	/* Upwards: a folio that begins here. */
	if (page > first) {
		for (order = order_after(region, page); order > 1; order--)
			if (!(page & ((1UL << order) - 1)) &&
			    last - page >= (1UL << order) - 1 &&
			    range_empty(mapping, page, page + (1UL << order) - 1))
				return order;
	}

	/* Downwards: a folio that ends here. */
	if (page < last) {
		for (order = order_before(region, page); order > 1; order--)
			if (!((page + 1) & ((1UL << order) - 1)) &&
			    page - first >= (1UL << order) - 1 &&
			    range_empty(mapping, page + 1 - (1UL << order), page)) {
				*index = page + 1 - (1UL << order);
				return order;
			}
	}
	return 0;
}

/**
 * privheap_populate_fault() - take a folio for a fault
 * @region: the region; its mapping's invalidate lock is held, shared
 * @page: the page touched
 * @first: the first page of the committed run it is in
 * @last: the last page of that run
 *
 * Return: a folio that holds @page, locked and with a reference for the
 * caller, or an ERR_PTR: -EEXIST when there is one already, -EDQUOT or
 * -ENOMEM.
 */
struct folio *privheap_populate_fault(struct privheap_region *region, unsigned long page,
				      unsigned long first, unsigned long last)
{
	gfp_t gfp = mapping_gfp_mask(region->inode.i_mapping);
	unsigned int order, denied;
	struct folio *folio;
	unsigned long index;

	if (xa_load(&region->inode.i_mapping->i_pages, page))
		return ERR_PTR(-EEXIST);

	order = choose_order(region, page, first, last, &index);
	while (order) {
		/* Not by trying: that would count as refused. */
		if (privheap_room(&region->account, PRIVHEAP_RESOURCE_RESIDENT) >= 1UL << order) {
			folio = add_folio(region, index, order, large_gfp(gfp), &denied);
			if (!IS_ERR(folio)) {
				note_taken(region, index, order);
				return folio;
			}
			if (PTR_ERR(folio) == -EDQUOT)
				return folio;
		}
		order = lower_order(order);
		/* A smaller one still holds the page at the same end. */
		if (index != page)
			index = page + 1 - (1UL << order);
	}
	folio = add_folio(region, page, 0, gfp, &denied);
	if (!IS_ERR(folio))
		note_taken(region, page, 0);
	return folio;
}

/* Populate a run that is all committed or all not, in folios inside of it. */
static int populate_run(struct privheap_region *region, unsigned long page,
			unsigned long last, unsigned int *denied)
{
	/* Give up before anybody is killed for it: the caller gets an errno. */
	gfp_t gfp = mapping_gfp_mask(region->inode.i_mapping) | __GFP_NORETRY | __GFP_NOWARN;
	struct address_space *mapping = region->inode.i_mapping;
	unsigned int order_limit = PRIVHEAP_MAX_ORDER;

	while (page <= last) {
		unsigned int order = order_limit;
		struct folio *folio;

		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();

		/* Not by trying: that would count what is there for a moment. */
		if (xa_load(&mapping->i_pages, page)) {
			page++;
			continue;
		}
		while (order && ((page & ((1UL << order) - 1)) || order == 1 ||
				 last - page < (1UL << order) - 1 ||
				 !range_empty(mapping, page, page + (1UL << order) - 1)))
			order--;
		/* Nor by this: it would count as refused. */
		while (order && privheap_room(&region->account,
					      PRIVHEAP_RESOURCE_RESIDENT) < 1UL << order)
			order = lower_order(order);
		folio = add_folio(region, page, order, order ? large_gfp(gfp) : gfp,
				  denied);
		if (!IS_ERR(folio)) {
			page += 1UL << order;
			folio_unlock(folio);
			folio_put(folio);
		} else if (order && PTR_ERR(folio) != -EDQUOT) {
			/* None of this size is left, or a fault was faster. */
			if (PTR_ERR(folio) != -EEXIST)
				order_limit = lower_order(order);
		} else if (PTR_ERR(folio) == -EEXIST) {
			page++;
		} else {
			return PTR_ERR(folio);
		}
	}
	return 0;
}

/**
 * privheap_populate_range() - take all pages of a range
 * @region: the region; the caller holds its lock
 * @first: the first page
 * @last: the last page
 * @denied: the level that refused, with -EDQUOT
 *
 * Never lets the kernel kill for memory. On failure what was taken stays, for
 * the caller to roll back.
 *
 * Return: 0, -ENOMEM, -EDQUOT, or -EINTR for a process that is being killed.
 */
int privheap_populate_range(struct privheap_region *region,
			    unsigned long first, unsigned long last,
			    unsigned int *denied)
{
	struct address_space *mapping = region->inode.i_mapping;
	unsigned long page, end;
	bool committed, full;
	int ret = 0;

	filemap_invalidate_lock_shared(mapping);
	/*
	 * A region that grows step by step is not looked through at each step.
	 * Faults may add pages just now: then what was read is too low, and all
	 * that comes of it is the look.
	 */
	full = data_race(mapping->nrpages) ==
	       privheap_extents_count(&region->extents, 0, region->pages - 1);
	for (page = first; page <= last && !ret; page = end + 1) {
		/* No folio crosses into what a rollback must leave alone. */
		committed = privheap_extents_run(&region->extents, page, last, &end);
		if (!committed || !full)
			ret = populate_run(region, page, end, denied);
	}
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}
