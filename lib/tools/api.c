// SPDX-License-Identifier: MIT
/* The requests of the family privheap, as calls: see api.h. */
#include <errno.h>
#include <libmnl/libmnl.h>

#include <linux/privheap_netlink.h>

#include "api.h"

static void again_regions(void *data)
{
	region_list_clear(data);
}

static int add_region(const struct nlmsghdr *message, void *data)
{
	struct region region;
	int ret = record_region(message, &region);

	if (!ret)
		region_list_add(data, &region);
	return ret;
}

int api_regions(struct netlink *nl, const struct region_filter *filter,
		struct region_list *list)
{
	struct nlmsghdr *request = netlink_request(nl, PRIVHEAP_CMD_REGION_GET);

	if (filter->by_pid)
		mnl_attr_put_u32(request, PRIVHEAP_A_PID, filter->pid);
	if (filter->by_uid)
		mnl_attr_put_u32(request, PRIVHEAP_A_UID, filter->uid);
	if (filter->by_cgroup)
		mnl_attr_put_u64(request, PRIVHEAP_A_CGROUP, filter->cgroup);
	return netlink_dump(nl, again_regions, add_region, list);
}

static int take_region(const struct nlmsghdr *message, void *data)
{
	return record_region(message, data);
}

int api_region(struct netlink *nl, uint64_t id, uint32_t cells,
	       struct region *region)
{
	struct nlmsghdr *request = netlink_request(nl, PRIVHEAP_CMD_REGION_GET);

	mnl_attr_put_u64(request, PRIVHEAP_A_REGION_ID, id);
	if (cells)
		mnl_attr_put_u32(request, PRIVHEAP_A_CELLS, cells);
	return netlink_do(nl, take_region, region);
}

static void again_quotas(void *data)
{
	struct quota_list *list = data;

	list->count = 0;
}

static int add_quota(const struct nlmsghdr *message, void *data)
{
	struct quota quota;
	int ret = record_quota(message, &quota);

	if (!ret)
		quota_list_add(data, &quota);
	return ret;
}

int api_quotas(struct netlink *nl, uint32_t level, struct quota_list *list)
{
	struct nlmsghdr *request = netlink_request(nl, PRIVHEAP_CMD_QUOTA_GET);

	if (level != PRIVHEAP_LEVEL_NONE)
		mnl_attr_put_u32(request, PRIVHEAP_A_LEVEL, level);
	return netlink_dump(nl, again_quotas, add_quota, list);
}

static int take_quota(const struct nlmsghdr *message, void *data)
{
	return record_quota(message, data);
}

static struct nlmsghdr *quota_request(struct netlink *nl, uint8_t command,
				      const struct subject *subject)
{
	struct nlmsghdr *request = netlink_request(nl, command);

	mnl_attr_put_u32(request, PRIVHEAP_A_LEVEL, subject->level);
	mnl_attr_put_u64(request, PRIVHEAP_A_SUBJECT, subject->id);
	return request;
}

int api_quota(struct netlink *nl, const struct subject *subject,
	      struct quota *quota)
{
	quota_request(nl, PRIVHEAP_CMD_QUOTA_GET, subject);
	return netlink_do(nl, take_quota, quota);
}

static void put_limit(struct nlmsghdr *request, uint16_t type,
		      const struct limit *limit)
{
	struct nlattr *nest;

	if (!limit->set)
		return;
	nest = mnl_attr_nest_start(request, type);
	if (limit->set & PRIVHEAP_SET_SOFT)
		mnl_attr_put_u64(request, PRIVHEAP_A_COUNTER_SOFT, limit->soft);
	if (limit->set & PRIVHEAP_SET_HARD)
		mnl_attr_put_u64(request, PRIVHEAP_A_COUNTER_HARD, limit->hard);
	if (limit->set & PRIVHEAP_SET_RESERVE)
		mnl_attr_put_u64(request, PRIVHEAP_A_COUNTER_RESERVE,
				 limit->reserve);
	if (limit->set & PRIVHEAP_SET_FAIL_NTH)
		mnl_attr_put_u64(request, PRIVHEAP_A_COUNTER_FAIL_NTH,
				 limit->fail_nth);
	mnl_attr_nest_end(request, nest);
}

int api_quota_set(struct netlink *nl, const struct subject *subject,
		  const struct limit *limits, struct quota *quota)
{
	struct nlmsghdr *request = quota_request(nl, PRIVHEAP_CMD_QUOTA_SET,
						 subject);

	put_limit(request, PRIVHEAP_A_COMMIT,
		  &limits[PRIVHEAP_RESOURCE_COMMIT]);
	put_limit(request, PRIVHEAP_A_RESIDENT,
		  &limits[PRIVHEAP_RESOURCE_RESIDENT]);
	return netlink_do(nl, take_quota, quota);
}
