// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/quota.c and kmod/limit.c without a kernel: what a charge does at each
 * limit of each level, one page below it and one above.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "quota_unit.h"

#define COMMIT		PRIVHEAP_RESOURCE_COMMIT
#define RESIDENT	PRIVHEAP_RESOURCE_RESIDENT

#define LEVELS		6

/* One region, in a cgroup in a cgroup. */
FIXTURE(unit)
{
	struct privheap_account region;
	struct privheap_quota process;
	struct privheap_quota user;
	struct privheap_quota cgroup;
	struct privheap_quota above;
};

FIXTURE_SETUP(unit)
{
	struct privheap_quota *outer[] = {
		&self->process, &self->user, &self->cgroup, &self->above,
		&privheap_system_quota, NULL
	};
	kuid_t root = { 0 };

	unit_reset();
	privheap_quota_init(&self->process, PRIVHEAP_LEVEL_PROCESS, 100, root);
	privheap_quota_init(&self->user, PRIVHEAP_LEVEL_USER, 1000, root);
	privheap_quota_init(&self->cgroup, PRIVHEAP_LEVEL_CGROUP, 20, root);
	privheap_quota_init(&self->above, PRIVHEAP_LEVEL_CGROUP, 10, root);
	unit_account(&self->region, 7, outer);
	ASSERT_EQ(LEVELS, self->region.levels);
	privheap_account_add(&self->region, 1000);
}

FIXTURE_TEARDOWN(unit)
{
	privheap_account_remove(&self->region, 1000);
	for (unsigned int i = 0; i < LEVELS; i++) {
		EXPECT_EQ(0, atomic_long_read(&self->region.level[i]->regions));
		EXPECT_EQ(0, atomic_long_read(&self->region.level[i]->reserved));
	}
}

/* Where these are charged, all of them or none. */
static bool usage_is(FIXTURE_DATA(unit) *self, unsigned int resource, unsigned long pages)
{
	for (unsigned int i = 0; i < LEVELS; i++)
		if (privheap_quota_usage(self->region.level[i], resource) != pages)
			return false;
	return true;
}

/* Each level in turn has a hard limit of ten pages. */
TEST_F(unit, every_level_at_its_limit)
{
	for (unsigned int i = 0; i < LEVELS; i++) {
		for (unsigned int r = 0; r < PRIVHEAP_RESOURCES; r++) {
			struct privheap_quota *quota = self->region.level[i];
			struct unit_heard heard;

			ASSERT_EQ(0, unit_set(quota, r, PRIVHEAP_SET_HARD, 10 * UNIT_PAGE, true));
			/* One below, at it, one above. */
			EXPECT_EQ(0, privheap_charge(&self->region, r, 9));
			EXPECT_EQ(quota->level, privheap_charge(&self->region, r, 2));
			EXPECT_EQ(0, privheap_charge(&self->region, r, 1));
			EXPECT_EQ(quota->level, privheap_charge(&self->region, r, 1));
			EXPECT_TRUE(usage_is(self, r, 10));
			EXPECT_TRUE(usage_is(self, !r, 0));
			heard = unit_heard(quota, r);
			EXPECT_EQ(2, heard.denied);
			EXPECT_EQ(1, heard.denied_pages);
			EXPECT_EQ(7, heard.denied_region);
			EXPECT_EQ(2, unit_counter(quota, r).denials);
			EXPECT_EQ(r ? 4 : 0, unit_counter(quota, !r).denials);

			privheap_uncharge(&self->region, r, 10);
			EXPECT_EQ(quota->level, privheap_charge(&self->region, r, 11));
			EXPECT_EQ(quota->level,
				  privheap_charge(&self->region, r, PRIVHEAP_UNLIMITED));
			EXPECT_EQ(0, privheap_charge(&self->region, r, 10));
			privheap_uncharge(&self->region, r, 10);
			ASSERT_EQ(0, unit_set(quota, r, PRIVHEAP_SET_HARD, PRIVHEAP_NO_LIMIT,
					      true));
			EXPECT_TRUE(usage_is(self, r, 0));
		}
	}
	/* Who refused 8 times was refused by all that are further out as well. */
	for (unsigned int i = 0; i < LEVELS; i++)
		EXPECT_EQ(8 * (LEVELS - i), atomic_long_read(&self->region.level[i]->denials));
}

/* Who only tries is refused alike, and nobody hears of it; but for fail_nth. */
TEST_F(unit, a_try_is_no_denial)
{
	struct privheap_quota *quota = self->region.level[LEVELS - 1];

	ASSERT_EQ(0, unit_set(quota, RESIDENT, PRIVHEAP_SET_HARD, 10 * UNIT_PAGE, true));
	EXPECT_EQ(0, privheap_try_charge(&self->region, RESIDENT, 10));
	EXPECT_EQ(quota->level, privheap_try_charge(&self->region, RESIDENT, 1));
	EXPECT_TRUE(usage_is(self, RESIDENT, 10));
	EXPECT_EQ(0, unit_heard(quota, RESIDENT).denied);
	EXPECT_EQ(0, unit_counter(quota, RESIDENT).denials);
	for (unsigned int i = 0; i < LEVELS; i++)
		EXPECT_EQ(0, atomic_long_read(&self->region.level[i]->denials));

	ASSERT_EQ(0, unit_set(quota, RESIDENT, PRIVHEAP_SET_FAIL_NTH, 1, true));
	EXPECT_EQ(quota->level | PRIVHEAP_INJECTED,
		  privheap_try_charge(&self->region, RESIDENT, 1));
	EXPECT_EQ(1, unit_counter(quota, RESIDENT).denials);
	privheap_uncharge(&self->region, RESIDENT, 10);
	EXPECT_TRUE(usage_is(self, RESIDENT, 0));
}

TEST_F(unit, the_innermost_refuses)
{
	EXPECT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_HARD, 20 * UNIT_PAGE, true));
	EXPECT_EQ(0, unit_set(&self->above, COMMIT, PRIVHEAP_SET_HARD, 10 * UNIT_PAGE, true));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, privheap_charge(&self->region, COMMIT, 21));
	EXPECT_EQ(PRIVHEAP_LEVEL_CGROUP, privheap_charge(&self->region, COMMIT, 20));
	EXPECT_EQ(1, unit_counter(&self->above, COMMIT).denials);
	EXPECT_EQ(0, unit_counter(&self->cgroup, COMMIT).denials);
	EXPECT_EQ(10, privheap_room(&self->region, COMMIT));
	EXPECT_EQ(PRIVHEAP_UNLIMITED, privheap_room(&self->region, RESIDENT));
}

TEST_F(unit, peaks)
{
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 5));
	privheap_uncharge(&self->region, COMMIT, 3);
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 8));
	privheap_cancel(&self->region, COMMIT, 8);
	EXPECT_EQ(5, privheap_quota_peak(&self->user, COMMIT));
	EXPECT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_HARD, 6 * UNIT_PAGE, true));
	EXPECT_EQ(PRIVHEAP_LEVEL_USER, privheap_charge(&self->region, COMMIT, 5));
	/* Refused further out: nobody further in was ever that high. */
	EXPECT_EQ(5, privheap_quota_peak(&self->region.quota, COMMIT));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 4));
	EXPECT_EQ(6 * UNIT_PAGE, unit_counter(&self->process, COMMIT).peak);
	privheap_uncharge(&self->region, COMMIT, 6);
	EXPECT_EQ(6, privheap_quota_peak(&self->above, COMMIT));
}

/* Lowered below the usage: nothing is freed, nothing more is given. */
TEST_F(unit, lowered_below_usage)
{
	EXPECT_EQ(0, privheap_charge(&self->region, RESIDENT, 8));
	for (u64 pages = 0; pages < 8; pages++) {
		EXPECT_EQ(0, unit_set(&self->user, RESIDENT, PRIVHEAP_SET_HARD,
				      pages * UNIT_PAGE, true));
		EXPECT_EQ(PRIVHEAP_LEVEL_USER, privheap_charge(&self->region, RESIDENT, 1));
		EXPECT_EQ(0, privheap_room(&self->region, RESIDENT));
		EXPECT_TRUE(usage_is(self, RESIDENT, 8));
	}
	privheap_uncharge(&self->region, RESIDENT, 2);
	EXPECT_EQ(0, privheap_charge(&self->region, RESIDENT, 1));
	EXPECT_EQ(PRIVHEAP_LEVEL_USER, privheap_charge(&self->region, RESIDENT, 1));
	privheap_uncharge(&self->region, RESIDENT, 7);
}

TEST_F(unit, soft_edges)
{
	struct unit_heard heard;

	ASSERT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_SOFT, 10 * UNIT_PAGE, false));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 9));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 1));
	EXPECT_EQ(0, unit_heard(&self->process, COMMIT).over);
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 1));
	EXPECT_EQ(1, unit_heard(&self->process, COMMIT).over);
	/* Once per edge. */
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 5));
	privheap_uncharge(&self->region, COMMIT, 5);
	EXPECT_EQ(0, unit_heard(&self->process, COMMIT).below);
	privheap_uncharge(&self->region, COMMIT, 1);
	EXPECT_EQ(1, unit_heard(&self->process, COMMIT).below);
	privheap_uncharge(&self->region, COMMIT, 10);

	/* Setting it is an edge, too, where it changes which side is which. */
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 5));
	EXPECT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_SOFT, 4 * UNIT_PAGE, false));
	EXPECT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_SOFT, 3 * UNIT_PAGE, false));
	EXPECT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_SOFT, 5 * UNIT_PAGE, false));
	heard = unit_heard(&self->process, COMMIT);
	EXPECT_EQ(2, heard.over);
	EXPECT_EQ(2, heard.below);
	EXPECT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_SOFT, 0, false));
	EXPECT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_SOFT, PRIVHEAP_NO_LIMIT,
			      false));
	heard = unit_heard(&self->process, COMMIT);
	EXPECT_EQ(3, heard.over);
	EXPECT_EQ(3, heard.below);
	EXPECT_EQ(0, heard.disorder);
	privheap_uncharge(&self->region, COMMIT, 5);
	EXPECT_EQ(3, unit_heard(&self->process, COMMIT).below);
}

/* A charge that is refused further out was never there, to observers. */
TEST_F(unit, no_soft_edge_by_a_refused_charge)
{
	ASSERT_EQ(0, unit_set(&self->region.quota, COMMIT, PRIVHEAP_SET_SOFT, UNIT_PAGE, false));
	ASSERT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_HARD, 4 * UNIT_PAGE, true));
	EXPECT_EQ(PRIVHEAP_LEVEL_USER, privheap_charge(&self->region, COMMIT, 5));
	EXPECT_EQ(0, unit_heard(&self->region.quota, COMMIT).over);
	EXPECT_EQ(0, unit_heard(&self->region.quota, COMMIT).below);
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 4));
	EXPECT_EQ(1, unit_heard(&self->region.quota, COMMIT).over);
	privheap_uncharge(&self->region, COMMIT, 4);
	EXPECT_EQ(1, unit_heard(&self->region.quota, COMMIT).below);
}

TEST_F(unit, fail_nth)
{
	for (unsigned int i = 0; i < LEVELS; i++) {
		struct privheap_quota *quota = self->region.level[i];

		for (unsigned int nth = 1; nth < 5; nth++) {
			ASSERT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_FAIL_NTH, nth, true));
			/* Of the other resource they are not counted. */
			EXPECT_EQ(0, privheap_charge(&self->region, RESIDENT, 1));
			for (unsigned int n = 1; n < nth; n++) {
				EXPECT_EQ(nth - n + 1, unit_counter(quota, COMMIT).fail_nth);
				EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 3));
			}
			EXPECT_EQ(quota->level | PRIVHEAP_INJECTED,
				  privheap_charge(&self->region, COMMIT, 3));
			EXPECT_EQ(0, unit_counter(quota, COMMIT).fail_nth);
			EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 3));
			EXPECT_TRUE(usage_is(self, COMMIT, 3 * nth));
			privheap_uncharge(&self->region, COMMIT, 3 * nth);
			privheap_uncharge(&self->region, RESIDENT, 1);
		}
		EXPECT_EQ(4, unit_counter(quota, COMMIT).denials);
		EXPECT_EQ(4, unit_heard(quota, COMMIT).denied);
	}
	/* Taken back, and beside a limit, which is no less one for it. */
	EXPECT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_FAIL_NTH, 1, true));
	EXPECT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_FAIL_NTH, 0, true));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 3));
	EXPECT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_FAIL_NTH, 5, true));
	EXPECT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_HARD, 4 * UNIT_PAGE, true));
	EXPECT_EQ(PRIVHEAP_LEVEL_USER, privheap_charge(&self->region, COMMIT, 2));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 1));
	EXPECT_EQ(3, unit_counter(&self->user, COMMIT).fail_nth);
	privheap_uncharge(&self->region, COMMIT, 4);
}

TEST_F(unit, reserve)
{
	struct privheap_quota *quota = &self->process;

	EXPECT_EQ(-ENODATA, privheap_quota_open_reserve(quota, COMMIT));
	ASSERT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, 10 * UNIT_PAGE, false));
	ASSERT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, 2 * UNIT_PAGE, false));
	EXPECT_EQ(-EAGAIN, privheap_quota_open_reserve(quota, COMMIT));
	EXPECT_EQ(-ENODATA, privheap_quota_open_reserve(quota, RESIDENT));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 10));
	EXPECT_EQ(-EAGAIN, privheap_quota_open_reserve(quota, COMMIT));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, privheap_charge(&self->region, COMMIT, 1));
	EXPECT_EQ(0, privheap_quota_open_reserve(quota, COMMIT));
	EXPECT_TRUE(unit_counter(quota, COMMIT).reserve_open);
	EXPECT_EQ(10 * UNIT_PAGE, unit_counter(quota, COMMIT).hard);
	EXPECT_EQ(-EALREADY, privheap_quota_open_reserve(quota, COMMIT));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, privheap_charge(&self->region, COMMIT, 3));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 2));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, privheap_charge(&self->region, COMMIT, 1));

	/* Set again it is shut, and wants another denial. */
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, 3 * UNIT_PAGE, false));
	EXPECT_FALSE(unit_counter(quota, COMMIT).reserve_open);
	EXPECT_EQ(-EAGAIN, privheap_quota_open_reserve(quota, COMMIT));
	privheap_uncharge(&self->region, COMMIT, 2);
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, privheap_charge(&self->region, COMMIT, 1));
	EXPECT_EQ(0, privheap_quota_open_reserve(quota, COMMIT));
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 3));
	privheap_uncharge(&self->region, COMMIT, 13);
	EXPECT_TRUE(privheap_quota_limited(quota));
}

/* Another's refusal is no reason to open one's own reserve. */
TEST_F(unit, reserve_is_for_own_denials)
{
	ASSERT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_HARD, 10 * UNIT_PAGE, false));
	ASSERT_EQ(0, unit_set(&self->process, COMMIT, PRIVHEAP_SET_RESERVE, UNIT_PAGE, false));
	ASSERT_EQ(0, unit_set(&self->user, COMMIT, PRIVHEAP_SET_HARD, 5 * UNIT_PAGE, true));
	EXPECT_EQ(PRIVHEAP_LEVEL_USER, privheap_charge(&self->region, COMMIT, 6));
	EXPECT_EQ(-EAGAIN, privheap_quota_open_reserve(&self->process, COMMIT));
}

TEST_F(unit, ceiling)
{
	struct privheap_quota *quota = &self->region.quota;
	struct privheap_limit_set both = {
		.set = PRIVHEAP_SET_HARD | PRIVHEAP_SET_RESERVE,
		.hard = 6 * UNIT_PAGE, .reserve = 2 * UNIT_PAGE,
	};

	privheap_quota_set_limit(quota, COMMIT, 8);
	EXPECT_EQ(8 * UNIT_PAGE, unit_counter(quota, COMMIT).ceiling);
	EXPECT_EQ(-EPERM, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, 9 * UNIT_PAGE, false));
	EXPECT_EQ(-EPERM, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, PRIVHEAP_NO_LIMIT, false));
	EXPECT_EQ(-EPERM, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, UNIT_PAGE, false));
	EXPECT_EQ(0, privheap_quota_set(quota, &both, 1, false));
	EXPECT_EQ(-EPERM, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, 7 * UNIT_PAGE, false));
	EXPECT_EQ(6 * UNIT_PAGE, unit_counter(quota, COMMIT).hard);
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, 0, false));
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, 8 * UNIT_PAGE, false));
	/* An administrator moves it along, either way. */
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, 12 * UNIT_PAGE, true));
	EXPECT_EQ(12 * UNIT_PAGE, unit_counter(quota, COMMIT).ceiling);
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, UNIT_PAGE, true));
	EXPECT_EQ(13 * UNIT_PAGE, unit_counter(quota, COMMIT).ceiling);
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, UNIT_PAGE, true));
	EXPECT_EQ(2 * UNIT_PAGE, unit_counter(quota, COMMIT).ceiling);
	/* The other resource has its own. */
	EXPECT_EQ(0, unit_set(quota, RESIDENT, PRIVHEAP_SET_HARD, 99 * UNIT_PAGE, false));
}

TEST_F(unit, all_sets_or_none)
{
	struct privheap_limit_set sets[] = {
		{ COMMIT, PRIVHEAP_SET_HARD, .hard = 4 * UNIT_PAGE },
		{ RESIDENT, PRIVHEAP_SET_SOFT, .soft = 2 * UNIT_PAGE + 1 },
	};

	EXPECT_EQ(-EINVAL, privheap_quota_set(&self->user, sets, 2, true));
	EXPECT_FALSE(privheap_quota_limited(&self->user));
	sets[1].soft--;
	EXPECT_EQ(0, privheap_quota_set(&self->user, sets, 2, true));
	EXPECT_EQ(4 * UNIT_PAGE, unit_counter(&self->user, COMMIT).hard);
	EXPECT_EQ(2 * UNIT_PAGE, unit_counter(&self->user, RESIDENT).soft);
	EXPECT_TRUE(privheap_quota_limited(&self->user));
}

TEST_F(unit, values)
{
	struct privheap_quota *quota = &self->process;
	u64 most = PRIVHEAP_NO_LIMIT - UNIT_PAGE + 1;

	EXPECT_EQ(-EINVAL, unit_set(quota, 2, PRIVHEAP_SET_HARD, 0, true));
	EXPECT_EQ(-EINVAL, unit_set(quota, COMMIT, 0x10, 0, true));
	EXPECT_EQ(-EINVAL, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, 1, true));
	EXPECT_EQ(-EINVAL, unit_set(quota, COMMIT, PRIVHEAP_SET_SOFT, UNIT_PAGE - 1, true));
	EXPECT_EQ(-EINVAL, unit_set(quota, COMMIT, PRIVHEAP_SET_SOFT, PRIVHEAP_NO_LIMIT - 1,
				    true));
	EXPECT_EQ(-EINVAL, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, PRIVHEAP_NO_LIMIT,
				    true));
	EXPECT_EQ(-EINVAL, unit_set(quota, COMMIT, PRIVHEAP_SET_FAIL_NTH, 1ULL << 63, true));
	EXPECT_EQ(-EINVAL, unit_set(&self->user, COMMIT, PRIVHEAP_SET_RESERVE, UNIT_PAGE, true));
	EXPECT_EQ(-EINVAL, unit_set(&self->cgroup, COMMIT, PRIVHEAP_SET_RESERVE, 0, true));
	EXPECT_FALSE(privheap_quota_limited(quota));

	/* The largest ones, which together are no more than no limit. */
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_HARD, most, true));
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_RESERVE, most, true));
	EXPECT_EQ(0, unit_set(quota, COMMIT, PRIVHEAP_SET_FAIL_NTH, ~0ULL >> 1, true));
	if (sizeof(long) == 8)
		EXPECT_EQ(most, unit_counter(quota, COMMIT).hard);
	EXPECT_EQ(0, privheap_charge(&self->region, COMMIT, 1));
	privheap_cancel(&self->region, COMMIT, 1);
}

TEST_HARNESS_MAIN
