// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program's own limits: at each of them, one page below it and one above; who
 * refuses, what it is told, and what it can do about it.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "limit_selftest.h"

#define PARAMETER	"/sys/module/privheap/parameters/commit_limit"

FIXTURE(levels)
{
	int fd;
	struct privheap_query system;
	char limit[64];
	char *base;
};

FIXTURE_SETUP(levels)
{
	PH_SETUP();
	if (access(PARAMETER, W_OK))
		SKIP(return, PARAMETER ": cannot be written");
	ASSERT_LT(0, ph_read_file(PARAMETER, self->limit, sizeof(self->limit)));
	ASSERT_EQ(0, ph_create(self->fd, 64 * MIB, 0, 0, &self->base));
}

FIXTURE_TEARDOWN_PARENT(levels)
{
	EXPECT_EQ(0, ph_write_file(PARAMETER, self->limit));
	PH_TEARDOWN();
}

static int set_system_limit(uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return ph_write_file(PARAMETER, text);
}

static uint64_t denials(int fd, const void *base, uint32_t resource)
{
	return limit_get(fd, base, resource).out_denials;
}

TEST_F(levels, commit_at_below_and_above)
{
	uint64_t others = self->system.out_committed;

	for (int level = 1; level <= 5; level++) {
		switch (level) {
		case PRIVHEAP_LEVEL_REGION:
			ASSERT_EQ(0, limit_set(self->fd, self->base, COMMIT, PRIVHEAP_SET_HARD,
					       8 * PAGE));
			break;
		case PRIVHEAP_LEVEL_PROCESS:
			ASSERT_EQ(0, limit_set(self->fd, self->base, COMMIT, PRIVHEAP_SET_HARD,
					       64 * MIB));
			ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD,
					       8 * PAGE));
			break;
		case PRIVHEAP_LEVEL_SYSTEM:
			ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD,
					       PRIVHEAP_NO_LIMIT));
			ASSERT_EQ(0, set_system_limit(others + 8 * PAGE));
			break;
		default:
			continue;	/* set over netlink only */
		}
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 7 * PAGE, 0));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 9 * PAGE, 0));
		EXPECT_EQ(7 * PAGE, ph_committed(self->fd, self->base));
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 8 * PAGE, 0));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 9 * PAGE, 0));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 64 * MIB, 0));
		EXPECT_EQ(0, ph_decommit(self->fd, self->base, 0, 64 * MIB));
		EXPECT_EQ(0, ph_committed(self->fd, self->base));
	}
	EXPECT_EQ(3, denials(self->fd, self->base, COMMIT));
	EXPECT_EQ(3, denials(self->fd, NULL, COMMIT));
	EXPECT_EQ(9, ph_region(self->fd, self->base).out_denials);
}

TEST_F(levels, create_is_told_who_refused)
{
	struct privheap_create create = {
		.size = sizeof(create), .reserve = MIB, .commit = 5 * PAGE,
	};

	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, 4 * PAGE));
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_CREATE, &create));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, create.out_denied);
	create.commit = 4 * PAGE;
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_CREATE, &create));
	/* All regions together. */
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, limit_grow(self->fd, self->base, PAGE, 0));
	EXPECT_EQ(0, ph_destroy(self->fd, (void *)(uintptr_t)create.out_base));
	EXPECT_EQ(0, limit_grow(self->fd, self->base, 4 * PAGE, 0));
}

/* Touches get what there is, to the last page, large folios or not. */
TEST_F(levels, resident_by_touching)
{
	for (int process = 0; process < 2; process++) {
		void *base = process ? NULL : self->base;
		uint64_t before = denials(self->fd, base, RESIDENT), page;

		ASSERT_EQ(0, limit_grow(self->fd, self->base, 2 * MIB, 0));
		ASSERT_EQ(0, limit_set(self->fd, base, RESIDENT, PRIVHEAP_SET_HARD,
				       37 * PAGE));
		for (page = 0; page < 37; page++)
			ASSERT_EQ(0, ph_write(self->base + page * PAGE, 1));
		EXPECT_USAGE(self->fd, self->base, 2 * MIB, 37 * PAGE);
		EXPECT_EQ(before, denials(self->fd, base, RESIDENT));
		for (int again = 0; again < 3; again++)
			EXPECT_FAULT(SIGBUS, ph_write(self->base + 37 * PAGE, 1),
				     self->base + 37 * PAGE);
		/* What is there stays usable. */
		EXPECT_EQ(0, ph_write(self->base + 36 * PAGE, 2));
		EXPECT_LT(before, denials(self->fd, base, RESIDENT));
		ASSERT_EQ(0, ph_decommit(self->fd, self->base, 0, 2 * PAGE));
		EXPECT_EQ(0, ph_write(self->base + 37 * PAGE, 1));
		EXPECT_EQ(0, ph_write(self->base + 38 * PAGE, 1));
		EXPECT_FAULT(SIGBUS, ph_read(self->base + 39 * PAGE), self->base + 39 * PAGE);
		/* The process has seen one more, see below. */
		EXPECT_EQ((process ? 38 : 37) * PAGE,
			  limit_get(self->fd, base, RESIDENT).out_peak);
		ASSERT_EQ(0, limit_set(self->fd, base, RESIDENT, PRIVHEAP_SET_HARD,
				       PRIVHEAP_NO_LIMIT));
		EXPECT_EQ(0, ph_write(self->base + 39 * PAGE, 1));
		ASSERT_EQ(0, ph_decommit(self->fd, self->base, 0, 2 * MIB));
	}
}

TEST_F(levels, resident_by_populate)
{
	ASSERT_EQ(0, limit_set(self->fd, NULL, RESIDENT, PRIVHEAP_SET_HARD, 600 * PAGE));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, limit_grow(self->fd, self->base, 601 * PAGE,
						     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, self->base, 0, 0);
	/* Once, however many folios were tried. */
	EXPECT_EQ(1, denials(self->fd, NULL, RESIDENT));
	EXPECT_EQ(0, denials(self->fd, NULL, COMMIT));
	EXPECT_EQ(0, limit_grow(self->fd, self->base, 600 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, self->base, 600 * PAGE, 600 * PAGE);
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, limit_grow(self->fd, self->base, 601 * PAGE,
						     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, self->base, 600 * PAGE, 600 * PAGE);
	EXPECT_EQ(0, limit_grow(self->fd, self->base, 601 * PAGE, 0));
}

TEST_F(levels, lowered_below_usage)
{
	ASSERT_EQ(0, limit_grow(self->fd, self->base, 8 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	for (uint32_t resource = COMMIT; resource <= RESIDENT; resource++) {
		ASSERT_EQ(0, limit_set(self->fd, self->base, resource, PRIVHEAP_SET_HARD, 0));
		EXPECT_USAGE(self->fd, self->base, 8 * PAGE, 8 * PAGE);
		EXPECT_EQ(0, ph_write(self->base, 1));
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 8 * PAGE, 0));
		EXPECT_EQ(PRIVHEAP_LEVEL_REGION,
			  limit_grow(self->fd, self->base, 9 * PAGE, PRIVHEAP_COMMIT_POPULATE));
		EXPECT_EQ(0, limit_get(self->fd, self->base, resource).out_hard);
		ASSERT_EQ(0, limit_set(self->fd, self->base, resource, PRIVHEAP_SET_HARD,
				       12 * PAGE));
	}
	EXPECT_EQ(12 * PAGE, ph_region(self->fd, self->base).out_limit);
	EXPECT_EQ(0, limit_grow(self->fd, self->base, 12 * PAGE, PRIVHEAP_COMMIT_POPULATE));
}

TEST_F(levels, fail_nth)
{
	for (int process = 0; process < 2; process++) {
		void *base = process ? NULL : self->base;
		int level = process ? PRIVHEAP_LEVEL_PROCESS : PRIVHEAP_LEVEL_REGION;

		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_FAIL_NTH, 3));
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 4 * PAGE, 0));
		/* Nothing new is no charge. */
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 4 * PAGE, 0));
		EXPECT_EQ(2, limit_get(self->fd, base, COMMIT).out_fail_nth);
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 8 * PAGE, 0));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 9 * PAGE, 0));
		EXPECT_EQ(0, limit_get(self->fd, base, COMMIT).out_fail_nth);
		EXPECT_EQ(1, denials(self->fd, base, COMMIT));
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 9 * PAGE, 0));

		/* The touch after that one. */
		ASSERT_EQ(0, limit_set(self->fd, base, RESIDENT, PRIVHEAP_SET_FAIL_NTH, 2));
		EXPECT_EQ(0, ph_write(self->base + 5 * PAGE, 1));
		EXPECT_FAULT(SIGBUS, ph_write(self->base + PAGE, 1), self->base + PAGE);
		EXPECT_EQ(0, ph_write(self->base + PAGE, 1));

		/* A large folio that is refused is not made of small ones. */
		ASSERT_EQ(0, limit_set(self->fd, base, RESIDENT, PRIVHEAP_SET_FAIL_NTH, 1));
		ASSERT_EQ(0, ph_decommit(self->fd, self->base, 0, MIB));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 16 * PAGE,
					    PRIVHEAP_COMMIT_POPULATE));
		EXPECT_USAGE(self->fd, self->base, 0, 0);
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 16 * PAGE,
					PRIVHEAP_COMMIT_POPULATE));
		EXPECT_EQ(2, denials(self->fd, base, RESIDENT));
		ASSERT_EQ(0, ph_decommit(self->fd, self->base, 0, MIB));
		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_FAIL_NTH, 1));
		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_FAIL_NTH, 0));
		EXPECT_EQ(0, limit_grow(self->fd, self->base, PAGE, 0));
		ASSERT_EQ(0, ph_decommit(self->fd, self->base, 0, MIB));
	}
}

TEST_F(levels, reserve)
{
	for (int process = 0; process < 2; process++) {
		void *base = process ? NULL : self->base;
		int level = process ? PRIVHEAP_LEVEL_PROCESS : PRIVHEAP_LEVEL_REGION;

		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 8 * PAGE));
		EXPECT_EQ(-ENODATA, limit_open_reserve(self->fd, base, COMMIT));
		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_RESERVE, 2 * PAGE));
		EXPECT_EQ(-EAGAIN, limit_open_reserve(self->fd, base, COMMIT));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 9 * PAGE, 0));
		EXPECT_EQ(0, limit_open_reserve(self->fd, base, COMMIT));
		EXPECT_EQ(1, limit_get(self->fd, base, COMMIT).out_reserve_open);
		EXPECT_EQ(8 * PAGE, limit_get(self->fd, base, COMMIT).out_hard);
		EXPECT_EQ(10 * PAGE, ph_region(self->fd, self->base).out_limit -
			  (process ? 64 * MIB - 10 * PAGE : 0));
		EXPECT_EQ(-EALREADY, limit_open_reserve(self->fd, base, COMMIT));
		EXPECT_EQ(level, limit_grow(self->fd, self->base, 11 * PAGE, 0));
		EXPECT_EQ(0, limit_grow(self->fd, self->base, 10 * PAGE, 0));
		/* Set again: shut, and the usage is above the limit. */
		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_RESERVE, PAGE));
		EXPECT_EQ(0, limit_get(self->fd, base, COMMIT).out_reserve_open);
		EXPECT_EQ(-EAGAIN, limit_open_reserve(self->fd, base, COMMIT));
		EXPECT_EQ(10 * PAGE, ph_committed(self->fd, self->base));
		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_RESERVE, 0));
		ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 64 * MIB));
		ASSERT_EQ(0, ph_decommit(self->fd, self->base, 0, MIB));
	}
}

TEST_F(levels, ceiling)
{
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, MIB, 0, 8 * PAGE, 0, &base));
	EXPECT_EQ(-EPERM, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 9 * PAGE));
	ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 4 * PAGE));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, limit_grow(self->fd, base, 5 * PAGE, 0));
	/* Down and up again, never above. */
	ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_RESERVE, 4 * PAGE));
	EXPECT_EQ(-EPERM, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 5 * PAGE));
	EXPECT_EQ(-EPERM, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_RESERVE, 5 * PAGE));
	EXPECT_EQ(8 * PAGE, limit_get(self->fd, base, COMMIT).out_ceiling);
	ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_RESERVE, 0));
	ASSERT_EQ(0, limit_set(self->fd, base, COMMIT, PRIVHEAP_SET_HARD, 8 * PAGE));
	EXPECT_EQ(0, limit_grow(self->fd, base, 8 * PAGE, 0));
	/* A region without a limit has its reservation. */
	EXPECT_EQ(64 * MIB, limit_get(self->fd, self->base, COMMIT).out_ceiling);
	EXPECT_EQ(-EPERM, limit_set(self->fd, self->base, COMMIT, PRIVHEAP_SET_HARD,
				    64 * MIB + PAGE));
}

TEST_HARNESS_MAIN
