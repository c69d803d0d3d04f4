// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a process's limits and counters last: over closed files and regions
 * that are gone, until the process is; and what a move to another cgroup, a change
 * of user or the end of a cgroup does to what is charged: nothing.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "limit_selftest.h"

#define CGROUPS		"/sys/fs/cgroup"
#define DEPTH		12

FIXTURE(life)
{
	int fd;
	struct privheap_query system;
	char cgroup[64];
};

FIXTURE_SETUP(life)
{
	PH_SETUP();
	snprintf(self->cgroup, sizeof(self->cgroup), CGROUPS "/privheap-life-%d", getpid());
}

FIXTURE_TEARDOWN_PARENT(life)
{
	ph_cgroup_remove(self->cgroup);
	PH_TEARDOWN();
}

/* Peaks are of the subject, so they tell whether it is still the same. */
TEST_F(life, counters_end_and_limits_stay)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(8 * PAGE, limit_get(self->fd, NULL, COMMIT).out_peak);
	ASSERT_EQ(0, close(self->fd));
	self->fd = ph_open();
	ASSERT_LE(0, self->fd);
	/* Nothing is charged, nothing set, no file open: it was forgotten. */
	EXPECT_EQ(0, limit_get(self->fd, NULL, COMMIT).out_peak);

	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, 4 * PAGE));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 3 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	ASSERT_EQ(0, close(self->fd));
	self->fd = ph_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(4 * PAGE, limit_get(self->fd, NULL, COMMIT).out_hard);
	EXPECT_EQ(3 * PAGE, limit_get(self->fd, NULL, COMMIT).out_peak);
	EXPECT_EQ(-EDQUOT, ph_create(self->fd, MIB, 5 * PAGE, 0, &base));

	/* Taken back it is as if it had never been. */
	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, PRIVHEAP_NO_LIMIT));
	ASSERT_EQ(0, close(self->fd));
	self->fd = ph_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, limit_get(self->fd, NULL, COMMIT).out_peak);

	/* A charge that was to fail, and did, is no limit any more. */
	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_FAIL_NTH, 1));
	EXPECT_EQ(-EDQUOT, ph_create(self->fd, MIB, PAGE, 0, &base));
	EXPECT_EQ(1, limit_get(self->fd, NULL, COMMIT).out_denials);
	ASSERT_EQ(0, close(self->fd));
	self->fd = ph_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, limit_get(self->fd, NULL, COMMIT).out_denials);
}

/* A region keeps the process known with no file open. */
TEST_F(life, region_without_a_file)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &base));
	ASSERT_EQ(0, limit_set(self->fd, NULL, RESIDENT, PRIVHEAP_SET_HARD, 9 * PAGE));
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(0, ph_write(base + 7 * PAGE, 1));
	self->fd = ph_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(8 * PAGE, limit_get(self->fd, NULL, RESIDENT).out_usage);
	EXPECT_EQ(9 * PAGE, limit_get(self->fd, NULL, RESIDENT).out_hard);
}

/* fork(2) gives no limits, and an end takes them along, many times over. */
TEST_F(life, limits_end_with_the_process)
{
	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, 4 * PAGE));
	for (int i = 0; i < 200; i++) {
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (!child) {
			char *base;

			if (limit_get(self->fd, NULL, COMMIT).out_hard != PRIVHEAP_NO_LIMIT)
				_exit(1);
			if (limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, 2 * PAGE))
				_exit(2);
			/* With a region, with a file, with neither. */
			if (i % 4 < 2 && ph_create(self->fd, MIB, PAGE, 0, &base))
				_exit(3);
			if (i % 2)
				close(self->fd);
			if (i % 8 > 5)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		if (i % 8 > 5)
			EXPECT_KILLED(SIGKILL, child);
		else
			EXPECT_EXITED(0, child);
	}
	EXPECT_EQ(4 * PAGE, limit_get(self->fd, NULL, COMMIT).out_hard);
}

/* In cgroups below each other, deeper than an account has room for. */
TEST_F(life, deep_cgroups)
{
	char path[64 + 2 * DEPTH + 1];
	char *base, *other;
	int depth;

	snprintf(path, sizeof(path), "%s", self->cgroup);
	for (depth = 0; depth < DEPTH; depth++) {
		if (mkdir(path, 0755)) {
			if (depth)
				break;
			SKIP(return, "cannot make a cgroup: %s", strerror(errno));
		}
		strcat(path, "/d");
	}
	ASSERT_EQ(DEPTH, depth);
	path[strlen(path) - 2] = '\0';
	ASSERT_EQ(0, ph_cgroup_enter(path));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &base));
	ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 16 * PAGE));

	/* The region stays charged there when the process has left, */
	ASSERT_EQ(0, ph_cgroup_enter(CGROUPS));
	EXPECT_EQ(0, limit_grow(self->fd, base, 12 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 4 * PAGE, 0, &other));
	/* and when the cgroups are gone. */
	for (depth = DEPTH; depth; depth--) {
		ASSERT_TRUE(PH_WAIT_FOR(!rmdir(path) || errno != EBUSY));
		path[strlen(path) - 2] = '\0';
	}
	EXPECT_EQ(0, limit_grow(self->fd, base, 16 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, limit_grow(self->fd, base, 17 * PAGE, 0));
	EXPECT_EQ(20 * PAGE, limit_get(self->fd, NULL, COMMIT).out_usage);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 3 * PAGE));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	ASSERT_EQ(0, ph_destroy(self->fd, other));
	EXPECT_EQ(0, limit_get(self->fd, NULL, COMMIT).out_usage);
	EXPECT_EQ(0, limit_get(self->fd, NULL, RESIDENT).out_usage);
}

/* Another user from one region to the next; the first one's stays usable. */
TEST_F(life, another_user)
{
	char *base, *other;

	if (getuid())
		SKIP(return, "only root becomes other users");
	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &base));
	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, 20 * PAGE));
	ASSERT_EQ(0, setuid(4321));
	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &other));
	EXPECT_EQ(0, limit_grow(self->fd, base, 12 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, limit_grow(self->fd, other, 9 * PAGE, 0));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(0, limit_grow(self->fd, other, 20 * PAGE, 0));
	EXPECT_EQ(20 * PAGE, limit_get(self->fd, NULL, COMMIT).out_usage);
	ASSERT_EQ(0, ph_destroy(self->fd, other));
	EXPECT_EQ(0, limit_get(self->fd, NULL, COMMIT).out_usage);
}

TEST_HARNESS_MAIN
