/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For native tests of privheapctl's parts: messages as the kernel would send
 * them, and what is printed as text.
 */
#ifndef PRIVHEAPCTL_SELFTEST_H
#define PRIVHEAPCTL_SELFTEST_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/privheap_netlink.h>

#include "patient_harness.h"

#include "ctl.h"
#include "record.h"

#define KIB		((uint64_t)1024)
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)

/* A user that no machine has a name for. */
#define NO_NAME_UID	4000000001U

static char message_room[80 * 1024] __attribute__((aligned(8), unused));

static inline struct nlmsghdr *message_begin(uint8_t command)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(message_room);
	struct genlmsghdr *header;

	message->nlmsg_type = 0x20;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
	header->version = PRIVHEAP_FAMILY_VERSION;
	return message;
}

static inline void put_counter(struct nlmsghdr *message, uint16_t type,
			       const struct counter *counter)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_USAGE, counter->usage);
	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_PEAK, counter->peak);
	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_SOFT, counter->soft);
	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_HARD, counter->hard);
	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_RESERVE, counter->reserve);
	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_FAIL_NTH, counter->fail_nth);
	mnl_attr_put_u64(message, PRIVHEAP_A_COUNTER_DENIALS, counter->denials);
	if (counter->reserve_open)
		mnl_attr_put(message, PRIVHEAP_A_COUNTER_RESERVE_OPEN, 0, NULL);
	mnl_attr_nest_end(message, nest);
}

static inline void put_books(struct nlmsghdr *message, const struct quota *quota)
{
	mnl_attr_put_u64(message, PRIVHEAP_A_RESERVED, quota->reserved);
	mnl_attr_put_u64(message, PRIVHEAP_A_FAULTS, quota->faults);
	mnl_attr_put_u64(message, PRIVHEAP_A_DENIALS, quota->denials);
	put_counter(message, PRIVHEAP_A_COMMIT, &quota->counters[0]);
	put_counter(message, PRIVHEAP_A_RESIDENT, &quota->counters[1]);
}

static inline struct nlmsghdr *quota_message(uint8_t command,
					     const struct quota *quota)
{
	struct nlmsghdr *message = message_begin(command);

	mnl_attr_put_u32(message, PRIVHEAP_A_LEVEL, quota->subject.level);
	mnl_attr_put_u64(message, PRIVHEAP_A_SUBJECT, quota->subject.id);
	mnl_attr_put_u64(message, PRIVHEAP_A_REGIONS, quota->regions);
	put_books(message, quota);
	return message;
}

static inline struct nlmsghdr *region_message(uint8_t command,
					      const struct region *region)
{
	struct nlmsghdr *message = message_begin(command);

	mnl_attr_put_u64(message, PRIVHEAP_A_REGION_ID, region->quota.subject.id);
	mnl_attr_put_u64(message, PRIVHEAP_A_BASE, region->base);
	mnl_attr_put_u32(message, PRIVHEAP_A_FLAGS, region->flags);
	mnl_attr_put_u32(message, PRIVHEAP_A_PID, region->pid);
	mnl_attr_put_u32(message, PRIVHEAP_A_UID, region->uid);
	if (region->cgroup)
		mnl_attr_put_u64(message, PRIVHEAP_A_CGROUP, region->cgroup);
	put_books(message, &region->quota);
	if (region->map)
		mnl_attr_put(message, PRIVHEAP_A_MAP, region->cells * 16,
			     region->map);
	return message;
}

static inline void put_event(struct nlmsghdr *message, const struct event *event)
{
	struct nlattr *nest = mnl_attr_nest_start(message, PRIVHEAP_A_EVENT);

	mnl_attr_put_u64(message, PRIVHEAP_A_EVENT_SEQ, event->seq);
	if (event->lost)
		mnl_attr_put_u64(message, PRIVHEAP_A_EVENT_LOST, event->lost);
	mnl_attr_put_u64(message, PRIVHEAP_A_EVENT_TIME, event->time);
	mnl_attr_put_u32(message, PRIVHEAP_A_EVENT_RESOURCE, event->resource);
	if (event->request)
		mnl_attr_put_u64(message, PRIVHEAP_A_EVENT_REQUEST,
				 event->request);
	if (event->region)
		mnl_attr_put_u64(message, PRIVHEAP_A_EVENT_REGION_ID,
				 event->region);
	mnl_attr_nest_end(message, nest);
}

/* Counters without limits. */
static inline struct counter counter_of(uint64_t usage, uint64_t peak)
{
	return (struct counter){
		.usage = usage,
		.peak = peak,
		.soft = PRIVHEAP_NO_LIMIT,
		.hard = PRIVHEAP_NO_LIMIT,
	};
}

/* 8 MiB of a process that there cannot be, 3 MiB committed, 1.5 MiB resident. */
static inline struct region sample_region(uint64_t id)
{
	struct region region = {
		.quota = {
			.subject = { PRIVHEAP_LEVEL_REGION, id },
			.regions = 1,
			.reserved = 8 * MIB,
			.faults = 12,
			.denials = 2,
			.counters = {
				counter_of(3 * MIB, 4 * MIB),
				counter_of(1536 * KIB, 2 * MIB),
			},
		},
		.base = 0x7f0000000000,
		.pid = 0x7ffffffe,
		.uid = NO_NAME_UID,
	};

	region.quota.counters[0].hard = 8 * MIB;
	return region;
}

static inline struct quota sample_quota(uint32_t level, uint64_t id)
{
	struct quota quota = {
		.subject = { level, id },
		.regions = 3,
		.reserved = 1536 * MIB,
		.faults = 100,
		.denials = 7,
		.counters = { counter_of(60 * MIB, 64 * MIB),
			      counter_of(10 * MIB, 12 * MIB) },
	};

	quota.counters[0].hard = 64 * MIB;
	quota.counters[0].soft = 48 * MIB;
	quota.counters[0].denials = 5;
	return quota;
}

static char *printed_text;
static size_t printed_length;

static inline char *printed_end(FILE *out)
{
	fclose(out);
	return printed_text;
}

/* What the statement prints to the stream "out"; to be freed. */
#define PRINTED(statement) ({				\
	FILE *out = open_memstream(&printed_text, &printed_length); \
							\
	statement;					\
	printed_end(out);				\
})

#define EXPECT_PRINTS(text, statement) do {		\
	char *is = PRINTED(statement);			\
							\
	EXPECT_STREQ(text, is);				\
	free(is);					\
} while (0)

#define EXPECT_HAS(text, part) do {			\
	const char *has = text, *has_part = part;	\
							\
	EXPECT_NE(NULL, strstr(has, has_part)) {	\
		TH_LOG("%s\nis not in\n%s", has_part, has); \
	}						\
} while (0)

#endif /* PRIVHEAPCTL_SELFTEST_H */
