// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's counters and limits: a charge is granted by every level or by none,
 * and leaves the traces that the uapi headers tell of.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "privheap_selftest.h"
#include "region_model.h"

void rm_subject_init(struct rm_subject *subject, uint32_t level, uint64_t id)
{
	memset(subject, 0, sizeof(*subject));
	subject->level = level;
	subject->id = id;
	for (unsigned int i = 0; i < RM_RESOURCES; i++) {
		subject->counter[i].soft = RM_UNLIMITED;
		subject->counter[i].hard = RM_UNLIMITED;
		subject->counter[i].ceiling = RM_UNLIMITED;
	}
}

static uint64_t add_limits(uint64_t a, uint64_t b)
{
	return rm_min(a + b, RM_UNLIMITED);
}

uint64_t rm_limit_of(const struct rm_counter *counter)
{
	return counter->open ? add_limits(counter->hard, counter->reserve) : counter->hard;
}

static void raise_peak(struct rm_counter *counter)
{
	if (counter->peak < counter->usage)
		counter->peak = counter->usage;
}

/*
 * What a listener will be told next. It is told what is charged at this moment: so
 * that has been, even where it is a charge that comes to nothing.
 */
void rm_tell(uint8_t command, struct rm_subject *subject, unsigned int resource,
	     uint64_t pages, uint64_t region)
{
	struct rm_event *event = &rm->event[rm->events % RM_EVENTS];

	rm->events++;
	for (unsigned int i = 0; i < RM_RESOURCES; i++)
		raise_peak(&subject->counter[i]);
	event->command = command;
	event->level = subject->level;
	event->subject = subject->id;
	event->resource = resource;
	event->request = pages * PAGE;
	event->region = region;
}

static void soft_change(struct rm_subject *subject, unsigned int resource)
{
	struct rm_counter *counter = &subject->counter[resource];
	bool over = counter->usage > counter->soft;

	if (over == counter->over)
		return;
	counter->over = over;
	rm_tell(over ? PRIVHEAP_CMD_QUOTA_SOFT_NTF : PRIVHEAP_CMD_QUOTA_BELOW_NTF,
		subject, resource, 0, 0);
}

/* Each time that a region's counter crosses a threshold, either way. */
static void watches_change(struct rm_subject *subject, unsigned int resource,
			   uint64_t old, uint64_t now)
{
	struct rm_region *region = subject->watched;
	uint64_t low = rm_min(old, now), high = old + now - low;

	if (!region || !region->watches)
		return;
	for (unsigned int i = 0; i < RM_WATCHES; i++) {
		struct rm_watch *watch = &region->watch[i];

		if (watch->threshold && watch->resource == resource &&
		    low < watch->threshold && watch->threshold <= high)
			rm->actor[region->actor].signals[watch->eventfd]++;
	}
}

static void add_usage(struct rm_subject *subject, unsigned int resource, uint64_t nr)
{
	struct rm_counter *counter = &subject->counter[resource];

	watches_change(subject, resource, counter->usage, counter->usage + nr);
	counter->usage += nr;
}

static void sub_usage(struct rm_subject *subject, unsigned int resource, uint64_t nr)
{
	struct rm_counter *counter = &subject->counter[resource];

	watches_change(subject, resource, counter->usage, counter->usage - nr);
	counter->usage -= nr;
	soft_change(subject, resource);
}

/* Does this level refuse? RM_INJECTED where it does so for fail_nth. */
static int refuses(struct rm_counter *counter, uint64_t nr)
{
	if (counter->fail_nth && !--counter->fail_nth)
		return RM_INJECTED;
	return counter->usage + nr > rm_limit_of(counter);
}

/*
 * The level that refused, or 0. @quiet is a charge whose maker can do with less:
 * that a limit refuses it is no denial.
 */
unsigned int rm_charge(struct rm_region *region, unsigned int resource, uint64_t nr,
		       bool quiet)
{
	struct rm_subject *subject;
	int refused = 0;
	unsigned int i, at;

	for (at = 0; at < region->levels; at++) {
		refused = refuses(&region->level[at]->counter[resource], nr);
		if (refused)
			break;
		add_usage(region->level[at], resource, nr);
	}
	if (!refused) {
		for (i = 0; i < region->levels; i++)
			soft_change(region->level[i], resource);
		return 0;
	}

	subject = region->level[at];
	for (i = 0; i < at; i++)
		sub_usage(region->level[i], resource, nr);
	if (quiet && refused != RM_INJECTED)
		return subject->level;
	for (i = 0; i <= at; i++)
		region->level[i]->denials++;
	subject->counter[resource].denials++;
	subject->counter[resource].denied = true;
	rm->refused++;
	rm_tell(PRIVHEAP_CMD_QUOTA_DENIED_NTF, subject, resource, nr, region->id);
	return subject->level | (refused == RM_INJECTED ? RM_INJECTED : 0);
}

/* After a call: whatever is charged now has been charged. */
void rm_raise_peaks(struct rm_region *region)
{
	for (unsigned int i = 0; i < region->levels; i++)
		for (unsigned int j = 0; j < RM_RESOURCES; j++)
			raise_peak(&region->level[i]->counter[j]);
}

void rm_uncharge(struct rm_region *region, unsigned int resource, uint64_t nr)
{
	if (!nr)
		return;
	for (unsigned int i = 0; i < region->levels; i++) {
		raise_peak(&region->level[i]->counter[resource]);
		sub_usage(region->level[i], resource, nr);
	}
}

/* A charge that came to nothing leaves no peak. */
void rm_cancel(struct rm_region *region, unsigned int resource, uint64_t nr)
{
	if (!nr)
		return;
	for (unsigned int i = 0; i < region->levels; i++)
		sub_usage(region->level[i], resource, nr);
}

uint64_t rm_room(const struct rm_region *region, unsigned int resource)
{
	uint64_t room = RM_UNLIMITED;

	for (unsigned int i = 0; i < region->levels; i++) {
		const struct rm_counter *counter = &region->level[i]->counter[resource];
		uint64_t limit = rm_limit_of(counter);

		room = rm_min(room, limit > counter->usage ? limit - counter->usage : 0);
	}
	return room;
}

static bool is_limit(uint64_t bytes)
{
	return bytes == PRIVHEAP_NO_LIMIT || !(bytes % PAGE);
}

static uint64_t to_pages(uint64_t bytes)
{
	return bytes == PRIVHEAP_NO_LIMIT ? RM_UNLIMITED : rm_min(bytes / PAGE, RM_UNLIMITED);
}

/* @bytes: soft, hard, reserve and fail_nth, of which @set tells what is set. */
int rm_limit_set(struct rm_subject *subject, unsigned int resource, uint32_t set,
		 const uint64_t *bytes, bool privileged)
{
	struct rm_counter *counter = &subject->counter[resource];
	uint64_t hard = counter->hard, reserve = counter->reserve;

	if ((set & PRIVHEAP_SET_SOFT && !is_limit(bytes[0])) ||
	    (set & PRIVHEAP_SET_HARD && !is_limit(bytes[1])) ||
	    (set & PRIVHEAP_SET_RESERVE &&
	     (bytes[2] % PAGE || subject->level > PRIVHEAP_LEVEL_PROCESS)) ||
	    (set & PRIVHEAP_SET_FAIL_NTH && bytes[3] > INT64_MAX))
		return -EINVAL;
	if (set & PRIVHEAP_SET_HARD)
		hard = to_pages(bytes[1]);
	if (set & PRIVHEAP_SET_RESERVE)
		reserve = to_pages(bytes[2]);
	if (!privileged && set & (PRIVHEAP_SET_HARD | PRIVHEAP_SET_RESERVE) &&
	    add_limits(hard, reserve) > counter->ceiling)
		return -EPERM;

	if (privileged && set & PRIVHEAP_SET_HARD)
		counter->ceiling = add_limits(hard, reserve);
	else if (privileged && set & PRIVHEAP_SET_RESERVE &&
		 counter->ceiling < add_limits(hard, reserve))
		counter->ceiling = add_limits(hard, reserve);
	counter->hard = hard;
	counter->reserve = reserve;
	if (set & PRIVHEAP_SET_RESERVE) {
		counter->open = false;
		counter->denied = false;
	}
	if (set & PRIVHEAP_SET_FAIL_NTH)
		counter->fail_nth = bytes[3];
	if (set & PRIVHEAP_SET_SOFT)
		counter->soft = to_pages(bytes[0]);
	soft_change(subject, resource);
	return 0;
}

int rm_open_reserve(struct rm_subject *subject, unsigned int resource)
{
	struct rm_counter *counter = &subject->counter[resource];

	if (!counter->reserve)
		return -ENODATA;
	if (counter->open)
		return -EALREADY;
	if (!counter->denied)
		return -EAGAIN;
	counter->open = true;
	return 0;
}
