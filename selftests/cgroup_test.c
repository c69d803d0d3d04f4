// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory cgroup of the creator pays for the pages. At its limit populate
 * is refused and touching follows the cgroup's rule.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"

/* What a process needs besides, kernel memory included. */
#define SLACK		(4 * MIB)

FIXTURE(cgroup)
{
	int fd;
	struct privheap_query system;
	char path[256];
	char other[256];
};

FIXTURE_SETUP(cgroup)
{
	int ret;

	PH_SETUP();
	if (!(self->system.out_features & PRIVHEAP_FEATURE_MEMCG))
		SKIP(return, "no memory cgroups in this kernel");
	ret = ph_cgroup_make("one", self->path, sizeof(self->path));
	if (ret)
		SKIP(return, "cannot make a memory cgroup: %s", strerror(-ret));
	ASSERT_EQ(0, ph_cgroup_make("two", self->other, sizeof(self->other)));
}

FIXTURE_TEARDOWN_PARENT(cgroup)
{
	PH_TEARDOWN();
	/* Nobody is in there, and nothing is charged to it. */
	EXPECT_TRUE(PH_WAIT_FOR(ph_cgroup_get(self->path, "memory.current") <
				(long long)MIB)) {
		TH_LOG("%lld bytes are left",
		       ph_cgroup_get(self->path, "memory.current"));
	}
	ph_cgroup_remove(self->path);
	ph_cgroup_remove(self->other);
}

static int set_max(const char *path, uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return ph_cgroup_set(path, "memory.max", text);
}

static long long current_bytes(const char *path)
{
	return ph_cgroup_get(path, "memory.current");
}

TEST_F(cgroup, pages_are_charged_and_given_back)
{
	long long before, now;
	char *base;

	ASSERT_EQ(0, ph_cgroup_enter(self->path));
	ASSERT_EQ(0, ph_create(self->fd, 64 * MIB, 64 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	before = current_bytes(self->path);
	/* A promise costs nothing. */
	EXPECT_GT(SLACK, before);
	ph_touch(base, 32 * MIB, 1);
	now = current_bytes(self->path);
	EXPECT_LE(32 * MIB, now);
	EXPECT_GE(32 * MIB + SLACK, now);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 16 * MIB));
	now = current_bytes(self->path);
	EXPECT_LE(16 * MIB, now);
	EXPECT_GE(16 * MIB + SLACK, now);
	ASSERT_EQ(0, ph_commit(self->fd, base, 0, 16 * MIB,
			       PRIVHEAP_COMMIT_POPULATE));
	EXPECT_LE(32 * MIB, current_bytes(self->path));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_GT(SLACK, current_bytes(self->path));
}

/* All that memory.stat has to say of them. */
TEST_F(cgroup, memory_stat_knows_them)
{
	char *base;

	ASSERT_EQ(0, ph_cgroup_enter(self->path));
	ASSERT_EQ(0, ph_create(self->fd, 32 * MIB, 32 * MIB, 0, &base));
	ph_touch(base, 32 * MIB, 1);
	EXPECT_LE(32 * MIB, ph_cgroup_stat(self->path, "memory.stat", "file"));
	EXPECT_LE(30 * MIB, ph_cgroup_stat(self->path, "memory.stat",
					   "unevictable"));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	/* Sums are a little late. */
	EXPECT_TRUE(PH_WAIT_FOR(ph_cgroup_stat(self->path, "memory.stat",
					       "file") < (long long)MIB));
	EXPECT_TRUE(PH_WAIT_FOR(ph_cgroup_stat(self->path, "memory.stat",
					       "unevictable") < (long long)MIB));
}

TEST_F(cgroup, populate_at_the_limit_is_refused)
{
	struct privheap_create create = { .size = sizeof(create) };
	struct privheap_query before, process;
	long long charged;
	char *base;

	ASSERT_EQ(0, ph_cgroup_enter(self->path));
	ASSERT_EQ(0, ph_create(self->fd, 256 * MIB, 4 * MIB, 0, &base));
	memset(base, 7, 4 * MIB);
	ASSERT_EQ(0, set_max(self->path, 32 * MIB));
	before = ph_region(self->fd, base);
	charged = current_bytes(self->path);

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ENOMEM, ph_grow(self->fd, base, 128 * MIB,
					   PRIVHEAP_COMMIT_POPULATE));
		EXPECT_EQ(-ENOMEM, ph_commit(self->fd, base, 64 * MIB, 64 * MIB,
					     PRIVHEAP_COMMIT_POPULATE));
	}
	/* Nor do the peaks know that it was tried. */
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_GE(charged + (long long)SLACK, current_bytes(self->path));
	EXPECT_TRUE(ph_all(base, 4 * MIB, 7));
	EXPECT_NO_READ(base + 4 * MIB);
	EXPECT_NO_READ(base + 64 * MIB);

	create.reserve = 128 * MIB;
	create.commit = 64 * MIB;
	EXPECT_EQ(-ENOMEM, ph_ioctl(self->fd, PRIVHEAP_IOC_CREATE, &create));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &process));
	EXPECT_EQ(1, process.out_regions);
	EXPECT_EQ(4 * MIB, process.out_committed);
	EXPECT_EQ(4 * MIB, process.out_resident);

	/* Nobody was killed for it, and what fits is given. */
	EXPECT_EQ(0, ph_cgroup_stat(self->path, "memory.events", "oom_kill"));
	EXPECT_EQ(0, ph_grow(self->fd, base, 12 * MIB, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, base, 12 * MIB, 12 * MIB);
	EXPECT_TRUE(ph_all(base, 4 * MIB, 7));
	EXPECT_TRUE(ph_zero(base + 4 * MIB, 8 * MIB));
}

/* Pages that were there before a populate that fails stay. */
TEST_F(cgroup, refused_populate_keeps_what_was_there)
{
	char *base;

	ASSERT_EQ(0, ph_cgroup_enter(self->path));
	ASSERT_EQ(0, ph_create(self->fd, 256 * MIB, 0, 0, &base));
	ASSERT_EQ(0, ph_commit(self->fd, base, MIB, 8 * MIB, 0));
	for (int i = 0; i < 8; i++)
		memset(base + MIB + i * MIB + 3 * PAGE, i + 1, PAGE);
	ASSERT_EQ(0, set_max(self->path, 24 * MIB));
	EXPECT_EQ(-ENOMEM, ph_grow(self->fd, base, 128 * MIB,
				   PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(8 * MIB, ph_committed(self->fd, base));
	EXPECT_GE(8 * MIB, ph_resident(self->fd, base));
	for (int i = 0; i < 8; i++) {
		EXPECT_TRUE(ph_all(base + MIB + i * MIB + 3 * PAGE, PAGE,
				   i + 1));
	}
	EXPECT_NO_READ(base);
	EXPECT_NO_READ(base + 9 * MIB);
}

/* Touching more than the cgroup has is the cgroup's business: it kills. */
TEST_F(cgroup, touching_beyond_the_limit)
{
	pid_t child;

	ASSERT_EQ(0, set_max(self->path, 32 * MIB));
	ASSERT_EQ(0, ph_cgroup_set(self->path, "memory.swap.max", "0") &
		  ~-ENOENT);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		char *base;

		if (ph_cgroup_enter(self->path))
			_exit(1);
		if (ph_create(self->fd, 256 * MIB, 256 * MIB,
			      PRIVHEAP_CREATE_LAZY, &base))
			_exit(2);
		for (uint64_t offset = 0; offset < 256 * MIB; offset += PAGE)
			base[offset] = 1;
		_exit(3);
	}
	EXPECT_KILLED(SIGKILL, child);
	EXPECT_LE(1, ph_cgroup_stat(self->path, "memory.events", "oom_kill"));
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

/* The creator's cgroup pays, wherever the process goes afterwards. */
TEST_F(cgroup, charged_where_it_was_created)
{
	char *base;

	ASSERT_EQ(0, ph_cgroup_enter(self->path));
	ASSERT_EQ(0, ph_create(self->fd, 64 * MIB, 64 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	ASSERT_EQ(0, ph_cgroup_enter(self->other));
	ph_touch(base, 16 * MIB, 1);
	EXPECT_LE(16 * MIB, current_bytes(self->path));
	EXPECT_GT(SLACK, current_bytes(self->other));
	ASSERT_EQ(0, ph_commit(self->fd, base, 32 * MIB, 16 * MIB,
			       PRIVHEAP_COMMIT_POPULATE));
	EXPECT_LE(32 * MIB, current_bytes(self->path));
	EXPECT_GT(SLACK, current_bytes(self->other));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_GT(SLACK, current_bytes(self->path));
}

/*
 * The cgroup that pays is full, and the process that touches is in another:
 * no kill there would help, so the touch is refused.
 */
TEST_F(cgroup, touch_from_elsewhere_at_the_limit)
{
	int sig = 0;
	char *base;

	ASSERT_EQ(0, ph_cgroup_enter(self->path));
	ASSERT_EQ(0, ph_create(self->fd, 256 * MIB, 256 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	ASSERT_EQ(0, ph_cgroup_enter(self->other));
	ASSERT_EQ(0, set_max(self->path, 16 * MIB));
	for (uint64_t offset = 0; !sig && offset < 256 * MIB; offset += PAGE) {
		sig = ph_write(base + offset, 1);
		if (sig)
			EXPECT_EQ(base + offset, ph_fault_address);
	}
	EXPECT_EQ(SIGBUS, sig);
	EXPECT_GE(16 * MIB, ph_resident(self->fd, base));
	EXPECT_EQ(0, ph_read(base));
	/* With room again it goes on. */
	ASSERT_EQ(0, set_max(self->path, 64 * MIB));
	EXPECT_EQ(0, ph_write(base + 24 * MIB, 1));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
}

TEST_HARNESS_MAIN
