// SPDX-License-Identifier: GPL-2.0-only
/* Regions and quotas as attributes of netlink messages. */
#include <linux/pid.h>
#include <linux/privheap_netlink.h>
#include <linux/user_namespace.h>
#include <net/netlink.h>

#include "netlink_put.h"
#include "number.h"
#include "subject.h"
#include "viewer.h"

static int put_counter(struct sk_buff *skb, int attribute,
		       const struct privheap_counter_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, attribute);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_USAGE, info->usage,
			      PRIVHEAP_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_PEAK, info->peak,
			      PRIVHEAP_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_SOFT, info->soft,
			      PRIVHEAP_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_HARD, info->hard,
			      PRIVHEAP_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_RESERVE, info->reserve,
			      PRIVHEAP_A_COUNTER_PAD) ||
	    (info->reserve_open &&
	     nla_put_flag(skb, PRIVHEAP_A_COUNTER_RESERVE_OPEN)) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_FAIL_NTH, info->fail_nth,
			      PRIVHEAP_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_COUNTER_DENIALS, info->denials,
			      PRIVHEAP_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What regions and quotas have in common. */
static int put_counters(struct sk_buff *skb, const struct privheap_quota_info *info)
{
	if (nla_put_u64_64bit(skb, PRIVHEAP_A_RESERVED, info->reserved, PRIVHEAP_A_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_FAULTS, info->faults, PRIVHEAP_A_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_DENIALS, info->denials, PRIVHEAP_A_PAD) ||
	    put_counter(skb, PRIVHEAP_A_COMMIT,
			&info->counter[PRIVHEAP_RESOURCE_COMMIT]) ||
	    put_counter(skb, PRIVHEAP_A_RESIDENT,
			&info->counter[PRIVHEAP_RESOURCE_RESIDENT]))
		return -EMSGSIZE;
	return 0;
}

/**
 * privheap_put_region() - add the attributes of a region
 * @skb: the message
 * @viewer: who gets it, and may see the region
 * @info: the region
 *
 * Return: 0 or -EMSGSIZE; then a part of them may be there.
 */
int privheap_put_region(struct sk_buff *skb, const struct privheap_viewer *viewer,
			const struct privheap_region_info *info)
{
	if (nla_put_u64_64bit(skb, PRIVHEAP_A_REGION_ID, info->quota.subject,
			      PRIVHEAP_A_PAD) ||
	    (privheap_viewer_sees_base(viewer, info) &&
	     nla_put_u64_64bit(skb, PRIVHEAP_A_BASE, info->base, PRIVHEAP_A_PAD)) ||
	    nla_put_u32(skb, PRIVHEAP_A_FLAGS, info->flags) ||
	    nla_put_u32(skb, PRIVHEAP_A_PID, pid_nr_ns(info->pid, viewer->pid_ns)) ||
	    nla_put_u32(skb, PRIVHEAP_A_UID, from_kuid(viewer->user_ns, info->uid)) ||
	    (info->cgroup_id &&
	     nla_put_u64_64bit(skb, PRIVHEAP_A_CGROUP, info->cgroup_id, PRIVHEAP_A_PAD)))
		return -EMSGSIZE;
	return put_counters(skb, &info->quota);
}

/**
 * privheap_put_quota() - add the attributes of a quota
 * @skb: the message
 * @viewer: who gets it, and may see the quota
 * @info: the quota
 *
 * Return: 0 or -EMSGSIZE; then a part of them may be there.
 */
int privheap_put_quota(struct sk_buff *skb, const struct privheap_viewer *viewer,
		       const struct privheap_quota_info *info)
{
	if (nla_put_u32(skb, PRIVHEAP_A_LEVEL, info->level) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_SUBJECT, privheap_viewer_subject(viewer, info),
			      PRIVHEAP_A_PAD) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_REGIONS, info->regions, PRIVHEAP_A_PAD))
		return -EMSGSIZE;
	return put_counters(skb, info);
}

/**
 * privheap_put_map() - add the map of a region
 * @skb: the message
 * @pairs: for each cell its committed and its resident bytes
 * @cells: number of cells
 *
 * Return: 0 or -EMSGSIZE.
 */
int privheap_put_map(struct sk_buff *skb, const u64 *pairs, unsigned int cells)
{
	if (nla_put_u32(skb, PRIVHEAP_A_CELLS, cells) ||
	    nla_put_64bit(skb, PRIVHEAP_A_MAP, cells * 2 * sizeof(*pairs), pairs,
			  PRIVHEAP_A_PAD))
		return -EMSGSIZE;
	return 0;
}
