// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is about 32-bit programs alone; other tests are built for 32 bits as
 * they are. On other machines this is one more test of the layout.
 */
#include <sys/mman.h>
#include <sys/utsname.h>

#include "privheap_fixture.h"

TEST(layout)
{
	EXPECT_EQ(56, sizeof(struct privheap_create));
	EXPECT_EQ(40, sizeof(struct privheap_grow));
	EXPECT_EQ(48, sizeof(struct privheap_commit));
	EXPECT_EQ(40, sizeof(struct privheap_decommit));
	EXPECT_EQ(16, sizeof(struct privheap_destroy));
	EXPECT_EQ(104, sizeof(struct privheap_query));
	EXPECT_EQ(32, sizeof(struct privheap_notify));
	EXPECT_EQ(8, offsetof(struct privheap_create, reserve));
	EXPECT_EQ(32, offsetof(struct privheap_create, out_base));
	EXPECT_EQ(48, offsetof(struct privheap_create, out_denied));
	EXPECT_EQ(32, offsetof(struct privheap_grow, out_denied));
	EXPECT_EQ(24, offsetof(struct privheap_notify, resource));
}

TEST_F(privheap, regions_are_within_reach)
{
	struct utsname name;
	char *base;

	ASSERT_EQ(0, uname(&name));
	TH_LOG("a %zu-bit program on %s", 8 * sizeof(long), name.machine);
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, ph_create(self->fd, 16 * MIB, MIB, 0, &base));
		EXPECT_EQ(0, ph_write(base + MIB - 1, 1));
		EXPECT_EQ(MIB, ph_committed(self->fd, base));
		if (sizeof(long) == 4)
			EXPECT_GT(1ULL << 32, TO_BASE(base) + 16 * MIB);
	}
}

/* The address space ends somewhere; the program gets an error, no leak. */
TEST_F(privheap, address_space_runs_out)
{
	struct privheap_query query;
	uint64_t made = 0;
	char *base;
	int ret = 0;

	if (sizeof(long) > 4)
		SKIP(return, "64-bit programs do not run out of it");
	while (made < 100) {
		ret = ph_create(self->fd, 256 * MIB, PAGE, 0, &base);
		if (ret)
			break;
		made++;
	}
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_LE(4, made);
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(made, query.out_regions);
	EXPECT_EQ(made * PAGE, query.out_committed);
	EXPECT_EQ(made * 256 * MIB, query.out_reserved);
}

/* Sizes that only fit 64 bits are refused, not cut off. */
TEST_F(privheap, sizes_are_64_bits_wide)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 16 * PAGE, 0, 0, &base));
	EXPECT_EQ(-EINVAL, ph_grow(self->fd, base, GIB * 4 + PAGE, 0));
	EXPECT_EQ(-EINVAL, ph_commit(self->fd, base, GIB * 4, PAGE, 0));
	EXPECT_EQ(-EINVAL, ph_commit(self->fd, base, 0, GIB * 4 + PAGE, 0));
	EXPECT_EQ(-EINVAL, ph_decommit(self->fd, base, GIB * 4, PAGE));
	EXPECT_EQ(0, ph_committed(self->fd, base));
}

TEST_HARNESS_MAIN
