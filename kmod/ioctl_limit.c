// SPDX-License-Identifier: GPL-2.0-only
/* PRIVHEAP_IOC_LIMIT: a program's limits of its own. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "ioctl.h"
#include "process.h"
#include "region.h"

#define LIMIT_FLAGS	(PRIVHEAP_LIMIT_PROCESS | PRIVHEAP_LIMIT_OPEN_RESERVE)
#define LIMIT_SETS	(PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD | \
			 PRIVHEAP_SET_RESERVE | PRIVHEAP_SET_FAIL_NTH)

/* What does not depend on whose limits they are. */
static bool limit_is_valid(const struct privheap_limit *arg)
{
	if (arg->flags & ~LIMIT_FLAGS || arg->set & ~LIMIT_SETS || arg->reserved ||
	    arg->resource >= PRIVHEAP_RESOURCES)
		return false;
	if (arg->flags & PRIVHEAP_LIMIT_PROCESS && arg->base)
		return false;
	return !(arg->flags & PRIVHEAP_LIMIT_OPEN_RESERVE && arg->set);
}

static int limit_apply(struct privheap_quota *quota, struct privheap_limit *arg)
{
	struct privheap_limit_set set = {
		.resource = arg->resource,
		.set = arg->set,
		.soft = arg->soft,
		.hard = arg->hard,
		.reserve = arg->reserve,
		.fail_nth = arg->fail_nth,
	};

	if (arg->flags & PRIVHEAP_LIMIT_OPEN_RESERVE)
		return privheap_quota_open_reserve(quota, arg->resource);
	return arg->set ? privheap_quota_set(quota, &set, 1, false) : 0;
}

static void limit_tell(struct privheap_quota *quota, struct privheap_limit *arg)
{
	struct privheap_counter_info *counter;
	struct privheap_quota_info info;

	privheap_quota_read(quota, &info);
	counter = &info.counter[arg->resource];
	arg->out_soft = counter->soft;
	arg->out_hard = counter->hard;
	arg->out_reserve = counter->reserve;
	arg->out_fail_nth = counter->fail_nth;
	arg->out_ceiling = counter->ceiling;
	arg->out_usage = counter->usage;
	arg->out_peak = counter->peak;
	arg->out_denials = counter->denials;
	arg->out_reserve_open = counter->reserve_open;
}

static int limit_of_process(struct privheap_limit *arg)
{
	/* As with QUERY, it is known as soon as it asks. */
	struct privheap_process *process = privheap_process_get_current();
	int ret;

	if (IS_ERR(process))
		return PTR_ERR(process);
	ret = limit_apply(&process->subject.quota, arg);
	privheap_subject_limits_changed(&process->subject);
	if (!ret)
		limit_tell(&process->subject.quota, arg);
	privheap_process_put(process);
	return ret;
}

/**
 * privheap_ioctl_limit() - PRIVHEAP_IOC_LIMIT
 * @process: the current process or NULL
 * @argument: its struct
 *
 * Return: 0 or a negative errno, see the uapi header.
 */
int privheap_ioctl_limit(struct privheap_process *process, union privheap_argument *argument)
{
	struct privheap_limit *arg = &argument->limit;
	struct privheap_region *region;
	int ret;

	if (!limit_is_valid(arg))
		return -EINVAL;
	arg->resource = array_index_nospec(arg->resource, PRIVHEAP_RESOURCES);
	if (arg->flags & PRIVHEAP_LIMIT_PROCESS)
		return limit_of_process(arg);

	region = privheap_ioctl_region(process, arg->base, false);
	if (!region)
		return -ENOENT;
	ret = limit_apply(&region->account.quota, arg);
	if (!ret)
		limit_tell(&region->account.quota, arg);
	privheap_region_put(region);
	return ret;
}
