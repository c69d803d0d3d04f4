// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: the region's and the system's, who refuses and what is counted then;
 * and the sums in the fdinfo of an open device.
 */
#include <stdio.h>
#include <sys/mman.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"

#define PARAMETER	"/sys/module/privheap/parameters/commit_limit"

FIXTURE(quota)
{
	int fd;
	struct privheap_query system;
	char limit[64];
};

FIXTURE_SETUP(quota)
{
	PH_SETUP();
	if (access(PARAMETER, W_OK))
		SKIP(return, PARAMETER ": cannot be written");
	ASSERT_LT(0, ph_read_file(PARAMETER, self->limit, sizeof(self->limit)));
}

FIXTURE_TEARDOWN_PARENT(quota)
{
	EXPECT_EQ(0, ph_write_file(PARAMETER, self->limit));
	PH_TEARDOWN();
}

static int set_limit(uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return ph_write_file(PARAMETER, text);
}

static struct privheap_query system_usage(int fd)
{
	struct privheap_query query;

	if (ph_query(fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query))
		memset(&query, 0xff, sizeof(query));
	return query;
}

TEST_F(quota, system_limit_is_half_of_memory)
{
	long long total = ph_proc_bytes("/proc/meminfo", "MemTotal");
	long long limit;

	ASSERT_EQ(0, set_limit(0));
	limit = system_usage(self->fd).out_limit;
	EXPECT_EQ(limit, ph_read_number(PARAMETER));
	EXPECT_LE(total / 2 - MIB, limit);
	EXPECT_GE(total / 2 + MIB, limit);
}

TEST_F(quota, system_limit_refuses)
{
	struct privheap_create create = { .size = sizeof(create) };
	struct privheap_grow grow = { .size = sizeof(grow) };
	struct privheap_query before, region, after;
	uint64_t usage = system_usage(self->fd).out_committed;
	char *base, *other;

	ASSERT_EQ(0, set_limit(usage + 8 * MIB));
	EXPECT_EQ(usage + 8 * MIB, system_usage(self->fd).out_limit);
	ASSERT_EQ(0, ph_create(self->fd, 64 * MIB, 0, 0, &base));
	ASSERT_EQ(0, ph_grow(self->fd, base, 6 * MIB, 0));
	region = ph_region(self->fd, base);
	before = system_usage(self->fd);

	grow.base = TO_BASE(base);
	grow.commit = 8 * MIB + PAGE;
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &grow));
	EXPECT_EQ(PRIVHEAP_LEVEL_SYSTEM, grow.out_denied);

	create.reserve = 4 * MIB;
	create.commit = 2 * MIB + PAGE;
	create.out_base = 0x1234;
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_CREATE, &create));
	EXPECT_EQ(PRIVHEAP_LEVEL_SYSTEM, create.out_denied);
	EXPECT_EQ(0x1234, create.out_base);

	EXPECT_EQ(-EDQUOT, ph_commit(self->fd, base, 32 * MIB, 3 * MIB,
				     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_NO_READ(base + 32 * MIB);

	/* On no level is anything charged, peaks included. */
	after = ph_region(self->fd, base);
	after.out_denials = region.out_denials;
	EXPECT_EQ(0, memcmp(&region, &after, sizeof(after)));
	after = system_usage(self->fd);
	EXPECT_EQ(before.out_denials + 3, after.out_denials);
	after.out_denials = before.out_denials;
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));

	/* To the last page, from any region. */
	EXPECT_EQ(0, ph_create(self->fd, MIB, MIB, 0, &other));
	EXPECT_EQ(0, ph_grow(self->fd, base, 7 * MIB, 0));
	EXPECT_EQ(-EDQUOT, ph_commit(self->fd, base, 32 * MIB, PAGE, 0));
	ASSERT_EQ(0, ph_destroy(self->fd, other));
	EXPECT_EQ(0, ph_commit(self->fd, base, 32 * MIB, MIB, 0));
}

/* Below what is in use: nothing is taken away, and nothing more is given. */
TEST_F(quota, system_limit_below_usage)
{
	uint64_t usage = system_usage(self->fd).out_committed;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * MIB, 4 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	ASSERT_EQ(0, set_limit(usage + MIB));
	EXPECT_EQ(4 * MIB, ph_committed(self->fd, base));
	/* What was promised can be touched. */
	ph_touch(base, 4 * MIB, 1);
	EXPECT_EQ(4 * MIB, ph_resident(self->fd, base));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 4 * MIB + PAGE, 0));
	EXPECT_EQ(0, ph_grow(self->fd, base, 4 * MIB, 0));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	EXPECT_EQ(-EDQUOT, ph_commit(self->fd, base, 0, PAGE, 0));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 4 * MIB));
	EXPECT_EQ(0, ph_commit(self->fd, base, 8 * MIB, MIB, 0));
	EXPECT_EQ(-EDQUOT, ph_commit(self->fd, base, 0, PAGE, 0));
}

/* The innermost level that is too small answers. */
TEST_F(quota, both_limits)
{
	struct privheap_grow grow = { .size = sizeof(grow) };
	uint64_t usage = system_usage(self->fd).out_committed;
	struct privheap_query before;
	char *base;

	ASSERT_EQ(0, set_limit(usage + 4 * MIB));
	ASSERT_EQ(0, ph_create_limit(self->fd, 16 * MIB, 0, 2 * MIB, 0, &base));
	before = system_usage(self->fd);
	grow.base = TO_BASE(base);
	grow.commit = 3 * MIB;
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &grow));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, grow.out_denied);
	grow.commit = 5 * MIB;
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &grow));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, grow.out_denied);
	/* The region's own limit refused, so it counts there only. */
	EXPECT_EQ(2, ph_region(self->fd, base).out_denials);
	EXPECT_EQ(before.out_denials, system_usage(self->fd).out_denials);
	EXPECT_EQ(0, ph_grow(self->fd, base, 2 * MIB, 0));
}

TEST_F(quota, parameter_takes_no_nonsense)
{
	char before[64], after[64];

	ASSERT_LT(0, ph_read_file(PARAMETER, before, sizeof(before)));
	EXPECT_EQ(-EINVAL, ph_write_file(PARAMETER, "much"));
	EXPECT_EQ(-EINVAL, ph_write_file(PARAMETER, "12 bananas"));
	ASSERT_LT(0, ph_read_file(PARAMETER, after, sizeof(after)));
	EXPECT_STREQ(before, after);
	/* Whole pages, and the usual letters. */
	EXPECT_EQ(0, ph_write_file(PARAMETER, "64M\n"));
	EXPECT_EQ(64 * MIB, ph_read_number(PARAMETER));
	EXPECT_EQ(0, ph_write_file(PARAMETER, "32767"));
	EXPECT_EQ(32768 - PAGE, ph_read_number(PARAMETER));
}

#define EXPECT_FDINFO(fd, regions, reserved, committed, resident) do {	\
	EXPECT_EQ(regions, ph_fdinfo(fd, "privheap-regions"));		\
	EXPECT_EQ((reserved) / KIB, ph_fdinfo(fd, "privheap-reserved"));	\
	EXPECT_EQ((committed) / KIB, ph_fdinfo(fd, "privheap-committed")); \
	EXPECT_EQ((resident) / KIB, ph_fdinfo(fd, "privheap-resident"));	\
} while (0)

TEST_F(quota, fdinfo_sums_up)
{
	char *one, *two;

	EXPECT_FDINFO(self->fd, 0, 0, 0, 0);
	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, PRIVHEAP_CREATE_LAZY,
			       &one));
	ASSERT_EQ(0, ph_create_limit(self->fd, 2 * MIB, 4 * PAGE, 6 * PAGE, 0,
				     &two));
	ASSERT_EQ(0, ph_write(one, 1));
	EXPECT_FDINFO(self->fd, 2, 3 * MIB, 12 * PAGE, 5 * PAGE);
	EXPECT_EQ(1, ph_fdinfo(self->fd, "privheap-faults"));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, two, 8 * PAGE, 0));
	EXPECT_LE(0, ph_fdinfo(self->fd, "privheap-denials"));
	ASSERT_EQ(0, ph_destroy(self->fd, one));
	EXPECT_FDINFO(self->fd, 1, 2 * MIB, 4 * PAGE, 4 * PAGE);
	EXPECT_EQ(12 * PAGE / KIB, ph_fdinfo(self->fd, "privheap-peak-committed"));
	EXPECT_EQ(5 * PAGE / KIB, ph_fdinfo(self->fd, "privheap-peak-resident"));
	ASSERT_EQ(0, ph_destroy(self->fd, two));
	EXPECT_FDINFO(self->fd, 0, 0, 0, 0);
}

/* Of the process that opened it, whoever reads. */
TEST_F(quota, fdinfo_is_about_the_opener)
{
	char *base;
	pid_t child;

	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &base));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int own = ph_open();

		if (ph_create(self->fd, MIB, 4 * PAGE, 0, &base))
			_exit(1);
		if (ph_fdinfo(self->fd, "privheap-committed") != 8 * PAGE / KIB)
			_exit(2);
		if (ph_fdinfo(own, "privheap-committed") != 4 * PAGE / KIB)
			_exit(3);
		_exit(0);
	}
	EXPECT_EXITED(0, child);
	EXPECT_FDINFO(self->fd, 1, MIB, 8 * PAGE, 8 * PAGE);
}

TEST_HARNESS_MAIN
