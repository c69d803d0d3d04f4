/* SPDX-License-Identifier: MIT */
/* What the kernel says, taken out of its messages. */
#ifndef PRIVHEAP_TOOLS_RECORD_H
#define PRIVHEAP_TOOLS_RECORD_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/privheap.h>

#include "subject.h"

#define RECORD_RESOURCES	2

/**
 * struct counter - one resource of a quota; sizes in bytes
 * @usage: charged now
 * @peak: the highest @usage there was
 * @soft: above it there is an event; PRIVHEAP_NO_LIMIT for none
 * @hard: no charge beyond it; PRIVHEAP_NO_LIMIT for none
 * @reserve: what may be opened beyond @hard
 * @fail_nth: the Nth charge from now fails; 0 for none
 * @denials: charges that @hard refused
 * @reserve_open: the limit in force is @hard and @reserve
 */
struct counter {
	uint64_t usage;
	uint64_t peak;
	uint64_t soft;
	uint64_t hard;
	uint64_t reserve;
	uint64_t fail_nth;
	uint64_t denials;
	bool reserve_open;
};

/**
 * struct quota - the books of a subject
 * @subject: whose
 * @regions: how many are charged to it
 * @reserved: bytes of address space
 * @faults: page faults that took pages
 * @denials: charges refused, here or further out
 * @counters: by PRIVHEAP_RESOURCE_*
 */
struct quota {
	struct subject subject;
	uint64_t regions;
	uint64_t reserved;
	uint64_t faults;
	uint64_t denials;
	struct counter counters[RECORD_RESOURCES];
};

/**
 * struct region - a region
 * @quota: its own books
 * @base: its address; 0 where this user may not know it
 * @flags: PRIVHEAP_CREATE_*
 * @pid: whose it is
 * @uid: user that made it
 * @cgroup: id of the cgroup it is charged to; 0 for the root
 * @cells: number of pairs in @map
 * @map: for each cell its committed and its resident bytes; NULL if nobody
 *	asked. region_release() frees it.
 */
struct region {
	struct quota quota;
	uint64_t base;
	uint32_t flags;
	uint32_t pid;
	uint32_t uid;
	uint64_t cgroup;
	size_t cells;
	uint64_t *map;
};

/**
 * struct event - what a notification says besides its object
 * @command: PRIVHEAP_CMD_*_NTF
 * @seq: its number
 * @lost: events lost just before it
 * @time: nanoseconds of CLOCK_MONOTONIC
 * @resource: PRIVHEAP_RESOURCE_*, of a quota's event
 * @request: bytes that were refused
 * @region: the region that was refused them; 0 for none
 */
struct event {
	uint8_t command;
	uint64_t seq;
	uint64_t lost;
	uint64_t time;
	uint32_t resource;
	uint64_t request;
	uint64_t region;
};

/* PRIVHEAP_CMD_* of a message of the family. */
uint8_t record_command(const struct nlmsghdr *message);

/*
 * Each returns 0, or -EBADMSG if the message is not what the header says. What
 * is unknown is skipped; what is absent is 0, and of limits PRIVHEAP_NO_LIMIT.
 */
int record_region(const struct nlmsghdr *message, struct region *region);
int record_quota(const struct nlmsghdr *message, struct quota *quota);
int record_event(const struct nlmsghdr *message, struct event *event);

void region_release(struct region *region);

/* "commit" or "resident". */
const char *record_resource_name(uint32_t resource);

/**
 * struct region_list - regions, with room for more; begins as zeros
 * @items: the regions
 * @count: how many
 * @room: for how many there is memory
 */
struct region_list {
	struct region *items;
	size_t count;
	size_t room;
};

/* struct quota_list - the same of quotas */
struct quota_list {
	struct quota *items;
	size_t count;
	size_t room;
};

void region_list_add(struct region_list *list, const struct region *region);
void region_list_clear(struct region_list *list);
void region_list_release(struct region_list *list);
void quota_list_add(struct quota_list *list, const struct quota *quota);
void quota_list_release(struct quota_list *list);

#endif /* PRIVHEAP_TOOLS_RECORD_H */
