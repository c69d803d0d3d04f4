// SPDX-License-Identifier: MIT
/* What events have told so far: see watch.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/privheap_netlink.h>

#include "ctl.h"
#include "watch.h"

static int compare_subjects(const struct subject *a, const struct subject *b)
{
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Where it is, or where it would be. */
static size_t place_of(const struct watch *watch, const struct subject *subject)
{
	size_t low = 0, high = watch->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_subjects(&watch->items[middle].region.quota.subject,
				     subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct watched *find(const struct watch *watch,
			    const struct subject *subject)
{
	size_t place = place_of(watch, subject);

	if (place == watch->count ||
	    compare_subjects(&watch->items[place].region.quota.subject, subject))
		return NULL;
	return &watch->items[place];
}

/* A new one is as nobody has heard of it: not above, without refusals. */
static struct watched *find_or_add(struct watch *watch,
				   const struct subject *subject)
{
	size_t place = place_of(watch, subject);
	struct watched *watched = find(watch, subject);

	if (watched)
		return watched;
	if (watch->count == watch->room) {
		watch->room = watch->room ? 2 * watch->room : 64;
		watch->items = ctl_realloc(watch->items, watch->room,
					   sizeof(*watch->items));
	}
	watched = &watch->items[place];
	memmove(watched + 1, watched,
		(watch->count - place) * sizeof(*watched));
	watch->count++;
	memset(watched, 0, sizeof(*watched));
	watched->region.quota.subject = *subject;
	return watched;
}

static void drop(struct watch *watch, const struct watched *watched)
{
	size_t place = watched - watch->items;

	memmove(watch->items + place, watched + 1,
		(watch->count - place - 1) * sizeof(*watched));
	watch->count--;
}

static bool is_over(const struct quota *quota, uint32_t resource)
{
	const struct counter *counter = &quota->counters[resource];

	return counter->usage > counter->soft;
}

static void remember_region(struct watched *watched, const struct region *region)
{
	watched->region = *region;
	/* Nobody keeps maps. */
	watched->region.map = NULL;
	watched->region.cells = 0;
}

/* ------------------------------------------------------ at the beginning */

static void begin_quota(struct watched *watched, const struct quota *quota)
{
	uint32_t i;

	watched->region.quota = *quota;
	for (i = 0; i < RECORD_RESOURCES; i++)
		watched->over[i] = is_over(quota, i);
}

void watch_begin(struct watch *watch, const struct region_list *regions,
		 const struct quota_list *quotas)
{
	struct watched *watched;
	size_t i;

	for (i = 0; i < regions->count; i++) {
		watched = find_or_add(watch, &regions->items[i].quota.subject);
		remember_region(watched, &regions->items[i]);
		begin_quota(watched, &regions->items[i].quota);
	}
	for (i = 0; i < quotas->count; i++) {
		watched = find_or_add(watch, &quotas->items[i].subject);
		begin_quota(watched, &quotas->items[i]);
	}
}

/* ----------------------------------------------------------- with events */

static void tell_lost(struct watch *watch, const struct event *event)
{
	struct notice notice = {
		.kind = NOTICE_LOST,
		.event = event,
		.count = event->lost,
	};

	watch->tell(&notice, watch->data);
}

static int region_event(struct watch *watch, const struct nlmsghdr *message,
			struct notice *notice)
{
	struct watched *watched;
	struct region region;
	int ret = record_region(message, &region);
	bool known;

	if (ret)
		return ret;
	notice->region = &region;
	watched = find(watch, &region.quota.subject);
	if (notice->kind == NOTICE_CREATED) {
		known = watched && watched->found;
		watched = find_or_add(watch, &region.quota.subject);
		watched->found = false;
		remember_region(watched, &region);
	} else {
		known = !watched && watch->compared;
		if (watched)
			drop(watch, watched);
	}
	if (!known)
		watch->tell(notice, watch->data);
	notice->region = NULL;
	region_release(&region);
	return 0;
}

static int quota_event(struct watch *watch, const struct nlmsghdr *message,
		       struct notice *notice)
{
	uint32_t resource = notice->event->resource;
	struct watched *watched;
	struct quota quota;
	bool known = false;
	int ret = record_quota(message, &quota);

	if (ret || resource >= RECORD_RESOURCES)
		return -EBADMSG;
	notice->quota = &quota;
	notice->resource = resource;
	watched = find_or_add(watch, &quota.subject);
	if (notice->kind == NOTICE_DENIED) {
		/* The count at the time of the event may be told already. */
		known = watch->compared && quota.counters[resource].denials <=
			watched->region.quota.counters[resource].denials;
	} else {
		known = watch->compared &&
			watched->over[resource] == (notice->kind == NOTICE_SOFT);
		watched->over[resource] = notice->kind == NOTICE_SOFT;
	}
	if (!known) {
		watched->region.quota = quota;
		watch->tell(notice, watch->data);
	}
	notice->quota = NULL;
	return 0;
}

int watch_event(struct watch *watch, const struct nlmsghdr *message)
{
	static const enum notice_kind kinds[] = {
		[PRIVHEAP_CMD_REGION_CREATE_NTF] = NOTICE_CREATED,
		[PRIVHEAP_CMD_REGION_DESTROY_NTF] = NOTICE_DESTROYED,
		[PRIVHEAP_CMD_QUOTA_SOFT_NTF] = NOTICE_SOFT,
		[PRIVHEAP_CMD_QUOTA_BELOW_NTF] = NOTICE_BELOW,
		[PRIVHEAP_CMD_QUOTA_DENIED_NTF] = NOTICE_DENIED,
	};
	struct event event;
	struct notice notice = { .event = &event };
	int ret = record_event(message, &event);

	if (ret)
		return ret;
	if (event.command >= ARRAY_SIZE(kinds) || !kinds[event.command])
		return -EBADMSG;
	notice.kind = kinds[event.command];
	if (event.lost)
		tell_lost(watch, &event);
	if (notice.kind == NOTICE_CREATED || notice.kind == NOTICE_DESTROYED)
		ret = region_event(watch, message, &notice);
	else
		ret = quota_event(watch, message, &notice);
	if (ret)
		return ret;
	/* Whoever is asked to compare does so when no event waits. */
	return event.lost ? -ENOBUFS : 0;
}

/* ------------------------------------------------- after events were lost */

static void compare_quota(struct watch *watch, struct watched *watched,
			  const struct quota *quota)
{
	struct notice notice = { .recovered = true, .quota = quota };
	const struct counter *now, *before;
	uint32_t i;

	for (i = 0; i < RECORD_RESOURCES; i++) {
		notice.resource = i;
		now = &quota->counters[i];
		before = &watched->region.quota.counters[i];
		if (now->denials > before->denials) {
			notice.kind = NOTICE_DENIED;
			notice.count = now->denials - before->denials;
			watch->tell(&notice, watch->data);
		}
		if (is_over(quota, i) == watched->over[i])
			continue;
		watched->over[i] = !watched->over[i];
		notice.kind = watched->over[i] ? NOTICE_SOFT : NOTICE_BELOW;
		watch->tell(&notice, watch->data);
	}
	watched->region.quota = *quota;
	watched->seen = true;
}

static void compare_region(struct watch *watch, const struct region *region)
{
	struct notice notice = {
		.kind = NOTICE_CREATED,
		.recovered = true,
		.region = region,
	};
	struct watched *watched = find(watch, &region->quota.subject);

	if (!watched) {
		watched = find_or_add(watch, &region->quota.subject);
		watched->found = true;
		watch->tell(&notice, watch->data);
	}
	compare_quota(watch, watched, &region->quota);
	remember_region(watched, region);
}

void watch_compare(struct watch *watch, const struct region_list *regions,
		   const struct quota_list *quotas)
{
	struct notice notice = { .kind = NOTICE_DESTROYED, .recovered = true };
	struct watched *watched;
	size_t i, kept = 0;

	watch->compared = true;
	for (i = 0; i < watch->count; i++)
		watch->items[i].seen = false;
	for (i = 0; i < regions->count; i++)
		compare_region(watch, &regions->items[i]);
	for (i = 0; i < quotas->count; i++)
		compare_quota(watch, find_or_add(watch, &quotas->items[i].subject),
			      &quotas->items[i]);
	for (i = 0; i < watch->count; i++) {
		watched = &watch->items[i];
		if (watched->seen) {
			watch->items[kept++] = *watched;
		} else if (watched->region.quota.subject.level ==
			   PRIVHEAP_LEVEL_REGION) {
			notice.region = &watched->region;
			watch->tell(&notice, watch->data);
		}
	}
	watch->count = kept;
}

void watch_release(struct watch *watch)
{
	free(watch->items);
	watch->items = NULL;
	watch->count = 0;
	watch->room = 0;
}
