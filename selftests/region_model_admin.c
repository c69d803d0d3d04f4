// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an administrator does and sees over netlink, and another process in a
 * region's memory: between the turns of the others, all is held against the model.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "netlink_selftest.h"
#include "privheap_selftest.h"
#include "region_model.h"

static struct nl_socket nl = { .fd = -1 };
static struct nl_socket listener = { .fd = -1 };
static uint64_t last_seq;
/* The system's commit limit as it was, in bytes. */
static uint64_t system_limit;

/* --- what there is before we begin */

static uint64_t pages_of(uint64_t bytes)
{
	return bytes == PRIVHEAP_NO_LIMIT ? RM_UNLIMITED : bytes / PAGE;
}

static void learn_counter(struct rm_counter *counter, const uint64_t *value)
{
	counter->usage = value[PRIVHEAP_A_COUNTER_USAGE] / PAGE;
	counter->peak = value[PRIVHEAP_A_COUNTER_PEAK] / PAGE;
	counter->soft = pages_of(value[PRIVHEAP_A_COUNTER_SOFT]);
	counter->hard = pages_of(value[PRIVHEAP_A_COUNTER_HARD]);
	counter->denials = value[PRIVHEAP_A_COUNTER_DENIALS];
	counter->fail_nth = value[PRIVHEAP_A_COUNTER_FAIL_NTH];
	counter->over = counter->usage > counter->soft;
}

/* Users and the system have a past. */
static int learn(struct rm_subject *subject)
{
	static struct nl_object object;
	int ret = nl_quota(&nl, subject->level, subject->id, &object);

	if (ret)
		return ret;
	learn_counter(&subject->counter[0], object.commit);
	learn_counter(&subject->counter[1], object.resident);
	subject->regions = object.value[PRIVHEAP_A_REGIONS];
	subject->reserved = object.value[PRIVHEAP_A_RESERVED] / PAGE;
	subject->faults = object.value[PRIVHEAP_A_FAULTS];
	subject->denials = object.value[PRIVHEAP_A_DENIALS];
	return 0;
}

/* Before there is anything but the keepers, whom the model knows. */
int rm_admin_open(void)
{
	int size = 16 << 20, ret;

	ret = nl_open(&nl) ?: nl_open(&listener);
	if (ret)
		return ret;
	setsockopt(listener.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ret = learn(&rm->system);
	system_limit = rm->system.counter[PRIVHEAP_RESOURCE_COMMIT].hard * PAGE;
	for (unsigned int i = 0; i < RM_USERS && !ret; i++)
		ret = learn(&rm->user[i]);
	for (unsigned int i = 0; i < rm->cgroups && !ret; i++)
		ret = learn(&rm->cgroup_subject[i]);
	rm->events = 0;
	last_seq = 0;
	return ret ?: nl_listen(&listener);
}

/* --- limits of others */

static struct rm_subject *some_subject(void)
{
	struct rm_region *region = &rm->region[rm_below(RM_REGIONS)];

	switch (rm_below(8)) {
	case 0 ... 1:
		return &rm->process[rm_below(RM_CHILD)];
	case 2 ... 3:
		return &rm->user[rm_below(RM_USERS)];
	case 4 ... 5:
		return rm->cgroups ? &rm->cgroup_subject[rm_below(rm->cgroups)] :
				     &rm->system;
	case 6:
		return region->used ? &region->own : &rm->system;
	default:
		return &rm->system;
	}
}

static int send_limits(struct rm_subject *subject, unsigned int resource, uint32_t set,
		       const uint64_t *bytes)
{
	static struct nl_object object;
	struct nl_message message;
	uint32_t nest;

	nl_begin(&message, &nl, PRIVHEAP_CMD_QUOTA_SET, 0);
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, subject->level);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, subject->id);
	nest = nl_nest(&message, resource ? PRIVHEAP_A_RESIDENT : PRIVHEAP_A_COMMIT);
	if (set & PRIVHEAP_SET_SOFT)
		nl_put_u64(&message, PRIVHEAP_A_COUNTER_SOFT, bytes[0]);
	if (set & PRIVHEAP_SET_HARD)
		nl_put_u64(&message, PRIVHEAP_A_COUNTER_HARD, bytes[1]);
	if (set & PRIVHEAP_SET_RESERVE)
		nl_put_u64(&message, PRIVHEAP_A_COUNTER_RESERVE, bytes[2]);
	if (set & PRIVHEAP_SET_FAIL_NTH)
		nl_put_u64(&message, PRIVHEAP_A_COUNTER_FAIL_NTH, bytes[3]);
	nl_nest_end(&message, nest);
	return nl_call_one(&nl, &message, &object);
}

static void set_limits(struct rm_subject *subject)
{
	unsigned int resource = rm_below(RM_RESOURCES);
	int result, expected;
	uint64_t bytes[4];
	uint32_t set;

	rm_some_limits(subject, resource, &set, bytes);
	if (rm_chance(3)) {
		set = PRIVHEAP_SET_HARD;
		bytes[1] = PRIVHEAP_NO_LIMIT;
	}
	result = send_limits(subject, resource, set, bytes);
	rm_record(RM_ACTORS, "netlink_set", NULL, subject->level << 8 | resource,
		  subject->id, set, bytes[1]);
	rm_result(result, 0);
	expected = set ? rm_limit_set(subject, resource, set, bytes, true) : -EINVAL;
	RM_CHECK(result == expected, "set level %u, %" PRIu64 ": %d, should be %d (%s)",
		 subject->level, subject->id, result, expected, nl.text);
}

/* --- memory of others */

/* Another process reads or writes a page: as if the owner touched it. */
static void touch_remotely(struct rm_region *region)
{
	static uint64_t buffer[PAGE / sizeof(uint64_t)];
	uint64_t page = rm_some_page(region);
	struct iovec local = { .iov_base = buffer, .iov_len = PAGE };
	struct iovec remote = { .iov_base = region->base + page * PAGE, .iov_len = PAGE };
	pid_t pid = rm->actor[region->actor].pid;
	bool write = rm_chance(2);
	int expected;
	ssize_t got;

	if (write)
		rm_fill(buffer, region, rm->contents + 1);
	got = write ? process_vm_writev(pid, &local, 1, &remote, 1, 0) :
		      process_vm_readv(pid, &local, 1, &remote, 1, 0);
	rm_record(RM_ACTORS, write ? "remote_write" : "remote_read", region, page, 0, 0, 0);
	rm_result(got < 0 ? -errno : 0, 0);
	expected = rm_touch(region, page, write ? PROT_READ | PROT_WRITE : PROT_READ);
	if (!RM_CHECK(expected ? got < 0 && errno == EFAULT : got == PAGE,
		      "page %" PRIu64 " remotely: %zd", page, got))
		return;
	if (!expected && write)
		region->page[page].content = ++rm->contents;
	else if (!expected)
		rm_check_bytes(region, page, buffer);
}

/* --- what is told */

static void check_counter(const struct rm_subject *subject, unsigned int resource,
			  const uint64_t *value)
{
	const struct rm_counter *counter = &subject->counter[resource];
	const struct {
		const char *name;
		uint64_t expected;
		unsigned int attr;
	} values[] = {
		{ "usage", counter->usage * PAGE, PRIVHEAP_A_COUNTER_USAGE },
		{ "peak", counter->peak * PAGE, PRIVHEAP_A_COUNTER_PEAK },
		{ "soft", counter->soft, PRIVHEAP_A_COUNTER_SOFT },
		{ "hard", counter->hard, PRIVHEAP_A_COUNTER_HARD },
		{ "reserve", counter->reserve * PAGE, PRIVHEAP_A_COUNTER_RESERVE },
		{ "reserve open", counter->open, PRIVHEAP_A_COUNTER_RESERVE_OPEN },
		{ "fail_nth", counter->fail_nth, PRIVHEAP_A_COUNTER_FAIL_NTH },
		{ "denials", counter->denials, PRIVHEAP_A_COUNTER_DENIALS },
	};

	for (unsigned int i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint64_t found = value[values[i].attr];

		if (values[i].attr == PRIVHEAP_A_COUNTER_SOFT ||
		    values[i].attr == PRIVHEAP_A_COUNTER_HARD)
			found = pages_of(found);
		RM_CHECK(found == values[i].expected,
			 "netlink, level %u, %" PRIu64 ", resource %u: %s is %" PRIu64
			 ", should be %" PRIu64, subject->level, subject->id, resource,
			 values[i].name, found, values[i].expected);
	}
}

static void check_object(const struct rm_subject *subject, struct nl_object *object)
{
	RM_CHECK(object->value[PRIVHEAP_A_RESERVED] == subject->reserved * PAGE &&
		 object->value[PRIVHEAP_A_FAULTS] == subject->faults &&
		 object->value[PRIVHEAP_A_DENIALS] == subject->denials && !object->unknown,
		 "netlink, level %u, %" PRIu64 ": reserved %" PRIu64 ", faults %" PRIu64
		 ", denials %" PRIu64 ", should be %" PRIu64 ", %" PRIu64 ", %" PRIu64,
		 subject->level, subject->id, object->value[PRIVHEAP_A_RESERVED],
		 object->value[PRIVHEAP_A_FAULTS], object->value[PRIVHEAP_A_DENIALS],
		 subject->reserved * PAGE, subject->faults, subject->denials);
	check_counter(subject, PRIVHEAP_RESOURCE_COMMIT, object->commit);
	check_counter(subject, PRIVHEAP_RESOURCE_RESIDENT, object->resident);
}

static struct rm_subject *find_subject(uint32_t level, uint64_t id)
{
	struct rm_subject *subjects[RM_SUBJECTS];
	unsigned int count = 0;

	for (unsigned int i = 0; i < RM_ACTORS + RM_KEEPERS; i++)
		if (rm->actor[i].alive)
			subjects[count++] = &rm->process[i];
	for (unsigned int i = 0; i < RM_USERS; i++)
		subjects[count++] = &rm->user[i];
	for (unsigned int i = 0; i < rm->cgroups; i++)
		subjects[count++] = &rm->cgroup_subject[i];
	subjects[count++] = &rm->system;
	while (count--)
		if (subjects[count]->level == level && subjects[count]->id == id)
			return subjects[count];
	return NULL;
}

static void each_quota(struct nl_object *object, void *argument)
{
	struct rm_subject *subject = find_subject(object->value[PRIVHEAP_A_LEVEL],
						  object->value[PRIVHEAP_A_SUBJECT]);

	/* Others that are known have nothing to do with us. */
	if (!subject)
		return;
	++*(unsigned int *)argument;
	RM_CHECK(object->value[PRIVHEAP_A_REGIONS] == subject->regions,
		 "netlink, level %u, %" PRIu64 ": %" PRIu64 " regions, should be %" PRIu64,
		 subject->level, subject->id, object->value[PRIVHEAP_A_REGIONS],
		 subject->regions);
	check_object(subject, object);
}

static void each_region(struct nl_object *object, void *argument)
{
	uint64_t id = object->value[PRIVHEAP_A_REGION_ID];

	for (unsigned int i = 0; i < RM_REGIONS; i++) {
		struct rm_region *region = &rm->region[i];

		if (!region->used || region->id != id)
			continue;
		++*(unsigned int *)argument;
		RM_CHECK(object->value[PRIVHEAP_A_BASE] == TO_BASE(region->base) &&
			 object->value[PRIVHEAP_A_FLAGS] == region->flags &&
			 object->value[PRIVHEAP_A_UID] == region->uid &&
			 object->value[PRIVHEAP_A_CGROUP] == region->cgroup &&
			 object->value[PRIVHEAP_A_PID] == (uint32_t)rm->actor[region->actor].pid,
			 "netlink, region %" PRIu64 ": base %" PRIx64 " flags %" PRIx64
			 " uid %" PRIu64 " cgroup %" PRIu64 " (%" PRIu64 ")", id,
			 object->value[PRIVHEAP_A_BASE], object->value[PRIVHEAP_A_FLAGS],
			 object->value[PRIVHEAP_A_UID], object->value[PRIVHEAP_A_CGROUP],
			 region->cgroup);
		check_object(&region->own, object);
		return;
	}
	RM_CHECK(false, "netlink: region %" PRIu64 " should not be there", id);
}

/* Dumps: each region and each subject is there, once, and is as it should be. */
void rm_admin_check(void)
{
	unsigned int subjects = 0, regions = 0, expected = 0;
	int ret = nl_dump(&nl, PRIVHEAP_CMD_QUOTA_GET, 0, 0, each_quota, &subjects);

	RM_CHECK(!ret, "dump of quotas: %d", ret);
	for (unsigned int i = 0; i < RM_ACTORS + RM_KEEPERS; i++)
		expected += rm->actor[i].alive;
	expected += RM_USERS + rm->cgroups + 1;
	RM_CHECK(subjects == expected, "dump of quotas: %u of %u", subjects, expected);
	ret = nl_dump(&nl, PRIVHEAP_CMD_REGION_GET, 0, 0, each_region, &regions);
	RM_CHECK(!ret, "dump of regions: %d", ret);
	RM_CHECK(regions == rm->system.regions, "dump: %u regions of %" PRIu64, regions,
		 rm->system.regions);
}

static void check_map(const struct rm_region *region)
{
	static struct nl_object object;
	uint32_t cells = 1 + rm_below(PRIVHEAP_CELLS_MAX);
	uint64_t size = (region->pages + cells - 1) / cells;
	int ret = nl_map(&nl, region->id, cells, &object);

	if (!RM_CHECK(!ret && object.pairs == (region->pages + size - 1) / size,
		      "map of region %" PRIu64 ": %d, %u cells", region->id, ret,
		      object.pairs))
		return;
	for (uint64_t page = 0, cell = 0; page < region->pages; cell++) {
		uint64_t committed = 0, resident = 0, end = rm_min(page + size, region->pages);

		for (; page < end; page++) {
			committed += region->page[page].committed;
			resident += region->page[page].resident;
		}
		RM_CHECK(object.map[cell][0] == committed * PAGE &&
			 object.map[cell][1] == resident * PAGE,
			 "map of region %" PRIu64 ", cell %" PRIu64 " of %" PRIu64
			 " pages: %" PRIu64 " and %" PRIu64, region->id, cell, size,
			 object.map[cell][0], object.map[cell][1]);
	}
}

static bool is_told(const struct nl_object *object, const struct rm_event *event)
{
	bool region = event->command == PRIVHEAP_CMD_REGION_CREATE_NTF ||
		      event->command == PRIVHEAP_CMD_REGION_DESTROY_NTF;

	return object->command == event->command &&
	       object->value[region ? PRIVHEAP_A_REGION_ID : PRIVHEAP_A_SUBJECT] ==
	       event->subject &&
	       (region || object->value[PRIVHEAP_A_LEVEL] == event->level) &&
	       object->event[PRIVHEAP_A_EVENT_RESOURCE] == event->resource &&
	       object->event[PRIVHEAP_A_EVENT_REQUEST] == event->request &&
	       object->event[PRIVHEAP_A_EVENT_REGION_ID] ==
	       (event->request ? event->region : 0);
}

/* The number of the event that was told; that of the next where there is none. */
static unsigned int find_event(const struct nl_object *object, unsigned int next)
{
	unsigned int i = next, last = rm->unordered ? rm->events - 1 : next;

	while (i < last && !is_told(object, &rm->event[i]))
		i++;
	return is_told(object, &rm->event[i]) ? i : next;
}

/* What was to be told has been, in order, and nothing else. */
void rm_admin_events(void)
{
	static struct nl_object object;
	struct rm_event *event;
	int ret;

	if (!RM_CHECK(rm->events <= RM_EVENTS, "too many events for the model"))
		return;
	for (unsigned int i = 0; i < rm->events; i++) {
		event = &rm->event[i];
		ret = nl_event(&listener, &object, 20000);
		if (!RM_CHECK(!ret, "event %u of %u (%u of level %u, %" PRIu64 "): %d", i,
			      rm->events, event->command, event->level, event->subject, ret))
			return;
		event = &rm->event[find_event(&object, i)];
		if (!RM_CHECK(is_told(&object, event),
			      "event %u of level %" PRIu64 ", %" PRIu64 "/%" PRIu64
			      ", resource %" PRIu64 ", request %" PRIu64 ", should be %u of %u, %"
			      PRIu64 ", %u, %" PRIu64, object.command,
			      object.value[PRIVHEAP_A_LEVEL],
			      object.value[PRIVHEAP_A_SUBJECT],
			      object.value[PRIVHEAP_A_REGION_ID],
			      object.event[PRIVHEAP_A_EVENT_RESOURCE],
			      object.event[PRIVHEAP_A_EVENT_REQUEST], event->command,
			      event->level, event->subject, event->resource, event->request))
			return;
		*event = rm->event[i];
		RM_CHECK(!last_seq || object.event[PRIVHEAP_A_EVENT_SEQ] == last_seq + 1,
			 "event %" PRIu64 " after %" PRIu64,
			 object.event[PRIVHEAP_A_EVENT_SEQ], last_seq);
		last_seq = object.event[PRIVHEAP_A_EVENT_SEQ];
		rm->events_heard++;
	}
	rm->events = 0;
	rm->unordered = false;
	RM_CHECK(nl_event(&listener, &object, 0) == -ETIMEDOUT,
		 "an event too many: %u", object.command);
}

/* --- */

void rm_admin_operation(void)
{
	struct rm_region *region = &rm->region[rm_below(RM_ACTORS * RM_PER_ACTOR)];
	unsigned int actor = rm_below(RM_CHILD);

	switch (rm_below(16)) {
	case 0 ... 5:
		set_limits(some_subject());
		break;
	case 6 ... 11:
		if (region->used)
			touch_remotely(region);
		break;
	case 12:
		if (region->used)
			check_map(region);
		break;
	case 13:
		if (!rm_chance(4))
			break;
		rm_record(RM_ACTORS, "kill", NULL, actor, 0, 0, 0);
		rm_actor_kill(actor);
		RM_CHECK(!rm_actor_start(actor), "fork");
		break;
	default:
		if (!rm->cgroups)
			break;
		rm->actor[actor].cgroup = rm_below(rm->cgroups + 1);
		rm_record(RM_ACTORS, "move", NULL, actor, rm->actor[actor].cgroup, 0, 0);
		RM_CHECK(!rm_actor_enter(actor), "move to another cgroup");
	}
	if (rm_chance(8))
		rm_admin_check();
}

/* Limits of who stays are taken back. */
void rm_admin_close(void)
{
	static const uint64_t none[4] = { PRIVHEAP_NO_LIMIT, PRIVHEAP_NO_LIMIT, 0, 0 };
	const uint32_t all = PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD | PRIVHEAP_SET_FAIL_NTH;

	if (nl.fd >= 0) {
		for (unsigned int i = 0; i < RM_RESOURCES; i++) {
			for (unsigned int j = 0; j < RM_USERS; j++)
				send_limits(&rm->user[j], i, all, none);
			send_limits(&rm->system, i, all, none);
		}
		send_limits(&rm->system, PRIVHEAP_RESOURCE_COMMIT, PRIVHEAP_SET_HARD,
			    (uint64_t []){ 0, system_limit, 0, 0 });
		nl_close(&nl);
	}
	if (listener.fd >= 0)
		nl_close(&listener);
}
