// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroups as subjects of quotas: each one above a region refuses, whichever was
 * given its limit when; moves, and removal while charged; what is left of it all.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "netlink_fixture.h"
#include "limit_selftest.h"

#define CGROUPS		"/sys/fs/cgroup"
#define HARD		PRIVHEAP_A_COUNTER_HARD
#define USAGE		PRIVHEAP_A_COUNTER_USAGE
#define DENIALS		PRIVHEAP_A_COUNTER_DENIALS
#define CGROUP		PRIVHEAP_LEVEL_CGROUP

#define DEPTH		3

/* A cgroup in a cgroup in a cgroup; of each its path and id. */
struct tree {
	char path[DEPTH][128];
	uint64_t id[DEPTH];
};

static uint64_t id_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static void remove_tree(struct tree *tree)
{
	for (int i = DEPTH; i--;)
		if (ph_exists(tree->path[i]))
			ph_cgroup_remove(tree->path[i]);
}

static bool make_tree(struct tree *tree, const char *name)
{
	snprintf(tree->path[0], sizeof(tree->path[0]), CGROUPS "/privheap-%s-%d", name,
		 getpid());
	for (int i = 0; i < DEPTH; i++) {
		if (i)
			snprintf(tree->path[i], sizeof(tree->path[i]), "%.100s/%d",
				 tree->path[i - 1], i);
		if (mkdir(tree->path[i], 0755))
			return false;
		tree->id[i] = id_of(tree->path[i]);
	}
	return true;
}

static struct nl_object quota_of(struct nl_socket *nl, uint64_t id)
{
	struct nl_object object;

	if (nl_quota(nl, CGROUP, id, &object))
		memset(&object, 0xff, sizeof(object));
	return object;
}

static int set_hard(struct nl_socket *nl, uint64_t id, uint16_t resource, uint64_t bytes)
{
	struct nl_object object;

	return nl_set(nl, CGROUP, id, resource, HARD, bytes, &object);
}

struct count {
	uint64_t first;
	uint64_t last;
	unsigned int found;
};

static void count_one(struct nl_object *object, void *argument)
{
	struct count *count = argument;

	count->found += object->value[PRIVHEAP_A_LEVEL] == CGROUP &&
			object->value[PRIVHEAP_A_SUBJECT] >= count->first &&
			object->value[PRIVHEAP_A_SUBJECT] <= count->last;
}

/* How many cgroups with such ids there are in a dump. */
static unsigned int dumped(struct nl_socket *nl, uint64_t first, uint64_t last)
{
	struct count count = { .first = first, .last = last };

	if (nl_dump(nl, PRIVHEAP_CMD_QUOTA_GET, 0, 0, count_one, &count))
		return -1;
	return count.found;
}

TEST_F(netlink, each_cgroup_above_refuses)
{
	struct tree tree;
	char *base;

	ASSERT_TRUE(make_tree(&tree, "each"));
	ASSERT_EQ(0, ph_cgroup_enter(tree.path[DEPTH - 1]));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 2 * PAGE, 0, &base));
	for (int i = 0; i < DEPTH; i++) {
		/* Limited only now, and exact from the beginning. */
		EXPECT_EQ(2 * PAGE, quota_of(&self->nl, tree.id[i]).commit[USAGE]);
		EXPECT_EQ(2 * PAGE, quota_of(&self->nl, tree.id[i]).resident[USAGE]);
		EXPECT_EQ(1, quota_of(&self->nl, tree.id[i]).value[PRIVHEAP_A_REGIONS]);
		ASSERT_EQ(0, set_hard(&self->nl, tree.id[i], PRIVHEAP_A_COMMIT, 8 * PAGE));
		EXPECT_EQ(0, limit_grow(self->fd, base, 7 * PAGE, 0));
		EXPECT_EQ(CGROUP, limit_grow(self->fd, base, 9 * PAGE, 0));
		EXPECT_EQ(0, limit_grow(self->fd, base, 8 * PAGE, 0));
		EXPECT_EQ(CGROUP, limit_grow(self->fd, base, 9 * PAGE, 0));
		for (int k = 0; k < DEPTH; k++) {
			EXPECT_EQ(8 * PAGE, quota_of(&self->nl, tree.id[k]).commit[USAGE]);
			EXPECT_EQ(k <= i ? 2 : 0, quota_of(&self->nl, tree.id[k]).commit[DENIALS]);
		}
		ASSERT_EQ(0, set_hard(&self->nl, tree.id[i], PRIVHEAP_A_COMMIT,
				      PRIVHEAP_NO_LIMIT));
		EXPECT_EQ(0, limit_grow(self->fd, base, 9 * PAGE, 0));
		ASSERT_EQ(0, ph_decommit(self->fd, base, 2 * PAGE, MIB - 2 * PAGE));

		/* And of pages. */
		ASSERT_EQ(0, set_hard(&self->nl, tree.id[i], PRIVHEAP_A_RESIDENT, 5 * PAGE));
		EXPECT_EQ(CGROUP, limit_grow(self->fd, base, 6 * PAGE,
					     PRIVHEAP_COMMIT_POPULATE));
		EXPECT_EQ(0, limit_grow(self->fd, base, 5 * PAGE, PRIVHEAP_COMMIT_POPULATE));
		EXPECT_EQ(0, limit_grow(self->fd, base, 6 * PAGE, 0));
		EXPECT_FAULT(SIGBUS, ph_write(base + 5 * PAGE, 1), base + 5 * PAGE);
		/* Lowered below what there is. */
		ASSERT_EQ(0, set_hard(&self->nl, tree.id[i], PRIVHEAP_A_RESIDENT, 0));
		EXPECT_EQ(0, ph_write(base + 4 * PAGE, 1));
		EXPECT_EQ(5 * PAGE, quota_of(&self->nl, tree.id[i]).resident[USAGE]);
		ASSERT_EQ(0, set_hard(&self->nl, tree.id[i], PRIVHEAP_A_RESIDENT,
				      PRIVHEAP_NO_LIMIT));
		EXPECT_EQ(0, ph_write(base + 5 * PAGE, 1));
		ASSERT_EQ(0, ph_decommit(self->fd, base, 2 * PAGE, MIB - 2 * PAGE));
	}
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	ASSERT_EQ(0, ph_cgroup_enter(CGROUPS));
	EXPECT_EQ(0, dumped(&self->nl, tree.id[0], tree.id[DEPTH - 1]));
	remove_tree(&tree);
}

/* Limits are there before regions, and after them. */
TEST_F(netlink, limits_stay_and_counters_go)
{
	struct tree tree;
	char *base;

	ASSERT_TRUE(make_tree(&tree, "stay"));
	ASSERT_EQ(0, set_hard(&self->nl, tree.id[1], PRIVHEAP_A_COMMIT, 4 * PAGE));
	ASSERT_EQ(0, ph_cgroup_enter(tree.path[2]));
	EXPECT_EQ(-EDQUOT, ph_create(self->fd, MIB, 5 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 4 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	/* With limits: known, and what it has seen with it. */
	EXPECT_EQ(1, dumped(&self->nl, tree.id[1], tree.id[1]));
	EXPECT_EQ(1, quota_of(&self->nl, tree.id[1]).commit[DENIALS]);
	EXPECT_EQ(4 * PAGE, quota_of(&self->nl, tree.id[1]).commit[HARD]);
	EXPECT_EQ(0, dumped(&self->nl, tree.id[2], tree.id[2]));
	EXPECT_EQ(0, quota_of(&self->nl, tree.id[2]).commit[DENIALS]);
	ASSERT_EQ(0, set_hard(&self->nl, tree.id[1], PRIVHEAP_A_COMMIT, PRIVHEAP_NO_LIMIT));
	EXPECT_EQ(0, dumped(&self->nl, tree.id[0], tree.id[2]));
	EXPECT_EQ(0, quota_of(&self->nl, tree.id[1]).commit[DENIALS]);
	/* The root is no subject. */
	EXPECT_EQ(-ENOENT, set_hard(&self->nl, id_of(CGROUPS), PRIVHEAP_A_COMMIT, PAGE));
	ASSERT_EQ(0, ph_cgroup_enter(CGROUPS));
	remove_tree(&tree);
}

TEST_F(netlink, moved_while_charged)
{
	struct tree one, two;
	char *base, *other;

	ASSERT_TRUE(make_tree(&one, "one"));
	ASSERT_TRUE(make_tree(&two, "two"));
	ASSERT_EQ(0, ph_cgroup_enter(one.path[2]));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 4 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_cgroup_enter(two.path[1]));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 3 * PAGE, 0, &other));
	ASSERT_EQ(0, set_hard(&self->nl, one.id[0], PRIVHEAP_A_COMMIT, 6 * PAGE));
	EXPECT_EQ(0, limit_grow(self->fd, base, 6 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(CGROUP, limit_grow(self->fd, base, 7 * PAGE, 0));
	EXPECT_EQ(0, limit_grow(self->fd, other, 7 * PAGE, 0));
	EXPECT_EQ(6 * PAGE, quota_of(&self->nl, one.id[2]).commit[USAGE]);
	EXPECT_EQ(7 * PAGE, quota_of(&self->nl, two.id[1]).commit[USAGE]);
	EXPECT_EQ(0, quota_of(&self->nl, two.id[2]).commit[USAGE]);
	ASSERT_EQ(0, ph_cgroup_enter(CGROUPS));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(0, quota_of(&self->nl, one.id[0]).commit[USAGE]);
	EXPECT_EQ(7 * PAGE, quota_of(&self->nl, two.id[0]).commit[USAGE]);
	ASSERT_EQ(0, ph_destroy(self->fd, other));
	remove_tree(&one);
	remove_tree(&two);
	EXPECT_EQ(0, dumped(&self->nl, one.id[0], one.id[2]));
}

/* Removed: it goes on counting and refusing, and goes with the last region. */
TEST_F(netlink, removed_while_charged)
{
	struct nl_object object;
	struct tree tree;
	char *base;

	ASSERT_TRUE(make_tree(&tree, "gone"));
	ASSERT_EQ(0, ph_cgroup_enter(tree.path[2]));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 4 * PAGE, 0, &base));
	ASSERT_EQ(0, set_hard(&self->nl, tree.id[1], PRIVHEAP_A_COMMIT, 6 * PAGE));
	ASSERT_EQ(0, ph_cgroup_enter(CGROUPS));
	remove_tree(&tree);
	ASSERT_FALSE(ph_exists(tree.path[0]));
	EXPECT_EQ(4 * PAGE, quota_of(&self->nl, tree.id[1]).commit[USAGE]);
	EXPECT_EQ(0, limit_grow(self->fd, base, 6 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(CGROUP, limit_grow(self->fd, base, 7 * PAGE, 0));
	EXPECT_EQ(3, dumped(&self->nl, tree.id[0], tree.id[2]));
	EXPECT_EQ(-ENOENT, set_hard(&self->nl, tree.id[0], PRIVHEAP_A_COMMIT, PAGE));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(0, dumped(&self->nl, tree.id[0], tree.id[2]));
	for (int i = 0; i < DEPTH; i++)
		EXPECT_EQ(-ENOENT, nl_quota(&self->nl, CGROUP, tree.id[i], &object));
}

/* Limits alone do not keep what was removed. */
TEST_F(netlink, limits_of_removed_cgroups)
{
	uint64_t first = 0, last = 0;
	char path[128];

	for (int i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), CGROUPS "/privheap-many-%d-%d", getpid(), i);
		ASSERT_EQ(0, mkdir(path, 0755));
		last = id_of(path);
		if (!i)
			first = last;
		ASSERT_EQ(0, set_hard(&self->nl, last, PRIVHEAP_A_COMMIT, 6 * PAGE));
		EXPECT_EQ(1, dumped(&self->nl, last, last));
		ph_cgroup_remove(path);
	}
	EXPECT_EQ(0, dumped(&self->nl, first, last));
}

#define RACERS		8

/* Processes in two cgroups of one; what they hold in the end is charged, exactly. */
TEST_F(netlink, processes_race_in_cgroups)
{
	uint64_t sum[2] = { 0 }, held;
	int go[2], done[2];
	struct tree tree;
	pid_t child[RACERS];

	ASSERT_TRUE(make_tree(&tree, "race"));
	ASSERT_EQ(0, set_hard(&self->nl, tree.id[0], PRIVHEAP_A_COMMIT, 150 * PAGE));
	ASSERT_EQ(0, set_hard(&self->nl, tree.id[1], PRIVHEAP_A_COMMIT, 100 * PAGE));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	for (int i = 0; i < RACERS; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i]) {
			uint32_t state = i + 1;
			char *base;

			close(go[1]);
			if (ph_cgroup_enter(tree.path[i % 2]) ||
			    ph_create(self->fd, 64 * PAGE, 0, 0, &base))
				_exit(1);
			for (int round = 0; round < 300; round++) {
				uint64_t first = ph_random(&state) % 32 * PAGE;
				uint64_t length = (1 + ph_random(&state) % 32) * PAGE;

				if (round % 3)
					ph_commit(self->fd, base, first, length, 0);
				else
					ph_decommit(self->fd, base, first, length);
			}
			held = ph_committed(self->fd, base) << 1 | i % 2;
			if (write(done[1], &held, sizeof(held)) != sizeof(held))
				_exit(2);
			/* Until all have been looked at. */
			_exit(read(go[0], &held, 1) ? 3 : 0);
		}
	}
	for (int i = 0; i < RACERS; i++) {
		ASSERT_EQ(sizeof(held), read(done[0], &held, sizeof(held)));
		sum[held & 1] += held >> 1;
	}
	EXPECT_EQ(sum[1], quota_of(&self->nl, tree.id[1]).commit[USAGE]);
	EXPECT_EQ(sum[0] + sum[1], quota_of(&self->nl, tree.id[0]).commit[USAGE]);
	EXPECT_GE(150 * PAGE, quota_of(&self->nl, tree.id[0]).commit[PRIVHEAP_A_COUNTER_PEAK]);
	EXPECT_GE(100 * PAGE, quota_of(&self->nl, tree.id[1]).commit[PRIVHEAP_A_COUNTER_PEAK]);
	EXPECT_LT(0, quota_of(&self->nl, tree.id[0]).commit[DENIALS]);
	close(go[1]);
	for (int i = 0; i < RACERS; i++)
		EXPECT_EXITED(0, child[i]);
	EXPECT_EQ(0, quota_of(&self->nl, tree.id[0]).commit[USAGE]);
	remove_tree(&tree);
}

TEST_HARNESS_MAIN
