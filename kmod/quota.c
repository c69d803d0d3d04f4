// SPDX-License-Identifier: GPL-2.0-only
/* Hierarchical counters and limits, lock-free, in the way of page_counter. */
#include "quota.h"
#include "notify.h"

struct privheap_quota privheap_system_quota;

/**
 * privheap_quota_init() - make a subject, without limits
 * @quota: the subject
 * @level: PRIVHEAP_LEVEL_*
 * @parent: the next level out, or NULL; must outlive @quota
 */
void privheap_quota_init(struct privheap_quota *quota, unsigned int level,
			 struct privheap_quota *parent)
{
	unsigned int i;

	quota->parent = parent;
	quota->level = level;
	for (i = 0; i < PRIVHEAP_RESOURCES; i++) {
		atomic_long_set(&quota->counter[i].usage, 0);
		atomic_long_set(&quota->counter[i].peak, 0);
		quota->counter[i].limit = PRIVHEAP_UNLIMITED;
	}
	atomic_long_set(&quota->regions, 0);
	atomic_long_set(&quota->reserved, 0);
	atomic_long_set(&quota->faults, 0);
	atomic_long_set(&quota->denials, 0);
	spin_lock_init(&quota->watch_lock);
	INIT_LIST_HEAD(&quota->watches);
}

/**
 * privheap_quota_add_region() - count a region on every level
 * @quota: the region's own quota
 * @reserved: pages of address space
 */
void privheap_quota_add_region(struct privheap_quota *quota, unsigned long reserved)
{
	for (; quota; quota = quota->parent) {
		atomic_long_inc(&quota->regions);
		atomic_long_add(reserved, &quota->reserved);
	}
}

/**
 * privheap_quota_remove_region() - undo privheap_quota_add_region()
 * @quota: the region's own quota
 * @reserved: pages of address space
 */
void privheap_quota_remove_region(struct privheap_quota *quota, unsigned long reserved)
{
	for (; quota; quota = quota->parent) {
		atomic_long_dec(&quota->regions);
		atomic_long_sub(reserved, &quota->reserved);
	}
}

/**
 * privheap_quota_count_fault() - count a page fault on every level
 * @quota: the region's own quota
 */
void privheap_quota_count_fault(struct privheap_quota *quota)
{
	for (; quota; quota = quota->parent)
		atomic_long_inc(&quota->faults);
}

/* Add only if the limit allows: nobody ever sees a usage above the limit. */
static bool quota_try_add(struct privheap_quota *quota, unsigned int resource,
			  unsigned long nr)
{
	struct privheap_counter *counter = &quota->counter[resource];
	long old = atomic_long_read(&counter->usage);

	do {
		if (old + nr > READ_ONCE(counter->limit))
			return false;
	} while (!atomic_long_try_cmpxchg(&counter->usage, &old, old + nr));
	privheap_notify_change(quota, resource, old, old + nr);
	return true;
}

/* Returns what the counter was. */
static unsigned long quota_sub(struct privheap_quota *quota, unsigned int resource,
			       unsigned long nr)
{
	long now = atomic_long_sub_return(nr, &quota->counter[resource].usage);

	WARN_ON_ONCE(now < 0);
	privheap_notify_change(quota, resource, now + nr, now);
	return now + nr;
}

static void counter_raise_peak(struct privheap_counter *counter, unsigned long usage)
{
	long peak = atomic_long_read(&counter->peak);

	while (usage > peak)
		if (atomic_long_try_cmpxchg(&counter->peak, &peak, usage))
			break;
}

/**
 * privheap_quota_peak() - the highest usage there was
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 *
 * A counter is at a peak when it is about to fall, or now. So a charge has no
 * work with it.
 *
 * Return: pages.
 */
unsigned long privheap_quota_peak(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_counter *counter = &quota->counter[resource];

	counter_raise_peak(counter, atomic_long_read(&counter->usage));
	return atomic_long_read(&counter->peak);
}

/**
 * privheap_quota_charge() - charge a subject and every level outside of it
 * @quota: the innermost subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages
 *
 * Return: PRIVHEAP_LEVEL_NONE when granted, or the level that refused; then
 * nothing is charged.
 */
unsigned int privheap_quota_charge(struct privheap_quota *quota,
				   unsigned int resource, unsigned long nr)
{
	struct privheap_quota *level, *undo;

	for (level = quota; level; level = level->parent)
		if (!quota_try_add(level, resource, nr))
			goto refused;
	return PRIVHEAP_LEVEL_NONE;

refused:
	for (undo = quota; undo != level; undo = undo->parent)
		quota_sub(undo, resource, nr);
	/* Further out nobody has refused, nor been refused anything. */
	for (undo = quota; undo != level->parent; undo = undo->parent)
		atomic_long_inc(&undo->denials);
	return level->level;
}

/**
 * privheap_quota_uncharge() - give a charge back on every level
 * @quota: the innermost subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages, not more than were charged
 */
void privheap_quota_uncharge(struct privheap_quota *quota,
			     unsigned int resource, unsigned long nr)
{
	if (!nr)
		return;
	for (; quota; quota = quota->parent)
		counter_raise_peak(&quota->counter[resource], quota_sub(quota, resource, nr));
}

/**
 * privheap_quota_cancel() - undo a charge that came to nothing
 * @quota: the innermost subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages that were charged
 *
 * As privheap_quota_uncharge(), but it leaves no trace in the peaks.
 */
void privheap_quota_cancel(struct privheap_quota *quota, unsigned int resource,
			   unsigned long nr)
{
	for (; quota; quota = quota->parent)
		quota_sub(quota, resource, nr);
}
