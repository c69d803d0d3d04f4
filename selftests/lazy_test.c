// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages come at the first touch: what is resident follows what was touched,
 * within the documented window, and never leaves the commit.
 */
#include <sys/mman.h>

#include "privheap_fixture.h"

TEST_F(privheap, create_populates_unless_lazy)
{
	char *eager, *lazy;

	ASSERT_EQ(0, ph_create(self->fd, MIB, 64 * KIB, 0, &eager));
	EXPECT_USAGE(self->fd, eager, 64 * KIB, 64 * KIB);
	ASSERT_EQ(0, ph_create(self->fd, MIB, 64 * KIB, PRIVHEAP_CREATE_LAZY,
			       &lazy));
	EXPECT_USAGE(self->fd, lazy, 64 * KIB, 0);
	EXPECT_EQ(MIB, ph_region(self->fd, lazy).out_reserved);
	EXPECT_EQ(0, ph_region(self->fd, eager).out_faults);
	EXPECT_EQ(0, ph_region(self->fd, lazy).out_faults);
}

TEST_F(privheap, create_without_commit_has_nothing)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, MIB, 0, 0, &base));
	EXPECT_USAGE(self->fd, base, 0, 0);
	EXPECT_NO_READ(base);
	EXPECT_NO_WRITE(base + MIB - 1);
	EXPECT_USAGE(self->fd, base, 0, 0);
	EXPECT_EQ(0, ph_region(self->fd, base).out_faults);
}

TEST_F(privheap, first_touch_takes_one_page)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * MIB, 16 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	EXPECT_EQ(0, ph_write(base + 5 * MIB + 123, 1));
	EXPECT_USAGE(self->fd, base, 16 * MIB, PAGE);
	EXPECT_EQ(1, ph_region(self->fd, base).out_faults);
	/* Again: nothing more. */
	EXPECT_EQ(0, ph_write(base + 5 * MIB, 1));
	EXPECT_EQ(0, ph_read(base + 5 * MIB + PAGE - 1));
	EXPECT_USAGE(self->fd, base, 16 * MIB, PAGE);
	EXPECT_EQ(1, ph_region(self->fd, base).out_faults);
}

TEST_F(privheap, reading_takes_a_page_too)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, MIB, MIB, PRIVHEAP_CREATE_LAZY, &base));
	EXPECT_EQ(0, ph_read(base + 40 * PAGE + 7));
	EXPECT_USAGE(self->fd, base, MIB, PAGE);
	EXPECT_TRUE(ph_zero(base + 40 * PAGE, PAGE));
	EXPECT_USAGE(self->fd, base, MIB, PAGE);
	/* And the page that was read is the one that is written. */
	EXPECT_EQ(0, ph_write(base + 40 * PAGE, 9));
	EXPECT_EQ(9, base[40 * PAGE]);
	EXPECT_USAGE(self->fd, base, MIB, PAGE);
	EXPECT_EQ(1, ph_region(self->fd, base).out_faults);
}

/* No touch is beside another one: a page each, exactly. */
TEST_F(privheap, isolated_touches_take_a_page_each)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 4 * 512 * PAGE, 4 * 512 * PAGE,
			       PRIVHEAP_CREATE_LAZY, &base));
	for (unsigned int i = 0; i < 512; i++) {
		/* All over the region, in an order that jumps. */
		uint64_t page = (i * 331 % 512) * 4;

		ASSERT_EQ(0, ph_write(base + page * PAGE, i));
		ASSERT_EQ((i + 1) * PAGE, ph_resident(self->fd, base));
	}
	EXPECT_EQ(512, ph_region(self->fd, base).out_faults);
	EXPECT_EQ(512 * PAGE, ph_region(self->fd, base).out_peak_resident);
}

/* The window: a sequence of n pages leaves 4 n at the most. */
static void sequence(struct __test_metadata *_metadata, int fd, bool up)
{
	const unsigned int pages = 8 * MIB / PAGE;
	uint64_t resident = 0, last;
	char *base;

	ASSERT_EQ(0, ph_create(fd, 8 * MIB, 8 * MIB, PRIVHEAP_CREATE_LAZY,
			       &base));
	for (unsigned int i = 0; i < pages; i++) {
		unsigned int page = up ? i : pages - 1 - i;

		ASSERT_EQ(0, ph_write(base + page * PAGE + i % PAGE, i + 1));
		last = resident;
		resident = ph_resident(fd, base);
		ASSERT_LE(last, resident);
		ASSERT_LE((i + 1) * PAGE, resident);
		ASSERT_GE((i + 1) * 4 * PAGE, resident) {
			TH_LOG("after %u touches", i + 1);
		}
	}
	EXPECT_EQ(8 * MIB, resident);
	/* A kernel without large folios, such as 6.1-rt, takes page by page. */
	if (ph_region(fd, base).out_features & PRIVHEAP_FEATURE_HUGE) {
		EXPECT_GT(pages / 4, ph_region(fd, base).out_faults);
	} else {
		EXPECT_EQ(pages, ph_region(fd, base).out_faults);
	}
	for (unsigned int i = 0; i < pages; i++) {
		unsigned int page = up ? i : pages - 1 - i;

		ASSERT_EQ((char)(i + 1), base[page * PAGE + i % PAGE]);
	}
}

TEST_F(privheap, sequence_upwards_stays_in_the_window)
{
	sequence(_metadata, self->fd, true);
}

TEST_F(privheap, sequence_downwards_stays_in_the_window)
{
	sequence(_metadata, self->fd, false);
}

/* Whatever the commit's size and place, all of it and no more is resident. */
TEST_F(privheap, window_ends_at_the_commit)
{
	static const unsigned int sizes[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100,
		255, 257, 511, 512, 513, 600, 1023,
	};
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 2048 * PAGE, 0, 0, &base));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t length = sizes[i] * PAGE;
		uint64_t offset = (i % 5 * 3 + 1) * PAGE;

		ASSERT_EQ(0, ph_commit(self->fd, base, offset, length, 0));
		ph_touch(base + offset, length, 1);
		EXPECT_USAGE(self->fd, base, length, length);
		EXPECT_NO_READ(base + offset - 1);
		EXPECT_NO_READ(base + offset + length);
		EXPECT_USAGE(self->fd, base, length, length);
		ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 2048 * PAGE));
		EXPECT_USAGE(self->fd, base, 0, 0);
	}
}

/* A window may not swallow what lies in the middle of it. */
TEST_F(privheap, window_leaves_resident_pages_alone)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 1024 * PAGE, 1024 * PAGE,
			       PRIVHEAP_CREATE_LAZY, &base));
	for (uint64_t page = 5; page < 1024; page += 37) {
		ASSERT_EQ(0, ph_write(base + page * PAGE + 1, page % 100 + 1));
	}
	ph_touch(base, 1024 * PAGE, 1);
	EXPECT_USAGE(self->fd, base, 1024 * PAGE, 1024 * PAGE);
	for (uint64_t page = 0; page < 1024; page++) {
		char expected = page % 37 == 5 ? page % 100 + 1 : 0;

		EXPECT_EQ(1, base[page * PAGE]);
		EXPECT_EQ(expected, base[page * PAGE + 1]);
		EXPECT_TRUE(ph_zero(base + page * PAGE + 2, PAGE - 2));
	}
}

TEST_F(privheap, new_pages_are_zero)
{
	char *base;

	/* Leave something behind that could shine through. */
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(0, ph_create(self->fd, 4 * MIB, 4 * MIB,
				       PRIVHEAP_CREATE_LAZY, &base));
		for (uint64_t offset = 0; offset < 4 * MIB; offset += PAGE) {
			ASSERT_TRUE(ph_zero(base + offset, PAGE));
			memset(base + offset, 0x5a, PAGE);
		}
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
}

TEST_F(privheap, regions_are_aligned_for_huge_pages)
{
	static const uint64_t sizes[] = {
		HUGE, 2 * HUGE, 32 * HUGE, HUGE + PAGE, 5 * HUGE / 2,
	};
	struct privheap_query query;
	char *base;

	if (sizeof(long) == 4)
		SKIP(return, "no huge pages for 32-bit programs are promised");
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query));
	if (!(query.out_features & PRIVHEAP_FEATURE_HUGE))
		SKIP(return, "no huge pages on this machine");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, ph_create(self->fd, sizes[i], 0, 0, &base));
		EXPECT_EQ(0, TO_BASE(base) % HUGE) {
			TH_LOG("%llu KiB at %p",
			       (unsigned long long)sizes[i] / 1024, base);
		}
	}
}

TEST_F(privheap, sequence_is_mapped_huge)
{
	struct privheap_query query;
	const uint64_t size = 64 * MIB;
	char *base;

	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query));
	if (!(query.out_features & PRIVHEAP_FEATURE_HUGE))
		SKIP(return, "no huge pages on this machine");
	if (sizeof(long) == 4)
		SKIP(return, "no huge pages for 32-bit programs are promised");
	if (HUGE > 2 * MIB)
		SKIP(return, "pieces of more than 2 MiB are not promised");
	ASSERT_EQ(0, ph_create(self->fd, size, size,
			       PRIVHEAP_CREATE_LAZY, &base));
	ph_touch(base, size, 1);
	EXPECT_USAGE(self->fd, base, size, size);
	/* All but the beginning, as long as memory is not in pieces. */
	EXPECT_LE(size / 4 * 3, ph_smaps(base, size, "FilePmdMapped"));
	EXPECT_EQ(size, ph_smaps(base, size, "Rss"));
	EXPECT_GT(200, ph_region(self->fd, base).out_faults);
}

TEST_F(privheap, populated_commit_is_mapped_huge)
{
	struct privheap_query query;
	const uint64_t size = HUGE > 8 * MIB ? 2 * HUGE : 16 * MIB;
	char *base;

	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query));
	if (!(query.out_features & PRIVHEAP_FEATURE_HUGE))
		SKIP(return, "no huge pages on this machine");
	if (sizeof(long) == 4)
		SKIP(return, "no huge pages for 32-bit programs are promised");
	ASSERT_EQ(0, ph_create(self->fd, size, size, 0, &base));
	EXPECT_USAGE(self->fd, base, size, size);
	ph_touch(base, size, 1);
	EXPECT_EQ(0, ph_region(self->fd, base).out_faults);
	EXPECT_LE(size / 2, ph_smaps(base, size, "FilePmdMapped"));
}

TEST_F(privheap, peaks_stay_when_usage_falls)
{
	struct privheap_query query;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 4 * MIB, 0, 0, &base));
	ASSERT_EQ(0, ph_grow(self->fd, base, 2 * MIB, 0));
	ASSERT_EQ(0, ph_write(base, 1));
	ASSERT_EQ(0, ph_write(base + MIB, 1));
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 2 * MIB));
	query = ph_region(self->fd, base);
	EXPECT_EQ(0, query.out_committed);
	EXPECT_EQ(0, query.out_resident);
	EXPECT_EQ(2 * MIB, query.out_peak_committed);
	EXPECT_EQ(2 * PAGE, query.out_peak_resident);
	EXPECT_EQ(2, query.out_faults);

	/* Less than the peak does not move it, more does. */
	ASSERT_EQ(0, ph_grow(self->fd, base, MIB, PRIVHEAP_COMMIT_POPULATE));
	query = ph_region(self->fd, base);
	EXPECT_EQ(2 * MIB, query.out_peak_committed);
	EXPECT_EQ(MIB, query.out_peak_resident);
	ASSERT_EQ(0, ph_grow(self->fd, base, 3 * MIB, 0));
	EXPECT_EQ(3 * MIB, ph_region(self->fd, base).out_peak_committed);
	EXPECT_EQ(2, ph_region(self->fd, base).out_faults);
}

/* The sums over a process, while regions come and go. */
TEST_F(privheap, process_sums_its_regions)
{
	struct privheap_query query;
	char *one, *two;

	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(0, query.out_regions);
	EXPECT_EQ(0, query.out_reserved);
	EXPECT_EQ(0, query.out_peak_committed);
	EXPECT_EQ(INT64_MAX & -PAGE, query.out_limit);
	EXPECT_EQ(0, query.out_id);

	ASSERT_EQ(0, ph_create(self->fd, MIB, 8 * PAGE, 0, &one));
	ASSERT_EQ(0, ph_create(self->fd, 3 * MIB, 4 * PAGE,
			       PRIVHEAP_CREATE_LAZY, &two));
	ASSERT_EQ(0, ph_write(two, 1));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(2, query.out_regions);
	EXPECT_EQ(4 * MIB, query.out_reserved);
	EXPECT_EQ(12 * PAGE, query.out_committed);
	EXPECT_EQ(9 * PAGE, query.out_resident);
	EXPECT_EQ(1, query.out_faults);

	ASSERT_EQ(0, ph_destroy(self->fd, one));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(1, query.out_regions);
	EXPECT_EQ(3 * MIB, query.out_reserved);
	EXPECT_EQ(4 * PAGE, query.out_committed);
	EXPECT_EQ(PAGE, query.out_resident);
	EXPECT_EQ(12 * PAGE, query.out_peak_committed);
	EXPECT_EQ(9 * PAGE, query.out_peak_resident);
	ASSERT_EQ(0, ph_destroy(self->fd, two));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(0, query.out_regions);
	EXPECT_EQ(0, query.out_reserved);
	EXPECT_EQ(0, query.out_committed);
	EXPECT_EQ(0, query.out_resident);
}

TEST_HARNESS_MAIN
