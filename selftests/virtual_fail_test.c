// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VirtualAlloc(), VirtualFree() and VirtualQuery() do when the calls below
 * them fail: see heap_fail_inject.h.
 */
#include <sys/resource.h>

#include "heap_fail_inject.h"
#include "virtual_selftest.h"

/* What a call on a region says, and what that is here. */
TEST_F(memory, errors_of_regions)
{
	static const struct {
		int error;
		DWORD last_error;
	} rules[] = {
		{ EDQUOT, ERROR_COMMITMENT_LIMIT },
		{ ENOMEM, ERROR_NOT_ENOUGH_MEMORY },
		{ ENOENT, ERROR_INVALID_ADDRESS },
	};
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 8 * page, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, p);
	VirtualAlloc(p, page, MEM_COMMIT, PAGE_READONLY);
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		refuse(1 << REGION_COMMIT, rules[i].error, 1, true);
		ALLOC_FAILS(rules[i].last_error, p, 4 * page, MEM_COMMIT,
			    PAGE_READWRITE);
		/* nor is anything left of what was reserved for it */
		ALLOC_FAILS(rules[i].last_error, NULL, 4 * page, MEM_COMMIT,
			    PAGE_READWRITE);
		EXPECT_EQ(2, inject.injected);
		refuse(1 << REGION_CREATE, rules[i].error, 1, true);
		ALLOC_FAILS(rules[i].last_error, NULL, page, MEM_RESERVE,
			    PAGE_READWRITE);
		refuse(1 << REGION_DECOMMIT, rules[i].error, 1, true);
		FREE_FAILS(rules[i].last_error, p, page, MEM_DECOMMIT);
		refuse_nothing();
		EXPECT_RUN(p, p, page, MEM_COMMIT, PAGE_READONLY);
		EXPECT_RUN(p, p + page, 7 * page, MEM_RESERVE, 0);
	}
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* Of pages of which some are pinned the others go, and it is known which. */
TEST_F(memory, decommit_of_some)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_COMMIT, PAGE_READWRITE);

	ASSERT_NE(NULL, p);
	/* one page is held for a moment only */
	refuse(1 << REGION_DECOMMIT, EBUSY, 1, false);
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p, 8 * page, MEM_DECOMMIT)));
	EXPECT_EQ(3, inject.calls);
	EXPECT_RUN(p, p, 8 * page, MEM_RESERVE, 0);
	EXPECT_RUN(p, p + 8 * page, 24 * page, MEM_COMMIT, PAGE_READWRITE);

	/* and one for longer */
	refuse(1 << REGION_DECOMMIT, EBUSY, 1, true);
	FREE_FAILS(ERROR_BUSY, p + 8 * page, 8 * page, MEM_DECOMMIT);
	refuse_nothing();
	EXPECT_RUN(p, p + 8 * page, page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_RUN(p, p + 9 * page, 7 * page, MEM_RESERVE, 0);
	EXPECT_EQ(0, read_at(p + 8 * page));
	EXPECT_EQ(SIGSEGV, read_at(p + 9 * page));
	EXPECT_EQ(self->before.committed + 17 * page, process_usage().committed);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* The library's own records want memory, too. */
TEST_F(memory, no_memory_for_a_reservation)
{
	unsigned long nth = 0;
	char *p;

	do {
		refuse(1 << SYSTEM_MMAP | 1 << SYSTEM_IOCTL, ENOMEM, ++nth,
		       false);
		p = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);
		if (p) {
			EXPECT_EQ(STALE, GetLastError());
			EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
		} else {
			EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		}
		refuse_nothing();
		EXPECT_EQ(self->before.regions, process_usage().regions);
		EXPECT_EQ(self->before.committed, process_usage().committed);
	} while (inject.injected);
	/* the region, and the table of reservations */
	EXPECT_LT(2, nth);
}

TEST_F(memory, no_memory_for_runs)
{
	SIZE_T page = self->page, i;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, p);
	refuse(1 << SYSTEM_MMAP, ENOMEM, 1, true);
	/* so many runs need none */
	for (i = 0; i < 16; i++)
		if (!VirtualAlloc(p + 2 * i * page, 1, MEM_COMMIT,
				  PAGE_READWRITE))
			break;
	ASSERT_LT(0, i);
	ASSERT_GT(16, i);
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 2 * i * page, 1, MEM_COMMIT,
		    PAGE_READWRITE);
	FREE_FAILS(ERROR_NOT_ENOUGH_MEMORY, p, page, MEM_DECOMMIT);
	EXPECT_RUN(p, p, page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(self->before.committed + i * page, process_usage().committed);
	EXPECT_EQ(0, write_at(p));
	EXPECT_EQ(SIGSEGV, write_at(p + 2 * i * page));
	refuse_nothing();
	EXPECT_EQ(p + 2 * i * page, VirtualAlloc(p + 2 * i * page, 1, MEM_COMMIT,
						 PAGE_READWRITE));
	EXPECT_EQ(TRUE, VirtualFree(p, page, MEM_DECOMMIT));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* The device is out of reach: a reservation ends all the same. */
TEST_F(memory, release_goes_through)
{
	char *p = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, write_at(p));
	refuse(1 << REGION_DESTROY, EACCES, 1, true);
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE)));
	EXPECT_EQ(1, inject.injected);
	refuse_nothing();
	EXPECT_EQ(SIGSEGV, read_at(p));
	FREE_FAILS(ERROR_INVALID_ADDRESS, p, 0, MEM_RELEASE);
	/* the region is not the library's any more, but it is still counted */
	if (is_anonymous())
		self->before = process_usage();
}

/* Without a descriptor to spare nobody can say what else is mapped. */
TEST_F(memory, query_without_a_descriptor)
{
	char *p = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);
	struct rlimit old, none;
	MEMORY_BASIC_INFORMATION info;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	memset(&info, 0xee, sizeof(info));
	SETS_ERROR(ERROR_GEN_FAILURE,
		   EXPECT_EQ(0, VirtualQuery(&info, &info, sizeof(info))));
	EXPECT_TRUE(all_bytes(&info, 0xee, sizeof(info)));
	/* of its own reservations the library knows */
	KEEPS_ERROR(EXPECT_EQ(sizeof(info),
			      VirtualQuery(p, &info, sizeof(info))));
	EXPECT_EQ(MIB, info.RegionSize);
	EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

TEST_HARNESS_MAIN
