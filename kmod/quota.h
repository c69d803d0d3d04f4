/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hierarchical counters and limits. Nothing here knows of pages or files: the
 * tests also compile it as a program (selftests/quota_unit_test.c).
 */
#ifndef PRIVHEAP_QUOTA_H
#define PRIVHEAP_QUOTA_H

#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/privheap.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct pid;

#define PRIVHEAP_RESOURCES	2
#define PRIVHEAP_UNLIMITED	((unsigned long)LONG_MAX)

/* What a change of a counter has to be followed by; privheap_counter.hooks. */
#define PRIVHEAP_HOOK_WATCH	0x1	/* there are thresholds, see notify.c */
#define PRIVHEAP_HOOK_SOFT	0x2	/* there is a soft limit, see limit.c */

/* Beside the level that refused a charge: fail_nth did, no limit was reached. */
#define PRIVHEAP_INJECTED	0x100

/**
 * struct privheap_counter - one resource of one subject, in pages
 * @usage: what is charged now
 * @gate: what a charge compares with first: @limit, or 0 while @fail_nth counts
 * @hooks: PRIVHEAP_HOOK_*
 * @peak: the highest @usage before the last time it fell
 * @limit: in force: @hard, with @reserve while that is open; no charge may take
 *	@usage above it; a sum with a charge cannot overflow
 * @soft: soft limit
 * @hard: hard limit
 * @ceiling: what the program may set @hard and @reserve together to
 * @reserve: what may be opened once after a denial
 * @fail_nth: so many charges from now on one fails; 0 for none
 * @denials: charges that this very limit refused
 * @open: the reserve is open
 * @denied: a charge was refused since the reserve was set
 * @over: the last that observers were told: @usage is above @soft
 *
 * Charges read what they need without a lock and set only atomics and @denied;
 * all else is set under the quota's watch_lock.
 */
struct privheap_counter {
	atomic_long_t usage;
	unsigned long gate;
	unsigned long hooks;
	atomic_long_t peak;
	unsigned long limit;
	unsigned long soft;
	unsigned long hard;
	unsigned long ceiling;
	unsigned long reserve;
	atomic64_t fail_nth;
	atomic_long_t denials;
	bool open;
	bool denied;
	bool over;
};

/**
 * struct privheap_quota - counters of one subject
 * @level: PRIVHEAP_LEVEL_*
 * @subject: the region's number, the process's id, the user's id (both as the
 *	initial namespace knows them), the cgroup's id, or 0
 * @uid: the owner of a region or process, or the user; else root
 * @counter: by PRIVHEAP_RESOURCE_*
 * @regions: number of regions
 * @reserved: pages of address space
 * @faults: page faults that took pages
 * @denials: charges refused, here or further out
 * @watch_lock: guards @watches and the limits; innermost, nothing is taken
 *	under it but what eventfd_signal() and privheap_event_soft() take
 * @watches: struct privheap_watch, thresholds on the counters
 */
struct privheap_quota {
	unsigned int level;
	kuid_t uid;
	u64 subject;
	struct privheap_counter counter[PRIVHEAP_RESOURCES];
	atomic_long_t regions;
	atomic_long_t reserved;
	atomic_long_t faults;
	atomic_long_t denials;
	spinlock_t watch_lock;	/* guards @watches and limits; innermost */
	struct list_head watches;
};

/* Levels that need no memory of their own: a cgroup of a cgroup of the root's. */
#define PRIVHEAP_ACCOUNT_LEVELS	8

/**
 * struct privheap_account - a region, and all that is charged with it
 * @quota: the region's own counters
 * @levels: number of quotas in @level
 * @level: every quota that a charge is made on, innermost first, @quota the
 *	first; the owner holds references to the others
 * @builtin: what @level points to while @levels is small
 *
 * Charging takes no lock. A charge is granted by every level or by none; one
 * that an outer level refuses is undone on the inner ones, which see it for
 * that moment.
 */
struct privheap_account {
	struct privheap_quota quota;
	unsigned int levels;
	struct privheap_quota **level;
	struct privheap_quota *builtin[PRIVHEAP_ACCOUNT_LEVELS];
};

/**
 * struct privheap_counter_info - a counter as observers see it, in bytes
 * @usage: what is charged now
 * @peak: the highest @usage there was
 * @soft: soft limit or PRIVHEAP_NO_LIMIT
 * @hard: hard limit or PRIVHEAP_NO_LIMIT
 * @ceiling: what the program may set @hard and @reserve to, or PRIVHEAP_NO_LIMIT
 * @reserve: what may be opened once after a denial
 * @fail_nth: so many charges from now on one fails; 0 for none
 * @denials: charges that this very limit refused
 * @reserve_open: the reserve is open
 */
struct privheap_counter_info {
	u64 usage;
	u64 peak;
	u64 soft;
	u64 hard;
	u64 ceiling;
	u64 reserve;
	u64 fail_nth;
	u64 denials;
	bool reserve_open;
};

/**
 * struct privheap_quota_info - a quota as observers see it
 * @level: PRIVHEAP_LEVEL_*
 * @uid: as in struct privheap_quota
 * @subject: as in struct privheap_quota
 * @regions: number of regions
 * @reserved: bytes of address space
 * @faults: page faults that took pages
 * @denials: charges refused, here or further out
 * @counter: by PRIVHEAP_RESOURCE_*
 * @pid: of a process, with a reference that the receiver puts; else NULL
 */
struct privheap_quota_info {
	u32 level;
	kuid_t uid;
	u64 subject;
	u64 regions;
	u64 reserved;
	u64 faults;
	u64 denials;
	struct privheap_counter_info counter[PRIVHEAP_RESOURCES];
	struct pid *pid;
};

/**
 * struct privheap_limit_set - what is to be set of one resource
 * @resource: PRIVHEAP_RESOURCE_*
 * @set: PRIVHEAP_SET_*
 * @soft: bytes or PRIVHEAP_NO_LIMIT
 * @hard: bytes or PRIVHEAP_NO_LIMIT
 * @reserve: bytes
 * @fail_nth: number of charges, 0 for none
 */
struct privheap_limit_set {
	u32 resource;
	u32 set;
	u64 soft;
	u64 hard;
	u64 reserve;
	u64 fail_nth;
};

/* The outermost level. */
extern struct privheap_quota privheap_system_quota;

/* quota.c */
void privheap_quota_init(struct privheap_quota *quota, unsigned int level, u64 subject,
			 kuid_t uid);
unsigned int privheap_charge(struct privheap_account *account, unsigned int resource,
			     unsigned long nr);
unsigned int privheap_try_charge(struct privheap_account *account, unsigned int resource,
				 unsigned long nr);
void privheap_uncharge(struct privheap_account *account, unsigned int resource,
		       unsigned long nr);
void privheap_cancel(struct privheap_account *account, unsigned int resource,
		     unsigned long nr);
unsigned long privheap_room(struct privheap_account *account, unsigned int resource);
void privheap_count_fault(struct privheap_account *account);
void privheap_account_add(struct privheap_account *account, unsigned long reserved);
void privheap_account_remove(struct privheap_account *account, unsigned long reserved);
unsigned long privheap_quota_peak(struct privheap_quota *quota, unsigned int resource);

/* limit.c */
void privheap_quota_set_limit(struct privheap_quota *quota, unsigned int resource,
			      unsigned long limit);
int privheap_quota_set(struct privheap_quota *quota, const struct privheap_limit_set *sets,
		       unsigned int count, bool privileged);
int privheap_quota_open_reserve(struct privheap_quota *quota, unsigned int resource);
bool privheap_quota_limited(struct privheap_quota *quota);
void privheap_quota_read(struct privheap_quota *quota, struct privheap_quota_info *info);
bool privheap_fail_nth(struct privheap_quota *quota, unsigned int resource);
void __privheap_soft_change(struct privheap_quota *quota, unsigned int resource);

/* What is charged, in pages. */
static inline unsigned long privheap_quota_usage(struct privheap_quota *quota,
						 unsigned int resource)
{
	return atomic_long_read(&quota->counter[resource].usage);
}

/* The limit in force, in pages. */
static inline unsigned long privheap_quota_limit(struct privheap_quota *quota,
						 unsigned int resource)
{
	return READ_ONCE(quota->counter[resource].limit);
}

/*
 * After every change of a counter, and after a change of its soft limit: are
 * observers to be told? Either this sees the other's change, or the other, who
 * looks again after he has told, sees this one's; see __privheap_soft_change().
 */
static inline void privheap_soft_change(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_counter *counter = &quota->counter[resource];
	unsigned long usage = atomic_long_read(&counter->usage);
	bool over = usage > READ_ONCE(counter->soft);

	if (over != READ_ONCE(counter->over))
		__privheap_soft_change(quota, resource);
}

#endif /* PRIVHEAP_QUOTA_H */
