// SPDX-License-Identifier: GPL-2.0-only
/*
 * What heaps do when single calls are refused that heap_fail_test.c does not
 * come by: see heap_fail_inject.h.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patient_harness.h"

#include "heap_fail_inject.h"
#include "heap_model.h"

/* Without a page that forks wipe, those that the C library makes are seen. */
TEST(forks_are_seen_without_advice)
{
	HANDLE heap;
	void *block;
	int status;
	pid_t pid;

	inject.which = 1 << SYSTEM_ADVICE;
	inject.error = EINVAL;
	inject.nth = 1;
	heap = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(1, inject.injected);
	block = HeapAlloc(heap, 0, 100);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (HeapFree(heap, 0, block) ||
		    GetLastError() != ERROR_INVALID_HANDLE)
			_exit(1);
		heap = HeapCreate(0, 0, 0);
		_exit(heap && HeapAlloc(heap, 0, 100) ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(TRUE, HeapFree(heap, 0, block));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* The device is out of reach: a region ends with its mapping, too. */
TEST(destroy_goes_through)
{
	size_t page = sysconf(_SC_PAGESIZE);
	HANDLE heap = HeapCreate(0, 0, 0);
	char *large = HeapAlloc(heap, 0, 2 * MIB);
	unsigned char vec;

	ASSERT_NE(NULL, large);
	large -= (uintptr_t)large % page;
	EXPECT_EQ(0, mincore(large, page, &vec));
	inject.which = 1 << REGION_DESTROY;
	inject.error = EACCES;
	inject.nth = 1;
	inject.on = true;
	model_set_stale();
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_TRUE(model_is_stale());
	EXPECT_GE(inject.injected, 2);
	EXPECT_EQ(-1, mincore(large, page, &vec));
	EXPECT_EQ(-1, mincore(heap, page, &vec));
	EXPECT_EQ(FALSE, HeapDestroy(heap));
}

/* The kernel does not answer: no numbers rather than wrong ones. */
TEST(usage_that_cannot_be_asked)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage), .cBlocks = 77 };

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
	for (int nth = 1; nth <= 2; nth++) {
		inject.which = 1 << REGION_QUERY;
		inject.error = EACCES;
		inject.calls = 0;
		inject.nth = nth;
		model_set_stale();
		EXPECT_EQ(FALSE, PrivheapQueryHeap(heap, &usage));
		EXPECT_TRUE(model_has_error(ERROR_GEN_FAILURE));
		EXPECT_EQ(77, usage.cBlocks);
	}
	inject.nth = 0;
	EXPECT_EQ(TRUE, PrivheapQueryHeap(heap, &usage));
	EXPECT_EQ(1, usage.cBlocks);
	HeapDestroy(heap);
}

TEST(no_memory_for_the_process_heap)
{
	refuse(1 << REGION_CREATE, ENOMEM, 1, true);
	EXPECT_EQ(NULL, GetProcessHeap());
	EXPECT_TRUE(model_has_error(ERROR_NOT_ENOUGH_MEMORY));
	model_set_stale();
	EXPECT_EQ(0, GetProcessHeaps(0, NULL));
	EXPECT_TRUE(model_has_error(ERROR_NOT_ENOUGH_MEMORY));
	refuse_nothing();
	EXPECT_EQ(1, GetProcessHeaps(0, NULL));
	EXPECT_NE(NULL, GetProcessHeap());
}

/* Free memory that was given back, and is not to be had again. */
TEST(holes_that_a_quota_keeps_empty)
{
	HANDLE heap = HeapCreate(0, 0, MIB);
	const SIZE_T size = 100 * KIB;
	ULONGLONG committed;
	char *block[10];

	for (int i = 0; i < 10; i++) {
		block[i] = HeapAlloc(heap, 0, size);
		ASSERT_NE(NULL, block[i]);
		memset(block[i], i, size);
	}
	for (int i = 1; i < 8; i += 2)
		EXPECT_EQ(TRUE, HeapFree(heap, 0, block[i]));
	HeapCompact(heap, 0);
	committed = usage_of(heap).cbCommitted;
	EXPECT_LT(committed, 800 * KIB);

	refuse(1 << REGION_COMMIT, EDQUOT, 1, true);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, size));
	EXPECT_TRUE(model_has_error(ERROR_NOT_ENOUGH_MEMORY));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, PrivheapGetDeniedLevel());
	EXPECT_EQ(committed, usage_of(heap).cbCommitted);
	/* once when the heap looks in haste, and once when it does not */
	EXPECT_EQ(2, inject.injected);
	for (int i = 0; i < 10; i += i < 8 ? 2 : 1)
		EXPECT_TRUE(all_bytes(block[i], i, size));

	refuse_nothing();
	for (int i = 1; i < 8; i += 2)
		EXPECT_NE(NULL, HeapAlloc(heap, 0, size));
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* A quota that refuses, until the heap has given back what is free in it. */
TEST(growth_in_place_at_the_cost_of_free_memory)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *gap = HeapAlloc(heap, 0, 200 * KIB), *last;

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 100 * KIB));
	last = HeapAlloc(heap, 0, 100 * KIB);
	memset(last, 7, 100 * KIB);
	EXPECT_EQ(TRUE, HeapFree(heap, 0, gap));

	refuse(1 << REGION_COMMIT, EDQUOT, 1, false);
	EXPECT_EQ(last, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, last,
				    500 * KIB));
	EXPECT_TRUE(model_is_stale());
	EXPECT_EQ(1, inject.injected);
	EXPECT_TRUE(all_bytes(last, 7, 100 * KIB));
	memset(last, 8, 500 * KIB);
	/* and there is nothing more that it could give */
	refuse(1 << REGION_COMMIT, EDQUOT, 1, true);
	EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, last,
				    900 * KIB));
	EXPECT_TRUE(model_has_error(ERROR_NOT_ENOUGH_MEMORY));
	EXPECT_TRUE(all_bytes(last, 8, 500 * KIB));
	refuse_nothing();
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* A block that has room to grow, for which a quota has none. */
TEST(growth_of_a_large_block)
{
	const DWORD in_place = HEAP_REALLOC_IN_PLACE_ONLY;
	SIZE_T page = sysconf(_SC_PAGESIZE), size = 20 * MIB;
	HANDLE heap = HeapCreate(0, 0, 0);
	char *block = HeapAlloc(heap, 0, 100 * KIB), *gap;

	gap = HeapAlloc(heap, 0, 200 * KIB);
	ASSERT_NE(NULL, HeapAlloc(heap, 0, 100 * KIB));
	block = HeapReAlloc(heap, 0, block, size);
	ASSERT_NE(NULL, block);
	block[size - 1] = 5;
	HeapCompact(heap, 0);

	/* all of what is aimed at is needed */
	refuse(1 << REGION_COMMIT, EDQUOT, 1, true);
	EXPECT_EQ(NULL, HeapReAlloc(heap, in_place, block, size + 4 * MIB));
	EXPECT_TRUE(model_has_error(ERROR_NOT_ENOUGH_MEMORY));
	EXPECT_EQ(size, HeapSize(heap, 0, block));
	EXPECT_EQ(1, inject.injected);

	/* less is enough */
	refuse(1 << REGION_COMMIT, EDQUOT, 1, false);
	size += page;
	EXPECT_EQ(block, HeapReAlloc(heap, in_place, block, size));
	EXPECT_TRUE(model_is_stale());
	EXPECT_EQ(1, inject.injected);
	EXPECT_EQ(2, inject.calls);
	block[size - 1] = 6;

	/* what is free elsewhere in the heap makes up for it */
	EXPECT_EQ(TRUE, HeapFree(heap, 0, gap));
	refuse(1 << REGION_COMMIT, EDQUOT, 1, false);
	size += 4 * MIB;
	EXPECT_EQ(block, HeapReAlloc(heap, in_place, block, size));
	EXPECT_EQ(1, inject.injected);
	block[size - 1] = 7;
	refuse_nothing();
	EXPECT_EQ(5, block[20 * MIB - 1]);
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* A further region, of which no more than the first page is to be had. */
TEST(no_memory_in_a_further_region)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	const SIZE_T size = 500 * KIB;
	DWORD regions;

	do {
		regions = usage_of(heap).dwRegions;
		refuse(1 << REGION_CREATE, ENOMEM, 1, true);
	} while (regions == 1 && HeapAlloc(heap, 0, size));
	EXPECT_EQ(1, regions);
	refuse(1 << REGION_COMMIT, ENOMEM, 1, true);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, size));
	EXPECT_TRUE(model_has_error(ERROR_NOT_ENOUGH_MEMORY));
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	refuse_nothing();
	EXPECT_NE(NULL, HeapAlloc(heap, 0, size));
	EXPECT_EQ(2, usage_of(heap).dwRegions);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* More regions than a walk can number, as there is no room for longer ones. */
TEST(K8_more_regions_than_numbers)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	unsigned int regions = 0, wanted;
	void *block[300], *large;
	HANDLE heap;

	inject.most = 256 * KIB;
	heap = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, heap);
	for (int i = 0; i < 300; i++) {
		block[i] = HeapAlloc(heap, 0, 100 * KIB);
		ASSERT_NE(NULL, block[i]);
	}
	refuse_nothing();
	large = HeapAlloc(heap, 0, 2 * MIB);
	EXPECT_LT(256, usage_of(heap).dwRegions);
	while (HeapWalk(heap, &entry)) {
		if (entry.lpData == large) {
			EXPECT_EQ(64, entry.iRegionIndex);
			continue;
		}
		regions += entry.wFlags == PROCESS_HEAP_REGION;
		/* without that of large blocks */
		wanted = regions - 1 < 64 ? regions - 1 : regions;
		ASSERT_EQ(wanted < 255 ? wanted : 255, entry.iRegionIndex);
	}
	EXPECT_EQ(ERROR_NO_MORE_ITEMS, GetLastError());
	EXPECT_EQ(usage_of(heap).dwRegions, regions + 1);
	/* they go in any order */
	for (int i = 0; i < 300; i++)
		EXPECT_EQ(TRUE, HeapFree(heap, 0, block[i * 7 % 300]));
	EXPECT_EQ(2, usage_of(heap).dwRegions);
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* Where address space is short, only a part of the heap can have slots. */
TEST(slots_out_of_reach)
{
	static unsigned char *block[4000];
	HANDLE heap = HeapCreate(0, 0, 0);

	inject.most = 16 * MIB;
	for (int i = 0; i < 100; i++)
		ASSERT_NE(NULL, HeapAlloc(heap, 0, 100));
	refuse_nothing();
	while (usage_of(heap).dwRegions < 3)
		ASSERT_NE(NULL, HeapAlloc(heap, 0, 900 * KIB));
	for (int i = 0; i < 4000; i++) {
		block[i] = HeapAlloc(heap, 0, 100 + i % 1000);
		ASSERT_NE(NULL, block[i]);
		model_fill(block[i], 0, 100 + i % 1000, i + 1);
	}
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	for (int i = 0; i < 4000; i++) {
		SIZE_T size = HeapSize(heap, 0, block[i]);

		ASSERT_EQ(100 + i % 1000, size);
		ASSERT_EQ(size, model_differs(block[i], 0, size, i + 1));
		ASSERT_EQ(TRUE, HeapFree(heap, 0, block[i]));
		ASSERT_EQ(FALSE, HeapFree(heap, 0, block[i]));
	}
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST_HARNESS_MAIN
