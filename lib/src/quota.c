// SPDX-License-Identifier: MIT
/* Counting and limiting what is committed: see quota.h. */
#include <errno.h>

#include "quota.h"

#define SET_ALL	(PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD | \
		 PRIVHEAP_SET_RESERVE | PRIVHEAP_SET_FAIL_NTH)

/* With nothing above PRIVHEAP_NO_LIMIT. */
static uint64_t limit_sum(uint64_t hard, uint64_t reserve)
{
	uint64_t sum;

	return __builtin_add_overflow(hard, reserve, &sum) ?
	       PRIVHEAP_NO_LIMIT : sum;
}

uint64_t quota_in_force(const struct quota *quota)
{
	return quota->reserve_open ? limit_sum(quota->hard, quota->reserve) :
				     quota->hard;
}

bool quota_ask(struct quota *quota, uint64_t bytes)
{
	uint64_t limit = quota_in_force(quota);
	bool fails = quota->fail_nth && !--quota->fail_nth;

	if (likely(!fails && quota->usage <= limit &&
		   bytes <= limit - quota->usage))
		return true;
	quota->refused++;
	quota->denials++;
	quota->reserve_due = true;
	return false;
}

void quota_charge(struct quota *quota, uint64_t bytes)
{
	quota->usage += bytes;
	if (quota->usage > quota->peak)
		quota->peak = quota->usage;
}

void quota_uncharge(struct quota *quota, uint64_t bytes)
{
	quota->usage -= bytes;
}

static bool limit_valid(uint64_t limit)
{
	return limit == PRIVHEAP_NO_LIMIT || page_aligned(limit);
}

static int quota_open_reserve(struct quota *quota)
{
	if (!quota->reserve)
		return -ENODATA;
	if (quota->reserve_open)
		return -EALREADY;
	if (!quota->reserve_due)
		return -EAGAIN;
	quota->reserve_open = true;
	return 0;
}

static int quota_set(struct quota *quota, const struct privheap_limit *arg)
{
	uint64_t hard = quota->hard, reserve = quota->reserve;

	if (arg->set & PRIVHEAP_SET_HARD)
		hard = arg->hard;
	if (arg->set & PRIVHEAP_SET_RESERVE)
		reserve = arg->reserve;
	if (!limit_valid(hard) || !page_aligned(reserve))
		return -EINVAL;
	if ((arg->set & PRIVHEAP_SET_SOFT) && !limit_valid(arg->soft))
		return -EINVAL;
	if ((arg->set & (PRIVHEAP_SET_HARD | PRIVHEAP_SET_RESERVE)) &&
	    limit_sum(hard, reserve) > quota->ceiling)
		return -EPERM;

	quota->hard = hard;
	if (arg->set & PRIVHEAP_SET_RESERVE) {
		quota->reserve = reserve;
		quota->reserve_open = false;
		quota->reserve_due = false;
	}
	if (arg->set & PRIVHEAP_SET_SOFT)
		quota->soft = arg->soft;
	if (arg->set & PRIVHEAP_SET_FAIL_NTH)
		quota->fail_nth = arg->fail_nth;
	return 0;
}

int quota_limit(struct quota *quota, struct privheap_limit *arg)
{
	bool open = arg->flags & PRIVHEAP_LIMIT_OPEN_RESERVE;
	int err;

	if (arg->set & ~SET_ALL || (open && arg->set) ||
	    (arg->set & PRIVHEAP_SET_FAIL_NTH && arg->fail_nth > INT64_MAX))
		return -EINVAL;
	err = open ? quota_open_reserve(quota) : quota_set(quota, arg);
	if (err)
		return err;

	arg->out_soft = quota->soft;
	arg->out_hard = quota->hard;
	arg->out_reserve = quota->reserve;
	arg->out_fail_nth = quota->fail_nth;
	arg->out_ceiling = quota->ceiling;
	arg->out_usage = quota->usage;
	arg->out_peak = quota->peak;
	arg->out_denials = quota->refused;
	arg->out_reserve_open = quota->reserve_open;
	return 0;
}
