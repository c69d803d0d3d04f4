// SPDX-License-Identifier: GPL-2.0-only
/* GROW and COMMIT: what is usable afterwards, and what was charged for it. */
#include <sys/mman.h>

#include "privheap_fixture.h"

/* Exactly these pages of the region are usable: the first one that is not so. */
static int wrong_page(char *base, int first, int last, int total)
{
	for (int page = 0; page < total; page++) {
		char *at = base + page * PAGE + page % PAGE;
		bool inside = page >= first && page <= last;

		if (ph_read(at) != (inside ? 0 : SIGSEGV) ||
		    (!inside && ph_fault_address != at))
			return page;
	}
	return -1;
}

#define EXPECT_USABLE(base, first, last, total) \
	EXPECT_EQ(-1, wrong_page(base, first, last, total))

TEST_F(privheap, grow_commits_from_the_base)
{
	struct privheap_grow arg = { .size = sizeof(arg), .commit = 3 * PAGE };
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * PAGE, 0, 0, &base));
	arg.base = TO_BASE(base);
	arg.out_committed = ~0ULL;
	arg.out_denied = ~0U;
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &arg));
	EXPECT_EQ(3 * PAGE, arg.out_committed);
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, arg.out_denied);
	EXPECT_USAGE(self->fd, base, 3 * PAGE, 0);
	EXPECT_USABLE(base, 0, 2, 16);

	arg.commit = 16 * PAGE;
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &arg));
	EXPECT_EQ(16 * PAGE, arg.out_committed);
	EXPECT_USABLE(base, 0, 15, 16);
}

TEST_F(privheap, grow_to_less_changes_nothing)
{
	struct privheap_grow arg = { .size = sizeof(arg) };
	struct privheap_query before;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * PAGE, 8 * PAGE, 0, &base));
	before = ph_region(self->fd, base);
	arg.base = TO_BASE(base);
	for (uint64_t pages = 0; pages <= 8; pages++) {
		arg.commit = pages * PAGE;
		arg.out_committed = 0;
		EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &arg));
		EXPECT_EQ(8 * PAGE, arg.out_committed);
		EXPECT_UNCHANGED(self->fd, base, before);
	}
}

TEST_F(privheap, grow_fills_holes)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 0, 0, &base));
	for (int page = 1; page < 32; page += 4) {
		ASSERT_EQ(0, ph_commit(self->fd, base, page * PAGE, 2 * PAGE, 0));
		memset(base + page * PAGE, page, 2 * PAGE);
	}
	EXPECT_EQ(16 * PAGE, ph_committed(self->fd, base));
	/* Only what was missing is charged; what is there keeps its bytes. */
	ASSERT_EQ(0, ph_grow(self->fd, base, 30 * PAGE, 0));
	EXPECT_EQ(31 * PAGE, ph_committed(self->fd, base));
	for (int page = 0; page < 31; page++) {
		char expected = page % 4 == 1 ? page : page % 4 == 2 ? page - 1 : 0;

		EXPECT_TRUE(ph_all(base + page * PAGE, PAGE, expected)) {
			TH_LOG("page %d", page);
		}
	}
	EXPECT_NO_READ(base + 31 * PAGE);
}

TEST_F(privheap, commit_anywhere)
{
	struct privheap_commit arg = {
		.size = sizeof(arg), .offset = 5 * PAGE, .length = 4 * PAGE,
	};
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * PAGE, 0, 0, &base));
	arg.base = TO_BASE(base);
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_COMMIT, &arg));
	EXPECT_EQ(4 * PAGE, arg.out_committed);
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, arg.out_denied);
	EXPECT_USABLE(base, 5, 8, 16);

	/* The last page of the reservation, and the first. */
	EXPECT_EQ(0, ph_commit(self->fd, base, 15 * PAGE, PAGE, 0));
	EXPECT_EQ(0, ph_commit(self->fd, base, 0, PAGE, 0));
	EXPECT_EQ(0, ph_write(base + 16 * PAGE - 1, 1));
	EXPECT_EQ(0, ph_write(base, 1));
	EXPECT_EQ(6 * PAGE, ph_committed(self->fd, base));
}

TEST_F(privheap, commit_twice_is_charged_once)
{
	struct privheap_query before;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * PAGE, 0, 0, &base));
	ASSERT_EQ(0, ph_commit(self->fd, base, 4 * PAGE, 8 * PAGE, 0));
	memset(base + 4 * PAGE, 7, 8 * PAGE);
	before = ph_region(self->fd, base);
	for (int first = 4; first < 12; first++)
		for (int last = first; last < 12; last++)
			EXPECT_EQ(0, ph_commit(self->fd, base, first * PAGE,
					       (last - first + 1) * PAGE, 0));
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_TRUE(ph_all(base + 4 * PAGE, 8 * PAGE, 7));

	/* Half of it is new. */
	EXPECT_EQ(0, ph_commit(self->fd, base, 2 * PAGE, 4 * PAGE, 0));
	EXPECT_EQ(10 * PAGE, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_commit(self->fd, base, 0, 16 * PAGE, 0));
	EXPECT_EQ(16 * PAGE, ph_committed(self->fd, base));
	EXPECT_TRUE(ph_all(base + 4 * PAGE, 8 * PAGE, 7));
}

/*
 * The set of committed pages against a simple model: many random calls on a
 * small region, so that ranges touch, overlap, join and split all the time.
 */
TEST_F(privheap, extents_against_a_model)
{
	enum { PAGES = 48 };
	bool committed[PAGES] = { false };
	uint32_t state = 2463534242;
	unsigned int count;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, PAGES * PAGE, 0, 0, &base));
	for (int round = 0; round < 1500; round++) {
		unsigned int first = ph_random(&state) % PAGES;
		unsigned int length = 1 + ph_random(&state) % (PAGES - first);
		unsigned int what = ph_random(&state) % 8;

		if (what == 0)
			length = 1;
		if (what == 7) {
			ASSERT_EQ(0, ph_grow(self->fd, base, length * PAGE, 0));
			first = 0;
		} else if (what >= 4) {
			ASSERT_EQ(0, ph_decommit(self->fd, base, first * PAGE,
						 length * PAGE));
		} else {
			ASSERT_EQ(0, ph_commit(self->fd, base, first * PAGE,
					       length * PAGE, 0));
		}
		for (unsigned int i = first; i < first + length; i++)
			committed[i] = what < 4 || what == 7;
		count = 0;
		for (unsigned int i = 0; i < PAGES; i++)
			count += committed[i];
		ASSERT_EQ(count * PAGE, ph_committed(self->fd, base));
		if (round % 16)
			continue;
		for (unsigned int i = 0; i < PAGES; i++) {
			ASSERT_EQ(committed[i] ? 0 : SIGSEGV,
				  ph_write(base + i * PAGE, 1)) {
				TH_LOG("round %d page %u", round, i);
			}
		}
	}
}

TEST_F(privheap, many_holes)
{
	char *base;

	/* Every second page: a thousand extents, and then one again. */
	ASSERT_EQ(0, ph_create(self->fd, 2000 * PAGE, 0, 0, &base));
	for (int page = 0; page < 2000; page += 2) {
		ASSERT_EQ(0, ph_commit(self->fd, base, page * PAGE, PAGE, 0));
	}
	EXPECT_EQ(1000 * PAGE, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_read(base + 998 * PAGE));
	EXPECT_NO_READ(base + 999 * PAGE);
	ASSERT_EQ(0, ph_grow(self->fd, base, 2000 * PAGE, 0));
	EXPECT_EQ(2000 * PAGE, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_read(base + 999 * PAGE));
	for (int page = 1; page < 2000; page += 2) {
		ASSERT_EQ(0, ph_decommit(self->fd, base, page * PAGE, PAGE));
	}
	EXPECT_EQ(1000 * PAGE, ph_committed(self->fd, base));
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 2000 * PAGE));
	EXPECT_USAGE(self->fd, base, 0, 0);
}

TEST_F(privheap, populate_takes_all_pages)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 8 * MIB, 0, 0, &base));
	ASSERT_EQ(0, ph_grow(self->fd, base, 37 * PAGE,
			     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, base, 37 * PAGE, 37 * PAGE);
	ASSERT_EQ(0, ph_commit(self->fd, base, 3 * MIB, 5 * MIB,
			       PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, base, 37 * PAGE + 5 * MIB,
		     37 * PAGE + 5 * MIB);
	EXPECT_TRUE(ph_zero(base, 37 * PAGE));
	EXPECT_TRUE(ph_zero(base + 3 * MIB, 5 * MIB));
	EXPECT_EQ(0, ph_region(self->fd, base).out_faults);
	EXPECT_NO_READ(base + 37 * PAGE);
	EXPECT_NO_READ(base + 3 * MIB - 1);
}

/* Over pages that are there, committed or not, around all borders. */
TEST_F(privheap, populate_over_what_is_there)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 1024 * PAGE, 0, 0, &base));
	for (int page = 3; page < 1000; page += 41) {
		ASSERT_EQ(0, ph_commit(self->fd, base, page * PAGE, 3 * PAGE, 0));
		memset(base + (page + 1) * PAGE, page % 100 + 1, PAGE);
	}
	ASSERT_EQ(0, ph_grow(self->fd, base, 1024 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, base, 1024 * PAGE, 1024 * PAGE);
	for (int page = 0; page < 1024; page++) {
		bool there = page >= 4 && (page - 4) % 41 == 0 && page < 1001;

		EXPECT_TRUE(ph_all(base + page * PAGE, PAGE,
				   there ? (page - 1) % 100 + 1 : 0)) {
			TH_LOG("page %d", page);
		}
	}
}

/* Populate what was committed long ago. */
TEST_F(privheap, populate_what_is_committed)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, MIB, MIB, PRIVHEAP_CREATE_LAZY, &base));
	memset(base + 8 * PAGE, 5, PAGE);
	EXPECT_USAGE(self->fd, base, MIB, PAGE);
	ASSERT_EQ(0, ph_commit(self->fd, base, 0, 16 * PAGE,
			       PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, base, MIB, 16 * PAGE);
	EXPECT_TRUE(ph_all(base + 8 * PAGE, PAGE, 5));
	ASSERT_EQ(0, ph_grow(self->fd, base, 32 * PAGE,
			     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, base, MIB, 32 * PAGE);
}

TEST_F(privheap, region_limit_refuses)
{
	struct privheap_commit commit = { .size = sizeof(commit) };
	struct privheap_grow grow = { .size = sizeof(grow) };
	struct privheap_query before, after;
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, 64 * PAGE, 2 * PAGE, 8 * PAGE,
				     0, &base));
	EXPECT_EQ(8 * PAGE, ph_region(self->fd, base).out_limit);
	before = ph_region(self->fd, base);

	grow.base = TO_BASE(base);
	grow.commit = 9 * PAGE;
	grow.out_committed = 12345;
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_GROW, &grow));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, grow.out_denied);
	EXPECT_EQ(12345, grow.out_committed);
	EXPECT_EQ(9 * PAGE, grow.commit);

	commit.base = TO_BASE(base);
	commit.offset = 32 * PAGE;
	commit.length = 7 * PAGE;
	commit.flags = PRIVHEAP_COMMIT_POPULATE;
	EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, PRIVHEAP_IOC_COMMIT, &commit));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, commit.out_denied);
	EXPECT_NO_READ(base + 32 * PAGE);

	/* Nothing but the denials has changed. */
	after = ph_region(self->fd, base);
	EXPECT_EQ(before.out_denials + 2, after.out_denials);
	after.out_denials = before.out_denials;
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));

	/* Up to the limit, and what is committed already costs nothing. */
	EXPECT_EQ(0, ph_commit(self->fd, base, 32 * PAGE, 6 * PAGE, 0));
	EXPECT_EQ(8 * PAGE, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_commit(self->fd, base, 34 * PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-EDQUOT, ph_commit(self->fd, base, 37 * PAGE, 2 * PAGE, 0));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	EXPECT_EQ(0, ph_commit(self->fd, base, 37 * PAGE, 2 * PAGE, 0));
	EXPECT_EQ(8 * PAGE, ph_committed(self->fd, base));
}

TEST_F(privheap, limit_zero_is_the_reservation)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 0, 0, &base));
	EXPECT_EQ(64 * PAGE, ph_region(self->fd, base).out_limit);
	EXPECT_EQ(0, ph_grow(self->fd, base, 64 * PAGE, 0));
	EXPECT_EQ(0, ph_region(self->fd, base).out_denials);
}

TEST_F(privheap, destroy_gives_all_back)
{
	struct privheap_query process;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 8 * MIB, 5 * MIB, 0, &base));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_NO_READ(base);
	EXPECT_NO_READ(base + 8 * MIB - 1);
	EXPECT_EQ(-ENOENT, ph_destroy(self->fd, base));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &process));
	EXPECT_EQ(0, process.out_regions);
	EXPECT_EQ(0, process.out_committed);
	EXPECT_EQ(0, process.out_resident);
	EXPECT_EQ(5 * MIB, process.out_peak_resident);
	/* When the call returns, not some time later. */
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
}

TEST_F(privheap, ids_are_never_used_twice)
{
	uint64_t last = 0;
	char *base;

	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(0, ph_create(self->fd, MIB, 0, 0, &base));
		EXPECT_LT(last, ph_region(self->fd, base).out_id);
		last = ph_region(self->fd, base).out_id;
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
}

TEST_HARNESS_MAIN
