/* SPDX-License-Identifier: MIT */
/*
 * What events have told so far, so that after events were lost the differences
 * can be told: regions that came or went, soft limits crossed, refusals.
 */
#ifndef PRIVHEAP_TOOLS_WATCH_H
#define PRIVHEAP_TOOLS_WATCH_H

#include "event.h"
#include "record.h"

/**
 * struct watched - what is known of a subject
 * @region: the region, or of others only its quota
 * @over: usage above the soft limit, by resource
 * @found: it was found by reading all, and its event may still come
 * @seen: it was there when all was read the last time
 */
struct watched {
	struct region region;
	bool over[RECORD_RESOURCES];
	bool found;
	bool seen;
};

/**
 * struct watch - what is known; begins as { .tell = ... }
 * @tell: called for each thing to tell
 * @data: for @tell
 * @items: by level and number
 * @count: of @items
 * @room: for how many there is memory
 * @compared: events were lost at some time, and all was compared
 */
struct watch {
	void (*tell)(const struct notice *notice, void *data);
	void *data;
	struct watched *items;
	size_t count;
	size_t room;
	bool compared;
};

/* What is there at the start; tells nothing. */
void watch_begin(struct watch *watch, const struct region_list *regions,
		 const struct quota_list *quotas);

/*
 * Tells of an event, unless watch_compare() told of the same. Messages that are
 * none: -EBADMSG.
 */
int watch_event(struct watch *watch, const struct nlmsghdr *message);

/* Events were lost; tells what is different from what they told. */
void watch_compare(struct watch *watch, const struct region_list *regions,
		   const struct quota_list *quotas);

void watch_release(struct watch *watch);

#endif /* PRIVHEAP_TOOLS_WATCH_H */
