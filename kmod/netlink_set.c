// SPDX-License-Identifier: GPL-2.0-only
/* QUOTA_SET. */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/pid.h>

#include "netlink.h"
#include "netlink_put.h"
#include "subject.h"
#include "viewer.h"

#define CANNOT_BE_SET(name) {						\
	.type = NLA_REJECT, .reject_message = name " cannot be set",	\
}

static const struct nla_policy counter_policy[] = {
	[PRIVHEAP_A_COUNTER_USAGE] = CANNOT_BE_SET("USAGE"),
	[PRIVHEAP_A_COUNTER_PEAK] = CANNOT_BE_SET("PEAK"),
	[PRIVHEAP_A_COUNTER_SOFT] = { .type = NLA_U64 },
	[PRIVHEAP_A_COUNTER_HARD] = { .type = NLA_U64 },
	[PRIVHEAP_A_COUNTER_RESERVE] = { .type = NLA_U64 },
	[PRIVHEAP_A_COUNTER_RESERVE_OPEN] = CANNOT_BE_SET("RESERVE_OPEN"),
	[PRIVHEAP_A_COUNTER_FAIL_NTH] = { .type = NLA_U64 },
	[PRIVHEAP_A_COUNTER_DENIALS] = CANNOT_BE_SET("DENIALS"),
};

const struct nla_policy privheap_quota_set_policy[] = {
	[PRIVHEAP_A_LEVEL] = NLA_POLICY_RANGE(NLA_U32, PRIVHEAP_LEVEL_REGION,
					      PRIVHEAP_LEVEL_SYSTEM),
	[PRIVHEAP_A_SUBJECT] = { .type = NLA_U64 },
	[PRIVHEAP_A_COMMIT] = NLA_POLICY_NESTED(counter_policy),
	[PRIVHEAP_A_RESIDENT] = NLA_POLICY_NESTED(counter_policy),
};

/* A soft or hard limit: whole pages, or none. */
static int get_limit(struct nlattr *attr, u64 *limit, struct netlink_ext_ack *extack)
{
	*limit = nla_get_u64(attr);
	if (*limit == PRIVHEAP_NO_LIMIT || IS_ALIGNED(*limit, PAGE_SIZE))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "SOFT, HARD: neither a multiple of the page size nor no limit");
	return -EINVAL;
}

static int get_reserve(struct nlattr *attr, u32 level, u64 *reserve,
		       struct netlink_ext_ack *extack)
{
	*reserve = nla_get_u64(attr);
	if (level != PRIVHEAP_LEVEL_REGION && level != PRIVHEAP_LEVEL_PROCESS) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "RESERVE: for a region or a process only");
		return -EINVAL;
	}
	if (IS_ALIGNED(*reserve, PAGE_SIZE) && *reserve <= S64_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "RESERVE: not a multiple of the page size below 2^63");
	return -EINVAL;
}

/* What to set of one resource. */
static int get_counter(struct genl_info *info, int attribute, u32 resource, u32 level,
		       struct privheap_limit_set *set)
{
	struct nlattr *attrs[ARRAY_SIZE(counter_policy)];
	struct netlink_ext_ack *extack = info->extack;
	int ret;

	memset(set, 0, sizeof(*set));
	set->resource = resource;
	ret = nla_parse_nested(attrs, ARRAY_SIZE(counter_policy) - 1,
			       info->attrs[attribute], counter_policy, extack);
	if (ret)
		return ret;
	if (attrs[PRIVHEAP_A_COUNTER_SOFT]) {
		set->set |= PRIVHEAP_SET_SOFT;
		ret = get_limit(attrs[PRIVHEAP_A_COUNTER_SOFT], &set->soft, extack);
		if (ret)
			return ret;
	}
	if (attrs[PRIVHEAP_A_COUNTER_HARD]) {
		set->set |= PRIVHEAP_SET_HARD;
		ret = get_limit(attrs[PRIVHEAP_A_COUNTER_HARD], &set->hard, extack);
		if (ret)
			return ret;
	}
	if (attrs[PRIVHEAP_A_COUNTER_RESERVE]) {
		set->set |= PRIVHEAP_SET_RESERVE;
		ret = get_reserve(attrs[PRIVHEAP_A_COUNTER_RESERVE], level,
				  &set->reserve, extack);
		if (ret)
			return ret;
	}
	if (attrs[PRIVHEAP_A_COUNTER_FAIL_NTH]) {
		set->set |= PRIVHEAP_SET_FAIL_NTH;
		set->fail_nth = nla_get_u64(attrs[PRIVHEAP_A_COUNTER_FAIL_NTH]);
		if (set->fail_nth > S64_MAX) {
			NL_SET_ERR_MSG_ATTR(extack, attrs[PRIVHEAP_A_COUNTER_FAIL_NTH],
					    "FAIL_NTH: not below 2^63");
			return -EINVAL;
		}
	}
	if (!set->set) {
		NL_SET_ERR_MSG_ATTR(extack, info->attrs[attribute],
				    "COMMIT, RESIDENT: nothing to set in it");
		return -EINVAL;
	}
	return 0;
}

static int get_sets(struct genl_info *info, u32 level, struct privheap_limit_set *sets,
		    unsigned int *count)
{
	int ret;

	*count = 0;
	if (info->attrs[PRIVHEAP_A_COMMIT]) {
		ret = get_counter(info, PRIVHEAP_A_COMMIT, PRIVHEAP_RESOURCE_COMMIT,
				  level, &sets[(*count)++]);
		if (ret)
			return ret;
	}
	if (info->attrs[PRIVHEAP_A_RESIDENT]) {
		ret = get_counter(info, PRIVHEAP_A_RESIDENT, PRIVHEAP_RESOURCE_RESIDENT,
				  level, &sets[(*count)++]);
		if (ret)
			return ret;
	}
	if (*count)
		return 0;
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, PRIVHEAP_A_COMMIT);
	GENL_SET_ERR_MSG(info, "COMMIT and RESIDENT are missing: nothing to set");
	return -EINVAL;
}

/**
 * privheap_quota_set_doit() - QUOTA_SET
 * @request: the request
 * @info: the request, parsed
 *
 * The reply is made before anything is set, so that who gets an error knows
 * that nothing was.
 *
 * Return: 0 or a negative errno with a message, see the uapi header.
 */
int privheap_quota_set_doit(struct sk_buff *request, struct genl_info *info)
{
	struct privheap_limit_set sets[PRIVHEAP_RESOURCES];
	struct privheap_quota_info quota;
	struct privheap_viewer viewer;
	struct sk_buff *skb;
	unsigned int count;
	u64 subject;
	u32 level;
	int ret;

	if (!privheap_sender_capable(request, CAP_SYS_RESOURCE)) {
		GENL_SET_ERR_MSG(info, "setting a quota needs CAP_SYS_RESOURCE");
		return -EPERM;
	}
	privheap_viewer_init(&viewer, request);
	ret = privheap_require_subject(info, &viewer, &level, &subject);
	if (ret)
		return ret;
	ret = get_sets(info, level, sets, &count);
	if (ret)
		return ret;
	skb = genlmsg_new(PRIVHEAP_MESSAGE_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;

	if (level == PRIVHEAP_LEVEL_REGION) {
		/* Of a process that the sender's namespace does not know? */
		ret = privheap_visible_quota(&viewer, level, subject, &quota);
		if (ret)
			goto refused;
	}
	ret = privheap_subject_set(level, subject, sets, count, &quota);
	if (ret)
		goto refused;
	ret = privheap_put_quota_message(skb, info, &viewer, &quota,
					 PRIVHEAP_CMD_QUOTA_SET);
	put_pid(quota.pid);
	if (WARN_ON_ONCE(ret))
		goto free_skb;
	return genlmsg_reply(skb, info);

refused:
	if (ret == -ENOENT)
		privheap_no_subject(info);
	else if (ret == -EINVAL)
		GENL_SET_ERR_MSG(info, "these limits cannot be set together");
free_skb:
	nlmsg_free(skb);
	return ret;
}
