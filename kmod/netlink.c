// SPDX-License-Identifier: GPL-2.0-only
/* The generic netlink family, and what is asked of single objects. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/privheap_netlink.h>

#include "event.h"
#include "netlink.h"
#include "netlink_put.h"
#include "number.h"
#include "subject.h"
#include "viewer.h"

MODULE_ALIAS_NET_PF_PROTO_NAME(PF_NETLINK, NETLINK_GENERIC,
			       "-family-" PRIVHEAP_FAMILY_NAME);

/* All but (uid_t)-1. Not const for 6.1, where no pointer to such a one is. */
static struct netlink_range_validation uid_range = {
	.max = U32_MAX - 1,
};

/*
 * Kernels before 6.2 have one policy for a command, and not one for requests and
 * one for dumps; so the handlers look for what belongs to the other.
 */
static const struct nla_policy region_get_policy[] = {
	[PRIVHEAP_A_REGION_ID] = { .type = NLA_U64 },
	[PRIVHEAP_A_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[PRIVHEAP_A_UID] = NLA_POLICY_FULL_RANGE(NLA_U32, &uid_range),
	[PRIVHEAP_A_CGROUP] = { .type = NLA_U64 },
	[PRIVHEAP_A_CELLS] = NLA_POLICY_RANGE(NLA_U32, 1, PRIVHEAP_CELLS_MAX),
};

static const struct nla_policy quota_get_policy[] = {
	[PRIVHEAP_A_LEVEL] = NLA_POLICY_RANGE(NLA_U32, PRIVHEAP_LEVEL_REGION,
					      PRIVHEAP_LEVEL_SYSTEM),
	[PRIVHEAP_A_SUBJECT] = { .type = NLA_U64 },
};

static int put_region_message(struct sk_buff *skb, struct genl_info *info,
			      const struct privheap_viewer *viewer,
			      const struct privheap_region_info *region,
			      const u64 *pairs, unsigned int cells)
{
	void *header = genlmsg_put_reply(skb, info, &privheap_family, 0,
					 PRIVHEAP_CMD_REGION_GET);

	if (!header || privheap_put_region(skb, viewer, region) ||
	    (pairs && privheap_put_map(skb, pairs, cells)))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

static int region_get_doit(struct sk_buff *request, struct genl_info *info)
{
	struct privheap_region_info region;
	struct privheap_viewer viewer;
	size_t size = PRIVHEAP_MESSAGE_SIZE;
	unsigned int cells = 0;
	struct sk_buff *skb;
	u64 *pairs = NULL;
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, PRIVHEAP_A_REGION_ID)) {
		GENL_SET_ERR_MSG(info, "REGION_ID is missing");
		return -EINVAL;
	}
	ret = privheap_refuse_filters(info);
	if (ret)
		return ret;
	if (info->attrs[PRIVHEAP_A_CELLS]) {
		cells = nla_get_u32(info->attrs[PRIVHEAP_A_CELLS]);
		size += cells * 2 * sizeof(*pairs);
		pairs = kvmalloc_array(cells, 2 * sizeof(*pairs), GFP_KERNEL_ACCOUNT);
		if (!pairs)
			return -ENOMEM;
	}
	skb = genlmsg_new(size, GFP_KERNEL);
	if (!skb) {
		ret = -ENOMEM;
		goto free_pairs;
	}

	privheap_viewer_init(&viewer, request);
	ret = privheap_number_find(nla_get_u64(info->attrs[PRIVHEAP_A_REGION_ID]),
				   &region);
	if (ret)
		goto not_there;
	if (!privheap_viewer_sees_region(&viewer, &region)) {
		ret = -ENOENT;
	} else {
		if (pairs)
			ret = privheap_number_map(region.quota.subject, cells, pairs,
						  &cells);
		if (!ret)
			ret = put_region_message(skb, info, &viewer, &region, pairs,
						 cells);
	}
	put_pid(region.pid);
	if (ret)
		goto not_there;
	kvfree(pairs);
	return genlmsg_reply(skb, info);

not_there:
	if (ret == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PRIVHEAP_A_REGION_ID],
				    "REGION_ID: no such region");
	nlmsg_free(skb);
free_pairs:
	kvfree(pairs);
	return ret;
}

/**
 * privheap_require_subject() - the subject that a request names
 * @info: the request, with LEVEL and SUBJECT
 * @viewer: who sent it
 * @level: PRIVHEAP_LEVEL_*
 * @subject: its id, as the initial namespaces know it
 *
 * Return: 0, -EINVAL or -ENOENT, with a message.
 */
int privheap_require_subject(struct genl_info *info, const struct privheap_viewer *viewer,
			     u32 *level, u64 *subject)
{
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, PRIVHEAP_A_LEVEL)) {
		GENL_SET_ERR_MSG(info, "LEVEL is missing");
		return -EINVAL;
	}
	if (GENL_REQ_ATTR_CHECK(info, PRIVHEAP_A_SUBJECT)) {
		GENL_SET_ERR_MSG(info, "SUBJECT is missing");
		return -EINVAL;
	}
	*level = nla_get_u32(info->attrs[PRIVHEAP_A_LEVEL]);
	*subject = nla_get_u64(info->attrs[PRIVHEAP_A_SUBJECT]);
	ret = privheap_viewer_find_subject(viewer, *level, subject);
	if (ret == -EINVAL)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PRIVHEAP_A_SUBJECT],
				    "SUBJECT: no subject of this level has such an id");
	else if (ret)
		privheap_no_subject(info);
	return ret;
}

/**
 * privheap_no_subject() - say that there is no such subject
 * @info: the request
 */
void privheap_no_subject(struct genl_info *info)
{
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PRIVHEAP_A_SUBJECT],
			    "SUBJECT: no such region, process or cgroup");
}

/**
 * privheap_put_quota_message() - fill a reply with a quota
 * @skb: the reply
 * @info: the request
 * @viewer: who sent it
 * @quota: the quota
 * @command: PRIVHEAP_CMD_*
 *
 * Return: 0 or -EMSGSIZE.
 */
int privheap_put_quota_message(struct sk_buff *skb, struct genl_info *info,
			       const struct privheap_viewer *viewer,
			       const struct privheap_quota_info *quota, u8 command)
{
	void *header = genlmsg_put_reply(skb, info, &privheap_family, 0, command);

	if (!header || privheap_put_quota(skb, viewer, quota))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

/**
 * privheap_visible_quota() - find a quota, if it may be seen
 * @viewer: by whom
 * @level: PRIVHEAP_LEVEL_*
 * @subject: id in the initial namespaces
 * @quota: the quota; @quota->pid is the caller's to put
 *
 * Return: 0 or -ENOENT.
 */
int privheap_visible_quota(const struct privheap_viewer *viewer, u32 level, u64 subject,
			   struct privheap_quota_info *quota)
{
	struct privheap_region_info region;
	bool seen;
	int ret;

	if (level == PRIVHEAP_LEVEL_REGION) {
		ret = privheap_number_find(subject, &region);
		if (ret)
			return ret;
		seen = privheap_viewer_sees_region(viewer, &region);
		put_pid(region.pid);
		*quota = region.quota;
		quota->pid = NULL;
	} else {
		ret = privheap_subject_find(level, subject, quota);
		if (ret)
			return ret;
		seen = privheap_viewer_sees_quota(viewer, quota);
	}
	if (seen)
		return 0;
	put_pid(quota->pid);
	return -ENOENT;
}

static int quota_get_doit(struct sk_buff *request, struct genl_info *info)
{
	struct privheap_quota_info quota;
	struct privheap_viewer viewer;
	struct sk_buff *skb;
	u64 subject;
	u32 level;
	int ret;

	privheap_viewer_init(&viewer, request);
	ret = privheap_require_subject(info, &viewer, &level, &subject);
	if (ret)
		return ret;
	skb = genlmsg_new(PRIVHEAP_MESSAGE_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	ret = privheap_visible_quota(&viewer, level, subject, &quota);
	if (ret) {
		privheap_no_subject(info);
		goto free_skb;
	}
	ret = privheap_put_quota_message(skb, info, &viewer, &quota,
					 PRIVHEAP_CMD_QUOTA_GET);
	put_pid(quota.pid);
	if (ret)
		goto free_skb;
	return genlmsg_reply(skb, info);

free_skb:
	nlmsg_free(skb);
	return ret;
}

static const struct genl_ops privheap_ops[] = {
	{
		.cmd = PRIVHEAP_CMD_REGION_GET,
		.policy = region_get_policy,
		.maxattr = ARRAY_SIZE(region_get_policy) - 1,
		.doit = region_get_doit,
		.start = privheap_region_dump_start,
		.dumpit = privheap_region_dumpit,
		.done = privheap_dump_done,
	},
	{
		.cmd = PRIVHEAP_CMD_QUOTA_GET,
		.policy = quota_get_policy,
		.maxattr = ARRAY_SIZE(quota_get_policy) - 1,
		.doit = quota_get_doit,
		.start = privheap_quota_dump_start,
		.dumpit = privheap_quota_dumpit,
		.done = privheap_dump_done,
	},
	{
		.cmd = PRIVHEAP_CMD_QUOTA_SET,
		.policy = privheap_quota_set_policy,
		.maxattr = ARRAY_SIZE(privheap_quota_set_policy) - 1,
		.doit = privheap_quota_set_doit,
	},
};

static const struct genl_multicast_group privheap_groups[] = {
	[PRIVHEAP_GROUP_EVENTS] = {
		.name = PRIVHEAP_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

/*
 * Memory belongs to no network namespace, and events tell of all users and
 * processes: so the family is there in the initial one only.
 */
struct genl_family privheap_family __ro_after_init = {
	.name = PRIVHEAP_FAMILY_NAME,
	.version = PRIVHEAP_FAMILY_VERSION,
	.module = THIS_MODULE,
	.parallel_ops = true,
	.ops = privheap_ops,
	.n_ops = ARRAY_SIZE(privheap_ops),
	.mcgrps = privheap_groups,
	.n_mcgrps = ARRAY_SIZE(privheap_groups),
};

/**
 * privheap_netlink_init() - at the module's load
 *
 * Return: 0 or a negative errno.
 */
int __init privheap_netlink_init(void)
{
	int ret = genl_register_family(&privheap_family);

	if (!ret)
		privheap_event_start();
	return ret;
}

/**
 * privheap_netlink_exit() - at the module's unload, when there are no regions
 */
void privheap_netlink_exit(void)
{
	privheap_event_stop();
	genl_unregister_family(&privheap_family);
}
