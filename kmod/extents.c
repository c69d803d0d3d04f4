// SPDX-License-Identifier: GPL-2.0-only
/* The committed parts of a region, as a set of page ranges. */
#include <linux/minmax.h>
#include <linux/slab.h>

#include "extents.h"

#define extent_of(rb)	rb_entry(rb, struct privheap_extent, node)

/**
 * privheap_extents_init() - make an empty set
 * @set: the set
 */
void privheap_extents_init(struct privheap_extents *set)
{
	spin_lock_init(&set->lock);
	set->root = RB_ROOT;
	set->builtin_used = false;
}

static void extent_put(struct privheap_extents *set, struct privheap_extent *extent)
{
	if (extent == &set->builtin)
		set->builtin_used = false;
	else
		kfree(extent);
}

/**
 * privheap_extents_free() - empty a set that nobody uses any more
 * @set: the set
 */
void privheap_extents_free(struct privheap_extents *set)
{
	struct privheap_extent *extent, *next;

	rbtree_postorder_for_each_entry_safe(extent, next, &set->root, node)
		extent_put(set, extent);
	set->root = RB_ROOT;
}

/**
 * privheap_extents_unreserve() - give back a node that was not needed
 * @set: the set; the caller is its only writer
 * @spare: the node, or NULL
 */
void privheap_extents_unreserve(struct privheap_extents *set,
				struct privheap_extent *spare)
{
	if (spare)
		extent_put(set, spare);
}

/* The first extent that ends at @page or after it. */
static struct privheap_extent *extent_from(struct privheap_extents *set,
					   unsigned long page)
{
	struct rb_node *rb = set->root.rb_node;
	struct privheap_extent *found = NULL;

	while (rb) {
		struct privheap_extent *extent = extent_of(rb);

		if (extent->last < page) {
			rb = rb->rb_right;
		} else {
			found = extent;
			rb = rb->rb_left;
		}
	}
	return found;
}

static struct privheap_extent *extent_next(struct privheap_extent *extent)
{
	return rb_entry_safe(rb_next(&extent->node), struct privheap_extent, node);
}

/**
 * privheap_extents_find() - the extent that holds a page
 * @set: the set
 * @page: the page
 * @first: its extent's first page
 * @last: its extent's last page
 *
 * Return: whether @page is in the set.
 */
bool privheap_extents_find(struct privheap_extents *set, unsigned long page,
			   unsigned long *first, unsigned long *last)
{
	struct privheap_extent *extent;
	bool found;

	spin_lock(&set->lock);
	extent = extent_from(set, page);
	found = extent && extent->first <= page;
	if (found) {
		*first = extent->first;
		*last = extent->last;
	}
	spin_unlock(&set->lock);
	return found;
}

/**
 * privheap_extents_run() - how far pages are alike
 * @set: the set
 * @page: where the run begins
 * @last: where it ends at the latest
 * @end: the last page of the run: up to here all are in the set, or none is
 *
 * Return: whether the run is in the set.
 */
bool privheap_extents_run(struct privheap_extents *set, unsigned long page,
			  unsigned long last, unsigned long *end)
{
	struct privheap_extent *extent;
	bool inside;

	spin_lock(&set->lock);
	extent = extent_from(set, page);
	inside = extent && extent->first <= page;
	if (inside)
		*end = min(last, extent->last);
	else if (extent)
		*end = min(last, extent->first - 1);
	else
		*end = last;
	spin_unlock(&set->lock);
	return inside;
}

/**
 * privheap_extents_count() - how many pages of a range are in the set
 * @set: the set; the caller is its only writer
 * @first: the first page of the range
 * @last: its last page
 *
 * Return: the number of pages.
 */
unsigned long privheap_extents_count(struct privheap_extents *set,
				     unsigned long first, unsigned long last)
{
	struct privheap_extent *extent;
	unsigned long count = 0;

	for (extent = extent_from(set, first); extent && extent->first <= last;
	     extent = extent_next(extent))
		count += min(extent->last, last) - max(extent->first, first) + 1;
	return count;
}

/* The first extent that a range overlaps or touches. */
static struct privheap_extent *extent_joined(struct privheap_extents *set,
					     unsigned long first, unsigned long last)
{
	struct privheap_extent *extent = extent_from(set, first ? first - 1 : 0);

	return extent && extent->first <= last + 1 ? extent : NULL;
}

/* The extent that has the range in its middle. */
static struct privheap_extent *extent_around(struct privheap_extents *set,
					     unsigned long first, unsigned long last)
{
	struct privheap_extent *extent = extent_from(set, first);

	return extent && extent->first < first && extent->last > last ? extent : NULL;
}

static int extent_reserve(struct privheap_extents *set, gfp_t gfp,
			  struct privheap_extent **spare)
{
	if (!set->builtin_used) {
		set->builtin_used = true;
		*spare = &set->builtin;
		return 0;
	}
	*spare = kmalloc(sizeof(**spare), gfp);
	return *spare ? 0 : -ENOMEM;
}

/**
 * privheap_extents_prepare_add() - get ready for an add that cannot fail
 * @set: the set; the caller is its only writer
 * @first: the first page of the range
 * @last: its last page
 * @spare: for privheap_extents_add() or privheap_extents_unreserve()
 *
 * Return: 0 or -ENOMEM.
 */
int privheap_extents_prepare_add(struct privheap_extents *set, unsigned long first,
				 unsigned long last, struct privheap_extent **spare)
{
	*spare = NULL;
	return extent_joined(set, first, last) ? 0 :
	       extent_reserve(set, GFP_KERNEL_ACCOUNT, spare);
}

/**
 * privheap_extents_prepare_remove() - get ready for a remove that cannot fail
 * @set: the set; the caller is its only writer
 * @first: the first page of the range
 * @last: its last page
 * @gfp: how to allocate, with __GFP_NOFAIL for who has no way to fail
 * @spare: for privheap_extents_remove() or privheap_extents_unreserve()
 *
 * A remove of less than the range, at either end, is prepared for, too.
 *
 * Return: 0 or -ENOMEM.
 */
int privheap_extents_prepare_remove(struct privheap_extents *set, unsigned long first,
				    unsigned long last, gfp_t gfp,
				    struct privheap_extent **spare)
{
	*spare = NULL;
	/* Less than the range can lie inside an extent that the range does not. */
	if (first == last && !extent_around(set, first, last))
		return 0;
	return extent_reserve(set, gfp, spare);
}

static void extent_insert(struct privheap_extents *set, struct privheap_extent *new)
{
	struct rb_node **link = &set->root.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (new->first < extent_of(parent)->first)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &set->root);
}

/**
 * privheap_extents_add() - put a range into the set
 * @set: the set; the caller is its only writer
 * @first: the first page of the range
 * @last: its last page
 * @spare: from privheap_extents_prepare_add()
 *
 * Return: @spare when it was not needed, else NULL.
 */
struct privheap_extent *privheap_extents_add(struct privheap_extents *set,
					     unsigned long first, unsigned long last,
					     struct privheap_extent *spare)
{
	struct privheap_extent *extent, *next;

	spin_lock(&set->lock);
	extent = extent_joined(set, first, last);
	if (!extent) {
		extent = spare;
		spare = NULL;
		extent->first = first;
		extent->last = last;
		extent_insert(set, extent);
		goto unlock;
	}

	/* The order of the tree stays: what lies between is swallowed below. */
	extent->first = min(extent->first, first);
	extent->last = max(extent->last, last);
	while ((next = extent_next(extent)) && next->first <= extent->last + 1) {
		extent->last = max(extent->last, next->last);
		rb_erase(&next->node, &set->root);
		extent_put(set, next);
	}
unlock:
	spin_unlock(&set->lock);
	return spare;
}

/**
 * privheap_extents_remove() - take a range out of the set
 * @set: the set; the caller is its only writer
 * @first: the first page of the range
 * @last: its last page
 * @spare: from privheap_extents_prepare_remove()
 *
 * Return: @spare when it was not needed, else NULL.
 */
struct privheap_extent *privheap_extents_remove(struct privheap_extents *set,
						unsigned long first, unsigned long last,
						struct privheap_extent *spare)
{
	struct privheap_extent *extent, *next;

	spin_lock(&set->lock);
	for (extent = extent_from(set, first); extent && extent->first <= last;
	     extent = next) {
		next = extent_next(extent);
		if (extent->first < first && extent->last > last) {
			spare->first = last + 1;
			spare->last = extent->last;
			extent->last = first - 1;
			extent_insert(set, spare);
			spare = NULL;
			break;
		}
		if (extent->first < first) {
			extent->last = first - 1;
		} else if (extent->last > last) {
			extent->first = last + 1;
		} else {
			rb_erase(&extent->node, &set->root);
			extent_put(set, extent);
		}
	}
	spin_unlock(&set->lock);
	return spare;
}
