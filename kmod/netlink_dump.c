// SPDX-License-Identifier: GPL-2.0-only
/* Dumps of the netlink family: all regions, or quotas, that one may see. */
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "compat.h"
#include "netlink.h"
#include "netlink_put.h"
#include "number.h"
#include "subject.h"
#include "viewer.h"

/**
 * struct privheap_dump - where a dump is; cb->ctx has a pointer to it
 * @viewer: who asked for it, as of then; held
 * @after: number of the region that was looked at last
 * @level: of the quota that was looked at last
 * @subject: of the same
 * @only_level: only quotas of this level; or PRIVHEAP_LEVEL_NONE
 * @pid: only regions of this process, with @by_pid; NULL is none
 * @uid: only regions of this user, with @by_uid
 * @cgroup: only regions in it or below it, with @by_cgroup
 * @by_pid: see @pid
 * @by_uid: see @uid
 * @by_cgroup: see @cgroup
 *
 * A dump goes on by numbers and holds no object: what lived throughout is in it
 * exactly once, whatever comes and goes meanwhile.
 */
struct privheap_dump {
	struct privheap_viewer viewer;
	u64 after;
	u64 subject;
	u32 level;
	u32 only_level;
	struct pid *pid;
	kuid_t uid;
	u64 cgroup;
	bool by_pid;
	bool by_uid;
	bool by_cgroup;
};

static struct privheap_dump **dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct privheap_dump *) > sizeof(cb->ctx));
	return (struct privheap_dump **)cb->ctx;
}

static int dump_start(struct netlink_callback *cb)
{
	struct privheap_dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);

	if (!dump)
		return -ENOMEM;
	privheap_viewer_init(&dump->viewer, cb->skb);
	privheap_viewer_hold(&dump->viewer);
	*dump_of(cb) = dump;
	return 0;
}

/**
 * privheap_dump_done() - the end of a dump
 * @cb: the dump
 *
 * Return: 0.
 */
int privheap_dump_done(struct netlink_callback *cb)
{
	struct privheap_dump *dump = *dump_of(cb);

	put_pid(dump->pid);
	privheap_viewer_release(&dump->viewer);
	kfree(dump);
	return 0;
}

/**
 * privheap_refuse_filters() - look for filters of a dump where there is none
 * @info: a request for one region
 *
 * Return: 0, or -EINVAL with a message.
 */
int privheap_refuse_filters(struct genl_info *info)
{
	static const u8 filters[] = {
		PRIVHEAP_A_PID, PRIVHEAP_A_UID, PRIVHEAP_A_CGROUP,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(filters); i++)
		if (info->attrs[filters[i]]) {
			NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[filters[i]],
					    "PID, UID, CGROUP: filters are for dumps only");
			return -EINVAL;
		}
	return 0;
}

/**
 * privheap_region_dump_start() - start of a REGION_GET dump
 * @cb: the dump
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int privheap_region_dump_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = privheap_dump_attrs(cb), *wrong;
	struct privheap_dump *dump;
	int ret;

	wrong = attrs[PRIVHEAP_A_REGION_ID] ?: attrs[PRIVHEAP_A_CELLS];
	if (wrong) {
		/* Kernels before 6.2 leave it at the number. */
		NL_SET_ERR_MSG_ATTR(cb->extack, wrong,
				    "REGION_ID, CELLS: not for a dump");
		return -EINVAL;
	}
	ret = dump_start(cb);
	if (ret)
		return ret;
	dump = *dump_of(cb);
	if (attrs[PRIVHEAP_A_PID]) {
		/* One that there is not has no regions, either. */
		dump->pid = find_get_pid(min_t(u32, INT_MAX,
					       nla_get_u32(attrs[PRIVHEAP_A_PID])));
		dump->by_pid = true;
	}
	if (attrs[PRIVHEAP_A_UID]) {
		dump->uid = make_kuid(dump->viewer.user_ns,
				      nla_get_u32(attrs[PRIVHEAP_A_UID]));
		dump->by_uid = true;
	}
	if (attrs[PRIVHEAP_A_CGROUP]) {
		dump->cgroup = nla_get_u64(attrs[PRIVHEAP_A_CGROUP]);
		dump->by_cgroup = true;
	}
	return 0;
}

static bool region_wanted(const struct privheap_dump *dump,
			  const struct privheap_region_info *region)
{
	return privheap_viewer_sees_region(&dump->viewer, region) &&
	       (!dump->by_pid || region->pid == dump->pid) &&
	       (!dump->by_uid || uid_eq(region->uid, dump->uid)) &&
	       (!dump->by_cgroup ||
		privheap_number_in_cgroup(region->quota.subject, dump->cgroup));
}

static void *put_header(struct sk_buff *skb, struct netlink_callback *cb, u8 command)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &privheap_family, NLM_F_MULTI, command);

	if (header)
		genl_dump_check_consistent(cb, header);
	return header;
}

/* A message with a region or, without one, with a quota. */
static int dump_one(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct privheap_region_info *region,
		    const struct privheap_quota_info *quota)
{
	const struct privheap_viewer *viewer = &(*dump_of(cb))->viewer;
	void *header = put_header(skb, cb, region ? PRIVHEAP_CMD_REGION_GET :
						    PRIVHEAP_CMD_QUOTA_GET);

	if (!header)
		return -EMSGSIZE;
	if (region ? privheap_put_region(skb, viewer, region) :
		     privheap_put_quota(skb, viewer, quota)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* What is read after this is as new as this, or newer. */
static void note_generation(struct netlink_callback *cb)
{
	/* 0 means that none was noted before. */
	cb->seq = (unsigned int)privheap_generation() ?: 1;
}

/* What a dumpit returns: to be called again, or not. */
static int dump_result(struct sk_buff *skb, int ret)
{
	if (ret == -ENOENT)
		return 0;
	return ret == -EMSGSIZE && skb->len ? skb->len : ret;
}

static int dump_regions(struct sk_buff *skb, struct netlink_callback *cb, bool quotas_only)
{
	struct privheap_dump *dump = *dump_of(cb);
	struct privheap_region_info region;
	int ret;

	for (;;) {
		note_generation(cb);
		ret = privheap_number_next(dump->after, &region);
		if (ret)
			return ret;
		if (region_wanted(dump, &region))
			ret = dump_one(skb, cb, quotas_only ? NULL : &region,
				       &region.quota);
		put_pid(region.pid);
		if (ret)
			return ret;
		dump->after = region.quota.subject;
		cond_resched();
	}
}

/**
 * privheap_region_dumpit() - some more of a REGION_GET dump
 * @skb: to be filled with messages
 * @cb: the dump
 *
 * Return: 0 at the end, the length of what is there before it, or -EMSGSIZE.
 */
int privheap_region_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_result(skb, dump_regions(skb, cb, false));
}

/**
 * privheap_quota_dump_start() - start of a QUOTA_GET dump
 * @cb: the dump
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int privheap_quota_dump_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = privheap_dump_attrs(cb);
	struct privheap_dump *dump;
	int ret;

	if (attrs[PRIVHEAP_A_SUBJECT]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[PRIVHEAP_A_SUBJECT],
				    "SUBJECT: not for a dump");
		return -EINVAL;
	}
	ret = dump_start(cb);
	if (ret)
		return ret;
	dump = *dump_of(cb);
	if (attrs[PRIVHEAP_A_LEVEL])
		dump->only_level = nla_get_u32(attrs[PRIVHEAP_A_LEVEL]);
	/* Behind the last one of the level before. */
	dump->level = dump->only_level ? dump->only_level - 1 : PRIVHEAP_LEVEL_REGION;
	dump->subject = U64_MAX;
	return 0;
}

static int dump_other_quotas(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct privheap_dump *dump = *dump_of(cb);
	struct privheap_quota_info quota;
	int ret;

	for (;;) {
		note_generation(cb);
		ret = privheap_subject_next(dump->level, dump->subject, &quota);
		if (ret)
			return ret;
		if (dump->only_level && quota.level != dump->only_level)
			ret = -ENOENT;
		else if (privheap_viewer_sees_quota(&dump->viewer, &quota))
			ret = dump_one(skb, cb, NULL, &quota);
		put_pid(quota.pid);
		if (ret)
			return ret;
		dump->level = quota.level;
		dump->subject = quota.subject;
		cond_resched();
	}
}

/**
 * privheap_quota_dumpit() - some more of a QUOTA_GET dump
 * @skb: to be filled with messages
 * @cb: the dump
 *
 * Return: 0 at the end, the length of what is there before it, or -EMSGSIZE.
 */
int privheap_quota_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	/* Regions are so many that they are among the quotas only where asked for. */
	if ((*dump_of(cb))->only_level == PRIVHEAP_LEVEL_REGION)
		return dump_result(skb, dump_regions(skb, cb, true));
	return dump_result(skb, dump_other_quotas(skb, cb));
}
