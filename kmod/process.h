/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that have regions or an open device, and how regions are found. */
#ifndef PRIVHEAP_PROCESS_H
#define PRIVHEAP_PROCESS_H

#include <linux/rbtree.h>
#include <linux/refcount.h>

#include "quota.h"

struct mm_struct;
struct privheap_region;

/**
 * struct privheap_process - an address space as a quota subject
 * @quota: sums over its regions
 * @mm: the address space; held by mmgrab() so that no other can have the same
 *	address while this one is known
 * @refs: one of each region, each open file and each caller at work
 * @hash: in the table of processes, under its lock
 * @lock: guards @regions and the members of a region that say so; a leaf
 * @regions: regions by base address, as long as their first page is mapped
 */
struct privheap_process {
	struct privheap_quota quota;
	struct mm_struct *mm;
	refcount_t refs;
	struct hlist_node hash;
	spinlock_t lock;	/* guards @regions; a leaf */
	struct rb_root regions;
};

struct privheap_process *privheap_process_get(struct mm_struct *mm);
struct privheap_process *privheap_process_find(struct mm_struct *mm);
void privheap_process_put(struct privheap_process *process);

int privheap_process_add_region(struct privheap_process *process,
				struct privheap_region *region);
struct privheap_region *privheap_process_find_region(struct privheap_process *process,
						     unsigned long base, bool take);

#endif /* PRIVHEAP_PROCESS_H */
