// SPDX-License-Identifier: GPL-2.0-only
/* Random limits of programs' own, and watches. */
#include <errno.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privheap_selftest.h"
#include "region_model.h"

/* Around what is used, or none, or anything. */
static uint64_t some_limit(const struct rm_counter *counter)
{
	uint64_t pages;

	switch (rm_below(24)) {
	case 0:
		return rm_random();
	case 1:
		return 0;
	case 2:
		return (1ULL << 63) - PAGE * rm_below(3);
	case 3 ... 9:
		return PRIVHEAP_NO_LIMIT;
	}
	pages = counter->usage + rm_below(64);
	if (rm_chance(4))
		pages = counter->usage - rm_min(counter->usage, rm_below(64));
	return pages * PAGE;
}

/* Soft, hard, reserve and fail_nth of a subject, and which of them to set. */
void rm_some_limits(const struct rm_subject *subject, unsigned int resource,
		    uint32_t *set, uint64_t *bytes)
{
	const struct rm_counter *counter = &subject->counter[resource % RM_RESOURCES];

	*set = 1U << rm_below(4);
	if (rm_chance(3))
		*set = rm_below(16);
	bytes[0] = some_limit(counter);
	bytes[1] = rm_chance(3) && counter->ceiling != RM_UNLIMITED ?
		   counter->ceiling * PAGE : some_limit(counter);
	bytes[2] = rm_below(16) * PAGE;
	if (rm_chance(16))
		bytes[2] = rm_random() | (uint64_t)rm_random() << 32;
	bytes[3] = rm_below(6);
	if (rm_chance(16))
		bytes[3] = rm_random() | (uint64_t)rm_random() << 32;
}

static void limit(unsigned int actor, struct rm_region *region)
{
	bool process = rm_chance(3), open = rm_chance(4);
	struct rm_subject *subject = process ? &rm->process[actor] : &region->own;
	struct privheap_limit arg = {
		.size = sizeof(arg),
		.flags = (process ? PRIVHEAP_LIMIT_PROCESS : 0) |
			 (open ? PRIVHEAP_LIMIT_OPEN_RESERVE : 0),
		.base = process ? 0 : TO_BASE(region->base),
		.resource = rm_below(RM_RESOURCES),
	};
	int result, expected;
	uint64_t bytes[4];
	uint32_t set;

	rm_some_limits(subject, arg.resource, &set, bytes);
	arg.soft = bytes[0];
	arg.hard = bytes[1];
	arg.reserve = bytes[2];
	arg.fail_nth = bytes[3];
	if (!open)
		arg.set = set;
	switch (rm_below(40)) {
	case 0:
		arg.resource = RM_RESOURCES + rm_below(3);
		break;
	case 1:
		arg.set |= 16U << rm_below(28);
		break;
	case 2:
		arg.reserved = 1 + rm_random();
		break;
	case 3:
		if (process)
			arg.base = TO_BASE(region->base);
		break;
	}
	if (!rm_call(actor, PRIVHEAP_IOC_LIMIT, &arg, &result))
		return;
	rm_record(actor, open ? "open_reserve" : "limit", process ? NULL : region,
		  arg.resource | arg.set << 8, arg.soft, arg.hard,
		  set & PRIVHEAP_SET_RESERVE ? arg.reserve : arg.fail_nth);
	rm_result(result, 0);
	if (arg.resource >= RM_RESOURCES || arg.set > 15 || arg.reserved ||
	    (process && arg.base) || (open && arg.set))
		expected = -EINVAL;
	else if (!process && !region->findable)
		expected = -ENOENT;
	else if (open)
		expected = rm_open_reserve(subject, arg.resource);
	else
		expected = rm_limit_set(subject, arg.resource, arg.set, bytes, false);
	RM_CHECK(result == expected, "limit: %d, should be %d", result, expected);
	if (!result && !expected)
		rm_check_limit(actor, process ? NULL : region, arg.resource);
}

static void notify(unsigned int actor, struct rm_region *region)
{
	unsigned int number = rm_below(RM_EVENTFDS);
	uint64_t threshold = 1 + rm_below(region->pages);
	bool removal = rm_chance(3);
	struct privheap_notify arg = {
		.size = sizeof(arg),
		.flags = removal ? PRIVHEAP_NOTIFY_REMOVE : 0,
		.base = TO_BASE(region->base),
		.threshold = threshold * PAGE,
		.resource = rm_below(RM_RESOURCES),
		.eventfd = rm->actor[actor].eventfd[number],
	};
	int result, expected = 0;

	/* One that is there, to remove it or to add it again. */
	if (rm_chance(2)) {
		struct rm_watch *watch = &region->watch[rm_below(RM_WATCHES)];

		if (watch->threshold) {
			threshold = watch->threshold;
			number = watch->eventfd;
			arg.resource = watch->resource;
			arg.threshold = threshold * PAGE;
			arg.eventfd = rm->actor[actor].eventfd[number];
		}
	}
	switch (rm_below(40)) {
	case 0:
		arg.threshold += 1;
		expected = -EINVAL;
		break;
	case 1:
		arg.threshold = 0;
		expected = -EINVAL;
		break;
	case 2:
		arg.resource = RM_RESOURCES;
		expected = -EINVAL;
		break;
	case 3:
		arg.threshold = (region->pages + 1) * PAGE;
		expected = region->findable ? -EINVAL : -ENOENT;
		break;
	case 4:
		arg.eventfd = -1;
		expected = region->findable ? -EBADF : -ENOENT;
		break;
	case 5:
		arg.eventfd = rm->actor[actor].fd;
		expected = region->findable ? -EINVAL : -ENOENT;
		break;
	}
	if (!rm_call(actor, PRIVHEAP_IOC_NOTIFY, &arg, &result))
		return;
	rm_record(actor, removal ? "unnotify" : "notify", region, arg.threshold,
		  arg.resource, number, 0);
	rm_result(result, 0);
	if (!expected)
		expected = region->findable ? rm_notify(region, arg.resource, threshold,
							number, removal) : -ENOENT;
	RM_CHECK(result == expected, "notify: %d, should be %d", result, expected);
}

/* Whose a new region is follows the real user id, at that time. */
static void change_user(unsigned int actor)
{
	struct rm_actor *own = &rm->actor[actor];
	uint32_t uid = own->uid ? 0 : 1000;

	rm_record(actor, "user", NULL, uid, 0, 0, 0);
	/* Not by the C library: there are no other threads to tell. */
	RM_CHECK(!syscall(SYS_setresuid, uid, 0, 0), "setresuid");
	own->uid = uid;
}

/* One operation on limits or watches. */
void rm_limit_operation(unsigned int actor, struct rm_region *region)
{
	unsigned int what = rm_below(32);

	if (what < 20)
		limit(actor, region);
	else if (what < 31)
		notify(actor, region);
	else
		change_user(actor);
}
