/* SPDX-License-Identifier: GPL-2.0-only */
/* The committed parts of a region, as a set of page ranges. */
#ifndef PRIVHEAP_EXTENTS_H
#define PRIVHEAP_EXTENTS_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct privheap_extent - a run of pages, all of them in the set
 * @node: in privheap_extents.root
 * @first: the first page
 * @last: the last page
 */
struct privheap_extent {
	struct rb_node node;
	unsigned long first;
	unsigned long last;
};

/**
 * struct privheap_extents - a set of pages
 * @lock: guards the rest against readers; writers are kept from each other by
 *	the owner. Innermost: nothing is taken under it.
 * @root: extents in order, neither overlapping nor adjacent
 * @builtin: the node for the first extent, so that a set of one extent, which
 *	is what nearly every region has, allocates nothing
 * @builtin_used: whether @builtin is in the tree
 */
struct privheap_extents {
	spinlock_t lock;	/* guards the rest against readers */
	struct rb_root root;
	struct privheap_extent builtin;
	bool builtin_used;
};

void privheap_extents_init(struct privheap_extents *set);
void privheap_extents_free(struct privheap_extents *set);
int privheap_extents_prepare_add(struct privheap_extents *set, unsigned long first,
				 unsigned long last, struct privheap_extent **spare);
int privheap_extents_prepare_remove(struct privheap_extents *set, unsigned long first,
				    unsigned long last, gfp_t gfp,
				    struct privheap_extent **spare);
void privheap_extents_unreserve(struct privheap_extents *set,
				struct privheap_extent *spare);
bool privheap_extents_find(struct privheap_extents *set, unsigned long page,
			   unsigned long *first, unsigned long *last);
bool privheap_extents_run(struct privheap_extents *set, unsigned long page,
			  unsigned long last, unsigned long *end);
unsigned long privheap_extents_count(struct privheap_extents *set,
				     unsigned long first, unsigned long last);
struct privheap_extent *privheap_extents_add(struct privheap_extents *set,
					     unsigned long first, unsigned long last,
					     struct privheap_extent *spare);
struct privheap_extent *privheap_extents_remove(struct privheap_extents *set,
						unsigned long first, unsigned long last,
						struct privheap_extent *spare);

#endif /* PRIVHEAP_EXTENTS_H */
