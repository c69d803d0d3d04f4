// SPDX-License-Identifier: GPL-2.0-only
/* The limits of a subject: setting them, telling of them, and what they do rarely. */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <asm/page.h>

#include "event.h"
#include "quota.h"
#include "trace.h"

#define PRIVHEAP_SET_ALL	(PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD | \
				 PRIVHEAP_SET_RESERVE | PRIVHEAP_SET_FAIL_NTH)

static u64 to_bytes(unsigned long pages)
{
	return (u64)pages << PAGE_SHIFT;
}

static u64 limit_bytes(unsigned long pages)
{
	return pages == PRIVHEAP_UNLIMITED ? PRIVHEAP_NO_LIMIT : to_bytes(pages);
}

static unsigned long limit_pages(u64 bytes)
{
	return bytes == PRIVHEAP_NO_LIMIT ? PRIVHEAP_UNLIMITED :
	       min_t(u64, bytes >> PAGE_SHIFT, PRIVHEAP_UNLIMITED);
}

static unsigned long add_limits(unsigned long a, unsigned long b)
{
	/* Neither is above LONG_MAX. */
	return min(a + b, PRIVHEAP_UNLIMITED);
}

/* What charges go by, after a change of what it is made from. */
static void counter_update(struct privheap_counter *counter)
{
	unsigned long limit = counter->hard;

	if (counter->open)
		limit = add_limits(limit, counter->reserve);
	WRITE_ONCE(counter->limit, limit);
	WRITE_ONCE(counter->gate, atomic64_read(&counter->fail_nth) ? 0 : limit);
}

/**
 * privheap_quota_set_limit() - set a hard limit, as its owner's birthright
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @limit: pages or PRIVHEAP_UNLIMITED; the ceiling as well
 */
void privheap_quota_set_limit(struct privheap_quota *quota, unsigned int resource,
			      unsigned long limit)
{
	struct privheap_counter *counter = &quota->counter[resource];

	spin_lock(&quota->watch_lock);
	WRITE_ONCE(counter->hard, limit);
	WRITE_ONCE(counter->ceiling, limit);
	counter_update(counter);
	spin_unlock(&quota->watch_lock);
}

/**
 * privheap_fail_nth() - is a charge the one that is to fail?
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 *
 * Counts the charge.
 *
 * Return: whether it has to be refused.
 */
bool privheap_fail_nth(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_counter *counter = &quota->counter[resource];
	s64 left = atomic64_dec_if_positive(&counter->fail_nth);

	if (left)
		return false;	/* not yet, or another charge was the one */
	spin_lock(&quota->watch_lock);
	counter_update(counter);
	spin_unlock(&quota->watch_lock);
	return true;
}

/* The part of privheap_soft_change() that is done under the lock. */
static void soft_change_locked(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_counter *counter = &quota->counter[resource];
	unsigned long usage;
	bool over;

	for (;;) {
		usage = atomic_long_read(&counter->usage);
		over = usage > counter->soft;
		if (over == counter->over)
			break;
		WRITE_ONCE(counter->over, over);
		trace_privheap_soft(quota->level, quota->subject, resource, usage,
				    counter->soft, over);
		privheap_event_soft(quota, resource, over);
		/*
		 * Who changes the counter now either finds what was just noted, or
		 * his change is found here.
		 */
		smp_mb();
	}
}

/*
 * Observers are told under the lock, and only when what they know is not so any
 * more: so they hear of both directions by turns, and last of what is true.
 */
void __privheap_soft_change(struct privheap_quota *quota, unsigned int resource)
{
	spin_lock(&quota->watch_lock);
	soft_change_locked(quota, resource);
	spin_unlock(&quota->watch_lock);
}

/* Are these values that such a subject can have? */
static int check_set(struct privheap_quota *quota, const struct privheap_limit_set *set)
{
	if (set->resource >= PRIVHEAP_RESOURCES || set->set & ~PRIVHEAP_SET_ALL)
		return -EINVAL;
	if (set->set & PRIVHEAP_SET_SOFT && set->soft != PRIVHEAP_NO_LIMIT &&
	    set->soft & (PAGE_SIZE - 1))
		return -EINVAL;
	if (set->set & PRIVHEAP_SET_HARD && set->hard != PRIVHEAP_NO_LIMIT &&
	    set->hard & (PAGE_SIZE - 1))
		return -EINVAL;
	if (set->set & PRIVHEAP_SET_RESERVE &&
	    (set->reserve & (PAGE_SIZE - 1) || quota->level > PRIVHEAP_LEVEL_PROCESS))
		return -EINVAL;
	if (set->set & PRIVHEAP_SET_FAIL_NTH && set->fail_nth > S64_MAX)
		return -EINVAL;
	return 0;
}

/* The hard limit and the reserve as they would be. */
static void would_be(struct privheap_counter *counter, const struct privheap_limit_set *set,
		     unsigned long *hard, unsigned long *reserve)
{
	*hard = set->set & PRIVHEAP_SET_HARD ? limit_pages(set->hard) : counter->hard;
	*reserve = set->set & PRIVHEAP_SET_RESERVE ? limit_pages(set->reserve) :
						     counter->reserve;
}

static bool below_ceiling(struct privheap_quota *quota, const struct privheap_limit_set *set)
{
	struct privheap_counter *counter = &quota->counter[set->resource];
	unsigned long hard, reserve;

	if (!(set->set & (PRIVHEAP_SET_HARD | PRIVHEAP_SET_RESERVE)))
		return true;
	would_be(counter, set, &hard, &reserve);
	return add_limits(hard, reserve) <= counter->ceiling;
}

static void apply_set(struct privheap_quota *quota, const struct privheap_limit_set *set,
		      bool privileged)
{
	struct privheap_counter *counter = &quota->counter[set->resource];
	unsigned long hard, reserve;

	would_be(counter, set, &hard, &reserve);
	if (privileged && set->set & PRIVHEAP_SET_HARD)
		WRITE_ONCE(counter->ceiling, add_limits(hard, reserve));
	else if (privileged && set->set & PRIVHEAP_SET_RESERVE)
		WRITE_ONCE(counter->ceiling,
			   max(counter->ceiling, add_limits(hard, reserve)));
	WRITE_ONCE(counter->hard, hard);
	WRITE_ONCE(counter->reserve, reserve);
	if (set->set & PRIVHEAP_SET_RESERVE) {
		WRITE_ONCE(counter->open, false);
		WRITE_ONCE(counter->denied, false);
	}
	if (set->set & PRIVHEAP_SET_FAIL_NTH)
		atomic64_set(&counter->fail_nth, set->fail_nth);
	counter_update(counter);

	if (set->set & PRIVHEAP_SET_SOFT) {
		unsigned long hooks = counter->hooks & ~PRIVHEAP_HOOK_SOFT;

		WRITE_ONCE(counter->soft, limit_pages(set->soft));
		/* Nothing is above no limit, and nobody needs to look. */
		if (counter->soft != PRIVHEAP_UNLIMITED)
			hooks |= PRIVHEAP_HOOK_SOFT;
		WRITE_ONCE(counter->hooks, hooks);
		/* As in soft_change_locked(). */
		smp_mb();
		soft_change_locked(quota, set->resource);
	}
	trace_privheap_limit_set(quota->level, quota->subject, set->resource, counter->soft,
				 hard, reserve, atomic64_read(&counter->fail_nth));
}

/**
 * privheap_quota_set() - set limits, all of them or none
 * @quota: the subject
 * @sets: what to set
 * @count: number of @sets
 * @privileged: the ceiling does not bind, and follows the hard limit
 *
 * Return: 0, -EINVAL for values that the subject cannot have, -EPERM beyond the
 * ceiling.
 */
int privheap_quota_set(struct privheap_quota *quota, const struct privheap_limit_set *sets,
		       unsigned int count, bool privileged)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = check_set(quota, &sets[i]);
		if (ret)
			return ret;
	}
	ret = 0;
	spin_lock(&quota->watch_lock);
	for (i = 0; i < count && !privileged; i++)
		if (!below_ceiling(quota, &sets[i]))
			ret = -EPERM;
	for (i = 0; i < count && !ret; i++)
		apply_set(quota, &sets[i], privileged);
	spin_unlock(&quota->watch_lock);
	return ret;
}

/**
 * privheap_quota_open_reserve() - let a program that was refused unwind
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 *
 * Return: 0, -ENODATA without a reserve, -EALREADY when it is open, -EAGAIN when
 * nothing was refused since it was set.
 */
int privheap_quota_open_reserve(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_counter *counter = &quota->counter[resource];
	int ret = 0;

	spin_lock(&quota->watch_lock);
	if (!counter->reserve) {
		ret = -ENODATA;
	} else if (counter->open) {
		ret = -EALREADY;
	} else if (!READ_ONCE(counter->denied)) {
		ret = -EAGAIN;
	} else {
		WRITE_ONCE(counter->open, true);
		counter_update(counter);
	}
	spin_unlock(&quota->watch_lock);
	return ret;
}

/**
 * privheap_quota_limited() - is there anything that was set?
 * @quota: a process, user or cgroup, which begin without limits
 *
 * Return: whether anything is not as it was in the beginning.
 */
bool privheap_quota_limited(struct privheap_quota *quota)
{
	unsigned int i;

	for (i = 0; i < PRIVHEAP_RESOURCES; i++) {
		struct privheap_counter *counter = &quota->counter[i];

		if (READ_ONCE(counter->soft) != PRIVHEAP_UNLIMITED ||
		    READ_ONCE(counter->hard) != PRIVHEAP_UNLIMITED ||
		    READ_ONCE(counter->ceiling) != PRIVHEAP_UNLIMITED ||
		    READ_ONCE(counter->reserve) || atomic64_read(&counter->fail_nth))
			return true;
	}
	return false;
}

/**
 * privheap_quota_read() - a subject as observers see it
 * @quota: the subject
 * @info: result; its pid is NULL
 *
 * Takes no lock: each number is right, but not all at one moment.
 */
void privheap_quota_read(struct privheap_quota *quota, struct privheap_quota_info *info)
{
	unsigned int i;

	info->level = quota->level;
	info->uid = quota->uid;
	info->subject = quota->subject;
	info->regions = atomic_long_read(&quota->regions);
	info->reserved = to_bytes(atomic_long_read(&quota->reserved));
	info->faults = atomic_long_read(&quota->faults);
	info->denials = atomic_long_read(&quota->denials);
	info->pid = NULL;
	for (i = 0; i < PRIVHEAP_RESOURCES; i++) {
		struct privheap_counter_info *to = &info->counter[i];
		struct privheap_counter *counter = &quota->counter[i];

		to->usage = to_bytes(privheap_quota_usage(quota, i));
		to->peak = to_bytes(privheap_quota_peak(quota, i));
		to->soft = limit_bytes(READ_ONCE(counter->soft));
		to->hard = limit_bytes(READ_ONCE(counter->hard));
		to->ceiling = limit_bytes(READ_ONCE(counter->ceiling));
		to->reserve = to_bytes(READ_ONCE(counter->reserve));
		to->fail_nth = atomic64_read(&counter->fail_nth);
		to->denials = atomic_long_read(&counter->denials);
		to->reserve_open = READ_ONCE(counter->open);
	}
}
