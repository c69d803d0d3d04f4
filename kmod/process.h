/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that have regions or an open device, and how regions are found. */
#ifndef PRIVHEAP_PROCESS_H
#define PRIVHEAP_PROCESS_H

#include <linux/rbtree.h>

#include "subject.h"

struct mm_struct;
struct privheap_region;

/**
 * struct privheap_process - an address space as a quota subject
 * @subject: counters, limits and lifetime
 * @mm: the address space; held by mmgrab() so that no other can have the same
 *	address while this one is known
 * @pid: the process that it was first seen in, with a reference
 * @hash: in the table of processes by address space, under its lock
 * @lock: guards @regions and the members of a region that say so; a leaf
 * @regions: regions by base address, as long as their first page is mapped
 */
struct privheap_process {
	struct privheap_subject subject;
	struct mm_struct *mm;
	struct pid *pid;
	struct hlist_node hash;
	spinlock_t lock;	/* guards @regions; a leaf */
	struct rb_root regions;
};

static inline struct privheap_process *privheap_process_of(struct privheap_subject *subject)
{
	return container_of(subject, struct privheap_process, subject);
}

struct privheap_process *privheap_process_get(struct mm_struct *mm, struct pid *pid,
					      kuid_t uid);
struct privheap_process *privheap_process_get_current(void);
struct privheap_process *privheap_process_find(struct mm_struct *mm);
bool privheap_process_is_gone(struct privheap_subject *subject);
void privheap_process_free(struct privheap_subject *subject);

static inline void privheap_process_put(struct privheap_process *process)
{
	privheap_subject_put(&process->subject);
}

int privheap_process_add_region(struct privheap_process *process,
				struct privheap_region *region);
struct privheap_region *privheap_process_find_region(struct privheap_process *process,
						     unsigned long base, bool take);

#endif /* PRIVHEAP_PROCESS_H */
