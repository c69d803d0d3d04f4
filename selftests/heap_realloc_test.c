// SPDX-License-Identifier: GPL-2.0-only
/* HeapReAlloc: see heap_selftest.h. */
#include "heap_selftest.h"

/* ----------------------------------------------------------- HeapReAlloc */

TEST(R1_realloc_null)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	SETS_ERROR(NO_ERROR, EXPECT_EQ(NULL, HeapReAlloc(heap, 0, NULL, 10)));
	SETS_ERROR(NO_ERROR,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_GENERATE_EXCEPTIONS,
					       NULL, 0)));
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	HeapDestroy(heap);
}

TEST(R2_contents_are_kept)
{
	static const SIZE_T sizes[] = {
		10, 1000, 100, 200 * KIB, 50, 3 * MIB, 2 * MIB, 5 * MIB, 77, 0,
		MIB, FIXED_MAX, 900 * KIB, 33,
	};
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T before = 5, keep;
	char *p = HeapAlloc(heap, 0, before), *q;

	memset(p, 0, before);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		KEEPS_ERROR(q = HeapReAlloc(heap, 0, p, sizes[i]));
		ASSERT_NE(NULL, q);
		keep = before < sizes[i] ? before : sizes[i];
		ASSERT_TRUE(all_bytes(q, i, keep));
		ASSERT_EQ(sizes[i], HeapSize(heap, 0, q));
		ASSERT_EQ(1, usage_of(heap).cBlocks);
		memset(q, i + 1, sizes[i]);
		p = q;
		before = sizes[i];
	}
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
}

TEST(R3_realloc_to_zero)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *p = HeapAlloc(heap, 0, 100), *q;

	KEEPS_ERROR(q = HeapReAlloc(heap, 0, p, 0));
	EXPECT_EQ(p, q);
	EXPECT_EQ(0, HeapSize(heap, 0, q));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, q));
	HeapDestroy(heap);
}

TEST(R4_zero_memory_from_the_old_size_on)
{
	static const SIZE_T from[] = { 0, 1, 13, 100, 5000, 2 * MIB + 3 };
	static const SIZE_T to[] = { 7, 14, 30, 5000, 300 * KIB, 3 * MIB };
	HANDLE heap = HeapCreate(0, 0, 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(from); i++) {
		for (unsigned int j = 0; j < ARRAY_SIZE(to); j++) {
			char *p = HeapAlloc(heap, 0, to[j] + 100);

			/* shrink, which leaves scribbled slack, then grow */
			memset(p, 0xee, to[j] + 100);
			if (to[j] + 100 < from[i])
				p = HeapReAlloc(heap, 0, p, from[i]);
			p = HeapReAlloc(heap, 0, p, from[i]);
			memset(p, 0xee, from[i]);
			p = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, to[j]);
			ASSERT_NE(NULL, p);
			if (to[j] > from[i])
				ASSERT_TRUE(all_bytes(p + from[i], 0,
						      to[j] - from[i]));
			HeapFree(heap, 0, p);
		}
	}
	HeapDestroy(heap);
}

TEST(R5_failure_leaves_the_block)
{
	HANDLE heap = HeapCreate(0, 0, 64 * KIB), big = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000), *q = HeapAlloc(big, 0, 2 * MIB);

	memset(p, 3, 1000);
	memset(q, 4, 2 * MIB);
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, 100 * KIB)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, SIZE_MAX)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(big, 0, q, SIZE_MAX - 7)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(big, 0, q, SIZE_MAX / 16 * 15)));
	EXPECT_TRUE(all_bytes(p, 3, 1000));
	EXPECT_EQ(1000, HeapSize(heap, 0, p));
	EXPECT_TRUE(all_bytes(q, 4, 2 * MIB));
	EXPECT_EQ(2 * MIB, HeapSize(big, 0, q));
	HeapDestroy(heap);
	HeapDestroy(big);
}

TEST(R6_R7_in_place)
{
	/* ordinary blocks on both widths, then large ones */
	static const SIZE_T sizes[][3] = {
		{ 1000, 500, 800 }, { 400 * KIB, 200 * KIB, 300 * KIB },
		{ 768 * KIB, 384 * KIB, 512 * KIB }, { 4 * MIB, 384 * KIB, MIB },
	};
	HANDLE heap = HeapCreate(0, 0, 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = HeapAlloc(heap, 0, sizes[i][0]);

		memset(p, 9, sizes[i][0]);
		for (int j = 1; j < 3; j++) {
			KEEPS_ERROR(EXPECT_EQ(p, HeapReAlloc(heap,
							     HEAP_REALLOC_IN_PLACE_ONLY, p,
							     sizes[i][j])));
			EXPECT_EQ(sizes[i][j], HeapSize(heap, 0, p));
		}
		EXPECT_TRUE(all_bytes(p, 9, sizes[i][1]));
		HeapFree(heap, 0, p);
	}
	HeapDestroy(heap);
}

/* Wherever the size is kept: of new blocks, and of those that shrank. */
TEST(R6_sizes_are_exact)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T size, less;
	char *p;

	/* By then a size is one of those that the heap is often asked for. */
	for (size = 1; size <= 64 * KIB; size += size / 16 + 1)
		for (int i = 0; i < 20; i++)
			HeapFree(heap, 0, HeapAlloc(heap, 0, size));
	for (size = 0; size <= 66000; size += size < 1100 ? 1 : 29) {
		p = HeapAlloc(heap, 0, size);
		ASSERT_NE(NULL, p);
		ASSERT_EQ(size, HeapSize(heap, 0, p));
		memset(p, 0xff, size);
		for (less = size; less; less -= less / 3 + 1) {
			ASSERT_EQ(p, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
						 p, less));
			ASSERT_EQ(less, HeapSize(heap, 0, p));
			memset(p, 0xff, less);
		}
		ASSERT_EQ(TRUE, HeapFree(heap, 0, p));
		ASSERT_EQ(FALSE, HeapFree(heap, 0, p));
		ASSERT_EQ((SIZE_T)-1, HeapSize(heap, 0, p));
	}
	HeapDestroy(heap);
}

TEST(R8_in_place_impossible)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100), *next = HeapAlloc(heap, 0, 100);
	char *q = HeapAlloc(heap, 0, 2 * MIB);

	memset(p, 5, 100);
	memset(next, 6, 100);
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
					       p, 4000)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
					       q, 4 * MIB)));
	EXPECT_EQ(100, HeapSize(heap, 0, p));
	EXPECT_EQ(2 * MIB, HeapSize(heap, 0, q));
	EXPECT_TRUE(all_bytes(p, 5, 100));
	EXPECT_TRUE(all_bytes(next, 6, 100));
	HeapDestroy(heap);
}

TEST(R9_in_place_impossible_with_exceptions)
{
	static HANDLE heap, raising;
	static char *p, *q;

	heap = HeapCreate(0, 0, 0);
	raising = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);
	p = HeapAlloc(heap, 0, 100);
	HeapAlloc(heap, 0, 100);
	q = HeapAlloc(raising, 0, 100);
	HeapAlloc(raising, 0, 100);
	memset(p, 5, 100);
	memset(q, 6, 100);
	PrivheapSetExceptionHandler(on_exception);

	RAISES(STATUS_NO_MEMORY,
	       HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY |
				 HEAP_GENERATE_EXCEPTIONS, p, 4000));
	EXPECT_EQ(heap, raised_heap);
	EXPECT_EQ(4000, raised_bytes);
	RAISES(STATUS_NO_MEMORY,
	       HeapReAlloc(raising, HEAP_REALLOC_IN_PLACE_ONLY, q, 4000));
	/* the blocks are as they were, and the heaps are not locked */
	EXPECT_EQ(100, HeapSize(heap, 0, p));
	EXPECT_EQ(100, HeapSize(raising, 0, q));
	EXPECT_TRUE(all_bytes(p, 5, 100));
	EXPECT_TRUE(all_bytes(q, 6, 100));
	SETS_ERROR(ERROR_NOT_OWNER, EXPECT_EQ(FALSE, HeapUnlock(raising)));
	/* R1: not even then */
	RAISES(0, EXPECT_EQ(NULL, HeapReAlloc(raising, 0, NULL, 10)));
	HeapDestroy(heap);
	HeapDestroy(raising);
}

TEST(R10_not_a_block)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000), *gone = HeapAlloc(heap, 0, 100);
	char *foreign[] = {
		p + 1, p + 8, p + 16, p - 16, gone, HeapAlloc(other, 0, 100),
		HeapAlloc(other, 0, 2 * MIB), (char *)heap, (char *)&heap,
		(char *)16, (char *)UINTPTR_MAX, (char *)(UINTPTR_MAX - 15),
	};
	PRIVHEAP_USAGE before;

	memset(p, 0xff, 1000);
	HeapFree(heap, 0, gone);
	before = usage_of(heap);
	for (unsigned int i = 0; i < ARRAY_SIZE(foreign); i++)
		SETS_ERROR(ERROR_INVALID_PARAMETER,
			   EXPECT_EQ(NULL, HeapReAlloc(heap, 0, foreign[i], 8)));
	EXPECT_EQ(before.cBlocks, usage_of(heap).cBlocks);
	EXPECT_EQ(before.cbCommitted, usage_of(heap).cbCommitted);
	EXPECT_TRUE(all_bytes(p, 0xff, 1000));
	HeapDestroy(heap);
	HeapDestroy(other);
}

TEST_HARNESS_MAIN
