// SPDX-License-Identifier: MIT
/* What the kernel says, taken out of its messages: see record.h. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include <linux/privheap_netlink.h>

#include "ctl.h"
#include "record.h"

/**
 * struct field - where an attribute goes
 * @size: bytes of the attribute's value; 0 for a flag
 * @offset: of the member, in the struct
 * @known: there is such a member
 *
 * By the attribute's type; a type without a member is skipped.
 */
struct field {
	unsigned short size;
	unsigned short offset;
	bool known;
};

#define U32(type, member) \
	{ sizeof(uint32_t), offsetof(type, member), true }
#define U64(type, member) \
	{ sizeof(uint64_t), offsetof(type, member), true }
#define FLAG(type, member) \
	{ 0, offsetof(type, member), true }

static const struct field counter_fields[] = {
	[PRIVHEAP_A_COUNTER_USAGE] = U64(struct counter, usage),
	[PRIVHEAP_A_COUNTER_PEAK] = U64(struct counter, peak),
	[PRIVHEAP_A_COUNTER_SOFT] = U64(struct counter, soft),
	[PRIVHEAP_A_COUNTER_HARD] = U64(struct counter, hard),
	[PRIVHEAP_A_COUNTER_RESERVE] = U64(struct counter, reserve),
	[PRIVHEAP_A_COUNTER_RESERVE_OPEN] = FLAG(struct counter, reserve_open),
	[PRIVHEAP_A_COUNTER_FAIL_NTH] = U64(struct counter, fail_nth),
	[PRIVHEAP_A_COUNTER_DENIALS] = U64(struct counter, denials),
};

static const struct field quota_fields[] = {
	[PRIVHEAP_A_LEVEL] = U32(struct quota, subject.level),
	[PRIVHEAP_A_SUBJECT] = U64(struct quota, subject.id),
	[PRIVHEAP_A_REGIONS] = U64(struct quota, regions),
	[PRIVHEAP_A_RESERVED] = U64(struct quota, reserved),
	[PRIVHEAP_A_FAULTS] = U64(struct quota, faults),
	[PRIVHEAP_A_DENIALS] = U64(struct quota, denials),
};

static const struct field region_fields[] = {
	[PRIVHEAP_A_REGION_ID] = U64(struct region, quota.subject.id),
	[PRIVHEAP_A_BASE] = U64(struct region, base),
	[PRIVHEAP_A_FLAGS] = U32(struct region, flags),
	[PRIVHEAP_A_PID] = U32(struct region, pid),
	[PRIVHEAP_A_UID] = U32(struct region, uid),
	[PRIVHEAP_A_CGROUP] = U64(struct region, cgroup),
	[PRIVHEAP_A_RESERVED] = U64(struct region, quota.reserved),
	[PRIVHEAP_A_FAULTS] = U64(struct region, quota.faults),
	[PRIVHEAP_A_DENIALS] = U64(struct region, quota.denials),
};

static const struct field event_fields[] = {
	[PRIVHEAP_A_EVENT_SEQ] = U64(struct event, seq),
	[PRIVHEAP_A_EVENT_LOST] = U64(struct event, lost),
	[PRIVHEAP_A_EVENT_TIME] = U64(struct event, time),
	[PRIVHEAP_A_EVENT_RESOURCE] = U32(struct event, resource),
	[PRIVHEAP_A_EVENT_REQUEST] = U64(struct event, request),
	[PRIVHEAP_A_EVENT_REGION_ID] = U64(struct event, region),
};

static int take(const struct nlattr *attr, const struct field *fields,
		size_t count, void *into)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (type >= count || !fields[type].known)
		return 0;
	if (mnl_attr_get_payload_len(attr) != fields[type].size)
		return -EBADMSG;
	if (fields[type].size)
		memcpy((char *)into + fields[type].offset,
		       mnl_attr_get_payload(attr), fields[type].size);
	else
		*(bool *)((char *)into + fields[type].offset) = true;
	return 0;
}

static int take_nested(const struct nlattr *nest, const struct field *fields,
		       size_t count, void *into)
{
	const struct nlattr *attr;
	int ret = 0;

	mnl_attr_for_each_nested(attr, nest) {
		ret = take(attr, fields, count, into);
		if (ret)
			break;
	}
	return ret;
}

static int take_counter(const struct nlattr *nest, struct counter *counter)
{
	return take_nested(nest, counter_fields, ARRAY_SIZE(counter_fields),
			   counter);
}

static int take_map(const struct nlattr *attr, struct region *region)
{
	size_t length = mnl_attr_get_payload_len(attr);

	if (length % (2 * sizeof(uint64_t)))
		return -EBADMSG;
	free(region->map);
	region->cells = length / (2 * sizeof(uint64_t));
	region->map = ctl_realloc(NULL, 2 * region->cells, sizeof(uint64_t));
	memcpy(region->map, mnl_attr_get_payload(attr), length);
	return 0;
}

static void quota_init(struct quota *quota)
{
	unsigned int i;

	memset(quota, 0, sizeof(*quota));
	for (i = 0; i < RECORD_RESOURCES; i++) {
		quota->counters[i].soft = PRIVHEAP_NO_LIMIT;
		quota->counters[i].hard = PRIVHEAP_NO_LIMIT;
	}
}

static bool has_family_header(const struct nlmsghdr *message)
{
	return mnl_nlmsg_get_payload_len(message) >= sizeof(struct genlmsghdr);
}

uint8_t record_command(const struct nlmsghdr *message)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);

	return has_family_header(message) ? header->cmd : 0;
}

int record_quota(const struct nlmsghdr *message, struct quota *quota)
{
	const struct nlattr *attr;
	int ret = 0;

	quota_init(quota);
	if (!has_family_header(message))
		return -EBADMSG;
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case PRIVHEAP_A_COMMIT:
			ret = take_counter(attr, &quota->counters[0]);
			break;
		case PRIVHEAP_A_RESIDENT:
			ret = take_counter(attr, &quota->counters[1]);
			break;
		default:
			ret = take(attr, quota_fields, ARRAY_SIZE(quota_fields),
				   quota);
			break;
		}
		if (ret)
			return ret;
	}
	return quota->subject.level ? 0 : -EBADMSG;
}

int record_region(const struct nlmsghdr *message, struct region *region)
{
	const struct nlattr *attr;
	int ret = 0;

	memset(region, 0, sizeof(*region));
	quota_init(&region->quota);
	region->quota.subject.level = PRIVHEAP_LEVEL_REGION;
	region->quota.regions = 1;
	if (!has_family_header(message))
		return -EBADMSG;
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case PRIVHEAP_A_COMMIT:
			ret = take_counter(attr, &region->quota.counters[0]);
			break;
		case PRIVHEAP_A_RESIDENT:
			ret = take_counter(attr, &region->quota.counters[1]);
			break;
		case PRIVHEAP_A_MAP:
			ret = take_map(attr, region);
			break;
		default:
			ret = take(attr, region_fields,
				   ARRAY_SIZE(region_fields), region);
			break;
		}
		if (ret)
			goto bad;
	}
	if (region->quota.reserved)
		return 0;
	ret = -EBADMSG;
bad:
	region_release(region);
	return ret;
}

int record_event(const struct nlmsghdr *message, struct event *event)
{
	const struct nlattr *attr;

	memset(event, 0, sizeof(*event));
	event->command = record_command(message);
	if (!event->command)
		return -EBADMSG;
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == PRIVHEAP_A_EVENT)
			return take_nested(attr, event_fields,
					   ARRAY_SIZE(event_fields), event);
	}
	return -EBADMSG;
}

void region_release(struct region *region)
{
	free(region->map);
	region->map = NULL;
	region->cells = 0;
}

const char *record_resource_name(uint32_t resource)
{
	return resource == PRIVHEAP_RESOURCE_COMMIT ? "commit" :
		resource == PRIVHEAP_RESOURCE_RESIDENT ? "resident" : "unknown";
}

void region_list_add(struct region_list *list, const struct region *region)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->items = ctl_realloc(list->items, list->room,
					  sizeof(*list->items));
	}
	list->items[list->count++] = *region;
}

void region_list_clear(struct region_list *list)
{
	while (list->count)
		region_release(&list->items[--list->count]);
}

void region_list_release(struct region_list *list)
{
	region_list_clear(list);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

void quota_list_add(struct quota_list *list, const struct quota *quota)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->items = ctl_realloc(list->items, list->room,
					  sizeof(*list->items));
	}
	list->items[list->count++] = *quota;
}

void quota_list_release(struct quota_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
