// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of netlink as the input says: what takes them apart reads nothing
 * beyond them, and what was taken out can be printed in every form.
 *
 * Messages are as long as their header says, and rounded up to 4 bytes, as libmnl
 * hands them on and the kernel sends them.
 */
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdbool.h>

#include <linux/privheap_netlink.h>

#include "event.h"
#include "fuzz.h"
#include "map.h"
#include "netlink.h"
#include "prometheus.h"
#include "quota.h"
#include "record.h"
#include "record_json.h"

static FILE *nowhere;

static void print_region(const struct region *region, uint8_t how)
{
	const struct map_style style = {
		.width = how,
		.utf8 = how & 1,
		.colour = how & 2,
	};
	struct region_list regions = { .items = (struct region *)region, .count = 1 };
	struct quota_list quotas = { 0 };
	struct json json = { .out = nowhere };

	json_object(&json, NULL);
	record_json_region(&json, region);
	json_object_end(&json);
	prometheus_write(&regions, &quotas, nowhere);
	map_cells(region->quota.reserved, how);
	if (region->cells)
		map_draw(region, &style, nowhere);
}

static void print_quota(const struct quota *quota, uint8_t how)
{
	struct quota_list quotas = { .items = (struct quota *)quota, .count = 1 };
	struct region_list regions = { 0 };
	struct json json = { .out = nowhere };

	json_object(&json, NULL);
	record_json_quota(&json, quota);
	json_object_end(&json);
	quota_print(quota, how & 1, nowhere);
	quota_table(&quotas, how & 1, how & 2, how & 4 ? how : 0, nowhere);
	prometheus_write(&regions, &quotas, nowhere);
}

static void take(const struct nlmsghdr *message, uint8_t how)
{
	struct region region;
	struct quota quota;
	struct event event;
	bool has_region, has_quota;

	record_command(message);
	has_region = !record_region(message, &region);
	has_quota = !record_quota(message, &quota);
	if (has_region)
		print_region(&region, how);
	if (has_quota)
		print_quota(&quota, how);
	if (!record_event(message, &event)) {
		const struct notice notice = {
			.kind = how % (NOTICE_OVERRUN + 1),
			.event = &event,
			.region = &region,
			.quota = &quota,
			.resource = event.resource,
			.count = event.lost,
		};

		if (has_region && has_quota) {
			event_print(&notice, nowhere);
			event_print_json(&notice, nowhere);
		}
	}
	if (has_region)
		region_release(&region);
}

/* The request that an error is about; its attributes are named in complaints. */
static void take_error(const struct nlmsghdr *message)
{
	static char room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct nlattr *nest;
	char said[64];
	int error;

	mnl_nlmsg_put_extra_header(request, sizeof(struct genlmsghdr));
	mnl_attr_put_u32(request, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_USER);
	mnl_attr_put_u64(request, PRIVHEAP_A_SUBJECT, 1000);
	nest = mnl_attr_nest_start(request, PRIVHEAP_A_COMMIT);
	mnl_attr_put_u64(request, PRIVHEAP_A_COUNTER_HARD, 4096);
	mnl_attr_nest_end(request, nest);
	error = netlink_parse_error(message, request, said, sizeof(said));
	FUZZ_CHECK(strlen(said) < sizeof(said), "%d", error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };
	uint8_t how = fuzz_u8(&input);
	uint32_t length = MNL_ALIGN(input.left);
	struct nlmsghdr *message;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!nowhere || length < sizeof(*message))
		return 0;
	message = malloc(length);
	if (!message)
		return 0;
	fuzz_take(&input, message, length);
	/* Shorter than it was received is well; longer is none. */
	if (message->nlmsg_len > length || message->nlmsg_len < sizeof(*message))
		message->nlmsg_len = length;
	take(message, how);
	if (how & 0x80)
		message->nlmsg_type = how & 0x40 ? NLMSG_ERROR : NLMSG_DONE;
	take_error(message);
	free(message);
	return 0;
}
