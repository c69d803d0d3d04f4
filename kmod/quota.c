// SPDX-License-Identifier: GPL-2.0-only
/* Hierarchical counters, lock-free, in the way of page_counter. */
#include <linux/bug.h>
#include <linux/minmax.h>

#include "event.h"
#include "notify.h"
#include "quota.h"
#include "trace.h"

struct privheap_quota privheap_system_quota;

/**
 * privheap_quota_init() - make a subject, without limits
 * @quota: the subject
 * @level: PRIVHEAP_LEVEL_*
 * @subject: its number, see struct privheap_quota
 * @uid: its owner
 */
void privheap_quota_init(struct privheap_quota *quota, unsigned int level, u64 subject,
			 kuid_t uid)
{
	unsigned int i;

	quota->level = level;
	quota->subject = subject;
	quota->uid = uid;
	for (i = 0; i < PRIVHEAP_RESOURCES; i++) {
		struct privheap_counter *counter = &quota->counter[i];

		atomic_long_set(&counter->usage, 0);
		atomic_long_set(&counter->peak, 0);
		atomic_long_set(&counter->denials, 0);
		atomic64_set(&counter->fail_nth, 0);
		counter->gate = PRIVHEAP_UNLIMITED;
		counter->limit = PRIVHEAP_UNLIMITED;
		counter->soft = PRIVHEAP_UNLIMITED;
		counter->hard = PRIVHEAP_UNLIMITED;
		counter->ceiling = PRIVHEAP_UNLIMITED;
		counter->reserve = 0;
		counter->hooks = 0;
		counter->open = false;
		counter->denied = false;
		counter->over = false;
	}
	atomic_long_set(&quota->regions, 0);
	atomic_long_set(&quota->reserved, 0);
	atomic_long_set(&quota->faults, 0);
	atomic_long_set(&quota->denials, 0);
	spin_lock_init(&quota->watch_lock);
	INIT_LIST_HEAD(&quota->watches);
}

/**
 * privheap_account_add() - count a region on every level
 * @account: the region's
 * @reserved: pages of address space
 */
void privheap_account_add(struct privheap_account *account, unsigned long reserved)
{
	unsigned int i;

	for (i = 0; i < account->levels; i++) {
		atomic_long_inc(&account->level[i]->regions);
		atomic_long_add(reserved, &account->level[i]->reserved);
	}
}

/**
 * privheap_account_remove() - undo privheap_account_add()
 * @account: the region's
 * @reserved: pages of address space
 */
void privheap_account_remove(struct privheap_account *account, unsigned long reserved)
{
	unsigned int i;

	for (i = 0; i < account->levels; i++) {
		atomic_long_dec(&account->level[i]->regions);
		atomic_long_sub(reserved, &account->level[i]->reserved);
	}
}

/**
 * privheap_count_fault() - count a page fault on every level
 * @account: the region's
 */
void privheap_count_fault(struct privheap_account *account)
{
	unsigned int i;

	for (i = 0; i < account->levels; i++)
		atomic_long_inc(&account->level[i]->faults);
}

/* Signal thresholds between two values that a change took a counter from and to. */
static inline void quota_watch(struct privheap_quota *quota, unsigned int resource,
			       unsigned long hooks, unsigned long old, unsigned long now)
{
	if (unlikely(hooks & PRIVHEAP_HOOK_WATCH))
		privheap_notify_change(quota, resource, old, now);
}

/*
 * The gate is shut: by the limit, or by a charge that is to fail. Returns what
 * the counter was, or REFUSED or INJECTED.
 */
#define REFUSED		(-1L)
#define INJECTED	(-2L)

static noinline long quota_try_add_slowly(struct privheap_quota *quota, unsigned int resource,
					  unsigned long nr)
{
	struct privheap_counter *counter = &quota->counter[resource];
	long old;

	if (atomic64_read(&counter->fail_nth) && privheap_fail_nth(quota, resource))
		return INJECTED;
	old = atomic_long_read(&counter->usage);
	do {
		if (old + nr > READ_ONCE(counter->limit))
			return REFUSED;
	} while (!atomic_long_try_cmpxchg(&counter->usage, &old, old + nr));
	return old;
}

/* Returns what the counter was. */
static unsigned long quota_sub(struct privheap_quota *quota, unsigned int resource,
			       unsigned long nr)
{
	struct privheap_counter *counter = &quota->counter[resource];
	long now = atomic_long_sub_return(nr, &counter->usage);
	unsigned long hooks = READ_ONCE(counter->hooks);

	WARN_ON_ONCE(now < 0);
	if (unlikely(hooks)) {
		quota_watch(quota, resource, hooks, now + nr, now);
		if (hooks & PRIVHEAP_HOOK_SOFT)
			privheap_soft_change(quota, resource);
	}
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

/* @account->level[refuser] did not grant it: undo it on the levels inside. */
static noinline unsigned int charge_refused(struct privheap_account *account,
					    unsigned int refuser, unsigned int resource,
					    unsigned long nr, bool injected, bool quiet)
{
	struct privheap_quota *quota = account->level[refuser];
	unsigned int i;

	for (i = 0; i < refuser; i++)
		quota_sub(account->level[i], resource, nr);
	if (quiet && !injected)
		return quota->level;
	/* Further out nobody has refused, nor been refused anything. */
	for (i = 0; i <= refuser; i++)
		atomic_long_inc(&account->level[i]->denials);
	atomic_long_inc(&quota->counter[resource].denials);
	WRITE_ONCE(quota->counter[resource].denied, true);
	trace_privheap_denial(account->quota.subject, resource, quota->level,
			      quota->subject, nr);
	privheap_event_denied(quota, resource, nr, account->quota.subject);
	return quota->level | (injected ? PRIVHEAP_INJECTED : 0);
}

/* Observers hear of a charge only when all levels have granted it. */
static noinline void charge_soft(struct privheap_quota **level, struct privheap_quota **end,
				 unsigned int resource)
{
	for (; level < end; level++)
		if (READ_ONCE((*level)->counter[resource].hooks) & PRIVHEAP_HOOK_SOFT)
			privheap_soft_change(*level, resource);
}

static __always_inline unsigned int charge(struct privheap_account *account,
					   unsigned int resource, unsigned long nr,
					   bool quiet)
{
	const size_t offset = offsetof(struct privheap_quota, counter) +
			      resource * sizeof(struct privheap_counter);
	struct privheap_quota **level = account->level;
	struct privheap_quota **end = level + account->levels;
	struct privheap_quota **soft = level;

	for (; level < end; level++) {
		struct privheap_counter *counter = (void *)*level + offset;
		long old = atomic_long_read(&counter->usage);
		unsigned long hooks;

		/* Only if the limit allows: nobody ever sees a usage above the limit. */
		for (;;) {
			if (unlikely(old + nr > READ_ONCE(counter->gate))) {
				old = quota_try_add_slowly(*level, resource, nr);
				break;
			}
			if (atomic_long_try_cmpxchg(&counter->usage, &old, old + nr))
				break;
		}
		if (unlikely(old < 0))
			return charge_refused(account, level - account->level, resource, nr,
					      old == INJECTED, quiet);

		hooks = READ_ONCE(counter->hooks);
		if (likely(!hooks))
			continue;
		quota_watch(*level, resource, hooks, old, old + nr);
		if (hooks & PRIVHEAP_HOOK_SOFT)
			soft = level + 1;
	}
	if (unlikely(soft != account->level))
		charge_soft(account->level, soft, resource);
	return PRIVHEAP_LEVEL_NONE;
}

/**
 * privheap_charge() - charge a region and every level outside of it
 * @account: the region's
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages, at least one
 *
 * Return: PRIVHEAP_LEVEL_NONE when granted, or the level that refused, with
 * PRIVHEAP_INJECTED where that was by fail_nth; then nothing is charged.
 */
unsigned int privheap_charge(struct privheap_account *account, unsigned int resource,
			     unsigned long nr)
{
	return charge(account, resource, nr, false);
}

/**
 * privheap_try_charge() - the same for who can also do with less
 * @account: the region's
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages, at least one
 *
 * A refusal by a limit is no denial: it is counted nowhere, and nobody is told.
 *
 * Return: as privheap_charge().
 */
unsigned int privheap_try_charge(struct privheap_account *account, unsigned int resource,
				 unsigned long nr)
{
	return charge(account, resource, nr, true);
}

/**
 * privheap_uncharge() - give a charge back on every level
 * @account: the region's
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages, not more than were charged
 */
void privheap_uncharge(struct privheap_account *account, unsigned int resource,
		       unsigned long nr)
{
	unsigned int i;

	if (!nr)
		return;
	for (i = 0; i < account->levels; i++) {
		struct privheap_quota *quota = account->level[i];

		counter_raise_peak(&quota->counter[resource], quota_sub(quota, resource, nr));
	}
}

/**
 * privheap_cancel() - undo a charge that came to nothing
 * @account: the region's
 * @resource: PRIVHEAP_RESOURCE_*
 * @nr: pages that were charged
 *
 * As privheap_uncharge(), but it leaves no trace in the peaks.
 */
void privheap_cancel(struct privheap_account *account, unsigned int resource,
		     unsigned long nr)
{
	unsigned int i;

	if (!nr)
		return;
	for (i = 0; i < account->levels; i++)
		quota_sub(account->level[i], resource, nr);
}

/**
 * privheap_room() - how much could be charged now
 * @account: the region's
 * @resource: PRIVHEAP_RESOURCE_*
 *
 * For who can also do with less, and does not want a refusal counted for it.
 *
 * Return: pages.
 */
unsigned long privheap_room(struct privheap_account *account, unsigned int resource)
{
	unsigned long room = PRIVHEAP_UNLIMITED;
	unsigned int i;

	for (i = 0; i < account->levels; i++) {
		unsigned long limit = privheap_quota_limit(account->level[i], resource);
		unsigned long usage = privheap_quota_usage(account->level[i], resource);

		room = min(room, limit > usage ? limit - usage : 0);
	}
	return room;
}
