/* SPDX-License-Identifier: GPL-2.0-only */
/* Hierarchical counters and limits. Nothing here knows of pages or files. */
#ifndef PRIVHEAP_QUOTA_H
#define PRIVHEAP_QUOTA_H

#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/privheap.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define PRIVHEAP_RESOURCES	2
#define PRIVHEAP_UNLIMITED	((unsigned long)LONG_MAX)

/**
 * struct privheap_counter - one resource of one subject, in pages
 * @usage: what is charged now
 * @peak: the highest @usage before the last time it fell
 * @limit: no charge may take @usage above it; a sum with a charge cannot overflow
 */
struct privheap_counter {
	atomic_long_t usage;
	atomic_long_t peak;
	unsigned long limit;
};

/**
 * struct privheap_quota - counters of one subject
 * @parent: the next level out, charged with every charge of this one
 * @level: PRIVHEAP_LEVEL_*
 * @counter: by PRIVHEAP_RESOURCE_*
 * @regions: number of regions
 * @reserved: pages of address space
 * @faults: page faults that took pages
 * @denials: charges refused, here or further out
 * @watch_lock: guards @watches; innermost, nothing is taken under it but
 *	what eventfd_signal() takes
 * @watches: struct privheap_watch, thresholds on the counters
 *
 * Charging takes no lock. A charge is granted by every level or by none; one
 * that an outer level refuses is undone on the inner ones, which see it for
 * that moment.
 */
struct privheap_quota {
	struct privheap_quota *parent;
	unsigned int level;
	struct privheap_counter counter[PRIVHEAP_RESOURCES];
	atomic_long_t regions;
	atomic_long_t reserved;
	atomic_long_t faults;
	atomic_long_t denials;
	spinlock_t watch_lock;	/* guards @watches; innermost */
	struct list_head watches;
};

/* The outermost level. */
extern struct privheap_quota privheap_system_quota;

void privheap_quota_init(struct privheap_quota *quota, unsigned int level,
			 struct privheap_quota *parent);
void privheap_quota_add_region(struct privheap_quota *quota, unsigned long reserved);
void privheap_quota_remove_region(struct privheap_quota *quota, unsigned long reserved);
unsigned int privheap_quota_charge(struct privheap_quota *quota,
				   unsigned int resource, unsigned long nr);
void privheap_quota_uncharge(struct privheap_quota *quota,
			     unsigned int resource, unsigned long nr);
void privheap_quota_cancel(struct privheap_quota *quota,
			   unsigned int resource, unsigned long nr);
void privheap_quota_count_fault(struct privheap_quota *quota);
unsigned long privheap_quota_peak(struct privheap_quota *quota, unsigned int resource);

static inline unsigned long privheap_quota_usage(struct privheap_quota *quota,
						 unsigned int resource)
{
	return atomic_long_read(&quota->counter[resource].usage);
}

static inline void privheap_quota_set_limit(struct privheap_quota *quota,
					    unsigned int resource,
					    unsigned long limit)
{
	WRITE_ONCE(quota->counter[resource].limit, limit);
}

static inline unsigned long privheap_quota_limit(struct privheap_quota *quota,
						 unsigned int resource)
{
	return READ_ONCE(quota->counter[resource].limit);
}

#endif /* PRIVHEAP_QUOTA_H */
