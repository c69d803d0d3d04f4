// SPDX-License-Identifier: GPL-2.0-only
/*
 * DECOMMIT: touches fail afterwards at the exact address, the neighbours keep
 * every byte, and what is committed again is zero; at all offsets and lengths
 * around the borders of large folios.
 */
#include <sys/mman.h>

#include "privheap_fixture.h"

#define FOLIO		16		/* pages of an order-4 folio */
#define HUGE_PAGES	(HUGE / PAGE)

/* A value that tells pages apart, and is never zero. */
static char mark(unsigned int page)
{
	return page % 127 + 1;
}

static void fill(char *base, unsigned int pages)
{
	for (unsigned int page = 0; page < pages; page++)
		memset(base + page * PAGE, mark(page), PAGE);
}

/* Take the pages of a range in folios as large as its alignment allows. */
static int recommit(int fd, char *base, unsigned int first, unsigned int pages)
{
	return ph_commit(fd, base, first * PAGE, pages * PAGE,
			 PRIVHEAP_COMMIT_POPULATE);
}

/*
 * Are the pages as they should be after @count from @first on were taken away?
 * @again: they were committed again. Returns the first that is not, or -1.
 */
static int wrong_page(char *base, unsigned int pages, unsigned int first,
		      unsigned int count, bool again)
{
	for (unsigned int page = 0; page < pages; page++) {
		char *at = base + page * PAGE;

		if (page < first || page >= first + count) {
			if (ph_read(at) || !ph_all(at, PAGE, mark(page)))
				return page;
		} else if (again) {
			if (ph_read(at) || !ph_zero(at, PAGE))
				return page;
		} else if (ph_read(at + 1) != SIGSEGV ||
			   ph_fault_address != at + 1) {
			return page;
		}
	}
	return -1;
}

TEST_F(privheap, touch_after_decommit)
{
	struct privheap_decommit arg = {
		.size = sizeof(arg), .offset = 4 * PAGE, .length = 3 * PAGE,
	};
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 32 * PAGE, 32 * PAGE, 0, &base));
	fill(base, 32);
	arg.base = TO_BASE(base);
	arg.out_committed = ~0ULL;
	ASSERT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_DECOMMIT, &arg));
	EXPECT_EQ(29 * PAGE, arg.out_committed);
	EXPECT_USAGE(self->fd, base, 29 * PAGE, 29 * PAGE);

	EXPECT_NO_READ(base + 4 * PAGE);
	EXPECT_NO_WRITE(base + 4 * PAGE);
	EXPECT_NO_READ(base + 5 * PAGE + 77);
	EXPECT_NO_WRITE(base + 7 * PAGE - 1);
	EXPECT_EQ(0, ph_read(base + 4 * PAGE - 1));
	EXPECT_EQ(0, ph_read(base + 7 * PAGE));
	EXPECT_EQ(-1, wrong_page(base, 32, 4, 3, false));

	ASSERT_EQ(0, ph_commit(self->fd, base, 4 * PAGE, 3 * PAGE, 0));
	EXPECT_USAGE(self->fd, base, 32 * PAGE, 29 * PAGE);
	EXPECT_EQ(-1, wrong_page(base, 32, 4, 3, true));
}

TEST_F(privheap, decommit_twice)
{
	struct privheap_query before;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 32 * PAGE, 32 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_decommit(self->fd, base, 8 * PAGE, 8 * PAGE));
	before = ph_region(self->fd, base);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 8 * PAGE, 8 * PAGE));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 10 * PAGE, PAGE));
	EXPECT_UNCHANGED(self->fd, base, before);
	/* Over the hole: what is left on both sides. */
	EXPECT_EQ(0, ph_decommit(self->fd, base, 4 * PAGE, 16 * PAGE));
	EXPECT_USAGE(self->fd, base, 24 * PAGE - 8 * PAGE, 16 * PAGE);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 32 * PAGE));
	EXPECT_USAGE(self->fd, base, 0, 0);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 32 * PAGE));
	EXPECT_USAGE(self->fd, base, 0, 0);
}

TEST_F(privheap, decommit_untouched)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 4 * MIB, 4 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	EXPECT_EQ(0, ph_decommit(self->fd, base, MIB, MIB));
	EXPECT_USAGE(self->fd, base, 3 * MIB, 0);
	EXPECT_NO_READ(base + MIB);
	EXPECT_EQ(0, ph_read(base + 2 * MIB));
}

/*
 * Three folios of 16 pages: each range in them, once lazily committed again
 * and once populated.
 */
TEST_F(privheap, every_range_around_small_folios)
{
	const unsigned int pages = 3 * FOLIO;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, pages * PAGE, 0, 0, &base));
	/* One by one, so that the folios are of order 4 and no larger. */
	for (unsigned int page = 0; page < pages; page += FOLIO) {
		ASSERT_EQ(0, recommit(self->fd, base, page, FOLIO));
	}
	fill(base, pages);

	for (unsigned int first = FOLIO - 3; first < 2 * FOLIO + 3; first++) {
		for (unsigned int end = first + 1; end <= 2 * FOLIO + 3; end++) {
			unsigned int count = end - first;

			ASSERT_EQ(0, ph_decommit(self->fd, base, first * PAGE,
						 count * PAGE));
			EXPECT_USAGE(self->fd, base, (pages - count) * PAGE,
				     (pages - count) * PAGE);
			ASSERT_EQ(-1, wrong_page(base, pages, first, count,
						 false)) {
				TH_LOG("%u pages from %u", count, first);
			}
			ASSERT_EQ(0, ph_commit(self->fd, base, first * PAGE,
					       count * PAGE, count % 2 ?
					       PRIVHEAP_COMMIT_POPULATE : 0));
			ASSERT_EQ(-1, wrong_page(base, pages, first, count,
						 true)) {
				TH_LOG("%u pages from %u", count, first);
			}
			/* Whole folios again. */
			ASSERT_EQ(0, ph_decommit(self->fd, base, 0,
						 pages * PAGE));
			for (unsigned int page = 0; page < pages; page += FOLIO) {
				ASSERT_EQ(0, recommit(self->fd, base, page,
						      FOLIO));
			}
			fill(base, pages);
		}
	}
}

/*
 * The offsets and lengths where huge folios begin, end and are cut. With pages of
 * 16 KiB three of them are 96 MiB.
 */
TEST_F_TIMEOUT(privheap, ranges_around_huge_folios, 240)
{
	static const unsigned int firsts[] = {
		0, 1, FOLIO, HUGE_PAGES - 1, HUGE_PAGES, HUGE_PAGES + 1,
		HUGE_PAGES + 300, 2 * HUGE_PAGES - 1,
	};
	static const unsigned int counts[] = {
		1, 3, FOLIO, HUGE_PAGES - 1, HUGE_PAGES, HUGE_PAGES + 1,
		HUGE_PAGES + 17,
	};
	const unsigned int pages = 3 * HUGE_PAGES;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, pages * PAGE, pages * PAGE, 0, &base));
	fill(base, pages);
	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(counts); j++) {
			unsigned int first = firsts[i], count = counts[j];

			if (first + count > pages)
				continue;
			ASSERT_EQ(0, ph_decommit(self->fd, base, first * PAGE,
						 count * PAGE));
			EXPECT_USAGE(self->fd, base, (pages - count) * PAGE,
				     (pages - count) * PAGE);
			ASSERT_EQ(-1, wrong_page(base, pages, first, count,
						 false)) {
				TH_LOG("%u pages from %u", count, first);
			}
			ASSERT_EQ(0, recommit(self->fd, base, first, count));
			ASSERT_EQ(-1, wrong_page(base, pages, first, count,
						 true)) {
				TH_LOG("%u pages from %u", count, first);
			}
			ASSERT_EQ(0, ph_decommit(self->fd, base, 0,
						 pages * PAGE));
			ASSERT_EQ(0, recommit(self->fd, base, 0, pages));
			fill(base, pages);
		}
	}
}

/* A folio that is mapped huge is cut, from a touch and from a populate. */
TEST_F(privheap, hole_in_a_huge_mapping)
{
	struct privheap_query query;
	char *base;

	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query));
	if (!(query.out_features & PRIVHEAP_FEATURE_HUGE))
		SKIP(return, "no huge pages on this machine");
	if (sizeof(long) == 4)
		SKIP(return, "no huge pages for 32-bit programs are promised");

	ASSERT_EQ(0, ph_create(self->fd, 2 * HUGE, 2 * HUGE, 0, &base));
	fill(base, 2 * HUGE_PAGES);
	ASSERT_EQ(2 * HUGE, ph_smaps(base, 2 * HUGE, "FilePmdMapped"));
	ASSERT_EQ(0, ph_decommit(self->fd, base, 200 * PAGE, 3 * PAGE));
	EXPECT_USAGE(self->fd, base, 2 * HUGE - 3 * PAGE, 2 * HUGE - 3 * PAGE);
	EXPECT_EQ(-1, wrong_page(base, 2 * HUGE_PAGES, 200, 3, false));
	/* The other one is as it was. */
	EXPECT_EQ(HUGE, ph_smaps(base, 2 * HUGE, "FilePmdMapped"));
	EXPECT_EQ(2 * HUGE - 3 * PAGE, ph_smaps(base, 2 * HUGE, "Rss"));

	ASSERT_EQ(0, ph_commit(self->fd, base, 200 * PAGE, 3 * PAGE, 0));
	EXPECT_EQ(-1, wrong_page(base, 2 * HUGE_PAGES, 200, 3, true));
	EXPECT_USAGE(self->fd, base, 2 * HUGE, 2 * HUGE);
}

/* Down to the last page, one by one, from either end and from the middle. */
TEST_F(privheap, page_by_page)
{
	const unsigned int pages = HUGE_PAGES;
	char *base;

	for (int way = 0; way < 3; way++) {
		ASSERT_EQ(0, ph_create(self->fd, HUGE, HUGE, 0, &base));
		fill(base, pages);
		for (unsigned int i = 0; i < pages; i++) {
			unsigned int page = way == 0 ? i :
					    way == 1 ? pages - 1 - i :
					    i * 201 % pages;

			ASSERT_TRUE(ph_all(base + page * PAGE, PAGE, mark(page)));
			ASSERT_EQ(0, ph_decommit(self->fd, base, page * PAGE,
						 PAGE));
			ASSERT_EQ(SIGSEGV, ph_read(base + page * PAGE));
		}
		EXPECT_USAGE(self->fd, base, 0, 0);
		EXPECT_EQ(0, ph_smaps(base, HUGE, "Rss"));
		ASSERT_EQ(0, ph_destroy(self->fd, base));
	}
}

/*
 * Bytes of memory that are free, those included that processors keep at hand
 * in lists of their own: single pages go there first, up to an eighth of memory.
 */
static long long free_memory(void)
{
	long long pages, sum = ph_proc_bytes("/proc/meminfo", "MemFree");
	FILE *zones = fopen("/proc/zoneinfo", "r");
	char line[128];

	while (zones && fgets(line, sizeof(line), zones))
		if (sscanf(line, " count: %lld", &pages) == 1)
			sum += pages * PAGE;
	if (zones)
		fclose(zones);
	return sum;
}

/* Memory goes back to the system when the call returns, not later. */
TEST_F(privheap, memory_comes_back)
{
	long long unevictable, with, without;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * MIB, 64 * MIB, 0, &base));
	ph_touch(base, 64 * MIB, 1);
	with = free_memory();
	unevictable = ph_smaps(base, 64 * MIB, "Rss");
	ASSERT_EQ(64 * MIB, unevictable);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 64 * MIB));
	without = free_memory();
	EXPECT_USAGE(self->fd, base, 0, 0);
	EXPECT_EQ(0, ph_smaps(base, 64 * MIB, "Rss"));
	/* Others allocate meanwhile, but not so much. */
	EXPECT_LT(with + 32 * MIB, without);
}

TEST_HARNESS_MAIN
