// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every size, offset and number of every ioctl is as large as it can be, and a little
 * less and more, alone and with each of the others: what is granted makes sense, and
 * what is refused has changed nothing.
 */
#include <sys/eventfd.h>

#include "privheap_fixture.h"
#include "limit_selftest.h"

#define RESERVE		(4 * MIB)
#define HAS		MIB

static const uint64_t extremes[] = {
	0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, HAS, RESERVE - PAGE, RESERVE, RESERVE + PAGE,
	1ULL << 31, 1ULL << 32, (1ULL << 32) + PAGE, (1ULL << 47) - PAGE, 1ULL << 47,
	1ULL << 52, (1ULL << 63) - PAGE, 1ULL << 63, (1ULL << 63) + PAGE,
	-2 * PAGE, -PAGE, -PAGE + 1, -1ULL,
};

#define FOR_EACH(value)							\
	for (size_t _##value = 0, value = extremes[0];			\
	     _##value < ARRAY_SIZE(extremes);				\
	     value = extremes[++_##value < ARRAY_SIZE(extremes) ? _##value : 0])

static bool whole(uint64_t bytes)
{
	return !(bytes % PAGE);
}

TEST_F(privheap, create)
{
	unsigned int granted = 0;

	FOR_EACH(reserve) FOR_EACH(commit) FOR_EACH(limit) {
		bool sane = reserve && whole(reserve | commit | limit) &&
			    reserve <= 1ULL << 47 && limit <= reserve &&
			    commit <= (limit ?: reserve);
		struct privheap_query query;
		char *base;
		int ret;

		ret = ph_create_limit(self->fd, reserve, commit, limit, PRIVHEAP_CREATE_LAZY,
				      &base);
		if (ret) {
			ASSERT_TRUE(ret == -EINVAL ||
				    (sane && (ret == -ENOMEM || ret == -EDQUOT))) {
				TH_LOG("%#zx %#zx %#zx: %d", reserve, commit, limit, ret);
			}
			continue;
		}
		granted++;
		query = ph_region(self->fd, base);
		ASSERT_TRUE(sane && query.out_reserved == reserve &&
			    query.out_committed == commit &&
			    query.out_limit == (limit ?: reserve) && !query.out_resident) {
			TH_LOG("%#zx %#zx %#zx", reserve, commit, limit);
		}
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
	EXPECT_LT(20, granted);
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
}

TEST_F(privheap, grow)
{
	char *base;

	FOR_EACH(commit) {
		bool sane = whole(commit) && commit <= RESERVE;
		struct privheap_query before;
		int ret;

		ASSERT_EQ(0, ph_create(self->fd, RESERVE, HAS, 0, &base));
		before = ph_region(self->fd, base);
		ret = ph_grow(self->fd, base, commit, 0);
		EXPECT_EQ(sane ? 0 : -EINVAL, ret);
		if (ret)
			EXPECT_UNCHANGED(self->fd, base, before);
		else
			EXPECT_USAGE(self->fd, base, commit > HAS ? commit : HAS, HAS);
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
}

TEST_F(privheap, ranges)
{
	char *base;

	FOR_EACH(offset) FOR_EACH(length) {
		bool sane = length && whole(offset | length) && offset <= RESERVE &&
			    length <= RESERVE - offset;
		uint64_t end = offset + length, over;
		struct privheap_query before;
		int ret;

		ASSERT_EQ(0, ph_create(self->fd, RESERVE, HAS, 0, &base));
		before = ph_region(self->fd, base);
		ret = ph_commit(self->fd, base, offset, length, 0);
		ASSERT_EQ(sane ? 0 : -EINVAL, ret) {
			TH_LOG("%#zx %#zx", offset, length);
		}
		over = offset < HAS ? (end < HAS ? end : HAS) - offset : 0;
		if (ret)
			EXPECT_UNCHANGED(self->fd, base, before);
		else
			EXPECT_USAGE(self->fd, base, HAS + length - over, HAS);
		before = ph_region(self->fd, base);
		ret = ph_decommit(self->fd, base, offset, length);
		ASSERT_EQ(sane ? 0 : -EINVAL, ret);
		if (ret)
			EXPECT_UNCHANGED(self->fd, base, before);
		else
			EXPECT_USAGE(self->fd, base, HAS - over, HAS - over);
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
}

TEST_F(privheap, thresholds)
{
	int eventfd_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, HAS, 0, &base));
	FOR_EACH(threshold) {
		for (uint64_t i = 0; i < 40; i++) {
			uint32_t resource = i < 32 ? i : -1U << (i - 32);
			bool sane = threshold && whole(threshold) &&
				    threshold <= RESERVE && resource < 2;

			ASSERT_EQ(sane ? 0 : -EINVAL,
				  ph_notify(self->fd, base, resource, threshold,
					    eventfd_fd, 0));
			if (!sane)
				continue;
			ASSERT_EQ(0, ph_notify(self->fd, base, resource, threshold,
					       eventfd_fd, PRIVHEAP_NOTIFY_REMOVE));
		}
	}
}

/* Whatever sums of hard limit and reserve come to, no charge passes the ceiling. */
TEST_F(privheap, limits)
{
	char *base;

	FOR_EACH(hard) FOR_EACH(reserve) {
		struct privheap_limit arg, now;
		int ret;

		ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &base));
		arg = limit_arg(base, COMMIT);
		arg.set = PRIVHEAP_SET_HARD | PRIVHEAP_SET_RESERVE | PRIVHEAP_SET_SOFT |
			  PRIVHEAP_SET_FAIL_NTH;
		arg.hard = hard;
		arg.soft = hard;
		arg.reserve = reserve;
		arg.fail_nth = 0;
		ret = ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &arg);
		now = limit_get(self->fd, base, COMMIT);
		EXPECT_EQ(RESERVE, now.out_ceiling);
		if (ret) {
			ASSERT_TRUE(ret == -EINVAL || ret == -EPERM);
			EXPECT_EQ(RESERVE, now.out_hard);
			EXPECT_EQ(0, now.out_reserve);
		} else {
			ASSERT_TRUE(hard <= RESERVE && reserve <= RESERVE - hard);
			EXPECT_EQ(hard, now.out_hard);
			EXPECT_EQ(reserve, now.out_reserve);
		}
		ret = ph_grow(self->fd, base, RESERVE, 0);
		EXPECT_EQ(now.out_hard == RESERVE ? 0 : -EDQUOT, ret);
		if (!limit_open_reserve(self->fd, base, COMMIT))
			EXPECT_EQ(hard + reserve == RESERVE ? 0 : -EDQUOT,
				  ph_grow(self->fd, base, RESERVE, 0));
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
}

TEST_F(privheap, bases)
{
	struct privheap_query query;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, HAS, 0, &base));
	FOR_EACH(near) {
		void *wrong = (void *)(uintptr_t)(TO_BASE(base) + near);

		if (!near)
			continue;
		EXPECT_EQ(-ENOENT, ph_query(self->fd, wrong, 0, &query));
		EXPECT_EQ(-ENOENT, ph_destroy(self->fd, wrong));
		wrong = (void *)(uintptr_t)near;
		EXPECT_EQ(-ENOENT, ph_query(self->fd, wrong, 0, &query));
		EXPECT_EQ(-ENOENT, ph_destroy(self->fd, wrong));
	}
	EXPECT_USAGE(self->fd, base, HAS, HAS);
}

TEST_HARNESS_MAIN
