// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of each netlink request fails once: the answer is an error and
 * nothing was set, or the answer is right. Where it is the answer itself for which
 * there is no memory, the socket says ENOBUFS, as with every family.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fail_fixture.h"

#define SOME_UID	54332
#define HARD		PRIVHEAP_A_COUNTER_HARD

static char cgroup_path[512];

/* What a request that failed has left in a socket is not for the next one. */
static int fresh_socket(struct fail_world *world)
{
	nl_close(&world->nl);
	return nl_open(&world->nl);
}

static int with_region(struct fail_world *world)
{
	int ret = fresh_socket(world);

	ret = ret ?: ph_create(world->fd, MIB, 16 * PAGE, 0, &world->base);
	if (!ret)
		world->id = ph_region(world->fd, world->base).out_id;
	return ret;
}

/* More than one message holds. */
static int with_regions(struct fail_world *world)
{
	char *base;
	int ret = with_region(world);

	for (int i = 0; i < 40 && !ret; i++)
		ret = ph_create(world->fd, MIB, PAGE, PRIVHEAP_CREATE_LAZY, &base);
	return ret;
}

/* --- requests */

static struct nl_object object;

static void count(struct nl_object *found, void *argument)
{
	++*(unsigned int *)argument;
}

static int dump(struct fail_world *world, uint8_t command, uint16_t filter, uint64_t value)
{
	unsigned int counted = 0;
	int ret = nl_dump(&world->nl, command, filter, value, count, &counted);

	world->value = counted;
	return ret;
}

static int set(struct fail_world *world, uint32_t level, uint64_t subject, uint64_t hard)
{
	return nl_set(&world->nl, level, subject, PRIVHEAP_A_COMMIT, HARD, hard, &object);
}

#define CALL(name, expression)						\
static int name(struct fail_world *world)				\
{									\
	return expression;						\
}

CALL(region_get, nl_region(&world->nl, world->id, &object))
CALL(region_map, nl_map(&world->nl, world->id, 256, &object))
CALL(quota_region, nl_quota(&world->nl, PRIVHEAP_LEVEL_REGION, world->id, &object))
CALL(quota_process, nl_quota(&world->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &object))
CALL(quota_user, nl_quota(&world->nl, PRIVHEAP_LEVEL_USER, 0, &object))
CALL(quota_cgroup, nl_quota(&world->nl, PRIVHEAP_LEVEL_CGROUP, world->subject, &object))
CALL(quota_system, nl_quota(&world->nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object))
CALL(dump_regions, dump(world, PRIVHEAP_CMD_REGION_GET, 0, 0))
CALL(dump_process, dump(world, PRIVHEAP_CMD_REGION_GET, PRIVHEAP_A_PID, getpid()))
CALL(dump_quotas, dump(world, PRIVHEAP_CMD_QUOTA_GET, 0, 0))
CALL(dump_of_regions, dump(world, PRIVHEAP_CMD_QUOTA_GET, PRIVHEAP_A_LEVEL,
			   PRIVHEAP_LEVEL_REGION))
CALL(set_region, set(world, PRIVHEAP_LEVEL_REGION, world->id, MIB))
CALL(set_process, set(world, PRIVHEAP_LEVEL_PROCESS, getpid(), GIB))
CALL(set_subject, set(world, world->level, world->subject, world->value))

CALL(has_id, object.value[PRIVHEAP_A_REGION_ID] != world->id)
CALL(has_map, object.pairs != 256 || object.map[0][0] != PAGE)
CALL(has_subject, object.value[PRIVHEAP_A_SUBJECT] != world->id)
CALL(has_cgroup, object.value[PRIVHEAP_A_SUBJECT] != world->subject)
CALL(has_a_region, object.value[PRIVHEAP_A_REGIONS] != 1)
CALL(is_system, object.value[PRIVHEAP_A_LEVEL] != PRIVHEAP_LEVEL_SYSTEM)
CALL(has_41, world->value != 41)
CALL(has_3, world->value != 3)
CALL(has_mib, object.commit[HARD] != MIB)
CALL(has_gib, object.commit[HARD] != GIB)
CALL(has_value, object.commit[HARD] != (uint64_t)world->value)

/* For the next time, in a socket without errors. */
static void unset_process(struct fail_world *world)
{
	fresh_socket(world);
	set(world, PRIVHEAP_LEVEL_PROCESS, getpid(), PRIVHEAP_NO_LIMIT);
	if (world->base)
		ph_destroy(world->fd, world->base);
}

static void unset_subject(struct fail_world *world)
{
	fresh_socket(world);
	set(world, world->level, world->subject, PRIVHEAP_NO_LIMIT);
}

static void destroy_all(struct fail_world *world)
{
	char line[512];
	FILE *maps;
	char *from, *to;
	char *found[64];
	int number = 0;

	maps = fopen("/proc/self/maps", "re");
	while (maps && number < 64 && fgets(line, sizeof(line), maps))
		if (strstr(line, "privheap:[") &&
		    sscanf(line, "%p-%p", (void **)&from, (void **)&to) == 2)
			found[number++] = from;
	if (maps)
		fclose(maps);
	while (number--)
		ph_destroy(world->fd, found[number]);
}

/* What is told of comes when it is done: the answer, or what acknowledges it. */
#define ASKED	.allowed = { -ENOMEM, -ENOBUFS }
#define SET	.allowed = { -ENOMEM }, .changed = { -ENOBUFS }

static const struct fail_case requests[] = {
	{ "REGION_GET", with_region, region_get, has_id, NULL, 3, ASKED },
	{ "REGION_GET, map", with_region, region_map, has_map, NULL, 4, ASKED },
	{ "QUOTA_GET, region", with_region, quota_region, has_subject, NULL, 3, ASKED },
	{ "QUOTA_GET, process", with_region, quota_process, has_a_region, NULL, 3, ASKED },
	{ "QUOTA_GET, user", with_region, quota_user, has_a_region, NULL, 3, ASKED },
	{ "QUOTA_GET, system", with_region, quota_system, is_system, NULL, 3, ASKED },
};

static const struct fail_case dumps[] = {
	{ "REGION_GET, dump", with_regions, dump_regions, has_41, destroy_all, 5, ASKED },
	{ "REGION_GET, dump of a process", with_regions, dump_process, has_41, destroy_all, 5,
	  ASKED },
	{ "QUOTA_GET, dump", with_region, dump_quotas, has_3, NULL, 4, ASKED },
	{ "QUOTA_GET, dump of regions", with_regions, dump_of_regions, has_41, destroy_all, 5,
	  ASKED },
};

static const struct fail_case sets[] = {
	{ "QUOTA_SET, region", with_region, set_region, has_mib, NULL, 3, SET },
	{ "QUOTA_SET, process", with_region, set_process, has_gib, unset_process, 3, SET },
};

TEST_F(fail, requests)
{
	SWEEP_ALL(requests, &self->world);
}

TEST_F(fail, dumps)
{
	SWEEP_ALL(dumps, &self->world);
}

TEST_F(fail, sets)
{
	SWEEP_ALL(sets, &self->world);
}

/* Of a user that nobody knew. */
TEST_F(fail, set_user)
{
	static const struct fail_case one = {
		"QUOTA_SET, user", fresh_socket, set_subject, has_value, unset_subject, 4, SET
	};

	self->world.level = PRIVHEAP_LEVEL_USER;
	self->world.subject = SOME_UID;
	self->world.value = GIB;
	fail_sweep(_metadata, &one, &self->world);
}

TEST_F(fail, set_system)
{
	static const struct fail_case one = {
		"QUOTA_SET, system", fresh_socket, set_subject, has_value, NULL, 3, SET
	};

	ASSERT_EQ(0, quota_system(&self->world));
	self->world.level = PRIVHEAP_LEVEL_SYSTEM;
	self->world.value = object.commit[HARD];
	fail_sweep(_metadata, &one, &self->world);
}

/* Of a process that nobody knows, which so becomes a subject. */
TEST_F(fail, set_of_unknown_process)
{
	static const struct fail_case one = {
		"QUOTA_SET, first of a process", fresh_socket, set_process, has_gib,
		unset_process, 4, SET
	};
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		fail_sweep(_metadata, &one, &self->world);
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	EXPECT_EXITED(0, child);
}

/* Of a cgroup below others, all of which become subjects. */
TEST_F(fail, cgroups)
{
	static const struct fail_case asked = {
		"QUOTA_GET, cgroup", fresh_socket, quota_cgroup, has_cgroup, NULL, 3, ASKED
	};
	static const struct fail_case deep = {
		"QUOTA_SET, cgroup", fresh_socket, set_subject, has_value, unset_subject,
		6, SET
	};
	struct stat status;
	int depth;

	if (ph_cgroup_make("fail", cgroup_path, sizeof(cgroup_path) - 64))
		SKIP(return, "no cgroup of the second version");
	for (depth = 0; depth < 3; depth++) {
		strcat(cgroup_path, "/deeper");
		ASSERT_EQ(0, mkdir(cgroup_path, 0755));
	}
	ASSERT_EQ(0, stat(cgroup_path, &status));
	self->world.level = PRIVHEAP_LEVEL_CGROUP;
	self->world.subject = status.st_ino;
	self->world.value = GIB;
	fail_sweep(_metadata, &asked, &self->world);
	fail_sweep(_metadata, &deep, &self->world);
	for (; depth >= 0; depth--) {
		ph_cgroup_remove(cgroup_path);
		*strrchr(cgroup_path, '/') = '\0';
	}
}

TEST_HARNESS_MAIN
