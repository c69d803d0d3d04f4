// SPDX-License-Identifier: GPL-2.0-only
/* Quotas over netlink: one, all of them, and setting them. */
#include <sys/mman.h>

#include "netlink_fixture.h"

#define COMMIT		PRIVHEAP_A_COMMIT
#define RESIDENT	PRIVHEAP_A_RESIDENT
#define USAGE		PRIVHEAP_A_COUNTER_USAGE
#define SOFT		PRIVHEAP_A_COUNTER_SOFT
#define HARD		PRIVHEAP_A_COUNTER_HARD
#define RESERVE		PRIVHEAP_A_COUNTER_RESERVE
#define FAIL_NTH	PRIVHEAP_A_COUNTER_FAIL_NTH
#define NO_LIMIT	PRIVHEAP_NO_LIMIT

/* A user without anything. */
#define SOME_UID	54322

#define QUOTA_ATTRS	(BIT_OF(PRIVHEAP_A_LEVEL) | BIT_OF(PRIVHEAP_A_SUBJECT) |	\
			 BIT_OF(PRIVHEAP_A_REGIONS) | BIT_OF(PRIVHEAP_A_RESERVED) | \
			 BIT_OF(PRIVHEAP_A_FAULTS) | BIT_OF(PRIVHEAP_A_DENIALS) |	\
			 BIT_OF(COMMIT) | BIT_OF(RESIDENT))

/* What a dump of quotas has held. */
struct seen {
	unsigned int count;
	unsigned int wrong;
	unsigned int levels;
	uint64_t level;
	uint64_t subject;
	uint64_t wanted;
	unsigned int found;
};

static void see(struct nl_object *object, void *argument)
{
	uint64_t level = object->value[PRIVHEAP_A_LEVEL];
	uint64_t subject = object->value[PRIVHEAP_A_SUBJECT];
	struct seen *seen = argument;

	if (object->command != PRIVHEAP_CMD_QUOTA_GET || object->unknown ||
	    object->have != QUOTA_ATTRS || level < seen->level ||
	    (level == seen->level && subject <= seen->subject && seen->count))
		seen->wrong++;
	seen->count++;
	seen->levels |= 1U << level;
	seen->level = level;
	seen->subject = subject;
	seen->found += subject == seen->wanted;
}

static int see_all(struct nl_socket *nl, uint32_t level, uint64_t wanted,
		   struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	seen->wanted = wanted;
	return nl_dump(nl, PRIVHEAP_CMD_QUOTA_GET, level ? PRIVHEAP_A_LEVEL : 0, level,
		       see, seen);
}

TEST_F(netlink, every_level)
{
	struct nl_object region, process, user, system;
	char *base;
	uint64_t id;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_REGION, id, &region));
	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &process));
	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_USER, getuid(), &user));
	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0, &system));
	EXPECT_EQ(QUOTA_ATTRS, region.have);
	EXPECT_EQ(QUOTA_ATTRS, process.have);
	EXPECT_EQ(QUOTA_ATTRS, user.have);
	EXPECT_EQ(QUOTA_ATTRS, system.have);
	EXPECT_EQ(id, region.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(getpid(), process.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(getuid(), user.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(0, system.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(1, region.value[PRIVHEAP_A_REGIONS]);
	EXPECT_EQ(1, process.value[PRIVHEAP_A_REGIONS]);
	EXPECT_EQ(self->system.out_regions + 1, system.value[PRIVHEAP_A_REGIONS]);
	EXPECT_EQ(64 * PAGE, process.value[PRIVHEAP_A_RESERVED]);
	EXPECT_EQ(8 * PAGE, region.commit[USAGE]);
	EXPECT_EQ(8 * PAGE, process.commit[USAGE]);
	EXPECT_EQ(8 * PAGE, process.resident[USAGE]);
	EXPECT_EQ(self->system.out_committed + 8 * PAGE, system.commit[USAGE]);
	EXPECT_LE(8 * PAGE, user.commit[USAGE]);
	EXPECT_EQ(64 * PAGE, region.commit[HARD]);
	EXPECT_EQ(NO_LIMIT, process.commit[HARD]);
	EXPECT_EQ(NO_LIMIT, user.commit[HARD]);
	EXPECT_EQ(self->system.out_limit, system.commit[HARD]);

	EXPECT_REFUSED(-ENOENT, &self->nl,
		       nl_quota(&self->nl, PRIVHEAP_LEVEL_REGION, id + 1000, &region));
	EXPECT_REFUSED(-ENOENT, &self->nl,
		       nl_quota(&self->nl, PRIVHEAP_LEVEL_PROCESS, 0x7fffffff, &region));
	EXPECT_REFUSED(-ENOENT, &self->nl,
		       nl_quota(&self->nl, PRIVHEAP_LEVEL_CGROUP, 0x7fffffffff, &region));
}

TEST_F(netlink, dump_is_in_order)
{
	struct seen seen;
	char *base[20];

	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, ph_create(self->fd, 4 * PAGE, PAGE, 0, &base[i]));
	ASSERT_EQ(0, see_all(&self->nl, 0, getpid(), &seen));
	EXPECT_EQ(0, seen.wrong);
	EXPECT_EQ(1, seen.found);
	EXPECT_FALSE(self->nl.interrupted);
	/* Regions are there only when they are asked for. */
	EXPECT_EQ(0, seen.levels & 1U << PRIVHEAP_LEVEL_REGION);
	EXPECT_NE(0, seen.levels & 1U << PRIVHEAP_LEVEL_PROCESS);
	EXPECT_NE(0, seen.levels & 1U << PRIVHEAP_LEVEL_USER);
	EXPECT_NE(0, seen.levels & 1U << PRIVHEAP_LEVEL_SYSTEM);

	for (uint32_t level = PRIVHEAP_LEVEL_REGION; level <= PRIVHEAP_LEVEL_SYSTEM;
	     level++) {
		ASSERT_EQ(0, see_all(&self->nl, level, 0, &seen));
		EXPECT_EQ(0, seen.wrong);
		EXPECT_EQ(0, seen.levels & ~(1U << level));
		if (level == PRIVHEAP_LEVEL_REGION)
			EXPECT_EQ(20 + self->system.out_regions, seen.count);
		if (level == PRIVHEAP_LEVEL_SYSTEM)
			EXPECT_EQ(1, seen.count);
	}
}

TEST_F(netlink, set_answers_what_is_then)
{
	static const uint16_t what[] = { SOFT, HARD, RESERVE, FAIL_NTH };
	struct nl_object object, again;
	char *base;
	uint64_t id;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	for (int process = 0; process < 2; process++) {
		uint32_t level = process ? PRIVHEAP_LEVEL_PROCESS : PRIVHEAP_LEVEL_REGION;
		uint64_t subject = process ? (uint64_t)getpid() : id;

		for (unsigned int i = 0; i < 4; i++) {
			uint64_t value = (20 + i) * PAGE;

			ASSERT_EQ(0, nl_set(&self->nl, level, subject, COMMIT, what[i],
					    value, &object));
			EXPECT_EQ(PRIVHEAP_CMD_QUOTA_SET, object.command);
			EXPECT_EQ(QUOTA_ATTRS, object.have);
			EXPECT_EQ(level, object.value[PRIVHEAP_A_LEVEL]);
			EXPECT_EQ(subject, object.value[PRIVHEAP_A_SUBJECT]);
			EXPECT_EQ(value, object.commit[what[i]]);
			/* Of the other resource nothing is changed. */
			EXPECT_EQ(NO_LIMIT, object.resident[SOFT]);
			EXPECT_EQ(NO_LIMIT, object.resident[HARD]);
			ASSERT_EQ(0, nl_quota(&self->nl, level, subject, &again));
			EXPECT_EQ(0, memcmp(object.commit, again.commit,
					    sizeof(object.commit)));
		}
	}
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_REGION, id, COMMIT, HARD, NO_LIMIT,
			    &object));
	EXPECT_EQ(NO_LIMIT, object.commit[HARD]);
	EXPECT_EQ(20 * PAGE, object.commit[SOFT]);
}

TEST_F(netlink, set_is_in_force)
{
	struct nl_object object;
	struct privheap_limit limit = {
		.size = sizeof(limit),
		.flags = PRIVHEAP_LIMIT_PROCESS,
		.set = PRIVHEAP_SET_HARD,
	};
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, 0, &base));
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), COMMIT, HARD,
			    16 * PAGE, &object));
	EXPECT_EQ(0, ph_grow(self->fd, base, 16 * PAGE, 0));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 17 * PAGE, 0));
	/* Below the usage: nothing is taken away, and nothing more is given. */
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), COMMIT, HARD,
			    4 * PAGE, &object));
	EXPECT_EQ(16 * PAGE, object.commit[USAGE]);
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 17 * PAGE, 0));
	EXPECT_EQ(0, ph_grow(self->fd, base, 16 * PAGE, 0));
	/* The program cannot set it higher itself. */
	limit.hard = 5 * PAGE;
	EXPECT_EQ(-EPERM, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &limit));
	limit.hard = 4 * PAGE;
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &limit));
	EXPECT_EQ(4 * PAGE, limit.out_ceiling);
	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &object));
	EXPECT_EQ(2, object.commit[PRIVHEAP_A_COUNTER_DENIALS]);

	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), COMMIT, HARD,
			    NO_LIMIT, &object));
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), COMMIT, FAIL_NTH,
			    2, &object));
	EXPECT_EQ(0, ph_grow(self->fd, base, 17 * PAGE, 0));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 18 * PAGE, 0));
	EXPECT_EQ(0, ph_grow(self->fd, base, 18 * PAGE, 0));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
}

/* Both resources in one request. */
static int set_both(struct nl_socket *nl, uint64_t id, uint64_t commit, uint64_t resident,
		    uint16_t flags, struct nl_object *object)
{
	struct nl_message message;
	uint32_t nest;

	nl_begin(&message, nl, PRIVHEAP_CMD_QUOTA_SET, flags);
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_REGION);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, id);
	nest = nl_nest(&message, COMMIT);
	nl_put_u64(&message, HARD, commit);
	nl_put_u64(&message, SOFT, commit);
	nl_nest_end(&message, nest);
	nest = nl_nest(&message, RESIDENT);
	nl_put_u64(&message, HARD, resident);
	nl_nest_end(&message, nest);
	return nl_call_one(nl, &message, object);
}

TEST_F(netlink, all_or_nothing)
{
	struct nl_object object;
	char *base;
	uint64_t id;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, set_both(&self->nl, id, 30 * PAGE, 20 * PAGE, 0, &object));
	EXPECT_EQ(30 * PAGE, object.commit[HARD]);
	EXPECT_EQ(30 * PAGE, object.commit[SOFT]);
	EXPECT_EQ(20 * PAGE, object.resident[HARD]);
	EXPECT_REFUSED(-EINVAL, &self->nl,
		       set_both(&self->nl, id, 40 * PAGE, 20 * PAGE + 1, 0, &object));
	EXPECT_REFUSED(-EINVAL, &self->nl,
		       set_both(&self->nl, id, 40 * PAGE + 1, 10 * PAGE, 0, &object));
	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_REGION, id, &object));
	EXPECT_EQ(30 * PAGE, object.commit[HARD]);
	EXPECT_EQ(30 * PAGE, object.commit[SOFT]);
	EXPECT_EQ(20 * PAGE, object.resident[HARD]);

	/* With NLM_F_ECHO as without: one answer. */
	EXPECT_EQ(0, set_both(&self->nl, id, 31 * PAGE, 21 * PAGE, NLM_F_ECHO, &object));
	EXPECT_EQ(31 * PAGE, object.commit[HARD]);
}

/* A user without regions has limits as long as they are set. */
TEST_F(netlink, limits_make_a_subject)
{
	struct nl_object object;
	struct seen seen;

	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_USER, SOME_UID, &object));
	EXPECT_EQ(0, object.value[PRIVHEAP_A_REGIONS]);
	EXPECT_EQ(NO_LIMIT, object.commit[HARD]);
	ASSERT_EQ(0, see_all(&self->nl, PRIVHEAP_LEVEL_USER, SOME_UID, &seen));
	EXPECT_EQ(0, seen.found);
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_USER, SOME_UID, RESIDENT, HARD, MIB,
			    &object));
	EXPECT_EQ(MIB, object.resident[HARD]);
	ASSERT_EQ(0, see_all(&self->nl, PRIVHEAP_LEVEL_USER, SOME_UID, &seen));
	EXPECT_EQ(1, seen.found);
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_USER, SOME_UID, RESIDENT, HARD,
			    NO_LIMIT, &object));
	ASSERT_EQ(0, see_all(&self->nl, PRIVHEAP_LEVEL_USER, SOME_UID, &seen));
	EXPECT_EQ(0, seen.found);
}

/* What has no memory, or is not there, has no quota and gets none. */
TEST_F(netlink, not_of_nobody)
{
	static const struct {
		uint32_t level;
		uint64_t subject;
	} nobodies[] = {
		{ PRIVHEAP_LEVEL_REGION, UINT64_MAX },
		{ PRIVHEAP_LEVEL_PROCESS, 2 },	/* kthreadd */
		{ PRIVHEAP_LEVEL_PROCESS, 4194304 },	/* none has more */
		{ PRIVHEAP_LEVEL_CGROUP, 0x7fffffffffff },
	};
	struct nl_object object;
	struct seen before, after;

	ASSERT_EQ(0, see_all(&self->nl, 0, 0, &before));
	for (unsigned int i = 0; i < sizeof(nobodies) / sizeof(*nobodies); i++) {
		uint32_t level = nobodies[i].level;
		uint64_t subject = nobodies[i].subject;

		EXPECT_EQ(-ENOENT, nl_quota(&self->nl, level, subject, &object)) {
			TH_LOG("level %u, %llu", level, (unsigned long long)subject);
		}
		EXPECT_EQ(-ENOENT, nl_set(&self->nl, level, subject, COMMIT, SOFT, MIB,
					  &object)) {
			TH_LOG("level %u, %llu", level, (unsigned long long)subject);
		}
	}
	ASSERT_EQ(0, see_all(&self->nl, 0, 0, &after));
	EXPECT_EQ(before.count, after.count);
}

/* The system's limit is the module's parameter. */
TEST_F(netlink, system_limit_is_the_parameter)
{
	const char *parameter = "/sys/module/privheap/parameters/commit_limit";
	struct nl_object object;
	uint64_t before = self->system.out_limit;

	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0, COMMIT, HARD,
			    before - PAGE, &object));
	EXPECT_EQ(before - PAGE, ph_read_number(parameter));
	ASSERT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0, COMMIT, HARD, before,
			    &object));
	EXPECT_EQ(before, ph_read_number(parameter));
	EXPECT_EQ(before, object.commit[HARD]);
}

TEST_HARNESS_MAIN
