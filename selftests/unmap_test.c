// SPDX-License-Identifier: GPL-2.0-only
/*
 * munmap, mremap and their kin on regions: what they take is given back, and none
 * of them makes a second mapping, or a larger one.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "lifetime_selftest.h"

TEST_F(privheap, munmap_whole)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, munmap(base, RESERVE));
	EXPECT_NO_READ(base);
	EXPECT_EQ(-ENOENT, ph_grow(self->fd, base, COMMIT, 0));
	EXPECT_EQ(-ENOENT, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

TEST_F(privheap, munmap_tail)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, munmap(base + MIB, RESERVE - MIB));
	EXPECT_NO_READ(base + MIB);
	EXPECT_TRUE(ph_all(base, MIB, 3));
	/* Nobody can reach those pages any more: they are given back. */
	EXPECT_USAGE(self->fd, base, MIB, MIB);
	EXPECT_EQ(RESERVE, ph_region(self->fd, base).out_reserved);
	/* The rest works on. */
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	EXPECT_EQ(0, ph_commit(self->fd, base, 0, PAGE, 0));
	EXPECT_TRUE(ph_zero(base, PAGE));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, munmap_hole)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	/* Not along the borders of folios. */
	ASSERT_EQ(0, munmap(base + MIB + PAGE, MIB + 3 * PAGE));
	EXPECT_NO_READ(base + MIB + PAGE);
	EXPECT_NO_READ(base + 2 * MIB + 4 * PAGE - 1);
	EXPECT_TRUE(ph_all(base, MIB + PAGE, 3));
	EXPECT_TRUE(ph_all(base + 2 * MIB + 4 * PAGE,
			   COMMIT - 2 * MIB - 4 * PAGE, 3));
	EXPECT_EQ(COMMIT - MIB - 3 * PAGE, ph_committed(self->fd, base));
	/* Something of the program's own there: DESTROY leaves it alone. */
	ASSERT_EQ(base + 2 * MIB, mmap(base + 2 * MIB, PAGE,
				       PROT_READ | PROT_WRITE, MAP_PRIVATE |
				       MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
				       -1, 0));
	base[2 * MIB] = 42;
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_NO_READ(base);
	EXPECT_NO_READ(base + 2 * MIB + 4 * PAGE);
	EXPECT_EQ(42, base[2 * MIB]);
	EXPECT_PROCESS(0, 0, 0);
}

/*
 * The base is gone, and with it the handle: another region may take its place.
 * What is left lives until it is unmapped, too.
 */
TEST_F(privheap, munmap_head)
{
	char *base = make_region(self->fd);
	struct privheap_query query;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, munmap(base, PAGE));
	EXPECT_NO_READ(base);
	EXPECT_TRUE(ph_all(base + PAGE, COMMIT - PAGE, 3));
	EXPECT_EQ(-ENOENT, ph_query(self->fd, base, 0, &query));
	EXPECT_EQ(-ENOENT, ph_query(self->fd, base + PAGE, 0, &query));
	EXPECT_PROCESS(1, COMMIT - PAGE, COMMIT - PAGE);
	EXPECT_EQ(0, ph_write(base + COMMIT - PAGE, 1));
	ASSERT_EQ(0, munmap(base + PAGE, RESERVE - PAGE));
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, munmap_page_by_page)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 64 * PAGE, 0, &base));
	for (int page = 63; page >= 0; page--) {
		EXPECT_USAGE(self->fd, base, (page + 1) * PAGE,
			     (page + 1) * PAGE);
		ASSERT_EQ(0, munmap(base + page * PAGE, PAGE));
	}
	EXPECT_EQ(-ENOENT, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

/* Something else is mapped over a part: the same as unmapping it. */
TEST_F(privheap, mmap_over_a_part)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(base + MIB, mmap(base + MIB, MIB, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0));
	EXPECT_TRUE(ph_zero(base + MIB, MIB));
	EXPECT_TRUE(ph_all(base, MIB, 3));
	EXPECT_TRUE(ph_all(base + 2 * MIB, COMMIT - 2 * MIB, 3));
	EXPECT_EQ(COMMIT - MIB, ph_committed(self->fd, base));
	/* What the region says of this range has no effect on it. */
	memset(base + MIB, 8, MIB);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, COMMIT));
	EXPECT_TRUE(ph_all(base + MIB, MIB, 8));
	EXPECT_NO_READ(base + MIB - 1);
	EXPECT_NO_READ(base + 2 * MIB);
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_TRUE(ph_all(base + MIB, MIB, 8));
}

/* An mremap that is refused, at an address of its own if asked for one. */
static void refuse_mremap(struct __test_metadata *_metadata, int fd,
			  uint64_t offset, uint64_t old, uint64_t new, int flags)
{
	char *base = make_region(fd), *there = NULL;
	struct privheap_query before = ph_region(fd, base);

	ASSERT_NE(NULL, base);
	if (flags & MREMAP_FIXED) {
		there = mmap(NULL, new, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		ASSERT_NE(MAP_FAILED, there);
	}
	EXPECT_EQ(MAP_FAILED, mremap(base + offset, old, new, flags, there));
	EXPECT_UNCHANGED(fd, base, before);
	EXPECT_EQ(0, ph_read(base + COMMIT - 1));
	EXPECT_EQ(0, ph_read(base + offset));
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_NO_READ(base + COMMIT);
	/* It works as before. */
	EXPECT_EQ(0, ph_grow(fd, base, RESERVE, 0));
	EXPECT_EQ(0, ph_write(base + RESERVE - 1, 1));
	EXPECT_EQ(0, ph_decommit(fd, base, 0, PAGE));
	EXPECT_NO_READ(base);
	EXPECT_EQ(0, ph_destroy(fd, base));
	EXPECT_NO_READ(base + PAGE);
}

TEST_F(privheap, mremap_does_not_move)
{
	refuse_mremap(_metadata, self->fd, 0, RESERVE, RESERVE,
		      MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_move_a_part)
{
	refuse_mremap(_metadata, self->fd, MIB, MIB, MIB,
		      MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_move_the_head)
{
	refuse_mremap(_metadata, self->fd, 0, MIB, MIB,
		      MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_grow)
{
	refuse_mremap(_metadata, self->fd, 0, RESERVE, 2 * RESERVE, 0);
	refuse_mremap(_metadata, self->fd, 0, RESERVE, 2 * RESERVE,
		      MREMAP_MAYMOVE);
	refuse_mremap(_metadata, self->fd, MIB, MIB, 2 * MIB, MREMAP_MAYMOVE);
	EXPECT_PROCESS(0, 0, 0);
}

/* An old size of zero asks for a second mapping of the same pages. */
TEST_F(privheap, mremap_does_not_map_twice)
{
	refuse_mremap(_metadata, self->fd, 0, 0, RESERVE, MREMAP_MAYMOVE);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_leave_a_copy)
{
	refuse_mremap(_metadata, self->fd, 0, RESERVE, RESERVE,
		      MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_shrinks)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(base, mremap(base, RESERVE, RESERVE, 0));
	EXPECT_EQ(base, mremap(base, RESERVE, MIB, 0));
	EXPECT_NO_READ(base + MIB);
	EXPECT_TRUE(ph_all(base, MIB, 3));
	EXPECT_EQ(MIB, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

/* The kernel unmaps the range before it asks: to the region it is munmap. */
TEST_F(privheap, remap_file_pages_maps_nothing)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base + MIB, MIB, 0, 0, 0));
	EXPECT_TRUE(ph_all(base, MIB, 3));
	EXPECT_TRUE(ph_all(base + 2 * MIB, COMMIT - 2 * MIB, 3));
	EXPECT_NO_READ(base + MIB);
	EXPECT_EQ(COMMIT - MIB, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

TEST_HARNESS_MAIN
